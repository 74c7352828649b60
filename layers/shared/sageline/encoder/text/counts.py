"""Counting words and n-grams, block by block: what a text encoder is fitted to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sageline.arrays.matrix import DoubleArray
from sageline.arrays.strings import IntArray, StringArray
from sageline.encoder.text.hashing import hash_columns
from sageline.encoder.text.read_text import ReadWords
from sageline.encoder.text.terms import distinct, term_chunks
from sageline.encoder.text.tokenizer import keys_of
from sageline.encoder.text.word_table import WordTable

MOST_WORDS = 1 << 20
"""Different words that are kept in memory while they are counted."""

MOST_WORD_BYTES = 64 << 20
"""Memory that these words may take."""


class WordCounts:
    """What a vocabulary is made from: how often each word occurs, and each n-gram where these are wanted, and in how many
    documents. Below, n-grams are words too.

    Memory is bounded. When more than :data:`MOST_WORDS` different words are there after a block, or they take more than
    :data:`MOST_WORD_BYTES`, the rarest are forgotten: all words that occurred at most ``t`` times, with the smallest
    ``t`` that leaves at most half of what is allowed. So which words are forgotten follows from the blocks and their
    order alone. A word that comes back is counted from zero (lossy counting: Manku and Motwani, 2002).

    Attributes:
        documents: how many there were.
        total: how many words there were, n-grams not counted.
        missed: by how much the count of a word may be too low: the sum of all ``t``; 0 when nothing was forgotten.
    """

    def __init__(self, *, in_documents: bool = True, ngrams: int = 1) -> None:
        """``in_documents``: whether to count also in how many documents a word is, which takes longer; ``ngrams``: the most words
        in an n-gram."""
        self.documents = 0
        self.total = 0
        self.missed = 0
        self._in_documents = in_documents
        self._ngrams = ngrams
        self._table = WordTable()
        self._counts: IntArray = np.zeros(0, dtype=np.int64)
        self._documents_with: IntArray = np.zeros(0, dtype=np.int64)

    @property
    def different(self) -> int:
        """How many different words are known."""
        return len(self._table)

    def update(self, columns: Sequence[StringArray], *, keep: bool = False) -> list[ReadWords]:
        """Count the words of a block's text columns.

        Args:
            keep: the words of each column are returned; not where n-grams are wanted, as they are too many to be kept.
        """
        found: list[IntArray] = []
        found_in_documents: list[IntArray] = []
        per_row: list[IntArray] = []
        for chunk in term_chunks(columns, ngrams=self._ngrams):
            numbers = [self._table.find_or_add(terms.keys) for terms in chunk.terms]
            found += numbers
            per_row += [terms.counts for terms in chunk.terms]
            if self._in_documents:
                bits = len(self._table).bit_length()
                cells = [terms.cells(number, bits) for terms, number in zip(chunk.terms, numbers, strict=True)]
                found_in_documents.append(distinct(cells)[0].astype(np.int64) & ((1 << bits) - 1))
            self.documents += chunk.rows
            self.total += chunk.total
        self._counts = self._added(self._counts, found)
        self._documents_with = self._added(self._documents_with, found_in_documents)
        read = self._read(len(columns), found, per_row) if keep and self._ngrams == 1 else []
        self._forget_rare()
        return read

    def merge(self, after: WordCounts) -> None:
        """Count the words of the documents that come after these, as another one has counted them.

        Where either has forgotten words, or there are too many words now, counts are too low by :attr:`missed` at most, as ever.
        """
        numbers = self._table.find_or_add(after._table.keys(np.arange(1, len(after._table) + 1)))
        self._counts = self._joined(self._counts, numbers, after._counts)
        self._documents_with = self._joined(self._documents_with, numbers, after._documents_with)  # of no documents too
        self.documents += after.documents
        self.total += after.total
        self.missed += after.missed
        self._forget_rare()

    def _joined(self, counts: IntArray, numbers: IntArray, added: IntArray) -> IntArray:
        """The counts of all words, when those with these numbers, all different, occurred some more times."""
        joined = np.zeros(len(self._table), dtype=np.int64)
        joined[: len(counts)] = counts
        joined[numbers - 1] += added
        return joined

    def _read(self, columns: int, found: list[IntArray], per_row: list[IntArray]) -> list[ReadWords]:
        """The words by column, of chunks that have the columns one after the other."""
        if not found:
            return []
        is_used = np.zeros(len(self._table) + 1, dtype=np.bool_)
        for numbers in found:
            is_used[numbers] = True
        used = np.flatnonzero(is_used)
        codes = np.empty(len(is_used), dtype=np.uint16 if len(used) <= 1 << 16 else np.uint32)
        codes[used] = np.arange(len(used))
        keys = self._table.keys(used)
        read = []
        for column in range(columns):
            its_codes = [codes.take(numbers, mode="clip") for numbers in found[column::columns]]
            read.append(ReadWords.of(np.concatenate(per_row[column::columns]), np.concatenate(its_codes), keys))
        return read

    def _added(self, counts: IntArray, found: list[IntArray]) -> IntArray:
        none = np.zeros(0, dtype=np.int64)
        added = np.bincount(np.concatenate([none, *found]), minlength=len(self._table) + 1)[1:]
        added[: len(counts)] += counts
        return added

    def _forget_rare(self) -> None:
        if len(self._table) <= MOST_WORDS and self._table.all_bytes <= MOST_WORD_BYTES:
            return
        rare = self._most_of_rare()
        kept = self._counts > rare
        self.missed += rare
        self._table.keep(kept)
        self._counts, self._documents_with = self._counts[kept], self._documents_with[kept]

    def _most_of_rare(self) -> int:
        """The smallest count such that the words which occurred more often take at most half of what is allowed."""
        order = np.argsort(-self._counts, kind="stable")
        ends = np.cumsum(self._table.word_bytes[order])
        fitting = min(MOST_WORDS // 2, int(np.searchsorted(ends, MOST_WORD_BYTES // 2, side="right")))
        return int(self._counts[order[fitting]])

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


class HashedCounts:
    """What is to be known of texts whose words and n-grams are hashed: for ``tf-idf``, in how many documents each column has a
    cell.

    Attributes:
        documents: how many there were.
        total: how many words there were, n-grams not counted.
    """

    def __init__(self, hash_bits: int, *, in_documents: bool = True, ngrams: int = 1) -> None:
        """``hash_bits`` as for :class:`sageline.encoder.text.words.TextEncoder`; the others as for :class:`WordCounts`."""
        self.documents = 0
        self.total = 0
        self._bits = hash_bits
        self._in_documents = in_documents
        self._ngrams = ngrams
        self._documents_with: IntArray = np.zeros(1 << hash_bits if in_documents else 0, dtype=np.int64)

    def update(self, columns: Sequence[StringArray]) -> None:
        """Count the words of a block's text columns."""
        for chunk in term_chunks(columns, ngrams=self._ngrams if self._in_documents else 1):
            if self._in_documents:
                cells = [terms.cells(hash_columns(terms.keys, self._bits), self._bits) for terms in chunk.terms]
                found = distinct(cells)[0].astype(np.int64) & ((1 << self._bits) - 1)
                self._documents_with += np.bincount(found, minlength=1 << self._bits)
            self.documents += chunk.rows
            self.total += chunk.total

    def merge(self, after: HashedCounts) -> None:
        """Count the words of other documents, as another one has counted them."""
        self.documents += after.documents
        self.total += after.total
        self._documents_with += after._documents_with

    def inverse_document_frequencies(self) -> DoubleArray:
        """``float64[2**hash_bits]``, as :meth:`WordCounts.inverse_document_frequencies`."""
        return np.log((1 + self.documents) / (1 + self._documents_with)) + 1
