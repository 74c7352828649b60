"""Which rows train, which validate, which test: by a hash of each row's content.

No shuffle and no memory: a row's place follows from its values and the seed alone, so it is the same on every machine
and in every order of the rows, and equal rows are always in the same place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sageline.dataset.blocks import Block, IntArray, StringArray, row_chunks
from sageline.spec.model import Split

CHANNELS = ("train", "validation", "test")

_HashArray = np.ndarray[Any, np.dtype[np.uint64]]  # Any: numpy's shape parameter

# The increment and the multipliers of splitmix64 (Steele, Lea, Flood 2014), whose output function mixes well.
_INCREMENT = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def assign(block: Block, split: Split) -> IntArray:
    """``int64[rows]``: which of :data:`CHANNELS` each row belongs to.

    All columns count, also those that are left out of the features: so the split of a dataset depends on the data and
    the seed only, and models with different features are tested on the same rows.
    """
    seed = np.array([split.seed % 2**64], dtype=np.uint64)
    hashes = np.repeat(_mix(seed), block.rows)
    for column in block.columns.values():
        hashes = _mix(hashes + _INCREMENT) ^ hash_strings(column)
    place = (_mix(hashes) >> np.uint64(11)).astype(np.float64) * 2.0**-53  # 53 bits as a number in [0, 1)
    bounds = [split.train, split.train + split.validation]
    return np.searchsorted(bounds, place, side="right").astype(np.int64)


def hash_strings(column: StringArray) -> _HashArray:
    """``uint64[n]``: the sum over a string's words of eight bytes (the last one filled with zeros), each mixed with its
    place in the string, mixed with the length."""
    parts = [_hash_some(StringArray(column.data, column.offsets[start : end + 1])) for start, end in row_chunks([column])]
    return np.concatenate([np.zeros(0, dtype=np.uint64), *parts])


def _hash_some(column: StringArray) -> _HashArray:
    lengths = column.lengths
    words = (lengths + 7) // 8
    word_ends = np.cumsum(words)
    word_starts = word_ends - words
    padded = np.zeros(8 * int(words.sum()), dtype=np.uint8)
    sizes = np.stack([lengths, 8 * words - lengths], axis=1).ravel()
    padded[np.repeat(np.arange(len(sizes)) % 2 == 0, sizes)] = column.data[column.offsets[0] : column.offsets[-1]]
    place = (np.arange(len(padded) // 8) - np.repeat(word_starts, words)).astype(np.uint64)
    mixed = _mix(padded.view("<u8").astype(np.uint64) + (place + np.uint64(1)) * _INCREMENT)
    running = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(mixed)])  # wraps around, and so do differences
    return _mix(running[word_ends] - running[word_starts] + lengths.astype(np.uint64) * _MULTIPLIERS[0])


def _mix(values: _HashArray) -> _HashArray:
    values = (values ^ (values >> np.uint64(30))) * _MULTIPLIERS[0]
    values = (values ^ (values >> np.uint64(27))) * _MULTIPLIERS[1]
    return values ^ (values >> np.uint64(31))
