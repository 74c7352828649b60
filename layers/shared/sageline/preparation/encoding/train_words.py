"""The words of train rows: the fit reads them, and keeps them for the encoding."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.strings import IntArray
from sageline.encoder.text.read_text import ReadText, ReadWords


class TrainWords(NamedTuple):
    """The words of a block's train rows.

    Attributes:
        rows: ``int64[n]``: the numbers of these rows.
        columns: the words by column of text.
    """

    rows: IntArray
    columns: dict[str, ReadWords]

    def joined_to(self, block: Block) -> Block:
        """The block, whose texts have these words if it has these rows."""
        if not np.array_equal(self.rows, block.row_numbers):
            return block
        texts = {name: ReadText.of(block.columns[name], words) for name, words in self.columns.items()}
        return replace(block, columns=block.columns | texts)
