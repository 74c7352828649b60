"""Some of the values of a column, and where they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sageline.arrays.strings import BoolArray, IntArray, StringArray


class Example(NamedTuple):
    """A value.

    Attributes:
        row: its number in the file; 0 where it is not known.
        file: the one that it is in, where there are several.
    """

    text: str
    row: int
    file: str = ""

    def __str__(self) -> str:
        return self.text.strip() + self.place

    @property
    def place(self) -> str:
        """Where it is, in brackets; nothing where that is not known."""
        where = [self.file, f"row {self.row}" if self.row else ""]
        return f" ({', '.join(filter(None, where))})" if any(where) else ""


class ExampleColumn(NamedTuple):
    """Values with their row numbers, ``int64[n]``, and the name of the file that they are in."""

    texts: StringArray
    rows: IntArray
    file: str

    def first(self, among: BoolArray) -> Example | None:
        """The first of those that the mask has."""
        return next(iter(self.some(np.flatnonzero(among[: int(among.argmax()) + 1]), 1)), None)

    def some(self, at: IntArray, most: int) -> list[Example]:
        """The first of those at these indexes, so many at most."""
        first = at[:most]
        if not len(first):
            return []
        # Taken rather than looked up: of a column of numbers a look-up makes the text of all of them.
        texts = self.texts.take(first).tolist()
        return [Example(text, row, self.file) for text, row in zip(texts, self.rows[first].tolist(), strict=True)]

    def take(self, rows: BoolArray) -> ExampleColumn:
        return self._replace(texts=self.texts.take(rows), rows=self.rows[rows])
