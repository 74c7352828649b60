"""Reading the column that says how much each row counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.exact_sums import ExactMoments
from sageline.arrays.matrix import DoubleArray
from sageline.arrays.number_spelling import PLAIN, Spelling
from sageline.arrays.numbers import BadNumber, parse_doubles, shown
from sageline.arrays.strings import IntArray
from sageline.dataset.split import CHANNELS
from sageline.errors import InvalidDataset

_MOST = float(np.finfo(np.float32).max)


class WeightColumn:
    """Reads the weights of blocks, and sums them up.

    Args:
        name: of the column.
        spelling: how its numbers are spelled.
    """

    def __init__(self, name: str, spelling: Spelling = PLAIN) -> None:
        self.name = name
        self._spelling = spelling
        self._weights = {channel: ExactMoments() for channel in CHANNELS}

    def add(self, block: Block, channels: IntArray) -> None:
        """Sum up a block.

        Args:
            channels: ``int64[rows]``: which of :data:`CHANNELS` each row belongs to.

        Raises:
            InvalidDataset: as :meth:`read`.
        """
        weights = self.read(block)
        for number, channel in enumerate(CHANNELS):
            self._weights[channel].add(weights[channels == number])

    def merge(self, after: WeightColumn) -> None:
        """Add the sums of other rows."""
        for channel, weights in after._weights.items():
            self._weights[channel].merge(weights)

    def check(self, source: str) -> None:
        """Raise InvalidDataset where a channel has rows, and none of them has a weight."""
        without = [channel for channel, weights in self._weights.items() if weights.count and not weights.total]
        if without:
            rows = self._weights[without[0]].count
            raise InvalidDataset(
                f"{source}: the weights in column {self.name!r} of all {rows:,} {without[0]} rows are 0, so "
                "that none of them counts. Give some a weight above 0, or leave `dataset.weight` out."
            )

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        """Its name, and the sum of the weights of each channel."""
        return {"column": self.name, "sums": {channel: weights.total for channel, weights in self._weights.items()}}

    def read(self, block: Block) -> DoubleArray:
        """``float64[rows]``, none of them negative.

        Raises:
            InvalidDataset: there is no such column, or a weight is missing, no number, negative, or beyond float32; names the
                row.
        """
        if self.name not in block.columns:
            raise InvalidDataset(f"{block.source}: no column {self.name!r}; the columns are {', '.join(block.columns)}.")
        column = block.columns[self.name]
        try:
            weights = parse_doubles(column, self._spelling)
        except BadNumber as error:
            raise self._invalid(block, error.index, error.problem) from None
        usable = (weights >= 0) & (weights <= _MOST)
        if not usable.all():
            index = int(np.flatnonzero(~usable)[0])
            if np.isnan(weights[index]):
                raise self._invalid(block, index, "the weight is missing")
            problem = "is negative" if weights[index] < 0 else "is beyond what single precision holds"
            raise self._invalid(block, index, f"{shown(column[index])} {problem}")
        return weights

    def _invalid(self, block: Block, index: int, problem: str) -> InvalidDataset:
        return InvalidDataset(
            f"{block.where(index)}, weight column {self.name!r}: {problem}. Each row needs a weight of 0 or more: correct it, or "
            "leave the row out."
        )
