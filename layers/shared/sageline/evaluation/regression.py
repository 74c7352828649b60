"""How good a regression is on rows whose values are known: sums over blocks of rows, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sageline.arrays.matrix import AnyArray, DoubleArray, FloatArray
from sageline.evaluation.jackknife import GROUPS, group_of, standard_error, sums_without_each
from sageline.evaluation.sample import SIZE, Sample
from sageline.evaluation.wording import plain
from sageline.spec.metrics import metrics_of

_QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
_BARS = 30
_OUTSIDE = 0.005
_POINTS = 1_000
_NAMES = ("rows", "absolute", "squared", "value", "value_squared")


class RegressionSums:
    """What the metrics are made of, for each of the jackknife's groups, and a sample of the rows for what they look like; the
    memory that it takes does not grow with the rows."""

    def __init__(self, sample_size: int = SIZE) -> None:
        self.rows = 0
        self._by_group = {name: np.zeros(GROUPS) for name in _NAMES}
        self._sample = Sample(2, sample_size)
        self._center = 0.0
        self._least, self._most = np.inf, -np.inf

    def update(self, expected: AnyArray, predicted: FloatArray) -> None:
        """Count some rows: what their values are, and what the model has answered (one number per row each)."""
        expected, predicted = expected.astype(np.float64), predicted.astype(np.float64)
        if not self.rows and len(expected):
            # Values far from 0 and close together would cancel out in the sum of their squares; so would they around an outlier.
            self._center = float(np.median(expected))
        groups = group_of(self.rows, len(expected))
        self.rows += len(expected)
        errors, values = predicted - expected, expected - self._center
        for name, numbers in zip(_NAMES, (None, np.abs(errors), errors**2, values, values**2), strict=True):
            self._by_group[name] += np.bincount(groups, weights=numbers, minlength=GROUPS)
        self._sample.add(expected, predicted)
        self._least, self._most = np.append(errors, self._least).min(), np.append(errors, self._most).max()

    def value(self, metric: str) -> float | None:
        """The metric over all rows; None for ``r2`` where all rows have the same value."""
        return self.metrics()[metric]

    def metrics(self) -> dict[str, float | None]:
        """Every metric of a regression, by name."""
        values = _values({name: sums.sum(keepdims=True) for name, sums in self._by_group.items()})
        plain = {name: float(values[name][0]) for name in metrics_of("regression")}
        return {name: value if np.isfinite(value) else None for name, value in plain.items()}

    def standard_errors(self) -> dict[str, float | None]:
        """The standard error of each metric: how far it may be off, because the rows are a sample."""
        sizes = self.group_rows
        return {
            name: None if value is None else standard_error(value, self.without_each_group(name), sizes[sizes > 0])
            for name, value in self.metrics().items()
        }

    def without_each_group(self, metric: str) -> DoubleArray:
        """The metric without each group that has rows, for :func:`sageline.evaluation.jackknife.standard_error`."""
        return self._without(self._by_group)[metric]

    @property
    def baseline_answer(self) -> str:
        """What the baseline always answers, in words: the mean of these rows."""
        return f"the mean ({plain(self._mean)})"

    def baseline_metrics(self) -> dict[str, float]:
        """Every metric of the baseline, a model that knows no more than the mean of these rows."""
        total = {name: float(sums.sum()) for name, sums in self._by_group.items()}
        variance = max(total["value_squared"] / self.rows - (total["value"] / self.rows) ** 2, 0.0)
        # The mean is not known before the last row, so its absolute errors are those of the sample.
        return {"rmse": variance**0.5, "mae": float(np.abs(self._sample.rows[:, 0] - self._mean).mean()), "r2": 0.0}

    def baseline_without_each_group(self, metric: str) -> DoubleArray:
        """Like :meth:`without_each_group`, for the baseline, whose answer stays the mean of all rows; NaN for ``mae``."""
        sums = self._by_group
        mean = sums["value"].sum() / self.rows
        squared = np.maximum(sums["value_squared"] - 2 * mean * sums["value"] + mean**2 * sums["rows"], 0)
        return self._without({**sums, "squared": squared, "absolute": np.full(GROUPS, np.nan)})[metric]

    @property
    def group_rows(self) -> DoubleArray:
        """``float64[groups]``: rows of each group."""
        return self._by_group["rows"]

    def document(self) -> dict[str, Any]:  # Any: a JSON document
        """``baseline`` and ``residuals`` of ``evaluation.json``. A residual is the model's answer minus the row's value."""
        expected, predicted = self._sample.rows.T
        return {
            "baseline": {"value": self._mean, "metrics": self.baseline_metrics()},
            "residuals": {
                "rows": len(expected),
                "quantiles": self._quantiles(predicted - expected),
                "histogram": _histogram(predicted - expected),
                "points": self._sample.first(_POINTS).tolist(),
            },
        }

    @property
    def _mean(self) -> float:
        return self._center + float(self._by_group["value"].sum()) / self.rows

    def _without(self, by_group: Mapping[str, DoubleArray]) -> dict[str, DoubleArray]:
        """The metrics without each group that has rows."""
        filled = self.group_rows > 0
        return _values({name: sums_without_each(sums[filled]) for name, sums in by_group.items()})

    def _quantiles(self, residuals: DoubleArray) -> dict[str, float]:
        found = np.quantile(residuals, _QUANTILES).tolist()
        # The extremes are those of all rows, not of the sample.
        found[0], found[-1] = float(self._least), float(self._most)
        return {f"{quantile:g}": value for quantile, value in zip(_QUANTILES, found, strict=True)}


def _histogram(residuals: DoubleArray) -> dict[str, Any]:  # Any: a JSON document
    """Bars over the middle 99 % of the residuals (of few rows, over all), and how many rows lie below and above: outliers would
    squeeze the bars."""
    outside = _OUTSIDE if len(residuals) * _OUTSIDE >= 1 else 0.0
    low, high = np.quantile(residuals, (outside, 1 - outside))
    if not high - low > _BARS * np.spacing(max(abs(low), abs(high))):
        # All alike: a bar needs a width, and one that numbers of this size can tell.
        half = max(0.5, _BARS * float(np.spacing(max(abs(low), abs(high)))))
        low, high = low - half, high + half
    counts, edges = np.histogram(residuals, bins=_BARS, range=(low, high))
    below, above = int((residuals < low).sum()), int((residuals > high).sum())
    return {"edges": edges.tolist(), "rows": counts.tolist(), "below": below, "above": above}


def _values(sums: Mapping[str, DoubleArray]) -> dict[str, DoubleArray]:
    """Metric by metric, from sums with a leading axis of any length; NaN where there is nothing to divide by."""
    rows = sums["rows"]
    with np.errstate(divide="ignore", invalid="ignore"):
        around_mean = sums["value_squared"] - sums["value"] ** 2 / rows
        explained = 1 - sums["squared"] / np.where(around_mean > 0, around_mean, np.nan)
        return {"rmse": np.sqrt(sums["squared"] / rows), "mae": sums["absolute"] / rows, "r2": explained}
