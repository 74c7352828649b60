"""The blocks of a dataset with the hashes of their values, from its file or from the spill."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from sageline.arrays.blocks import Block
from sageline.arrays.hashing import HashArray
from sageline.dataset.split import hash_columns
from sageline.dataset.splits.standing import row_keys
from sageline.preparation.spill import Place, Spill, Spilled
from sageline.spec.model import SplitSpec


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
    if spill is not None and spill.is_complete:
        for block, _ in spill:
            yield HashedBlock(block, hash_columns(block), None)
        return
    for block in read_blocks():
        hashes = hash_columns(block)
        place = None if spill is None else spill.add(Spilled(block, row_keys(block, hashes, split)))
        yield HashedBlock(block, hashes, place)
        del block, hashes  # while the next ones are read
    if spill is not None:
        spill.complete(split)
