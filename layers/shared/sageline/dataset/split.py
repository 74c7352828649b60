"""Which rows train, which validate, which test: by a hash of each row's content, and what else hashes of rows are for.

No shuffle and no memory: a row's position follows from its values and the seed alone, so it is the same on every machine
and in every order of the rows, and equal rows are always in the same channel. Only where the data say what is held out, by train
files and test files or by a column, may they be in two. Other splits than by hash: :mod:`sageline.dataset.splits`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from sageline.arrays.blocks import Block, Side
from sageline.arrays.hashing import INCREMENT, HashArray, hash_strings, mix
from sageline.arrays.late_text import DictionaryArray, ImageArray
from sageline.arrays.strings import IntArray, StringArray
from sageline.encoder.columns.target import FOLDS
from sageline.spec.model import SplitSpec

CHANNELS = ("train", "validation", "test")

PositionArray: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"  # Any: numpy's shape parameter


def assign(block: Block, split: SplitSpec) -> IntArray:
    """``int64[rows]``: which of :data:`CHANNELS` each row belongs to.

    All columns count, also those that are left out of the features: so the split of a dataset depends on the data and
    the seed only, and models with different features are tested on the same rows. Of images the pixels alone count: one that lies
    in two folders is on one side.
    """
    return channels_of(placed(row_positions(block, hash_columns(block), split.seed), block.side, split), bounds_of(split))


def bounds_of(split: SplitSpec) -> tuple[float, float]:
    """Where the positions of the train rows end, and where those of the validation rows do."""
    return split.train, split.train + split.validation


def channels_of(positions: PositionArray, bounds: tuple[float, float]) -> IntArray:
    """``int64[rows]``: which of :data:`CHANNELS` rows with these positions belong to."""
    return np.searchsorted(bounds, positions, side="right").astype(np.int64)


def placed(positions: PositionArray, side: Side | None, split: SplitSpec) -> PositionArray:
    """The positions where the channels of the rows' side are: those of train files among train and validation, in these two
    shares; those of test files in test. They stay in [0, 1), in the same order, and different ones stay different."""
    held_out_from = bounds_of(split)[1]
    match side:
        case "train":
            return positions * held_out_from
        case "test":
            return held_out_from + positions * (1 - held_out_from)
        case None:
            return positions


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
    return as_positions(row_hashes(block, hashes, seed))


def row_hashes(block: Block, hashes: Mapping[str, HashArray], seed: int) -> HashArray:
    """``uint64[rows]``: of which :func:`row_positions` are the first digits."""
    images = {name: of_column for name, of_column in hashes.items() if isinstance(block.columns[name], ImageArray)}
    return joined_hashes(images or hashes, seed)


def joined_hashes(hashes: Mapping[str, HashArray], seed: int) -> HashArray:
    """``uint64[rows]``, of the hashes of columns in their order, and the seed."""
    columns = list(hashes.values())
    mixed = np.repeat(mix(np.array([seed % 2**64], dtype=np.uint64)), len(columns[0]) if columns else 0)
    for column in columns:
        mixed = mix(mixed + INCREMENT) ^ column
    return mix(mixed)


def as_positions(hashes: HashArray) -> PositionArray:
    """53 bits of each hash as a number in [0, 1)."""
    return (hashes >> np.uint64(11)).astype(np.float64) * 2.0**-53


def folds_of(positions: PositionArray) -> IntArray:
    """``int64[rows]``: which of the encoder's folds each row is in. It follows from the last digits of the position, of which the
    channel says nothing."""
    return ((positions * 2.0**53).astype(np.uint64) % np.uint64(FOLDS)).astype(np.int64)
