"""What a choice of labels is worth: counts of rows per class, and the metric that they come to, for many choices at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sageline.arrays.matrix import AnyArray, DoubleArray
from sageline.arrays.strings import IntArray
from sageline.evaluation.jackknife import GROUPS, group_of, standard_error, sums_without_each
from sageline.evaluation.metrics.of_classes import scores_of_classes, values_of_counts
from sageline.spec.metrics import METRICS, OF_ONE_CLASS, class_metric


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
    """Sums of the weights of rows per class: of each jackknife group, of each threshold.

    Attributes:
        hits: ``float64[n, classes]``: rows of each class that are given it.
        support: ``float64[n, classes]``: rows that have it.
        predicted: ``float64[n, classes]``: rows that are given it.
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
        """Of all rows together, ``float64[1, classes]``."""
        hits = weights * (chosen == expected)
        pairs = ((chosen, hits), (expected, weights), (chosen, weights))
        return cls(*(weight_of_each(numbers, counted, classes)[None] for numbers, counted in pairs))

    def total(self) -> ClassCounts:
        """Over all groups."""
        return ClassCounts(*(sums.sum(axis=0, keepdims=True) for sums in (self.hits, self.support, self.predicted)))

    def without_each(self, filled: AnyArray) -> ClassCounts:
        """Over all groups but one, for each that has rows."""
        hits, support, predicted = (sums_without_each(sums[filled]) for sums in (self.hits, self.support, self.predicted))
        return ClassCounts(hits, support, predicted)

    def value(self, metric: str, classes: list[str]) -> DoubleArray:
        """``float64[n]``: a metric that follows from which label each row is given, or ``f1:<label>``."""
        of_class = class_metric(metric)
        if of_class is None:
            return values_of_counts(self.hits, self.support, self.predicted)[metric]
        scores = scores_of_classes(self.hits, self.support, self.predicted)
        return scores[list(OF_ONE_CLASS).index(of_class[0])][:, classes.index(of_class[1])]


def improvement_of_labels(
    metric: str, classes: list[str], expected: IntArray, chosen: tuple[IntArray, IntArray], weights: DoubleArray
) -> Improvement:
    """What other labels for the same rows are worth, by a metric of which more is better.

    Args:
        chosen: ``int64[rows]`` twice: the labels before and after.
    """
    counts = [ClassCounts.by_group(expected, each, weights, len(classes)) for each in chosen]
    old, new = (float(each.total().value(metric, classes)[0]) for each in counts)
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
