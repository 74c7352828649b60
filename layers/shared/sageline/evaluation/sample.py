"""A sample of rows of bounded size, whatever their number."""

from __future__ import annotations

import numpy as np

from sageline.arrays.matrix import AnyArray, DoubleArray

SIZE = 100_000


class Sample:
    """Up to ``size`` rows, in their order; of more rows a random choice, in which each row is as likely as any other.

    Each row draws a number, and the rows with the lowest numbers stay. A draw follows from the row's position alone, so the same
    rows give the same sample.
    """

    def __init__(self, columns: int, size: int = SIZE) -> None:
        self._size = size
        self._random = np.random.default_rng(0)
        self._draws = np.empty(0)
        self._rows = np.empty((0, columns))

    def add(self, *columns: AnyArray) -> None:
        """Some more rows, column by column."""
        draws = np.concatenate([self._draws, self._random.random(len(columns[0]))])
        rows = np.concatenate([self._rows, np.column_stack(columns)])
        if len(draws) > self._size:
            kept = np.sort(np.argpartition(draws, self._size)[: self._size])
            draws, rows = draws[kept], rows[kept]
        self._draws, self._rows = draws, rows

    @property
    def rows(self) -> DoubleArray:
        """``float64[rows, columns]``."""
        return self._rows

    def first(self, count: int) -> DoubleArray:
        """A choice of ``count`` of these rows."""
        return self._rows[np.sort(np.argsort(self._draws, kind="stable")[:count])]
