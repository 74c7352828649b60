"""Texts as numbers: which words and n-grams a text holds, and how often.

What a word is says :mod:`sageline.encoder.text.word_rule`, what an n-gram is :mod:`sageline.encoder.text.terms`.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, repeat
from typing import Any, NamedTuple

import numpy as np

from sageline.arrays.matrix import AnyArray, DoubleArray, SparseMatrix
from sageline.arrays.strings import IntArray, StringArray
from sageline.encoder.text import statistics
from sageline.encoder.text.hashing import HashedTerms, hash_columns
from sageline.encoder.text.read_text import ReadText, read_chunks
from sageline.encoder.text.terms import Chunk, distinct, term_chunks
from sageline.encoder.text.word_rule import WordRule, encoded_words_of
from sageline.encoder.text.word_table import WordTable

FEW_BYTES = 64 << 10
"""So much text is encoded row by row: the table of all characters, and that of the words, take longer to make."""


_UNKNOWN = -1


class RowCells(NamedTuple):
    """One row's cells."""

    columns: list[int]  # ascending
    values: Sequence[float]  # to be written as float32


@dataclass(frozen=True, eq=False)
class TextEncoder:
    """Encodes texts as one column per word and n-gram of the vocabulary, or per hash; three statistics may follow.

    Attributes:
        words: the vocabulary, in column order: words, and n-grams with a blank between their words. Empty with ``hash_bits``.
        mode: what a cell holds: ``count``; ``binary`` (1); ``frequency`` (the count divided by the number of words of
            the text, known or not); ``tf-idf`` (the count times the word's inverse document frequency, each row scaled
            to length 1).
        idf: ``float64[columns]`` of words or hashes for ``tf-idf``, else None.
        ngrams: the most words in an n-gram, from 1 to 3.
        sublinear: ``1 + ln(count)`` takes the place of the count.
        hash_bits: there is no vocabulary, but ``2**hash_bits`` columns that words and n-grams are hashed into
            (:mod:`sageline.encoder.text.hashing`); None for a vocabulary.
        statistics: whether the last three columns are those of :mod:`sageline.encoder.text.statistics`.
        rule: what a word is.
    """

    words: list[str]
    mode: str
    idf: DoubleArray | None = None
    ngrams: int = 1
    sublinear: bool = False
    hash_bits: int | None = None
    statistics: bool = False
    rule: WordRule = WordRule.BIGRAMS

    @property
    def feature_dim(self) -> int:
        return self._term_columns + (statistics.NUMBERS if self.statistics else 0)

    @functools.cached_property
    def _term_columns(self) -> int:
        return len(self.words) if self.hash_bits is None else 1 << self.hash_bits

    def encode(self, columns: Sequence[StringArray]) -> SparseMatrix:
        """One row per text; several text columns are read as one text. A text without a known word has no cell but those of the
        statistics, which are there though they be 0."""
        read = self._read(columns)
        if read is None and sum(len(column.data) for column in columns) <= FEW_BYTES:
            return self._matrix([self.cells(texts) for texts in zip(*columns, strict=True)])
        parts = [
            self._with_statistics(self._encode_chunk(chunk, numbers), columns, chunk)
            for chunk, numbers in (self._chunks(columns) if read is None else self._read_chunks(read))
        ]
        if len(parts) == 1:
            return parts[0]
        none = np.zeros(0, dtype=np.int64)
        values = np.concatenate([none.astype(np.float32), *(part.values for part in parts)])
        column = np.concatenate([none, *(part.columns for part in parts)])
        counts = np.concatenate([np.zeros(1, dtype=np.int64), *(np.diff(part.row_offsets) for part in parts)])
        return SparseMatrix(values, column, np.cumsum(counts), (len(counts) - 1, self.feature_dim))

    def _read(self, columns: Sequence[StringArray]) -> list[ReadText] | None:
        """The columns, if the words of all of them have been read, and nothing else is counted."""
        read = [column for column in columns if isinstance(column, ReadText)]
        is_all = len(read) == len(columns) and self.ngrams == 1 and self.rule is WordRule.BIGRAMS
        return read if is_all and self.hash_bits is None else None

    def _read_chunks(self, columns: Sequence[ReadText]) -> Iterator[tuple[Chunk, list[IntArray]]]:
        """As :meth:`_chunks`."""
        return read_chunks(columns, [self._table.find(column.words.keys) for column in columns])

    def _chunks(self, columns: Sequence[StringArray]) -> Iterator[tuple[Chunk, list[IntArray]]]:
        """The rows in chunks, with the column of each of their terms, counted from 1; 0 for a term that has none."""
        bits = self.hash_bits
        all_long = bits is not None or self._table.has_long
        for chunk in term_chunks(columns, ngrams=self.ngrams, all_long=all_long, rule=self.rule):
            keys = [terms.keys for terms in chunk.terms]
            yield chunk, [self._table.find(its) if bits is None else 1 + hash_columns(its, bits) for its in keys]

    def _encode_chunk(self, chunk: Chunk, numbers: list[IntArray]) -> SparseMatrix:
        bits = self._term_columns.bit_length()
        cells = [terms.cells(its, bits) for terms, its in zip(chunk.terms, numbers, strict=True)]
        if self.hash_bits is None:
            cells = [its_cells[np.flatnonzero(its)] for its_cells, its in zip(cells, numbers, strict=True)]
        cell, counts = distinct(cells)
        row_offsets = np.searchsorted(cell, (np.arange(chunk.rows + 1) << bits).astype(cell.dtype))
        row, column = cell >> bits, ((cell & ((1 << bits) - 1)) - 1).astype(np.int64)
        values = self._values(row, column, counts, chunk)
        return SparseMatrix(values.astype(np.float32), column, row_offsets, (chunk.rows, self._term_columns))

    def _values(self, row: IntArray, column: IntArray, counts: IntArray, chunk: Chunk) -> DoubleArray:
        if self.mode == "binary":
            return np.ones(len(counts))
        values = _sublinear(counts) if self.sublinear else counts.astype(np.float64)
        if self.mode == "frequency":
            values /= chunk.words()[row]
        if self.idf is not None:
            values *= self.idf[column]
            # bincount adds a row's cells in their order, so a row's length does not depend on the rows around it.
            values /= np.sqrt(np.bincount(row, weights=values**2, minlength=chunk.rows))[row]
        return values

    def _with_statistics(self, matrix: SparseMatrix, columns: Sequence[StringArray], chunk: Chunk) -> SparseMatrix:
        if not self.statistics:
            return matrix
        parts = [StringArray(column.data, column.offsets[chunk.start : chunk.end + 1]) for column in columns]
        numbers = statistics.statistics(parts, chunk.words()).astype(np.float32)
        ends = np.repeat(matrix.row_offsets[1:], statistics.NUMBERS)
        added = np.tile(np.arange(self._term_columns, self.feature_dim), chunk.rows)
        return SparseMatrix(
            np.insert(matrix.values, ends, numbers.ravel()),
            np.insert(matrix.columns, ends, added),
            matrix.row_offsets + statistics.NUMBERS * np.arange(chunk.rows + 1),
            (chunk.rows, self.feature_dim),
        )

    def cells(self, texts: Sequence[str]) -> RowCells:
        """One row, whose columns hold these texts, as :meth:`encode` encodes it: the quick way for a prediction.

        Raises:
            UnicodeEncodeError: half of a surrogate pair.
        """
        by_column = [encoded_words_of(text, self.rule) for text in texts]
        found = Counter(self._columns_of(self._terms(by_column)))
        if _UNKNOWN in found:
            del found[_UNKNOWN]
        columns = sorted(found)
        values = self._cell_values(columns, list(map(found.__getitem__, columns)), by_column)
        if self.statistics:
            columns += range(self._term_columns, self.feature_dim)
            values = [*values, *statistics.statistics_of(texts, sum(map(len, by_column)))]
        return RowCells(columns, values)

    def _terms(self, by_column: list[list[bytes]]) -> Iterable[bytes]:
        if self.ngrams == 1:
            return by_column[0] if len(by_column) == 1 else chain.from_iterable(by_column)
        sequences = (
            zip(*(words[skipped:] for skipped in range(size)), strict=False) for words in by_column for size in self._sizes
        )
        return map(b" ".join, chain.from_iterable(sequences))

    @functools.cached_property
    def _sizes(self) -> range:
        return range(1, self.ngrams + 1)

    def _cell_values(self, columns: list[int], counts: list[int], by_column: list[list[bytes]]) -> Sequence[float]:
        """As :meth:`_values`, bit for bit: so sums are taken in order, as ``sum`` would not."""
        if self.mode == "binary":
            return [1.0] * len(counts)
        values: Sequence[float] = [1 + math.log(count) for count in counts] if self.sublinear else counts
        if self.mode == "frequency":
            words = sum(map(len, by_column))
            values = [value / words for value in values]
        if self.idf is not None:
            values = [value * self._idf_of[column] for value, column in zip(values, columns, strict=True)]
            length = 0.0
            for value in values:
                length += value * value
            length = math.sqrt(length)
            values = [value / length for value in values]
        return values

    def _matrix(self, rows: list[RowCells]) -> SparseMatrix:
        values = np.array([value for row in rows for value in row.values], dtype=np.float64)
        columns = np.array([column for row in rows for column in row.columns], dtype=np.int64)
        row_offsets = np.array([0, *accumulate(len(row.columns) for row in rows)], dtype=np.int64)
        return SparseMatrix(values.astype(np.float32), columns, row_offsets, (len(rows), self.feature_dim))

    @functools.cached_property
    def _table(self) -> WordTable:
        return WordTable.of(self.words)

    @functools.cached_property
    def _columns_of(self) -> Callable[[Iterable[bytes]], Iterable[int]]:
        """From terms to their columns, :data:`_UNKNOWN` for those that are not in the vocabulary; without a call in Python."""
        if self.hash_bits is not None:
            return functools.partial(map, HashedTerms(self.hash_bits).__getitem__)
        find = {word.encode(): column for column, word in enumerate(self.words)}.get
        return lambda terms: map(find, terms, repeat(_UNKNOWN))

    @functools.cached_property
    def _idf_of(self) -> list[float]:
        idf: list[float] = [] if self.idf is None else self.idf.tolist()
        return idf

    def state(self) -> tuple[dict[str, Any], dict[str, AnyArray]]:  # Any: JSON
        """What to save: a JSON document and arrays."""
        words = StringArray.from_list(self.words)
        arrays: dict[str, AnyArray] = {"words_data": words.data, "words_offsets": words.offsets}
        if self.idf is not None:
            arrays["idf"] = self.idf
        options = {name: getattr(self, name) for name in ("mode", "ngrams", "sublinear", "hash_bits", "statistics")}
        return {"kind": "bag-of-words", **options, "word_rule": self.rule}, arrays

    @classmethod
    def from_state(cls, document: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> TextEncoder:  # Any: JSON
        """Those of version 4 and before had words and a mode, and none of the other options."""
        words = StringArray(arrays["words_data"], arrays["words_offsets"])
        return cls(
            words.tolist(),
            document["mode"],
            arrays.get("idf"),
            document.get("ngrams", 1),
            document.get("sublinear", False),
            document.get("hash_bits"),
            document.get("statistics", False),
            WordRule.of(document),
        )


def _sublinear(counts: IntArray) -> DoubleArray:
    """``float64[n]``: for each count the number that Python's own logarithm gives: numpy's may differ in its last bit."""
    different, index = np.unique(counts, return_inverse=True)
    return np.array([1 + math.log(count) for count in different.tolist()], dtype=np.float64)[index]
