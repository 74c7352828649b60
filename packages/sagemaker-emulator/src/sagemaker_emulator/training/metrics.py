"""Metrics in a job's log lines, by the algorithm's and the request's regular expressions.

Which engine SageMaker has is not documented. Python's takes exponential time for some expressions, which would stop the
service; so they are RE2's here, whose syntax Java's and Python's engines share, but for what RE2 leaves out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import re2

_MAX_INSTRUCTIONS = 1000  # of RE2's program: what a character of a line may cost
_LONGEST_LINE = 4096  # a line that reports a metric is short


class NoPattern(ValueError):
    """No regular expression, or one that cannot be searched for in a bounded time."""


def compiled(pattern: str) -> Any:  # Any: the package has no types
    """The pattern; raises NoPattern, which says why."""
    options = re2.Options()
    options.log_errors = False
    try:
        made = re2.compile(pattern, options)
    except UnicodeEncodeError as error:
        raise NoPattern(str(error)) from None
    except re2.error as error:
        said = error.args[0].decode(errors="replace")
        raise NoPattern(f"{said} (the local SageMaker service searches with RE2, whose syntax it has to have)") from None
    if made.programsize > _MAX_INSTRUCTIONS:
        raise NoPattern("it repeats too much for the local SageMaker service")
    return made


class MetricScanner:
    """Keeps the last value of each metric; ``measured`` is told every value as it comes."""

    def __init__(
        self, definitions: Iterable[tuple[str, str]], measured: Callable[[str, float], None] = lambda _name, _value: None
    ) -> None:
        self._measured = measured
        self._definitions = [(name, compiled(pattern)) for name, pattern in definitions]
        self._last: dict[str, tuple[float, float]] = {}

    def scan(self, line: str, at: float) -> None:
        if len(line) > _LONGEST_LINE:
            return
        for name, pattern in self._definitions:
            try:
                match = pattern.search(line)
                value = float(match[1]) if match else None
            except (ValueError, IndexError, TypeError):
                continue
            if value is None:
                continue
            self._last[name] = (value, at)
            self._measured(name, value)

    def final(self) -> list[dict[str, object]]:
        """As FinalMetricDataList of DescribeTrainingJob."""
        return [{"MetricName": name, "Value": value, "Timestamp": at} for name, (value, at) in self._last.items()]
