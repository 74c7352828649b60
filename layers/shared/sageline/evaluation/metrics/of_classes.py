"""The metrics of a classification that follow from sums over rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sageline.arrays.matrix import AnyArray, DoubleArray


def values_of_sums(sums: Mapping[str, DoubleArray]) -> dict[str, DoubleArray]:
    """Metric by metric. Without rows 0, not NaN.

    Args:
        sums: by name, with a leading axis of any length: ``weight``, ``right``, ``in_top`` and ``log_loss`` of all rows
            (``[n, 1]``), ``support``, ``predicted`` and ``hits`` of each class, ``bin_weight``, ``bin_confidence`` and
            ``bin_right`` of each bin of confidence. A row counts as much as it weighs.
    """
    weight = sums["weight"][:, 0]
    gaps = np.abs(sums["bin_confidence"] - sums["bin_right"]).sum(axis=1)
    return {
        **values_of_counts(sums["hits"], sums["support"], sums["predicted"]),
        "top_3_accuracy": ratio(sums["in_top"][:, 0], weight),
        "log_loss": ratio(sums["log_loss"][:, 0], weight),
        "expected_calibration_error": ratio(gaps, weight),
    }


def values_of_counts(hits: DoubleArray, support: DoubleArray, predicted: DoubleArray) -> dict[str, DoubleArray]:
    """The metrics that follow from which label each row is given, ``float64[n]`` each.

    Args:
        hits: ``float64[n, classes]``: the weight of the rows of each class that are given it.
        support: of those that have it.
        predicted: of those that are given it.
    """
    there = support > 0  # a class that no row has is no part of a mean over classes
    classes = there.sum(axis=1)
    right = hits.sum(axis=1)
    precision, recall, f1 = (
        ratio((values * there).sum(axis=1), classes) for values in scores_of_classes(hits, support, predicted)
    )
    return {
        "accuracy": ratio(right, support.sum(axis=1)),
        "balanced_accuracy": recall,
        "macro_precision": precision,
        "macro_f1": f1,
        "matthews_correlation": _matthews(right, support, predicted),
    }


def scores_of_classes(
    hits: DoubleArray, support: DoubleArray, predicted: DoubleArray
) -> tuple[DoubleArray, DoubleArray, DoubleArray]:
    """Precision, recall and F1 of each class; 0 where there is nothing to divide by."""
    return ratio(hits, predicted), ratio(hits, support), ratio(2 * hits, support + predicted)


def ratio(numerator: AnyArray, denominator: AnyArray) -> DoubleArray:
    """0 where there is nothing to divide by."""
    shape = np.broadcast_shapes(np.shape(numerator), np.shape(denominator))
    return np.divide(numerator, denominator, out=np.zeros(shape), where=denominator > 0)


def _matthews(right: DoubleArray, support: DoubleArray, predicted: DoubleArray) -> DoubleArray:
    """Of any number of classes: Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient,
    Computational Biology and Chemistry 28 (2004). In shares of the rows, whose squares do not grow with their number."""
    total = support.sum(axis=1)
    has, given = ratio(support, total[:, None]), ratio(predicted, total[:, None])
    together = ratio(right, total) - (has * given).sum(axis=1)
    # 1 - sum of squares, without the rounding that 1 - 1 would leave of a class that nearly all rows have.
    spreads = [(shares * np.maximum(1 - shares, 0)).sum(axis=1) for shares in (has, given)]
    spread = np.sqrt(spreads[0] * spreads[1])
    found: DoubleArray = np.clip(np.where(spread > _NOTHING, ratio(together, spread), 0.0), -1.0, 1.0)
    return found


_NOTHING = 1e-14
"""A spread that is rounding: all rows have, or are given, one class."""
