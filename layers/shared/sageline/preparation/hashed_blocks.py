"""The blocks of a dataset with the hashes of their values, from its file or from the spill."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.factors import dictionary_of, first_of_each
from sageline.arrays.hashing import HashArray
from sageline.arrays.strings import StringArray
from sageline.dataset.split import hash_columns
from sageline.dataset.splits.standing import row_keys
from sageline.preparation.freed_memory import FreedMemory
from sageline.preparation.packed_file import Place
from sageline.preparation.spill import Spill, Spilled
from sageline.spec.model import SplitSpec

_SOME_ROWS = 1024
_FEW = 0.1  # of some rows, the share of different values up to which a dictionary is made of a column


class HashedBlock(NamedTuple):
    """A block, the hashes of its columns (:func:`sageline.dataset.split.hash_columns`), and its place in the spill, if any."""

    block: Block
    hashes: Mapping[str, HashArray]
    place: Place | None


def hashed_blocks(read_blocks: Callable[[], Iterator[Block]], spill: Spill | None, split: SplitSpec) -> Iterator[HashedBlock]:
    """All blocks: from the spill where it is complete, else from their file and into the spill, if there is one.

    Args:
        split: for the keys of the rows, which the spill keeps.
    """
    freed = FreedMemory()
    if spill is not None and spill.is_complete:
        for block, _ in spill:
            yield HashedBlock(block, hash_columns(block), None)
            del block  # while the next one is read
            freed.block_done()
        return
    for read in read_blocks():
        hashes = hash_columns(read)
        block = _with_dictionaries(read, hashes)
        place = None if spill is None else spill.add(Spilled(block, row_keys(block, hashes, split)))
        yield HashedBlock(block, hashes, place)
        del read, block, hashes  # while the next ones are read
        freed.block_done()
    if spill is not None:
        spill.complete(split)


def _with_dictionaries(block: Block, hashes: Mapping[str, HashArray]) -> Block:
    """The block with the columns of few different strings as such, as Parquet files have them: what is counted, kept, fitted and
    encoded of these is done once for each different one."""
    few = {
        name: dictionary_of(column, hashes[name])
        for name, column in block.columns.items()
        if type(column) is StringArray and _has_few(hashes[name])
    }
    return replace(block, columns={**block.columns, **few}) if few else block


def _has_few(hashes: HashArray) -> bool:
    """Whether few of some of the strings, from all over the column, are different."""
    if len(hashes) < _SOME_ROWS:
        return False
    some = hashes[np.linspace(0, len(hashes) - 1, _SOME_ROWS).astype(np.int64)]
    return len(first_of_each(some)[0]) <= max(1, _FEW * _SOME_ROWS)
