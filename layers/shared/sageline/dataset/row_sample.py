"""A sample of a dataset's rows that does not depend on their order: those with the smallest hashes."""

from __future__ import annotations

import numpy as np

from sageline.arrays.blocks import Block
from sageline.dataset.split import PositionArray

MOST_ROWS = 2000
MOST_CELLS = 400_000  # of a wide table fewer rows are kept
_MOST_CHARACTERS = 500  # of a value that is kept


class RowSample:
    """Keeps up to :data:`MOST_ROWS` rows and :data:`MOST_CELLS` cells of a stream, column by column, long texts cut."""

    def __init__(self) -> None:
        self.columns: dict[str, list[str]] = {}
        self._positions: PositionArray = np.zeros(0)

    @property
    def rows(self) -> int:
        return len(self._positions)

    def add(self, block: Block, positions: PositionArray) -> None:
        """Offer a block's rows.

        Args:
            positions: ``float64[rows]`` in [0, 1), by a hash of each row's content.
        """
        most = min(MOST_ROWS, max(1, MOST_CELLS // max(1, len(block.columns))))
        candidates = np.arange(block.rows)
        if self.rows >= most:
            candidates = np.flatnonzero(positions < self._positions.max())
        if len(candidates) > most:
            candidates = np.sort(candidates[np.argsort(positions[candidates], kind="stable")[:most]])
        if not len(candidates):
            return
        joined = np.concatenate([self._positions, positions[candidates]])
        kept = np.sort(np.argsort(joined, kind="stable")[:most])
        for name, column in block.columns.items():
            values = self.columns.setdefault(name, [""] * self.rows)
            values += [text[:_MOST_CHARACTERS] for text in column.take(candidates).tolist()]
        self.columns = {name: [values[index] for index in kept.tolist()] for name, values in self.columns.items()}
        self._positions = joined[kept]
