"""What a choice of labels is worth: counts of rows per class, and the metric that they come to, for many choices at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sageline.arrays.matrix import AnyArray, DoubleArray
from sageline.arrays.strings import IntArray
from sageline.evaluation.jackknife import GROUPS, group_of, standard_error, sums_without_each
from sageline.spec.metrics import METRICS, class_metric


@dataclass(frozen=True)
class Improvement:
    """A metric before and after, on the same rows.

    Attributes:
        improvement: how much better it is after; negative when it is worse, whichever values are the better ones.
        standard_error: of the improvement; None where it cannot be told.
    """

    metric: str
    before: float
    after: float
    improvement: float
    standard_error: float | None

    @property
    def is_more_than_chance(self) -> bool:
        """Whether it is better by more than one standard error."""
        return self.standard_error is not None and self.improvement > max(self.standard_error, 0.0)

    def to_json(self, *, used: bool) -> dict[str, Any]:  # Any: a JSON document
        return {
            "metric": self.metric,
            "before": self.before,
            "after": self.after,
            "improvement": self.improvement,
            "standard_error": self.standard_error,
            "used": used,
        }


@dataclass(frozen=True, eq=False)
class ClassCounts:
    """Rows, or sums of their weights, per class; leading axes of any shape: of jackknife groups, of thresholds.

    Attributes:
        hits: ``float64[…, classes]``: rows of each class that are given it.
        support: ``float64[…, classes]``: rows that have it.
        predicted: ``float64[…, classes]``: rows that are given it.
    """

    hits: DoubleArray
    support: DoubleArray
    predicted: DoubleArray

    @classmethod
    def by_group(cls, expected: IntArray, chosen: IntArray, weights: DoubleArray, classes: int) -> ClassCounts:
        """Of each jackknife group."""
        groups = group_of(0, len(expected)) * classes
        right = chosen == expected

        def count(numbers: IntArray, counted: DoubleArray) -> DoubleArray:
            return weight_of_each(numbers, counted, GROUPS * classes).reshape(GROUPS, classes)

        return cls(
            count((groups + chosen)[right], weights[right]), count(groups + expected, weights), count(groups + chosen, weights)
        )

    @classmethod
    def of_all(cls, expected: IntArray, chosen: IntArray, weights: DoubleArray, classes: int) -> ClassCounts:
        """Of all rows together, ``float64[classes]``."""
        right = chosen == expected
        return cls(
            weight_of_each(chosen[right], weights[right], classes),
            weight_of_each(expected, weights, classes),
            weight_of_each(chosen, weights, classes),
        )

    def total(self) -> ClassCounts:
        """Over all groups."""
        return ClassCounts(self.hits.sum(axis=0), self.support.sum(axis=0), self.predicted.sum(axis=0))

    def without_each(self, filled: AnyArray) -> ClassCounts:
        """Over all groups but one, for each that has rows."""
        hits, support, predicted = (sums_without_each(sums[filled]) for sums in (self.hits, self.support, self.predicted))
        return ClassCounts(hits, support, predicted)

    def value(self, metric: str, classes: list[str]) -> DoubleArray:
        """``float64[…]``: accuracy, balanced_accuracy, macro_precision, macro_f1, matthews_correlation, or ``f1:<label>``."""
        hits, support, predicted = self.hits, self.support, self.predicted
        there = support > 0  # a class that no row has is no part of a mean over classes
        of_class = class_metric(metric)
        if of_class is not None:
            index = classes.index(of_class[1])
            return _ratio(2 * hits[..., index], support[..., index] + predicted[..., index])
        match metric:
            case "accuracy":
                return _ratio(hits.sum(axis=-1), support.sum(axis=-1))
            case "balanced_accuracy":
                return _ratio((_ratio(hits, support) * there).sum(axis=-1), there.sum(axis=-1))
            case "macro_precision":
                return _ratio((_ratio(hits, predicted) * there).sum(axis=-1), there.sum(axis=-1))
            case "macro_f1":
                return _ratio((_ratio(2 * hits, support + predicted) * there).sum(axis=-1), there.sum(axis=-1))
            case "matthews_correlation":
                return self._correlation()
            case other:
                raise ValueError(f"no threshold is chosen for {other}")

    def _correlation(self) -> DoubleArray:
        """Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient (2004); 0 where it has no
        value."""
        rows = self.support.sum(axis=-1)
        together = self.hits.sum(axis=-1) * rows - (self.support * self.predicted).sum(axis=-1)
        spread = [rows**2 - (counts**2).sum(axis=-1) for counts in (self.support, self.predicted)]
        return _ratio(together, np.sqrt(np.maximum(spread[0], 0) * np.maximum(spread[1], 0)))


def improvement_of_labels(
    metric: str, classes: list[str], expected: IntArray, chosen: tuple[IntArray, IntArray], weights: DoubleArray
) -> Improvement:
    """What other labels for the same rows are worth, by a metric of which more is better.

    Args:
        chosen: ``int64[rows]`` twice: the labels before and after.
    """
    counts = [ClassCounts.by_group(expected, each, weights, len(classes)) for each in chosen]
    old, new = (float(each.total().value(metric, classes)) for each in counts)
    sizes = counts[0].support.sum(axis=1)
    filled = sizes > 0
    without = [each.without_each(filled).value(metric, classes) for each in counts]
    return Improvement(metric, old, new, new - old, standard_error(new - old, without[1] - without[0], sizes[filled]))


def improvement_of_means(metric: str, before: DoubleArray, after: DoubleArray, weights: DoubleArray) -> Improvement:
    """What other answers are worth by a metric that is a mean over the rows, of which less is better.

    Args:
        before: ``float64[rows]``: what each row adds.
        after: the same with the other answers.
    """
    groups = group_of(0, len(before))
    sizes = weight_of_each(groups, weights, GROUPS)
    filled = sizes > 0
    sums = [weight_of_each(groups, weights * values, GROUPS) for values in (before, after)]
    old, new = (float(each.sum() / sizes.sum()) for each in sums)
    rows = sums_without_each(sizes[filled])
    without = sums_without_each((sums[0] - sums[1])[filled]) / np.where(rows > 0, rows, 1)
    sign = 1 if METRICS[metric].better == "lower" else -1
    return Improvement(metric, old, new, sign * (old - new), standard_error(old - new, without, sizes[filled]))


def weight_of_each(numbers: IntArray, weights: DoubleArray, size: int) -> DoubleArray:
    """``float64[size]``: the weight of the rows of each number."""
    return np.bincount(numbers, weights, size).astype(np.float64, copy=False)


def _ratio(numerator: AnyArray, denominator: AnyArray) -> DoubleArray:
    return np.divide(numerator, denominator, out=np.zeros(np.shape(denominator)), where=denominator > 0)
