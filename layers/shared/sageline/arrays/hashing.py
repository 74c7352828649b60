"""Hashes of strings, the same on every machine and in every version."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from sageline.arrays.strings import FIRST_BYTES, Eights, StringArray, row_chunks

HashArray: TypeAlias = "np.ndarray[Any, np.dtype[np.uint64]]"  # Any: numpy's shape parameter

# The increment and the multipliers of splitmix64 (Steele, Lea, Flood 2014), whose output function mixes well.
INCREMENT = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_FEW_PIECES = 2  # of eight bytes
_INCREMENTS = np.arange(1, _FEW_PIECES + 1, dtype=np.uint64) * INCREMENT


def hash_strings(column: StringArray) -> HashArray:
    """``uint64[n]``: the sum over a string's words of eight bytes (the last one filled with zeros), each mixed with its
    position in the string, mixed with the length."""
    parts = [_hash_some(StringArray(column.data, column.offsets[start : end + 1])) for start, end in row_chunks([column])]
    return np.concatenate([np.zeros(0, dtype=np.uint64), *parts])


def _hash_some(column: StringArray) -> HashArray:
    lengths = column.lengths
    words = Eights(column.data[column.offsets[0] : column.offsets[-1]])
    starts = column.offsets[:-1] - column.offsets[0]
    pieces = (lengths + 7) >> 3
    most = int(pieces.max(initial=0))
    if most <= _FEW_PIECES:
        sums = np.zeros(len(column), dtype=np.uint64)
        for position in range(most):
            rows = np.flatnonzero(pieces > position)
            of_rows = slice(None) if len(rows) == len(column) else rows
            left = lengths[of_rows] - 8 * position
            some = words[starts[of_rows] + 8 * position] & FIRST_BYTES.take(left, mode="clip")
            sums[of_rows] += mix(some + _INCREMENTS[position])
    else:
        ends = np.cumsum(pieces)
        firsts = ends - pieces
        place = np.arange(ends[-1]) - np.repeat(firsts, pieces)
        found = words[np.repeat(starts, pieces) + 8 * place]
        there = np.flatnonzero(lengths)
        found[ends[there] - 1] &= FIRST_BYTES[1 + (lengths[there] - 1) % 8]
        mixed = mix(found + (place + 1).view(np.uint64) * INCREMENT)
        running = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(mixed)])  # wraps around, and so do differences
        sums = running[ends] - running[firsts]
    return mix(sums + lengths.view(np.uint64) * _MULTIPLIERS[0])


def mix(values: HashArray) -> HashArray:
    """Numbers in which every bit depends on all bits of those given."""
    values = (values ^ (values >> np.uint64(30))) * _MULTIPLIERS[0]
    values = (values ^ (values >> np.uint64(27))) * _MULTIPLIERS[1]
    return values ^ (values >> np.uint64(31))
