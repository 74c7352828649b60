"""A sample of rows of bounded size, whatever their number."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sageline.arrays.matrix import AnyArray

SIZE = 100_000
_DEVIATIONS = 10
"""Standard deviations by which more rows are kept than are expected to be chosen: fewer never happen."""


class Sample:
    """Up to ``size`` rows, in their order; of more rows a random choice, in which each row is as likely as any other.

    Each row draws a number, and the rows with the lowest numbers stay. A draw follows from the row's position alone, so the same
    rows give the same sample, also if several samples of consecutive rows are merged.

    Args:
        columns: how many arrays hold the rows.
        first_row: the position of the first row that is added.
        of_rows: how many rows all samples have that will be merged, if that is known: of each, fewer need be kept.
    """

    def __init__(self, columns: int, size: int = SIZE, *, first_row: int = 0, of_rows: int | None = None) -> None:
        self._size = size
        self._position = first_row
        self._highest = math.inf if of_rows is None else _highest_draw(size, of_rows)
        self._kept: list[tuple[AnyArray, ...]] = []
        self._columns = columns
        self._count = 0

    def add(self, *columns: AnyArray) -> None:
        """Some more rows, column by column: arrays of one length, which keep their types and their further axes."""
        rows = len(columns[0])
        draws = np.random.Generator(np.random.PCG64(0).advance(self._position)).random(rows)  # one step of PCG64 each
        self._position += rows
        low = draws < self._highest
        added = (draws, *columns) if low.all() else tuple(column[low] for column in (draws, *columns))
        self._keep(added)

    def merge(self, after: Sample) -> None:
        """Add the rows of a sample of the same size, which come after these."""
        self._position = after._position
        for kept in after._kept:
            self._keep(kept)

    def mapped(self, change: Callable[[tuple[AnyArray, ...]], tuple[AnyArray, ...]]) -> Sample:
        """The same rows with other columns, made of these."""
        draws, *columns = self._compact()
        other = Sample(self._columns, self._size)
        other._position, other._highest = self._position, self._highest
        other._keep((draws, *change(tuple(columns))))
        return other

    @property
    def columns(self) -> tuple[AnyArray, ...]:
        """The rows, column by column."""
        return self._compact()[1:]

    def first(self, count: int) -> tuple[AnyArray, ...]:
        """A choice of ``count`` of these rows."""
        draws, *columns = self._compact()
        chosen = np.sort(np.argsort(draws, kind="stable")[:count])
        return tuple(column[chosen] for column in columns)

    def _keep(self, added: tuple[AnyArray, ...]) -> None:
        self._kept.append(added)
        self._count += len(added[0])
        # Not with every block: that would copy all rows as often as there are blocks.
        if self._count > self._size + max(self._size // 2, len(added[0])):
            self._compact()

    def _compact(self) -> tuple[AnyArray, ...]:
        """The draws and the columns of the rows that stay, which are all that is kept from now on."""
        if not self._kept:
            return tuple(np.empty(0) for _ in range(1 + self._columns))
        kept = self._kept[0] if len(self._kept) == 1 else tuple(np.concatenate(each) for each in zip(*self._kept, strict=True))
        if len(kept[0]) > self._size:
            chosen = np.sort(np.argpartition(kept[0], self._size)[: self._size])
            kept = tuple(column[chosen] for column in kept)
            self._highest = float(kept[0].max())
        self._kept, self._count = [kept], len(kept[0])
        return kept


def _highest_draw(size: int, rows: int) -> float:
    """A number that the draws of ``size`` rows are below, with others between."""
    return math.inf if rows <= size else (size + _DEVIATIONS * math.sqrt(size)) / rows
