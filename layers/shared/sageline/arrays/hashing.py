"""Hashes of strings, the same on every machine and in every version."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from sageline.arrays.strings import StringArray, row_chunks

HashArray: TypeAlias = "np.ndarray[Any, np.dtype[np.uint64]]"  # Any: numpy's shape parameter

# The increment and the multipliers of splitmix64 (Steele, Lea, Flood 2014), whose output function mixes well.
INCREMENT = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def hash_strings(column: StringArray) -> HashArray:
    """``uint64[n]``: the sum over a string's words of eight bytes (the last one filled with zeros), each mixed with its
    position in the string, mixed with the length."""
    parts = [_hash_some(StringArray(column.data, column.offsets[start : end + 1])) for start, end in row_chunks([column])]
    return np.concatenate([np.zeros(0, dtype=np.uint64), *parts])


def _hash_some(column: StringArray) -> HashArray:
    lengths = column.lengths
    words = (lengths + 7) // 8
    word_ends = np.cumsum(words)
    word_starts = word_ends - words
    padded = np.zeros(8 * int(words.sum()), dtype=np.uint8)
    sizes = np.stack([lengths, 8 * words - lengths], axis=1).ravel()
    padded[np.repeat(np.arange(len(sizes)) % 2 == 0, sizes)] = column.data[column.offsets[0] : column.offsets[-1]]
    position = (np.arange(len(padded) // 8) - np.repeat(word_starts, words)).astype(np.uint64)
    mixed = mix(padded.view("<u8").astype(np.uint64) + (position + np.uint64(1)) * INCREMENT)
    running = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(mixed)])  # wraps around, and so do differences
    return mix(running[word_ends] - running[word_starts] + lengths.astype(np.uint64) * _MULTIPLIERS[0])


def mix(values: HashArray) -> HashArray:
    """Numbers in which every bit depends on all bits of those given."""
    values = (values ^ (values >> np.uint64(30))) * _MULTIPLIERS[0]
    values = (values ^ (values >> np.uint64(27))) * _MULTIPLIERS[1]
    return values ^ (values >> np.uint64(31))
