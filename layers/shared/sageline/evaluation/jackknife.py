"""How far a metric would differ on other rows of the same kind: the delete-a-group jackknife.

Rows are dealt out to :data:`GROUPS` groups; of each group the sums are kept that a metric is made of. The metric is computed
without each group in turn, and the spread of these values gives its standard error. That holds for any smooth function of sums
(accuracy, F1, log-loss, R2, and differences of two models' values), streams, and needs no assumption but that rows are
independent. For a mean over fewer rows than groups it is the usual standard error of a mean.

Sources: Shao and Tu, The Jackknife and Bootstrap (1995); Kott, The Delete-a-Group Jackknife, Journal of Official Statistics 17
(2001); for groups of unequal size Busing, Meijer and van der Leeden, Delete-m Jackknife for Unequal m, Statistics and
Computing 9 (1999).
"""

from __future__ import annotations

import math

import numpy as np

from sageline.arrays.matrix import DoubleArray
from sageline.arrays.strings import IntArray

GROUPS = 100


def group_of(first_row: int, rows: int) -> IntArray:
    """``int64[rows]``: the groups of consecutive rows, the first of which is row ``first_row``."""
    return (np.arange(first_row, first_row + rows) % GROUPS).astype(np.int64)


def sums_by(index: IntArray, weights: DoubleArray, size: int = 0) -> DoubleArray:
    """``float64[at least size]``: the weights of the rows of each index (a group, a class, a step) together."""
    return np.bincount(index, weights=weights, minlength=size).astype(np.float64, copy=False)


def sums_without_each(sums: DoubleArray) -> DoubleArray:
    """The sum over all groups but one, for each of them; groups lead, and the shape stays.

    Added up from both sides: a group that outweighs all others, subtracted from the total, would leave nothing of them.
    """
    before, after = np.zeros_like(sums), np.zeros_like(sums)
    np.cumsum(sums[:-1], axis=0, out=before[1:])
    np.cumsum(sums[:0:-1], axis=0, out=after[-2::-1])
    return before + after


def standard_error(value: float, without: DoubleArray, sizes: DoubleArray) -> float | None:
    """The standard error of a metric.

    Args:
        value: the metric over all rows.
        without: ``float64[groups]``: the metric without each group.
        sizes: ``float64[groups]``: rows of each group, none of them empty.

    Returns:
        None where it cannot be told: fewer than two groups, or a metric that is not known without one of them.
    """
    if len(sizes) < 2 or not (math.isfinite(value) and np.isfinite(without).all()):
        return None
    shares = sizes / sizes.sum()
    estimate = len(sizes) * value - ((1 - shares) * without).sum()
    pseudo = value / shares - (1 / shares - 1) * without
    variance = ((pseudo - estimate) ** 2 / (1 / shares - 1)).mean()
    return math.sqrt(float(variance))
