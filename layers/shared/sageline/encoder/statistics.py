"""Statistics of a column of numbers, read block by block."""

from __future__ import annotations

import numpy as np

from sageline.arrays.exact_sums import ExactMoments
from sageline.arrays.matrix import FloatArray
from sageline.encoder.columns.median import MedianOfNumbers


class NumberStatistics:
    """How many rows of a column are missing, and of the others minimum, maximum, mean, deviation and, if wanted, median.

    All of it is a function of the values alone, in whatever order and blocks they come. The median is exact up to 65,536 values,
    and beyond that less than 0.8 % away (:class:`sageline.encoder.columns.median.MedianOfNumbers`).

    Attributes:
        rows: how many there are.
        missing: of these, how many have no value.
        binary: whether all values are 0 or 1.
    """

    def __init__(self, *, with_median: bool = False) -> None:
        self.rows = self.missing = 0
        self.binary = True
        self._moments = ExactMoments()
        self._median = MedianOfNumbers() if with_median else None

    @property
    def present(self) -> int:
        return self.rows - self.missing

    @property
    def minimum(self) -> float:
        """Infinity without values."""
        return self._moments.minimum

    @property
    def maximum(self) -> float:
        """Minus infinity without values."""
        return self._moments.maximum

    @property
    def mean(self) -> float:
        """NaN without values."""
        return self._moments.mean

    @property
    def deviation(self) -> float:
        """Standard deviation, of all rows and not of a sample; 0 without values."""
        return self._moments.deviation

    @property
    def median(self) -> float:
        """NaN without values, or where it is not wanted."""
        return float("nan") if self._median is None else self._median.median

    def update(self, values: FloatArray) -> None:
        """Add a block's values; NaN is missing."""
        is_missing = np.isnan(values)
        present = values[~is_missing] if is_missing.any() else values
        self.rows += len(values)
        self.missing += len(values) - len(present)
        if len(present) == 0:
            return
        self._moments.add(present)
        self.binary = self.binary and bool(((present == 0) | (present == 1)).all())
        if self._median is not None:
            self._median.add(present)

    def merge(self, after: NumberStatistics) -> None:
        """Add what another one has counted of other rows."""
        self.rows += after.rows
        self.missing += after.missing
        self.binary = self.binary and after.binary
        self._moments.merge(after._moments)
        if self._median is not None and after._median is not None:
            self._median.merge(after._median)

    def profile(self) -> dict[str, float | int | None]:
        if self.present == 0:
            return {"missing": self.missing, "minimum": None, "maximum": None, "mean": None}
        return {"missing": self.missing, "minimum": self.minimum, "maximum": self.maximum, "mean": self.mean}
