"""What is counted of a shard, and of several shards in their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.hashing import HashArray
from sageline.configuration.preparation_plan import SHARDS_OF_GROUP
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.ranges.read import Said
from sageline.dataset.shared_rows import SharedRows
from sageline.dataset.split import channels_of, hash_columns
from sageline.dataset.splits.plan import SplitPlan
from sageline.dataset.splits.standing import row_keys
from sageline.errors import SagelineError
from sageline.preparation.first_read import Counted, FirstRead
from sageline.preparation.hashed_blocks import hashed_blocks
from sageline.resolve.resolution import Resolution
from sageline.storage.shards.shard_files import Refused

RoundKind: TypeAlias = Literal["profile", "fit", "filters"]
"""What a round counts: all that a fit does and the columns' profile, the fit alone, or which rows stand in which channel."""


@dataclass(frozen=True, eq=False)
class Round:
    """One reading of the dataset by its shards.

    Attributes:
        reads: what is counted.
        resolution: of the spec, by which rows are read.
        plan: of the split; None where rows are read to make it.
        settled: the resolution that all rows have led to; None before these are known.
        is_split: the plan is the one that all rows have led to.
        shards: the first of the shards that read in this round, and the one after the last.
        shared: the test rows that the shards before have; None where no files say which rows test.
    """

    number: int
    reads: RoundKind
    resolution: Resolution
    plan: SplitPlan | None
    settled: Resolution | None
    shards: tuple[int, int]
    shared: SharedRows | None = None
    is_split: bool = False

    @property
    def groups(self) -> int:
        """In how many groups the shards are merged first; 0 where one function merges all of them, as it does of filters."""
        begin, end = self.shards
        many = end - begin > SHARDS_OF_GROUP and self.reads != "filters"
        return -((begin - end) // SHARDS_OF_GROUP) if many else 0

    def shards_of(self, group: int) -> range:
        """The shards of one of the groups."""
        first = self.shards[0] + group * SHARDS_OF_GROUP
        return range(first, min(first + SHARDS_OF_GROUP, self.shards[1]))


@dataclass
class ShardFit:
    """What was counted of some rows.

    Attributes:
        counted: None in a round that fits nothing.
        profile: None in a round without it.
        standing: ``(uint64[rows], int64[rows])`` a block, in a round that fills filters: contents and channels.
        said: what was guessed or mended while the rows were read.
        refused: nothing is known of these rows, for this reason.
    """

    counted: Counted | None = None
    profile: DatasetProfile | None = None
    standing: list[tuple[HashArray, HashArray]] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    refused: Refused | None = None


def fit_rows(blocks: Iterator[Block], reading: Round, profile: DatasetProfile | None, said: list[Said]) -> ShardFit:
    """Count the rows of a shard.

    Args:
        profile: an empty one, in a round that makes it.
        said: to which the reader of the blocks appends.
    """
    try:
        if reading.reads == "filters":
            return ShardFit(standing=list(_standing(blocks, reading)), said=said)
        if profile is not None and reading.shared is not None:
            profile.shared = reading.shared
        first = FirstRead(reading.resolution, reading.plan)
        first.read(hashed_blocks(lambda: blocks, None, reading.resolution.spec.split), None, profile)
    except SagelineError as error:
        return ShardFit(refused=Refused.because(error))
    return ShardFit(first.counted(), profile, said=said)


def _standing(blocks: Iterator[Block], reading: Round) -> Iterator[tuple[HashArray, HashArray]]:
    """Of each block, the contents of the labelled rows that stand somewhere, and their channels."""
    if reading.plan is None:
        raise ValueError("filters are filled by a plan")
    first = FirstRead(reading.resolution, reading.plan)
    for block in blocks:
        keys = row_keys(block, hash_columns(block), reading.resolution.spec.split)
        standing = first.standing(block, keys)
        there = ~np.isnan(standing.positions)
        channels = channels_of(standing.positions[there], reading.plan.bounds)
        yield standing.contents[there], channels.astype(np.uint64)
