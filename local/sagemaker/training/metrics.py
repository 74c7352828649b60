"""Metrics in a job's log lines, by the algorithm's and the request's regular expressions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

# A pattern may take quadratic time; a line that reports a metric is short.
_LONGEST_LINE = 4096


class MetricScanner:
    """Keeps the last value of each metric; ``measured`` is told every value as it comes."""

    def __init__(
        self, definitions: Iterable[tuple[str, str]], measured: Callable[[str, float], None] = lambda _name, _value: None
    ) -> None:
        self._measured = measured
        self._definitions = [(name, re.compile(pattern)) for name, pattern in definitions]
        self._last: dict[str, tuple[float, float]] = {}

    def scan(self, line: str, at: float) -> None:
        if len(line) > _LONGEST_LINE:
            return
        for name, pattern in self._definitions:
            match = pattern.search(line)
            if match is None:
                continue
            try:
                value = float(match[1])
            except (ValueError, IndexError):
                continue
            self._last[name] = (value, at)
            self._measured(name, value)

    def final(self) -> list[dict[str, object]]:
        """As FinalMetricDataList of DescribeTrainingJob."""
        return [{"MetricName": name, "Value": value, "Timestamp": at} for name, (value, at) in self._last.items()]
