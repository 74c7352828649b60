"""The different strings of a column, and which of them each row has."""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from sageline.arrays.hashing import hash_strings
from sageline.arrays.late_text import DictionaryArray
from sageline.arrays.strings import IntArray, StringArray


class Factors(NamedTuple):
    """A column as codes.

    Attributes:
        values: the different strings.
        codes: ``int64[n]``: string ``i`` of the column is ``values[codes[i]]``.
    """

    values: StringArray
    codes: IntArray


_FACTORS: WeakKeyDictionary[StringArray, Factors] = WeakKeyDictionary()
"""Those of columns in use: a block's are wanted when it is fitted and when it is measured."""


def factors(column: StringArray) -> Factors:
    """The column's different strings, told apart by their 64-bit hashes; not to be changed, as everybody gets the same."""
    found = _FACTORS.get(column)
    if found is None:
        found = _FACTORS[column] = _factors(column)
    return found


def _factors(column: StringArray) -> Factors:
    if isinstance(column, DictionaryArray):
        used, codes = np.unique(column.indices, return_inverse=True)
        return Factors(column.dictionary.take(used), codes.astype(np.int64, copy=False))
    _, firsts, codes = np.unique(hash_strings(column), return_index=True, return_inverse=True)
    return Factors(column.take(firsts.astype(np.int64, copy=False)), codes.astype(np.int64, copy=False))
