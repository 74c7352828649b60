"""The two shapes of an encoded block: a dense float32 array, or a sparse matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from sageline.arrays.strings import IntArray

FloatArray: TypeAlias = "np.ndarray[Any, np.dtype[np.float32]]"  # Any: numpy's shape parameter
DoubleArray: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"  # Any: numpy's shape parameter
AnyArray: TypeAlias = "np.ndarray[Any, Any]"  # Any: numpy's shape parameter, and any kind of number


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """Compressed rows: row ``i`` holds ``values[row_offsets[i]:row_offsets[i + 1]]`` at those ``columns``.

    Attributes:
        values: ``float32[nnz]``.
        columns: ``int64[nnz]``, ascending within a row.
        row_offsets: ``int64[rows + 1]``, ascending, from 0 to ``nnz``.
        shape: rows, columns. An absent cell is "missing" for XGBoost and zero for every other algorithm.
    """

    values: FloatArray
    columns: IntArray
    row_offsets: IntArray
    shape: tuple[int, int]

    def to_dense(self, absent: float = 0.0) -> FloatArray:
        """``float32[rows, columns]`` with ``absent`` where there is no value."""
        dense = np.full(self.shape, absent, dtype=np.float32)
        rows = np.repeat(np.arange(self.shape[0]), np.diff(self.row_offsets))
        dense[rows, self.columns] = self.values
        return dense

    def fill_empty_rows(self, value: float) -> SparseMatrix:
        """The same rows, but those without a cell get one: ``value`` in column 0."""
        is_empty = np.diff(self.row_offsets) == 0
        if not is_empty.any():
            return self
        indexes = self.row_offsets[:-1][is_empty]
        filled_before = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(is_empty)])
        return SparseMatrix(
            values=np.insert(self.values, indexes, np.float32(value)),
            columns=np.insert(self.columns, indexes, 0),
            row_offsets=self.row_offsets + filled_before,
            shape=self.shape,
        )


Matrix: TypeAlias = "FloatArray | SparseMatrix"
"""Encoded rows: ``float32[rows, columns]`` with NaN for missing values, or sparse."""


class Rows(NamedTuple):
    """What a reader returns."""

    matrix: Matrix
    labels: FloatArray | None  # float32[rows], None when the data has no labels
