"""What is counted of texts: their words, and the sequences of two or three words that follow one another (n-grams), which are
written with a blank between the words. A sequence does not reach from one column of a row into the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from sageline.arrays.strings import ByteArray, IntArray, StringArray, gather, row_chunks
from sageline.encoder.text.tokenizer import PADDING, Keys, Tokens, ranges, tokenize
from sageline.encoder.text.word_rule import WordRule

CellArray: TypeAlias = "np.ndarray[Any, np.dtype[np.int32 | np.int64]]"  # Any: numpy's shape parameter

_BLANK = ord(" ")


class Terms(NamedTuple):
    """Words of a chunk's rows, or sequences of words."""

    words: int  # of each sequence
    counts: IntArray  # how many terms each row has
    keys: Keys

    def cells(self, numbers: IntArray, bits: int) -> CellArray:
        """A number of each term, below ``2**bits``, and its row, as one number: narrow ones are sorted in half the time."""
        rows = len(self.counts)
        narrow = np.int32 if rows << bits < 1 << 31 else np.int64
        cells: CellArray = np.repeat((np.arange(rows) << bits).astype(narrow), self.counts)
        cells |= numbers.astype(narrow)
        return cells


class Chunk(NamedTuple):
    """Some rows, and what is counted of them, by column and by length of the sequences."""

    start: int
    end: int
    terms: list[Terms]

    @property
    def rows(self) -> int:
        return self.end - self.start

    @property
    def total(self) -> int:
        """How many words all rows have together."""
        return sum(int(terms.counts.sum()) for terms in self.terms if terms.words == 1)

    def words(self) -> IntArray:
        """``int64[rows]``: how many words each row has."""
        words: IntArray = np.stack([terms.counts for terms in self.terms if terms.words == 1]).sum(axis=0)
        return words


def term_chunks(
    columns: Sequence[StringArray], *, ngrams: int = 1, all_long: bool = True, rule: WordRule = WordRule.BIGRAMS
) -> Iterator[Chunk]:
    """The rows in chunks of a size that stays in the processor's cache.

    Args:
        ngrams: the most words in a sequence.
        all_long: as for :meth:`sageline.encoder.text.tokenizer.Tokens.keys`.
    """
    for start, end in row_chunks(columns):
        terms = []
        for column in columns:
            tokens = tokenize(StringArray(column.data, column.offsets[start : end + 1]), rule)
            terms.append(Terms(1, tokens.counts, tokens.keys(all_long=all_long)))
            for words, sequences in _sequences(tokens, ngrams):
                terms.append(Terms(words, sequences.counts, sequences.keys(all_long=all_long)))
        yield Chunk(start, end, terms)


def _sequences(tokens: Tokens, ngrams: int) -> Iterator[tuple[int, Tokens]]:
    """The sequences of two words, of three, up to ``ngrams``."""
    if ngrams == 1:
        return
    spaced = _spaced(tokens)
    for words in range(2, ngrams + 1):
        counts = np.maximum(tokens.counts - (words - 1), 0)
        firsts = np.cumsum(tokens.counts) - tokens.counts
        first, _ = ranges(firsts, firsts + counts)
        starts, last = spaced.starts[first], first + words - 1
        yield words, Tokens(spaced.data, starts, spaced.starts[last] + spaced.lengths[last] - starts, counts)


def _spaced(tokens: Tokens) -> Tokens:
    """The same words, one after the other with a blank between."""
    words = gather(np.frombuffer(tokens.data, dtype=np.uint8), tokens.starts, tokens.lengths)
    starts = words.offsets[:-1] + np.arange(len(words))
    data: ByteArray = np.full(len(words.data) + len(words), _BLANK, dtype=np.uint8)
    of_words = np.ones(len(data), dtype=np.bool_)
    of_words[starts + tokens.lengths] = False
    data[of_words] = words.data
    return Tokens(data.tobytes() + PADDING, starts, tokens.lengths, tokens.counts)


def distinct(parts: Sequence[CellArray]) -> tuple[CellArray, IntArray]:
    """The different numbers, ascending, and how often each occurs."""
    cells = np.concatenate(parts)
    cells.sort()
    firsts = np.flatnonzero(np.append(True, cells[1:] != cells[:-1])) if len(cells) else np.zeros(0, dtype=np.int64)
    return cells[firsts], np.diff(firsts, append=len(cells))
