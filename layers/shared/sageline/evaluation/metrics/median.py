"""The median of weighted values, and the medians without each of the jackknife's groups."""

from __future__ import annotations

import numpy as np

from sageline.arrays.matrix import DoubleArray
from sageline.arrays.strings import IntArray
from sageline.evaluation.jackknife import GROUPS

_ROUNDING = float(np.finfo(np.float64).eps)


def medians(values: DoubleArray, weights: DoubleArray, groups: IntArray) -> tuple[float, DoubleArray]:
    """The value with half of the weight below it and half above, the mean of two where it lies between them; and
    ``float64[groups]``, the same without each group. NaN where nothing has a weight.

    Of equal weights it is the usual median; of others that of scikit-learn's ``median_absolute_error``.
    """
    there = weights > 0
    order = np.argsort(values[there], kind="stable")
    ordered, weights, groups = values[there][order], weights[there][order], groups[there][order]
    without = [_median(ordered[kept], weights[kept]) for kept in (groups != group for group in range(GROUPS))]
    return _median(ordered, weights), np.array(without)


def _median(ordered: DoubleArray, weights: DoubleArray) -> float:
    if not len(ordered):
        return float("nan")
    sums = np.cumsum(weights)
    half = sums[-1] / 2
    place = min(int(np.searchsorted(sums, half)), len(sums) - 1)
    is_between = sums[place] - half <= _ROUNDING and place + 1 < len(sums)
    return float((ordered[place] + ordered[place + 1]) / 2 if is_between else ordered[place])
