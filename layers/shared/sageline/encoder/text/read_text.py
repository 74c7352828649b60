"""Texts with the words that the fit has found in them, so that they are encoded without being read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sageline.arrays.strings import BoolArray, IntArray, StringArray, row_chunks
from sageline.encoder.text.terms import Chunk, Terms
from sageline.encoder.text.tokenizer import Keys, ranges

CodeArray = np.ndarray[Any, np.dtype[np.uint16 | np.uint32]]  # Any: numpy's shape parameter
CountArray = np.ndarray[Any, np.dtype[np.unsignedinteger[Any] | np.int64]]  # Any: numpy's shape parameter, and the width


class ReadWords(NamedTuple):
    """The words of some texts, text after text.

    Attributes:
        counts: how many words each text has, integers of any width.
        codes: of each word, which of the different ones it is, ``uint16[n]`` or ``uint32[n]``.
        keys: the different words; columns may share them.
    """

    counts: CountArray
    codes: CodeArray
    keys: Keys

    @classmethod
    def of(cls, counts: IntArray, codes: CodeArray, keys: Keys) -> ReadWords:
        """The same with the counts in as few bytes as they need."""
        return cls(counts.astype(np.min_scalar_type(int(counts.max(initial=0)))), codes, keys)

    def take(self, rows: IntArray) -> ReadWords:
        """The words of the texts at these indexes."""
        ends = np.cumsum(self.counts, dtype=np.int64)
        starts = ends - self.counts
        if len(rows) and (np.diff(rows) == 1).all():
            first, last = int(rows[0]), int(rows[-1])
            return self._replace(counts=self.counts[first : last + 1], codes=self.codes[starts[first] : ends[last]])
        return self._replace(counts=self.counts[rows], codes=self.codes[ranges(starts[rows], ends[rows])[0]])


@dataclass(frozen=True, eq=False)
class ReadText(StringArray):
    """A column of text with its words, by the rule that new encoders go by."""

    words: ReadWords

    @classmethod
    def of(cls, column: StringArray, words: ReadWords) -> ReadText:
        return cls(column.data, column.offsets, words)

    def take(self, rows: BoolArray | IntArray) -> ReadText:
        if rows.dtype == np.bool_ and rows.all():
            return self
        indexes: IntArray = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows.astype(np.int64, copy=False)
        return ReadText.of(super().take(indexes), self.words.take(indexes))


def read_chunks(columns: Sequence[ReadText], numbers: Sequence[IntArray]) -> Iterator[tuple[Chunk, list[IntArray]]]:
    """The rows in the chunks of :func:`sageline.encoder.text.terms.term_chunks`, with the number of each word by column.

    Args:
        numbers: of each column's different words.
    """
    ends = [np.cumsum(column.words.counts, dtype=np.int64) for column in columns]
    for start, end in row_chunks(columns):
        terms, found = [], []
        for column, its_ends, its_numbers in zip(columns, ends, numbers, strict=True):
            words = column.words
            codes = words.codes[its_ends[start] - words.counts[start] : its_ends[end - 1]]
            terms.append(Terms(1, words.counts[start:end].astype(np.int64), words.keys))
            found.append(its_numbers.take(codes, mode="clip"))
        yield Chunk(start, end, terms), found
