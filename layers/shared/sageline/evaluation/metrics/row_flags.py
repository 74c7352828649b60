"""Something that is true of a row or not, kept for each row."""

from __future__ import annotations

import numpy as np

from sageline.arrays.matrix import AnyArray
from sageline.arrays.strings import BoolArray


class RowFlags:
    """Eight rows in a byte."""

    def __init__(self) -> None:
        self._blocks: list[tuple[int, AnyArray]] = []  # how many rows, and their bits

    def add(self, flags: BoolArray) -> None:
        """Some more rows, ``bool[rows]``."""
        self._blocks.append((len(flags), np.packbits(flags)))

    def merge(self, after: RowFlags) -> None:
        """Add the rows of another one, which come after these."""
        self._blocks += after._blocks

    def all(self) -> BoolArray:
        """``bool[rows]`` of all rows."""
        bits = [np.unpackbits(block, count=rows).view(np.bool_) for rows, block in self._blocks]
        return np.concatenate([np.zeros(0, dtype=np.bool_), *bits])
