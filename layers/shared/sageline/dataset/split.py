"""Which rows train, which validate, which test: by a hash of each row's content.

No shuffle and no memory: a row's position follows from its values and the seed alone, so it is the same on every machine
and in every order of the rows, and equal rows are always in the same channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.late_text import DictionaryArray, ImageArray
from sageline.arrays.strings import IntArray, StringArray, row_chunks
from sageline.spec.model import SplitSpec

CHANNELS = ("train", "validation", "test")

HashArray: TypeAlias = "np.ndarray[Any, np.dtype[np.uint64]]"  # Any: numpy's shape parameter
PositionArray: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"  # Any: numpy's shape parameter

# The increment and the multipliers of splitmix64 (Steele, Lea, Flood 2014), whose output function mixes well.
_INCREMENT = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def assign(block: Block, split: SplitSpec) -> IntArray:
    """``int64[rows]``: which of :data:`CHANNELS` each row belongs to.

    All columns count, also those that are left out of the features: so the split of a dataset depends on the data and
    the seed only, and models with different features are tested on the same rows. Of images the pixels alone count: one that lies
    in two folders is on one side.
    """
    return channels_of(row_positions(block, hash_columns(block), split.seed), bounds_of(split))


def bounds_of(split: SplitSpec) -> tuple[float, float]:
    """Where the positions of the train rows end, and where those of the validation rows do."""
    return split.train, split.train + split.validation


def channels_of(positions: PositionArray, bounds: tuple[float, float]) -> IntArray:
    """``int64[rows]``: which of :data:`CHANNELS` rows with these positions belong to."""
    return np.searchsorted(bounds, positions, side="right").astype(np.int64)


def hash_columns(block: Block) -> dict[str, HashArray]:
    """Column to the hashes of its strings."""
    hashes = {}
    of_dictionary: dict[StringArray, HashArray] = {}
    for name, column in block.columns.items():
        if isinstance(column, ImageArray):
            hashes[name] = hash_strings(column.raw())
        elif isinstance(column, DictionaryArray):
            if column.dictionary not in of_dictionary:
                of_dictionary[column.dictionary] = hash_strings(column.dictionary)
            hashes[name] = of_dictionary[column.dictionary][column.indices]
        else:
            hashes[name] = hash_strings(column)
    return hashes


def row_positions(block: Block, hashes: Mapping[str, HashArray], seed: int) -> PositionArray:
    """``float64[rows]`` in [0, 1): where each row of a block stands, by its images, or else by all of its columns.

    Args:
        hashes: of the block's columns.
    """
    images = {name: hashes[name] for name, column in block.columns.items() if isinstance(column, ImageArray)}
    return positions_of(images or hashes, seed)


def positions_of(hashes: Mapping[str, HashArray], seed: int) -> PositionArray:
    """``float64[rows]`` in [0, 1): where each row stands, by its content and the seed alone."""
    columns = list(hashes.values())
    mixed = np.repeat(_mix(np.array([seed % 2**64], dtype=np.uint64)), len(columns[0]) if columns else 0)
    for column in columns:
        mixed = _mix(mixed + _INCREMENT) ^ column
    return (_mix(mixed) >> np.uint64(11)).astype(np.float64) * 2.0**-53  # 53 bits as a number in [0, 1)


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
    mixed = _mix(padded.view("<u8").astype(np.uint64) + (position + np.uint64(1)) * _INCREMENT)
    running = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(mixed)])  # wraps around, and so do differences
    return _mix(running[word_ends] - running[word_starts] + lengths.astype(np.uint64) * _MULTIPLIERS[0])


def _mix(values: HashArray) -> HashArray:
    values = (values ^ (values >> np.uint64(30))) * _MULTIPLIERS[0]
    values = (values ^ (values >> np.uint64(27))) * _MULTIPLIERS[1]
    return values ^ (values >> np.uint64(31))
