"""Rows that the train files and the test files of a dataset have in common, counted in bounded memory."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sageline.arrays.blocks import Side
from sageline.arrays.strings import BoolArray, IntArray
from sageline.dataset.split import PositionArray

MOST_KEPT = 1 << 20  # different test rows whose positions are kept, of 8 bytes each


class Shared(NamedTuple):
    """How many of the test rows are in the train files too; ``estimated`` where not all test rows could be kept."""

    rows: int
    test_rows: int
    estimated: bool


class SharedRows:
    """Counts test rows that train has too. The test rows come first (:func:`sageline.storage.dataset_parts.read_blocks`).

    A row is known by its position, which follows from its values: 53 bits, so that of a million test rows and a hundred million
    train rows one in a hundred counts has a row too many. Of more different test rows than ``most`` those with small positions
    are kept, which are a random choice, and the number is estimated.

    It can be counted in pieces that are merged in order, if those with train rows begin with the test rows of all pieces before
    them (:meth:`following`), which are then merged already. So what is found are the places where any of the pieces has found
    one, and test rows are counted where they are added.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._below = 1.0
        self._pending: list[PositionArray] = []
        self._pending_rows = 0
        self._kept: PositionArray = np.zeros(0)
        self._counts: IntArray = np.zeros(0, dtype=np.int64)
        self._found: BoolArray = np.zeros(0, dtype=bool)
        self._test_rows = 0

    def add(self, side: Side | None, positions: PositionArray) -> None:
        """Note some rows by their positions, as :func:`sageline.dataset.split.row_positions` has them."""
        if side == "test":
            self._test_rows += len(positions)
            self._pending.append(positions[positions < self._below])
            self._pending_rows += len(self._pending[-1])
            if self._pending_rows >= self._most:
                self._settle()
        elif side == "train":
            self._settle()
            if len(self._kept):
                places = np.searchsorted(self._kept, positions).clip(max=len(self._kept) - 1)
                self._found[places[self._kept[places] == positions]] = True

    def following(self) -> SharedRows:
        """One that begins with the test rows of this one, to find them in the rows behind those that this one has seen. It counts
        none of them itself: that is left to the one that it is merged with."""
        self._settle()
        found = SharedRows(self._most)
        found._below, found._kept = self._below, self._kept
        found._counts, found._found = np.zeros(len(self._kept), dtype=np.int64), np.zeros(len(self._kept), dtype=bool)
        return found

    def merge(self, after: SharedRows) -> None:
        """Add what another one has counted of the rows behind those of this one; if train rows are among them, it must be one
        that follows those with the test rows before it."""
        self._settle()
        after._settle()
        kept, where = np.unique(np.concatenate([self._kept, after._kept]), return_inverse=True)
        counts = np.zeros(len(kept), dtype=np.int64)
        np.add.at(counts, where, np.concatenate([self._counts, after._counts]))
        found = np.zeros(len(kept), dtype=bool)
        found[where[np.concatenate([self._found, after._found])]] = True
        self._below = min(self._below, after._below)
        self._test_rows += after._test_rows
        self._keep(kept, counts, found)

    def count(self) -> Shared:
        self._settle()
        rows = int(self._counts[self._found].sum())
        return Shared(round(rows / self._below), self._test_rows, self._below < 1)

    def _settle(self) -> None:
        """Merge what is pending into what is kept, and keep no more than ``most`` different rows."""
        if not self._pending:
            return
        pending = np.concatenate(self._pending)
        kept, where = np.unique(np.concatenate([self._kept, pending]), return_inverse=True)
        once = np.ones(len(pending), dtype=np.int64)
        counts = np.bincount(where, weights=np.concatenate([self._counts, once]), minlength=len(kept)).astype(np.int64)
        self._keep(kept, counts, np.zeros(len(kept), dtype=bool))
        self._pending, self._pending_rows = [], 0

    def _keep(self, kept: PositionArray, counts: IntArray, found: BoolArray) -> None:
        """Keep of these positions, which ascend, no more than ``most``."""
        while np.searchsorted(kept, self._below) > self._most:
            self._below /= 2
        size = int(np.searchsorted(kept, self._below))
        self._kept, self._counts, self._found = kept[:size], counts[:size], found[:size]
