"""The median of numbers, in bounded memory."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from sageline.arrays.matrix import FloatArray
from sageline.arrays.strings import IntArray

MOST_KEPT: Final = 1 << 16  # values

_SIGN: Final = np.uint32(1 << 31)
_BIN_BITS: Final = 16  # of a float32 say which bin it is in: its sign, its exponent, and 7 binary digits behind the point


class MedianOfNumbers:
    """The median of the float32 values that come in pieces: exact up to :data:`MOST_KEPT` of them.

    Of more, it is known how many are in each of 65,536 bins, and the least and the greatest of each bin. The median is taken as
    if the values of a bin were evenly spread between these two: exact where they are one, and else less than 1/128 (0.8 %) of the
    median away from it (but for values below 1.2e-38). Where the median is the middle between two values, that holds of each.
    Nothing of it depends on the order of the values, or on the pieces.
    """

    def __init__(self) -> None:
        self._kept: FloatArray = np.empty(0, dtype=np.float32)
        self._bins: IntArray = np.empty(0, dtype=np.int64)  # those with values, ascending, which is the order of their values
        self._counts: IntArray = np.empty(0, dtype=np.int64)
        self._least: FloatArray = np.empty(0, dtype=np.float32)
        self._greatest: FloatArray = np.empty(0, dtype=np.float32)

    def add(self, values: FloatArray) -> None:
        """Count ``float32[n]``, none of them NaN."""
        self._kept = np.concatenate([self._kept, values + np.float32(0)])  # 0 and not -0
        if len(self._kept) > MOST_KEPT:
            self._put_into_bins()

    def merge(self, after: MedianOfNumbers) -> None:
        """Count the values that another one has counted."""
        self._add_bins(after._bins, after._counts, after._least, after._greatest)
        self.add(after._kept)

    @property
    def median(self) -> float:
        """NaN without values."""
        if len(self._bins):
            self._put_into_bins()
            count = int(self._counts.sum())
            return (self._of_rank((count - 1) // 2) + self._of_rank(count // 2)) / 2
        return float(np.median(self._kept.astype(np.float64))) if len(self._kept) else math.nan

    def _of_rank(self, rank: int) -> float:
        """About the value that so many others stand before."""
        ends = np.cumsum(self._counts)
        index = int(np.searchsorted(ends, rank, side="right"))
        within = rank - int(ends[index] - self._counts[index])
        least, greatest = float(self._least[index]), float(self._greatest[index])
        return least + (greatest - least) * within / max(1, int(self._counts[index]) - 1)

    def _put_into_bins(self) -> None:
        bins = _bins_of(self._kept)
        counts = np.bincount(bins, minlength=1 << _BIN_BITS)
        least = np.full(1 << _BIN_BITS, np.inf, dtype=np.float32)
        greatest = -least
        np.minimum.at(least, bins, self._kept)
        np.maximum.at(greatest, bins, self._kept)
        used = np.flatnonzero(counts)
        self._kept = self._kept[:0]
        self._add_bins(used, counts[used], least[used], greatest[used])

    def _add_bins(self, bins: IntArray, counts: IntArray, least: FloatArray, greatest: FloatArray) -> None:
        joined = np.union1d(self._bins, bins)
        mine, its = np.searchsorted(joined, self._bins), np.searchsorted(joined, bins)
        all_counts = np.zeros(len(joined), dtype=np.int64)
        all_least = np.full(len(joined), np.inf, dtype=np.float32)
        all_greatest = -all_least
        all_counts[mine], all_least[mine], all_greatest[mine] = self._counts, self._least, self._greatest
        all_counts[its] += counts
        all_least[its] = np.minimum(all_least[its], least)
        all_greatest[its] = np.maximum(all_greatest[its], greatest)
        self._bins, self._counts, self._least, self._greatest = joined, all_counts, all_least, all_greatest


def _bins_of(values: FloatArray) -> IntArray:
    """``int64[n]``: the first bits of values, made to ascend with them."""
    bits: np.ndarray[Any, np.dtype[np.uint32]] = values.view(np.uint32)  # Any: numpy's shape parameter
    ascending = np.where(bits & _SIGN, ~bits, bits | _SIGN)
    return (ascending >> np.uint32(32 - _BIN_BITS)).astype(np.int64)
