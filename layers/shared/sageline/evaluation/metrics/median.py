"""Medians of weighted values."""

from __future__ import annotations

import numpy as np

from sageline.arrays.matrix import DoubleArray
from sageline.arrays.strings import IntArray
from sageline.evaluation.jackknife import GROUPS

_ROUNDING = float(np.finfo(np.float64).eps)


def median(values: DoubleArray, weights: DoubleArray) -> float:
    """The value with half of the weight below it and half above, the mean of two where it lies between them; NaN where nothing
    has a weight.

    Of equal weights it is the usual median; of others that of scikit-learn's ``median_absolute_error``.
    """
    order = _order(values, weights)
    return _median(values[order], weights[order])


def medians_without_each(values: DoubleArray, weights: DoubleArray, groups: IntArray) -> DoubleArray:
    """``float64[groups]``: the median without each group."""
    order = _order(values, weights)
    ordered, weights, groups = values[order], weights[order], groups[order]
    return np.array([_median(ordered[kept], weights[kept]) for kept in (groups != group for group in range(GROUPS))])


def _order(values: DoubleArray, weights: DoubleArray) -> IntArray:
    """The places of the values that have a weight, in the order of the values."""
    order = np.argsort(values, kind="stable")
    return order[weights[order] > 0]


def _median(ordered: DoubleArray, weights: DoubleArray) -> float:
    if not len(ordered):
        return float("nan")
    sums = np.cumsum(weights)
    half = sums[-1] / 2
    place = min(int(np.searchsorted(sums, half)), len(sums) - 1)
    is_between = sums[place] - half <= _ROUNDING and place + 1 < len(sums)
    return float((ordered[place] + ordered[place + 1]) / 2 if is_between else ordered[place])
