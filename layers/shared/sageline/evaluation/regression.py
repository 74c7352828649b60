"""How good a regression is on rows whose values are known: sums over blocks of rows, and what they come to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from sageline.arrays.exact_sums import ExactTable, exact_product, nearest
from sageline.arrays.matrix import AnyArray, DoubleArray, FloatArray
from sageline.arrays.strings import IntArray
from sageline.evaluation.jackknife import GROUPS, group_of, standard_error, sums_by, sums_without_each
from sageline.evaluation.metrics.median import median, medians_without_each
from sageline.evaluation.sample import SIZE, Sample
from sageline.evaluation.wording import plain
from sageline.spec.metrics import metrics_of

_QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
_BARS = 30
_OUTSIDE = 0.005
_POINTS = 1_000
_NAMES = ("weight", "absolute", "relative", "squared", "value", "value_squared")
_LEAST_VALUE = float(np.finfo(np.float64).eps)
"""What an error is a share of where the value is less, as scikit-learn has it. Of 0 it is no share of anything."""


class RegressionSums:
    """What the metrics are made of, for each of the jackknife's groups, and a sample of the rows for their median, for the
    baseline and for what they look like; the memory that it takes does not grow with the rows. Sums are exact, so it is the same
    however the rows are cut.

    Args:
        sample_size: rows of the sample.
        first_row, of_rows: the position of the first row, and how many there are, if others count some of them, to be merged.
    """

    def __init__(self, sample_size: int = SIZE, *, first_row: int = 0, of_rows: int | None = None) -> None:
        self.rows = 0
        self.zeros = 0
        self.is_weighted = False
        self._position = first_row
        self._tables = {name: ExactTable(GROUPS) for name in _NAMES}
        self._group_rows = np.zeros(GROUPS)
        self._sample_size = sample_size
        self._sample = Sample(4, sample_size, first_row=first_row, of_rows=of_rows)
        self._least, self._most = np.inf, -np.inf

    def update(self, expected: AnyArray, predicted: FloatArray, weights: DoubleArray | None = None) -> None:
        """Count some rows.

        Args:
            expected: one number per row: what its value is.
            predicted: what the model has answered.
            weights: ``float64[rows]``: as how many rows each counts, 0 or more; None for one each.
        """
        expected, predicted = expected.astype(np.float64), predicted.astype(np.float64)
        self.is_weighted = self.is_weighted or weights is not None
        weights = np.ones(len(expected)) if weights is None else weights
        groups = group_of(self._position, len(expected))
        self.rows += len(expected)
        self._position += len(expected)
        self.zeros += int((expected == 0).sum())
        errors = predicted - expected
        self._group_rows += np.bincount(groups, minlength=GROUPS)
        self._tables["weight"].add(groups, weights)
        for name, numbers in (("absolute", np.abs(errors)), ("relative", _relative(errors, expected)), ("squared", errors**2)):
            self._tables[name].add(groups, numbers * weights)
        # Values far from 0 and close together would cancel out in a rounded sum of their squares.
        for name, numbers in (("value", (expected,)), ("value_squared", exact_product(expected, expected))):
            for part in numbers:
                for product in exact_product(part, weights):
                    self._tables[name].add(groups, product)
        self._sample.add(expected, predicted, groups, weights)
        self._forget()
        self._least, self._most = np.append(errors, self._least).min(), np.append(errors, self._most).max()

    def merge(self, after: RegressionSums) -> None:
        """Count the rows of another one, which come after these."""
        self.rows += after.rows
        self._position = after._position
        self.zeros += after.zeros
        self.is_weighted = self.is_weighted or after.is_weighted
        for name, table in self._tables.items():
            table.merge(after._tables[name])
        self._group_rows += after._group_rows
        self._sample.merge(after._sample)
        self._forget()
        self._least, self._most = np.append(after._least, self._least).min(), np.append(after._most, self._most).max()

    def value(self, metric: str) -> float | None:
        """The metric over all rows; None for ``r2`` where all rows have the same value, and for ``mape`` where one has 0."""
        return self.metrics()[metric]

    def metrics(self) -> dict[str, float | None]:
        """Every metric of a regression, by name."""
        values = _values({name: sums.sum(keepdims=True) for name, sums in self._by_group.items()})
        numbers = {name: float(value[0]) for name, value in values.items()}
        numbers["median_absolute_error"] = self._median if np.isfinite(numbers["mae"]) else np.nan
        numbers["mape"] = np.nan if self.zeros else numbers["mape"]
        return {name: numbers[name] if np.isfinite(numbers[name]) else None for name in metrics_of("regression")}

    def standard_errors(self) -> dict[str, float | None]:
        """The standard error of each metric: how far it may be off, because the rows are a sample."""
        sizes = self.group_rows
        return {
            name: None if value is None else standard_error(value, self.without_each_group(name), sizes[sizes > 0])
            for name, value in self.metrics().items()
        }

    def without_each_group(self, metric: str) -> DoubleArray:
        """The metric without each group that has rows, for :func:`sageline.evaluation.jackknife.standard_error`."""
        if metric == "median_absolute_error":
            errors, groups, weights = self._errors()
            return medians_without_each(errors, weights, groups)[self.group_rows > 0]
        return self._without(self._by_group)[metric]

    @property
    def baseline_answer(self) -> str:
        """What the baseline always answers, in words: the mean of these rows."""
        return f"the mean ({plain(self._mean)})"

    def baseline_metrics(self) -> dict[str, float]:
        """Every metric of the baseline, a model that knows no more than the mean of these rows; ``mape`` where no value is 0."""
        total = {name: float(sums.sum()) for name, sums in self._by_group.items()}
        mean = total["value"] / total["weight"]
        variance = max(total["value_squared"] / total["weight"] - mean * mean, 0.0)  # a power of a large float is refused
        # The mean is not known before the last row, so its errors are those of the sample.
        errors, expected, _, weights = self._baseline_errors()
        shares = weights / weights.sum()
        found = {
            "rmse": variance**0.5,
            "mae": float((np.abs(errors) * shares).sum()),
            "median_absolute_error": median(np.abs(errors), weights),
            "r2": 0.0,
        }
        return found if self.zeros else {**found, "mape": float((_relative(errors, expected) * shares).sum())}

    def baseline_without_each_group(self, metric: str) -> DoubleArray:
        """Like :meth:`without_each_group`, for the baseline, whose answer stays the mean of all rows; NaN for ``mae`` and
        ``mape`` where the sample has not all rows."""
        errors, expected, groups, weights = self._baseline_errors()
        if metric == "median_absolute_error":
            return medians_without_each(np.abs(errors), weights, groups)[self.group_rows > 0]
        sums = self._by_group
        mean = sums["value"].sum() / sums["weight"].sum()
        squared = np.maximum(sums["value_squared"] - 2 * mean * sums["value"] + mean**2 * sums["weight"], 0)
        absolute, relative = (
            sums_by(groups, numbers * weights, GROUPS) if self.rows <= self._sample_size else np.full(GROUPS, np.nan)
            for numbers in (np.abs(errors), _relative(errors, expected))
        )
        return self._without({**sums, "squared": squared, "absolute": absolute, "relative": relative})[metric]

    @property
    def group_rows(self) -> DoubleArray:
        """``float64[groups]``: rows of each group."""
        return self._group_rows

    def document(self) -> dict[str, Any]:  # Any: a JSON document
        """``baseline`` and ``residuals`` of ``evaluation.json``. A residual is the model's answer minus the row's value."""
        expected, predicted, *_ = self._sample.columns
        return {
            "baseline": {"value": self._mean, "metrics": self.baseline_metrics()},
            "residuals": {
                "rows": len(expected),
                "quantiles": self._quantiles(predicted - expected),
                "histogram": _histogram(predicted - expected),
                "points": np.column_stack(self._sample.first(_POINTS)[:2]).tolist(),
            },
        }

    def _forget(self) -> None:
        """What was computed of fewer rows."""
        for name in ("_median", "_by_group", "_center"):
            self.__dict__.pop(name, None)

    @cached_property
    def _center(self) -> float:
        """The mean of the values; 0 where that is not known."""
        weight, value = (sum(self._tables[name].fractions()) for name in ("weight", "value"))
        return nearest(Fraction(value, weight)) if weight else 0.0

    @cached_property
    def _by_group(self) -> dict[str, DoubleArray]:
        """``float64[groups]`` by name; of the values and their squares around the center."""
        sums = {name: table.values() for name, table in self._tables.items()}
        weight, value, squared = (self._tables[name].fractions() for name in ("weight", "value", "value_squared"))
        center = Fraction(self._center)
        moved = {
            "value": [one - center * of for one, of in zip(value, weight, strict=True)],
            "value_squared": [
                square - 2 * center * one + center**2 * of for square, one, of in zip(squared, value, weight, strict=True)
            ],
        }
        for name, exact in moved.items():
            sums[name] = np.where(np.isfinite(sums[name]), list(map(nearest, exact)), sums[name])
        return sums

    @property
    def _mean(self) -> float:
        sums = self._by_group
        mean = float(sums["value"].sum() / sums["weight"].sum())
        return self._center if math.isfinite(mean) else mean

    @cached_property
    def _median(self) -> float:
        """Of the sample's absolute errors."""
        errors, _, weights = self._errors()
        return median(errors, weights)

    def _errors(self) -> tuple[DoubleArray, IntArray, DoubleArray]:
        """Of the sample's rows: the absolute error, the group, the weight."""
        expected, predicted, groups, weights = self._sample.columns
        return np.abs(predicted - expected), groups, weights

    def _baseline_errors(self) -> tuple[DoubleArray, DoubleArray, IntArray, DoubleArray]:
        """Of the sample's rows: the mean minus the value, the value, the group, the weight."""
        expected, _, groups, weights = self._sample.columns
        return self._mean - expected, expected, groups, weights

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


def _relative(errors: DoubleArray, expected: DoubleArray) -> DoubleArray:
    relative: DoubleArray = np.abs(errors) / np.maximum(np.abs(expected), _LEAST_VALUE)
    return relative


def _values(sums: Mapping[str, DoubleArray]) -> dict[str, DoubleArray]:
    """Metric by metric but for the median, from sums with a leading axis of any length; NaN where there is nothing to
    divide by."""
    weight = sums["weight"]
    with np.errstate(divide="ignore", invalid="ignore"):
        around_mean = sums["value_squared"] - sums["value"] ** 2 / weight
        explained = 1 - sums["squared"] / np.where(around_mean > 0, around_mean, np.nan)
        return {
            "rmse": np.sqrt(sums["squared"] / weight),
            "mae": sums["absolute"] / weight,
            "mape": sums["relative"] / weight,
            "r2": explained,
        }
