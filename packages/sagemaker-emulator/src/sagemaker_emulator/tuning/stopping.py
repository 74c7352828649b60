"""When to stop: a trial that is not promising, and a tuning job that is good enough."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

# How many trials must have got as far before one is measured against them.
_LEAST_TO_COMPARE = 5
_IMPROVEMENT = 0.01


def worse_than_median(values: Sequence[float], earlier: Sequence[Sequence[float]], *, maximize: bool) -> bool:
    """SageMaker's rule for early stopping, after each value of the objective metric that a trial reports.

    ``values`` are this trial's, ``earlier`` those of trials that have ended. The last value is compared with the median of
    the earlier trials' running averages up to as many values. Never at the first value, which says nothing yet.
    """
    count = len(values)
    averages = [statistics.fmean(other[:count]) for other in earlier if len(other) >= count]
    if count < 2 or len(averages) < _LEAST_TO_COMPARE:
        return False
    median = statistics.median(averages)
    return values[-1] < median if maximize else values[-1] > median


class Progress:
    """The best objective so far, and for how many trials it has not got better by 1 % or more."""

    def __init__(self, *, maximize: bool) -> None:
        self._maximize = maximize
        self._reference: float | None = None
        self.best: float | None = None
        self.not_improving = 0

    def add(self, value: float | None) -> None:
        """The final objective of a trial, None when it has none."""
        if value is not None and (self.best is None or self._better(value, self.best)):
            self.best = value
        if self.best is not None and (self._reference is None or self._gain(self.best, self._reference)):
            self._reference = self.best
            self.not_improving = 0
        else:
            self.not_improving += 1

    def reached(self, target: float) -> bool:
        return self.best is not None and (self.best == target or self._better(self.best, target))

    def _better(self, value: float, than: float) -> bool:
        return value > than if self._maximize else value < than

    def _gain(self, value: float, reference: float) -> bool:
        change = value - reference if self._maximize else reference - value
        return change > 0 and change >= _IMPROVEMENT * abs(reference)
