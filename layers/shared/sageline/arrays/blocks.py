"""Columns of text as whole arrays: what every reader yields and every encoder takes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np

from sageline.arrays.strings import BoolArray, IntArray, StringArray

Side: TypeAlias = Literal["train", "test"]
"""Of a dataset whose files say what is held out: which files a row is from."""


@dataclass(frozen=True, eq=False)
class Block:
    """Some rows of a dataset, column by column.

    Attributes:
        columns: every column of the file, in file order, all of the same length. An empty string is a missing value.
        row_numbers: ``int64[rows]``: the 1-based number of each row in its file, the header not counted; 0 where it is not known.
        source: the file that the rows are from, as errors name it.
        near_byte: where in the file rows without numbers are.
        folds: ``int64[rows]`` of train rows: which of the encoder's folds each is in, so that none is encoded with its own label.
        side: of the split, where the dataset's files say it; None where the rows' hashes do.
        lists: the columns whose values are lists of words, joined to a text.
    """

    columns: dict[str, StringArray]
    row_numbers: IntArray
    source: str = field(default="dataset")
    near_byte: int | None = None
    folds: IntArray | None = None
    side: Side | None = None
    lists: frozenset[str] = frozenset()

    @classmethod
    def of(cls, columns: dict[str, StringArray], first_row: int = 1, source: str = "dataset") -> Block:
        """A block of consecutive rows, the first of which is row ``first_row`` of its file."""
        rows = len(next(iter(columns.values()))) if columns else 0
        return cls(columns, np.arange(first_row, first_row + rows, dtype=np.int64), source)

    @classmethod
    def near(cls, columns: dict[str, StringArray], byte: int, source: str) -> Block:
        """A block of rows from the middle of a file, around ``byte``: what their numbers are is not known."""
        return cls(columns, np.zeros(len(next(iter(columns.values()))), dtype=np.int64), source, byte)

    @property
    def rows(self) -> int:
        return len(self.row_numbers)

    @property
    def first_row(self) -> int:
        """Number of the first row; IndexError when there is none."""
        return int(self.row_numbers[0])

    def take(self, rows: BoolArray | IntArray) -> Block:
        """The rows that a boolean mask selects, or those at the given indexes; they keep their row numbers."""
        columns = {name: column.take(rows) for name, column in self.columns.items()}
        folds = None if self.folds is None else self.folds[rows]
        return replace(self, columns=columns, row_numbers=self.row_numbers[rows], folds=folds)

    def where(self, index: int) -> str:
        """How an error names the row at ``index``: file and row number, or about where in the file it is."""
        if self.near_byte is not None:
            return f"{self.source}: a row near byte {self.near_byte:,}"
        return f"{self.source}: row {self.row_numbers[index]}"


@dataclass
class Coverage:
    """How much of a dataset a sample has read; filled in while it is read.

    Attributes:
        is_all: no row was left out, so far: what is found out from the blocks holds for the whole dataset.
    """

    is_all: bool = True
