"""A sample of a dataset's rows that does not depend on their order: those with the smallest hashes, of equal ones the first."""

from __future__ import annotations

import numpy as np

from sageline.arrays.blocks import Block
from sageline.dataset.split import PositionArray

MOST_ROWS = 2000
MOST_CELLS = 400_000  # of a wide table fewer rows are kept
_FORGET_FROM = 1.5  # times as many rows as are kept
_MOST_CHARACTERS = 500  # of a value that is kept


class RowSample:
    """Keeps up to :data:`MOST_ROWS` rows and :data:`MOST_CELLS` cells of a stream, column by column, long texts cut."""

    def __init__(self) -> None:
        self._columns: dict[str, list[str]] = {}
        self._positions: PositionArray = np.zeros(0)
        self._most = MOST_ROWS
        self._largest = np.inf  # of the positions of rows that may still be wanted

    @property
    def rows(self) -> int:
        return min(self._most, len(self._positions))

    @property
    def columns(self) -> dict[str, list[str]]:
        """The values of the rows that are kept, in their order."""
        self._forget()
        return self._columns

    def add(self, block: Block, positions: PositionArray) -> None:
        """Offer a block's rows.

        Args:
            positions: ``float64[rows]`` in [0, 1), by a hash of each row's content.
        """
        self._most = most = min(self._most, max(1, MOST_CELLS // max(1, len(block.columns))))
        candidates = np.flatnonzero(positions < self._largest)
        if len(candidates) > most:
            candidates = np.sort(candidates[np.argsort(positions[candidates], kind="stable")[:most]])
        if not len(candidates):
            return
        for name, column in block.columns.items():
            values = self._columns.setdefault(name, [""] * len(self._positions))
            values += [text[:_MOST_CHARACTERS] for text in column.take(candidates).tolist()]
        self._positions = np.concatenate([self._positions, positions[candidates]])
        if len(self._positions) >= _FORGET_FROM * most:
            self._forget()

    def merge(self, after: RowSample) -> None:
        """Add what another one has kept of the rows behind those of this one."""
        rows, more = len(self._positions), len(after._positions)
        self._columns = {
            name: self._columns.get(name, [""] * rows) + after._columns.get(name, [""] * more)
            for name in {**self._columns, **after._columns}
        }
        self._positions = np.concatenate([self._positions, after._positions])
        self._most = min(self._most, after._most)
        self._forget()

    def _forget(self) -> None:
        """Forget the rows that are beyond those to keep; some more are there for a while, because this takes long."""
        if len(self._positions) < self._most:
            return
        kept = np.sort(np.argsort(self._positions, kind="stable")[: self._most])
        self._columns = {name: [values[index] for index in kept.tolist()] for name, values in self._columns.items()}
        self._positions = self._positions[kept]
        self._largest = float(self._positions.max())
