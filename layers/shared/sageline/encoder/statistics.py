"""Statistics of a column of numbers, read block by block."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from sageline.arrays.matrix import FloatArray

_MEDIAN_OF = 1 << 16  # values


@dataclass
class NumberStatistics:
    """How many rows of a column are missing, and of the others minimum, maximum, mean, deviation and, if wanted, median.

    The median is that of all values up to 65,536 of them, beyond that of values taken at even steps.

    Attributes:
        binary: whether all values are 0 or 1.
    """

    with_median: bool = False
    rows: int = 0
    missing: int = 0
    minimum: float = math.inf
    maximum: float = -math.inf
    total: float = 0.0
    binary: bool = True
    _origin: float = 0.0
    _distances: float = 0.0  # sum of the distances from the origin
    _squares: float = 0.0  # and of their squares
    _kept: FloatArray = field(default_factory=lambda: np.empty(0, dtype=np.float32))
    _step: int = 1
    _next: int = 0  # how many values to pass over before the next one to keep

    @property
    def present(self) -> int:
        return self.rows - self.missing

    @property
    def mean(self) -> float:
        return self.total / self.present if self.present else math.nan

    @property
    def deviation(self) -> float:
        """Standard deviation, of all rows and not of a sample; 0 without rows."""
        if self.present == 0:
            return 0.0
        return math.sqrt(max(0.0, self._squares - self._distances**2 / self.present) / self.present)

    @property
    def median(self) -> float:
        return float(np.median(self._kept.astype(np.float64))) if len(self._kept) else math.nan

    def update(self, values: FloatArray) -> None:
        """Add a block's values; NaN is missing."""
        present = values[~np.isnan(values)].astype(np.float64)
        before = self.present
        self.rows += len(values)
        self.missing += len(values) - len(present)
        if len(present) == 0:
            return
        self.minimum = min(self.minimum, float(present.min()))
        self.maximum = max(self.maximum, float(present.max()))
        self.total += float(present.sum())
        self.binary = self.binary and bool(((present == 0) | (present == 1)).all())
        if before == 0:
            self._origin = float(present[0])
        # Counted from a value of the column, the squares lose few digits, and whole numbers add up exactly in any blocks.
        distances = present - self._origin
        self._distances += float(distances.sum())
        self._squares += float((distances**2).sum())
        if self.with_median:
            self._keep(present.astype(np.float32))

    def _keep(self, present: FloatArray) -> None:
        self._kept = np.concatenate([self._kept, present[self._next :: self._step]])
        self._next = (self._next - len(present)) % self._step
        while len(self._kept) > _MEDIAN_OF:
            self._next += self._step * (len(self._kept) % 2)
            self._kept = self._kept[::2].copy()
            self._step *= 2

    def profile(self) -> dict[str, float | int | None]:
        if self.present == 0:
            return {"missing": self.missing, "minimum": None, "maximum": None, "mean": None}
        return {"missing": self.missing, "minimum": self.minimum, "maximum": self.maximum, "mean": self.mean}
