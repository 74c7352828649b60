"""What came of a dataset, ranks, and the goals of the measurement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sageline.spec.metrics import METRICS

CONTESTANTS = ("sageline_quick", "sageline_good", "hist_gradient_boosting", "flaml", "flaml_good", "baseline")
"""``flaml`` has the seconds of Sageline's quick, ``flaml_good`` those of good."""

PAIRS = (
    ("sageline_quick", "hist_gradient_boosting"),
    ("sageline_quick", "flaml"),
    ("sageline_good", "hist_gradient_boosting"),
    ("sageline_good", "flaml_good"),
)
"""Who is compared with whom."""

CERTAIN = 2.0
"""Standard errors of the paired difference from which on a model counts as worse or better."""


@dataclass(frozen=True)
class Difference:
    """How much better Sageline is than a peer, negative when it is worse, and the standard error of that."""

    better: float
    standard_error: float

    @property
    def verdict(self) -> str:
        """``better``, ``worse``, or ``equal`` where chance may have brought it about."""
        if abs(self.better) <= CERTAIN * self.standard_error:
            return "equal"
        return "better" if self.better > 0 else "worse"


@dataclass(frozen=True)
class Result:
    """One dataset, measured.

    Attributes:
        values: by contestant its value of the metric, mean over the splits; not measured: not there.
        differences: by ``(one of Sageline's, peer)``.
        chosen: the algorithm that quick has chosen on each split.
        amlb: what the AutoML Benchmark's note needs: Sageline's own value of the metric there.
    """

    dataset: str
    metric: str
    rows: int
    splits: int
    held_out: bool
    values: Mapping[str, float]
    differences: Mapping[tuple[str, str], Difference]
    seconds: Mapping[str, float]
    dollars: float | None
    chosen: Sequence[str] = ()
    amlb: float | None = None

    def rank(self, contestant: str, among: Sequence[str]) -> float | None:
        """The contestant's place among those that were measured, 1 for the best; equal ones share the mean of their places."""
        values = [self.values[name] for name in among if name in self.values]
        if contestant not in self.values:
            return None
        sign = -1 if METRICS[self.metric].better == "higher" else 1
        own = sign * self.values[contestant]
        better = sum(sign * value < own for value in values)
        equal = sum(sign * value == own for value in values)
        return better + (equal + 1) / 2

    def to_json(self) -> dict[str, object]:
        """The dataset's entry of ``quality.json``; ``standard_error`` is that of the difference to HistGradientBoosting."""
        against = self.differences.get(("sageline_quick", "hist_gradient_boosting"))
        return {
            "metric": self.metric,
            **{name: _rounded(self.values.get(name)) for name in CONTESTANTS},
            "standard_error": None if against is None else _rounded(against.standard_error),
            "seconds": {name: round(seconds, 1) for name, seconds in self.seconds.items()},
            "dollars_in_aws": None if self.dollars is None else round(self.dollars, 5),
        }


def mean_rank(results: Sequence[Result], contestant: str, among: Sequence[str]) -> float | None:
    """Over the datasets where all of them were measured; None without any."""
    whole = [result for result in results if all(name in result.values for name in among)]
    ranks = [rank for result in whole if (rank := result.rank(contestant, among)) is not None]
    return float(np.mean(ranks)) if ranks else None


def lost(results: Sequence[Result], sageline: str, peer: str) -> list[Result]:
    """Where Sageline is worse than a peer, by more than chance or not, the clearest first."""
    found = [result for result in results if (sageline, peer) in result.differences]
    worse = [result for result in found if result.differences[sageline, peer].better < 0]
    return sorted(worse, key=lambda result: _in_errors(result.differences[sageline, peer]))


def _in_errors(difference: Difference) -> float:
    return difference.better / difference.standard_error if difference.standard_error else 0.0


def _rounded(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(f"{value:.5g}")
