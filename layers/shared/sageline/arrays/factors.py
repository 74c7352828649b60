"""The different strings of a column, and which of them each row has."""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from sageline.arrays.hashing import INCREMENT, HashArray, hash_strings
from sageline.arrays.late_text import DictionaryArray
from sageline.arrays.strings import BoolArray, IntArray, StringArray

_SLOTS_PER_ROW = 4


class Factors(NamedTuple):
    """A column as codes.

    Attributes:
        values: the different strings.
        codes: ``int64[n]``: string ``i`` of the column is ``values[codes[i]]``.
    """

    values: StringArray
    codes: IntArray

    def take(self, rows: BoolArray | IntArray) -> Factors:
        """Those of some rows of the column."""
        return _used(self.values, self.codes[rows])


_FACTORS: WeakKeyDictionary[StringArray, Factors] = WeakKeyDictionary()
"""Those of columns in use: a block's are wanted when it is fitted, when it is encoded and when it is measured."""


def factors(column: StringArray) -> Factors:
    """The column's different strings, told apart by their 64-bit hashes; not to be changed, as everybody gets the same."""
    found = _FACTORS.get(column)
    if found is None:
        found = _FACTORS[column] = _factors(column)
    return found


def _factors(column: StringArray) -> Factors:
    if isinstance(column, DictionaryArray):
        return _used(column.dictionary, column.indices)
    firsts, codes = first_of_each(hash_strings(column))
    return Factors(column.take(firsts), codes)


def dictionary_of(column: StringArray, hashes: HashArray) -> DictionaryArray:
    """The column by its different strings; ``hashes`` are those of its strings."""
    firsts, codes = first_of_each(hashes)
    return DictionaryArray(column.take(firsts), codes)


def _used(values: StringArray, codes: IntArray) -> Factors:
    """The factors without the values that no row has."""
    used = np.flatnonzero(np.bincount(codes, minlength=len(values)))
    if len(used) == len(values):
        return Factors(values, codes)
    numbers = np.zeros(len(values), dtype=np.int64)
    numbers[used] = np.arange(len(used))
    return Factors(values.take(used), numbers[codes])


def first_of_each(hashes: HashArray) -> tuple[IntArray, IntArray]:
    """For each different hash the first index where it is, ``int64[m]`` ascending; and which of them each one is, ``int64[n]``.

    A hash table without probing, in place of a sort: of the hashes that ask for a slot, the first one gets it, and those that are
    not equal to it ask for another one in the next round.
    """
    bits = max(8, (_SLOTS_PER_ROW * len(hashes)).bit_length() - 1)
    shift = np.uint64(64 - bits)
    slots = np.empty(1 << bits, dtype=np.int32)
    first = np.empty(len(hashes), dtype=np.int64)
    asking, keys = np.arange(len(hashes)), hashes
    while len(asking):
        slot = (keys >> shift).view(np.int64)
        slots[slot[::-1]] = asking[::-1]  # of several values the last one stays
        owner = slots[slot]
        first[asking] = owner
        refused = np.flatnonzero(hashes[owner] != hashes[asking])
        asking = asking[refused]
        keys = keys[refused] * INCREMENT
    firsts = np.flatnonzero(first == np.arange(len(first)))
    numbers = np.empty(len(first), dtype=np.int64)
    numbers[firsts] = np.arange(len(firsts))
    return firsts, numbers[first]
