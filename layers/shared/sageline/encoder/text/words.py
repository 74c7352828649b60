"""Bag of words: which words a text holds, and how often.

What a word is: the text is lower-cased (``str.lower``, so by Unicode's rules) and brought into NFC; then a word is a
letter, digit or underscore of any script (Python's ``\\w``) and all of these that follow, with their combining marks
(Unicode's Mn, Mc and Me: accents, vowel signs, vowel points, viramas). So ``Ünïcode`` is the word ``ünïcode``, composed
or not, ``हिन्दी`` is one word, ``C++`` is ``c``, ``don't`` is ``don`` and ``t``, ``3.14`` is ``3`` and ``14``; a run of
Chinese or Japanese characters is one word; emoji and punctuation separate words.

- The zero-width joiner and non-joiner belong to a word between two of its characters, as in Persian ``می‌خواهم``; at its
  end they are left out.
- A mark with no such character before it, as at the beginning of a text or after a blank or an emoji, is left out.
- ``İ`` is ``i``, so ``İstanbul`` is the word ``istanbul``: of an i with a dot the dot is left out. A dotless i stays one.

Encoders up to version 3 knew words without marks (``marks_apart``): there, a mark or joiner separated words, and the text
was taken as it was.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from sageline.arrays.matrix import AnyArray, DoubleArray, SparseMatrix
from sageline.arrays.strings import IntArray, StringArray, row_chunks
from sageline.encoder import saved
from sageline.encoder.text.tokenizer import Keys, keys_of, tokenize_apart, words_of
from sageline.encoder.text.word_table import WordTable

MOST_WORDS = 1 << 20
"""Different words that are kept in memory while they are counted."""

MOST_WORD_BYTES = 64 << 20
"""Memory that these words may take."""

_FEW_BYTES = 4 << 10

CellArray: TypeAlias = "np.ndarray[Any, np.dtype[np.int32 | np.int64]]"  # Any: numpy's shape parameter


class _Words(NamedTuple):
    """Words of a chunk's rows."""

    rows: IntArray  # counted from the chunk's first; one may come twice
    counts: IntArray  # how many words each has there
    keys: Keys

    def cells(self, numbers: IntArray, bits: int) -> CellArray:
        """A number of each word, below ``2**bits``, and its row, as one number: narrow ones are sorted in half the time."""
        narrow = np.int32 if (int(self.rows.max()) + 1) << bits < 1 << 31 else np.int64
        cells: CellArray = np.repeat((self.rows << bits).astype(narrow), self.counts)
        cells |= numbers.astype(narrow)
        return cells


def _chunks(
    columns: Sequence[StringArray], *, all_long: bool = True, marks_apart: bool = False
) -> Iterator[tuple[int, list[_Words]]]:
    """The rows in chunks: how many there are, and their words by column.

    Args:
        all_long: as for :meth:`sageline.encoder.text.tokenizer.Tokens.keys`.
        marks_apart: as for :func:`words_of`.
    """
    for start, end in row_chunks(columns):
        pieces = []
        for column in columns:
            rows, tokens = tokenize_apart(StringArray(column.data, column.offsets[start : end + 1]), marks_apart=marks_apart)
            pieces.append(_Words(rows, tokens.counts, tokens.keys(all_long=all_long)))
        yield end - start, pieces


def _distinct(parts: Sequence[CellArray]) -> tuple[CellArray, IntArray]:
    """The different numbers, ascending, and how often each occurs."""
    cells = np.concatenate(parts)
    cells.sort()
    firsts = np.flatnonzero(np.append(True, cells[1:] != cells[:-1])) if len(cells) else np.zeros(0, dtype=np.int64)
    return cells[firsts], np.diff(firsts, append=len(cells))


class WordCounts:
    """What a vocabulary is made from: how often each word occurs, and in how many documents.

    Memory is bounded. When more than :data:`MOST_WORDS` different words are there after a block, or they take more than
    :data:`MOST_WORD_BYTES`, the rarest are forgotten: all words that occurred at most ``t`` times, with the smallest
    ``t`` that leaves at most half of what is allowed. So which words are forgotten follows from the blocks and their
    order alone. A word that comes back is counted from zero (lossy counting: Manku and Motwani, 2002).

    Attributes:
        documents: how many there were.
        total: how many words there were.
        missed: by how much the count of a word may be too low: the sum of all ``t``; 0 when nothing was forgotten.
    """

    def __init__(self, *, in_documents: bool = True) -> None:
        """``in_documents``: whether to count also in how many documents a word is, which takes longer."""
        self.documents = 0
        self.total = 0
        self.missed = 0
        self._in_documents = in_documents
        self._table = WordTable()
        self._counts: IntArray = np.zeros(0, dtype=np.int64)
        self._documents_with: IntArray = np.zeros(0, dtype=np.int64)

    @property
    def different(self) -> int:
        """How many different words are known."""
        return len(self._table)

    def update(self, columns: Sequence[StringArray]) -> None:
        """Count the words of a block's text columns."""
        found: list[IntArray] = []
        found_in_documents: list[IntArray] = []
        for rows, pieces in _chunks(columns):
            numbers = [self._table.find_or_add(piece.keys) for piece in pieces]
            found += numbers
            if self._in_documents:
                bits = len(self._table).bit_length()
                cells = [piece.cells(number, bits) for piece, number in zip(pieces, numbers, strict=True)]
                found_in_documents.append(_distinct(cells)[0].astype(np.int64) & ((1 << bits) - 1))
            self.documents += rows
        self._counts = self._added(self._counts, found)
        self._documents_with = self._added(self._documents_with, found_in_documents)
        self.total += sum(len(numbers) for numbers in found)
        self._forget_rare()

    def _added(self, counts: IntArray, found: list[IntArray]) -> IntArray:
        none = np.zeros(0, dtype=np.int64)
        added = np.bincount(np.concatenate([none, *found]), minlength=len(self._table) + 1)[1:]
        added[: len(counts)] += counts
        return added

    def _forget_rare(self) -> None:
        sizes = self._table.word_bytes
        if len(sizes) <= MOST_WORDS and int(sizes.sum()) <= MOST_WORD_BYTES:
            return
        order = np.argsort(-self._counts, kind="stable")
        fits = (np.arange(1, len(order) + 1) <= MOST_WORDS // 2) & (np.cumsum(sizes[order]) <= MOST_WORD_BYTES // 2)
        rare = int(self._counts[order[int(fits.sum())]])
        kept = self._counts > rare
        self.missed += rare
        self._table.keep(kept)
        self._counts, self._documents_with = self._counts[kept], self._documents_with[kept]

    def most_frequent(self, limit: int) -> dict[str, int]:
        """The most frequent words with their counts; of equally frequent ones, those that sort first."""
        counts = self._counts
        fewest = np.partition(counts, len(counts) - limit)[len(counts) - limit] if len(counts) > limit else 0
        certain, tied = np.flatnonzero(counts > fewest), np.flatnonzero(counts == fewest)
        numbers = np.concatenate([1 + certain, self._table.first_by_spelling(1 + tied, limit - len(certain))])
        pairs = zip((-counts[numbers - 1]).tolist(), self._table.words(numbers), strict=True)
        return {word: -negative for negative, word in sorted(pairs)[:limit]}

    def vocabulary(self, max_words: int) -> list[str]:
        """The words of :meth:`most_frequent`."""
        return list(self.most_frequent(max_words))

    def inverse_document_frequencies(self, words: Sequence[str]) -> DoubleArray:
        """``float64[words]``: ``ln((1 + documents) / (1 + documents with the word)) + 1``, as scikit-learn weighs."""
        containing = self._documents_with[self._table.find(keys_of(words)) - 1]
        return np.log((1 + self.documents) / (1 + containing)) + 1


@dataclass(frozen=True, eq=False)
class TextEncoder:
    """Encodes texts as one column per word of the vocabulary.

    Attributes:
        words: the vocabulary, in column order.
        mode: what a cell holds: ``count``; ``binary`` (1); ``frequency`` (the count divided by the number of words of
            the text, known or not); ``tf-idf`` (the count times the word's inverse document frequency, each row scaled
            to length 1).
        idf: ``float64[words]`` for ``tf-idf``, else None.
        marks_apart: whether it reads words as encoders up to version 3 did.
    """

    words: list[str]
    mode: str
    idf: DoubleArray | None = None
    marks_apart: bool = False

    @functools.cached_property
    def _table(self) -> WordTable:
        return WordTable.of(self.words)

    @functools.cached_property
    def _columns(self) -> dict[str, int]:
        return {word: column for column, word in enumerate(self.words)}

    @property
    def feature_dim(self) -> int:
        return len(self.words)

    def encode(self, columns: Sequence[StringArray]) -> SparseMatrix:
        """One row per text; several text columns are read as one text. A text without a known word is an empty row."""
        if sum(len(column.data) for column in columns) <= _FEW_BYTES:
            return self._encode_few(columns)
        chunks = _chunks(columns, all_long=self._table.has_long, marks_apart=self.marks_apart)
        parts = [self._encode_chunk(rows, pieces) for rows, pieces in chunks]
        if len(parts) == 1:
            return parts[0]
        none = np.zeros(0, dtype=np.int64)
        values = np.concatenate([none.astype(np.float32), *(part.values for part in parts)])
        column = np.concatenate([none, *(part.columns for part in parts)])
        counts = np.concatenate([np.zeros(1, dtype=np.int64), *(np.diff(part.row_offsets) for part in parts)])
        return SparseMatrix(values, column, np.cumsum(counts), (len(counts) - 1, self.feature_dim))

    def _encode_chunk(self, rows: int, pieces: list[_Words]) -> SparseMatrix:
        bits = self.feature_dim.bit_length()
        cells = []
        for piece in pieces:
            numbers = self._table.find(piece.keys)
            cells.append(piece.cells(numbers, bits)[np.flatnonzero(numbers != 0)])
        cell, counts = _distinct(cells)
        row_offsets = np.searchsorted(cell, (np.arange(rows + 1) << bits).astype(cell.dtype))
        row, column = cell >> bits, ((cell & ((1 << bits) - 1)) - 1).astype(np.int64)
        lengths = np.zeros(rows, dtype=np.int64)
        for piece in pieces:
            np.add.at(lengths, piece.rows, piece.counts)
        values = self._values(row, column, counts.astype(np.float64), lengths)
        return SparseMatrix(values.astype(np.float32), column, row_offsets, (rows, self.feature_dim))

    def _encode_few(self, columns: Sequence[StringArray]) -> SparseMatrix:
        """The same for a prediction's few texts: the table of all characters takes a quarter of a second to make, for which the
        first text beyond ASCII in a process would wait."""
        rows = [
            [word for text in texts for word in words_of(text, marks_apart=self.marks_apart)]
            for texts in zip(*columns, strict=True)
        ]
        found = [Counter(index for word in words if (index := self._columns.get(word)) is not None) for words in rows]
        cells = [cell for counts in found for cell in sorted(counts.items())]
        column, counts = np.array(cells, dtype=np.int64).reshape(-1, 2).T
        sizes = [len(counts) for counts in found]
        row = np.repeat(np.arange(len(rows)), np.array(sizes, dtype=np.int64))
        values = self._values(row, column, counts.astype(np.float64), np.array([len(words) for words in rows], dtype=np.int64))
        row_offsets = np.array([0, *accumulate(sizes)], dtype=np.int64)
        return SparseMatrix(values.astype(np.float32), column.copy(), row_offsets, (len(rows), self.feature_dim))

    def _values(self, row: IntArray, column: IntArray, counts: DoubleArray, lengths: IntArray) -> DoubleArray:
        if self.mode == "binary":
            return np.ones_like(counts)
        if self.mode == "frequency":
            counts /= lengths[row]
        if self.idf is not None:
            counts *= self.idf[column]
            # bincount adds a row's cells in their order, so a row's length does not depend on the rows around it.
            counts /= np.sqrt(np.bincount(row, weights=counts**2, minlength=len(lengths)))[row]
        return counts

    def state(self) -> tuple[dict[str, Any], dict[str, AnyArray]]:  # Any: JSON
        """What to save: a JSON document and arrays."""
        words = StringArray.from_list(self.words)
        arrays: dict[str, AnyArray] = {"words_data": words.data, "words_offsets": words.offsets}
        if self.idf is not None:
            arrays["idf"] = self.idf
        return {"kind": "bag-of-words", "mode": self.mode, "marks_apart": self.marks_apart}, arrays

    @classmethod
    def from_state(cls, document: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> TextEncoder:  # Any: JSON
        words = StringArray(arrays["words_data"], arrays["words_offsets"])
        return cls(words.tolist(), document["mode"], arrays.get("idf"), saved.has_marks_apart(document))
