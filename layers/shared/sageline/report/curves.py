"""The learning curves in a training job's log."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from sageline.report.data import Curve
from sageline.spec.metric_pattern import MetricPattern, NoMetricPattern

CURVES_SECONDS = 30.0
"""As long as the metrics of a log are looked for; then the curves end."""


def learning_curves(lines: Iterable[str], definitions: Mapping[str, str], *, seconds: float = CURVES_SECONDS) -> list[Curve]:
    """Every value of the metrics in a training job's log.

    Args:
        definitions: metric to the regular expression whose first group is the value, as the job's ``MetricDefinitions``. One that
            cannot be searched for in a bounded time has no curve; no spec has such.
        seconds: what is not found until then is left out.
    """
    patterns = {metric: pattern for metric, expression in definitions.items() if (pattern := _pattern(expression)) is not None}
    values: dict[str, list[float]] = {metric: [] for metric in patterns}
    deadline = time.monotonic() + seconds
    for line in lines:
        if time.monotonic() > deadline:
            break
        for metric, pattern in patterns.items():
            value = pattern.value(line)
            if value is not None:
                values[metric].append(value)
    return [Curve(metric, tuple(found)) for metric, found in values.items() if found]


def _pattern(expression: str) -> MetricPattern | None:
    try:
        return MetricPattern(expression)
    except NoMetricPattern:
        return None
