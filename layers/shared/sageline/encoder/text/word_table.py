"""A hash table from words to numbers, in whole arrays. Exact: words are told apart by their bytes, not by their hash."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from sageline.arrays.matrix import AnyArray
from sageline.arrays.strings import FIRST_BYTES, BoolArray, IntArray
from sageline.encoder.text.tokenizer import KeyArray, Keys, keys_of, ranges

_FIRST_MULTIPLIER, _SECOND_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)
_FEWEST_SLOTS = 1 << 14
_SLOTS_PER_WORD = 4
_INSERTED = 1 << 16  # words at a time, so that what is worked with takes little memory beside the table


class WordTable:
    """Numbers words from 1 on, in the order in which they are added; 0 is the number of a word that is not there.

    Open addressing with linear probing. A word of up to 16 bytes is its key; a longer one is compared, piece by piece,
    with the word that has the same key, and where they differ the search goes on.
    """

    def __init__(self) -> None:
        self._size = 0
        # These have room for more words: what is behind the last one means nothing. Number 0 has a key that no word has.
        self._first: KeyArray = np.zeros(1, dtype=np.uint64)
        self._second: KeyArray = np.zeros(1, dtype=np.uint64)
        self._eights: KeyArray = np.zeros(0, dtype=np.uint64)
        self._bounds: IntArray = np.zeros(2, dtype=np.int64)  # of the bytes of words 0, 1, ... in _eights
        self._clear_slots(_FEWEST_SLOTS)

    @classmethod
    def of(cls, words: list[str]) -> WordTable:
        """A table of these words, all different; each one's number is its position in the list, counted from 1."""
        table = cls()
        table._append(keys_of(words))
        return table

    def __getstate__(self) -> dict[str, object]:
        """The words, without the room for more and without the slots, in which they are put anew."""
        used, ends = int(self._bounds[self._size + 1]), self._size + 2
        arrays = {"_first": self._first[: ends - 1], "_second": self._second[: ends - 1], "_eights": self._eights[:used]}
        return {"_size": self._size, "_bounds": self._bounds[:ends], **arrays}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._clear_slots(max(_FEWEST_SLOTS, 1 << (2 * _SLOTS_PER_WORD * self._size - 1).bit_length()))
        self._insert(1, self._size + 1)

    def __len__(self) -> int:
        return self._size

    @property
    def word_bytes(self) -> IntArray:
        """``int64[n]``: bytes that each word takes in memory, from number 1 on."""
        return 8 * np.diff(self._bounds[1 : self._size + 2])

    @property
    def all_bytes(self) -> int:
        """Bytes that all words take."""
        return 8 * int(self._bounds[self._size + 1] - self._bounds[1])

    @property
    def has_long(self) -> bool:
        """Whether there is a word of more than 16 bytes."""
        return bool((self.word_bytes > 16).any())

    def words(self, numbers: IntArray) -> list[str]:
        """The words with these numbers."""
        pieces, bounds = ranges(self._bounds[numbers], self._bounds[numbers + 1])
        data, ends = self._eights[pieces].tobytes(), (8 * bounds).tolist()
        return [data[start:end].rstrip(b"\0").decode() for start, end in pairwise(ends)]

    def keys(self, numbers: IntArray) -> Keys:
        """What to look the words with these numbers up by in another table."""
        first, second = self._first[numbers], self._second[numbers]
        long = np.flatnonzero((first & FIRST_BYTES[1]) == 0)
        pieces, bounds = ranges(self._bounds[numbers[long]], self._bounds[numbers[long] + 1])
        return Keys(first, second, long, self._eights[pieces], bounds)

    def first_by_spelling(self, numbers: IntArray, limit: int) -> IntArray:
        """Those of these words that may be among the first ``limit`` by spelling: by their first eight bytes."""
        if len(numbers) <= limit:
            return numbers
        heads = self._eights[self._bounds[numbers]].byteswap()  # the first byte weighs most
        last = np.partition(heads, limit - 1)[limit - 1]
        possible: BoolArray = heads <= last
        return numbers[possible]

    def find(self, words: Keys) -> IntArray:
        """``int64[n]``: each word's number, 0 for a word that is not there."""
        slots = self._home(words.first, words.second)
        # take, told to clip what is in range anyway, is the quicker look-up.
        numbers = self._slots.take(slots, mode="clip").astype(np.int64)
        elsewhere = self._other(words, numbers)
        while len(elsewhere):
            slots[elsewhere] = (slots[elsewhere] + 1) & self._mask
            found = self._slots[slots[elsewhere]].astype(np.int64)
            numbers[elsewhere] = found
            elsewhere = elsewhere[self._other(words.take(elsewhere), found)]
        return numbers

    def find_or_add(self, words: Keys) -> IntArray:
        """``int64[n]``: each word's number; a word that is not there is added."""
        numbers = self.find(words)
        unknown = np.flatnonzero(numbers == 0)
        while len(unknown):
            self._append(words.take(unknown[_one_of_each(words.first[unknown], words.second[unknown])]))
            numbers[unknown] = self.find(words.take(unknown))
            unknown = unknown[numbers[unknown] == 0]  # they had the key of another unknown word
        return numbers

    def keep(self, kept: BoolArray) -> None:
        """Forget the other words; those that are kept, of ``bool[n]``, are numbered anew in the same order."""
        numbers = np.concatenate([np.zeros(1, dtype=np.int64), 1 + np.flatnonzero(kept)])
        pieces, bounds = ranges(self._bounds[numbers], self._bounds[numbers + 1])
        self._eights = self._eights[pieces]
        del pieces
        self._first = self._first[numbers]
        self._second = self._second[numbers]
        self._bounds, self._size = bounds, len(numbers) - 1
        self._slots.fill(0)
        self._insert(1, self._size + 1)

    def _other(self, words: Keys, numbers: IntArray) -> IntArray:
        """Indexes of the words where there is another word with these numbers: theirs may be in the next slot."""
        differs = self._first.take(numbers, mode="clip") != words.first
        differs |= self._second.take(numbers, mode="clip") != words.second
        if len(words.long):
            candidates = np.flatnonzero(~differs[words.long])
            at = words.long[candidates]
            # As long as each other in bytes, by the second key, so of as many pieces.
            mine, bounds = ranges(words.bounds[candidates], words.bounds[candidates + 1])
            known, _ = ranges(self._bounds[numbers[at]], self._bounds[numbers[at] + 1])
            unlike = np.flatnonzero(words.eights[mine] != self._eights[known])
            differs[at[np.searchsorted(bounds, unlike, side="right") - 1]] = True
        differs &= numbers != 0
        return np.flatnonzero(differs)

    def _append(self, words: Keys) -> None:
        """Add words that are not there, all different."""
        start = self._size + 1
        end = start + len(words)
        sizes = 1 + (words.second != 0)
        sizes[words.long] = np.diff(words.bounds)
        bounds = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
        pieces = np.repeat(words.first, sizes)
        pieces[bounds[1:] - 1] = np.where(words.second, words.second, words.first)
        pieces[ranges(bounds[words.long], bounds[words.long + 1])[0]] = words.eights
        used = int(self._bounds[start])
        self._first = _with(self._first, start, words.first)
        self._second = _with(self._second, start, words.second)
        self._eights = _with(self._eights, used, pieces)
        self._bounds = _with(self._bounds, start, used + bounds)
        self._size = end - 1
        if _SLOTS_PER_WORD * self._size > len(self._slots):
            self._clear_slots(1 << (2 * _SLOTS_PER_WORD * self._size - 1).bit_length())
            start = 1
        self._insert(start, end)

    def _insert(self, start: int, end: int) -> None:
        """Put the words with the numbers from ``start`` to before ``end`` into slots."""
        for first in range(start, end, _INSERTED):
            self._insert_some(np.arange(first, min(first + _INSERTED, end)))

    def _insert_some(self, numbers: IntArray) -> None:
        """Each round, the first of those that ask for a free slot gets it, which is the most frequent as a rule."""
        slots = self._home(self._first[numbers], self._second[numbers])
        while len(numbers):
            free = self._slots[slots] == 0
            self._slots[slots[free][::-1]] = numbers[free][::-1]  # of several values the last one stays
            waiting = self._slots[slots] != numbers
            numbers, slots = numbers[waiting], (slots[waiting] + 1) & self._mask

    def _clear_slots(self, slots: int) -> None:
        self._slots: np.ndarray[Any, np.dtype[np.int32]] = np.zeros(slots, dtype=np.int32)  # Any: numpy's shape parameter
        self._mask = slots - 1
        self._shift = 64 - self._mask.bit_length()

    def _home(self, first: KeyArray, second: KeyArray) -> IntArray:
        hashes = first * _FIRST_MULTIPLIER
        hashes += second * _SECOND_MULTIPLIER
        hashes >>= np.uint64(self._shift)
        return hashes.view(np.int64)


def _one_of_each(first: KeyArray, second: KeyArray) -> IntArray:
    """Indexes of words, one of each different pair of keys."""
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    different: BoolArray = np.append(True, (first[1:] != first[:-1]) | (second[1:] != second[:-1]))
    return order[different]


def _with(array: AnyArray, at: int, added: AnyArray) -> AnyArray:
    """The array with other elements from ``at`` on, in place if there is room for them, else in a copy with room for more."""
    end = at + len(added)
    if end > len(array):
        longer = np.empty(2 * end, dtype=array.dtype)  # what is never written takes no memory
        longer[:at] = array[:at]
        array = longer
    array[at:end] = added
    return array
