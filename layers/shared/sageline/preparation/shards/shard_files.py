"""What the functions that prepare a dataset in shards leave for each other, below ``runs/<run_id>/shards/``.

====================  ==================================================================================
object                what it holds
====================  ==================================================================================
``cut``               the dataset, how it is read, and its shards (:class:`Sharding`)
``sharding``          the same, when it is known where their ranges begin
``scan-00012``        what the scan of a shard has found, where ranges of text begin in the middle
``round-1``           what a round reads (:class:`sageline.preparation.shards.shard_fit.Round`)
``fit-1-00012``       what a round has counted of a shard
``group-1-003``       the same of the shards of a group, where there are many
``merged-1``          what a round has counted of the shards before those of the next one
``fitted``            what the rows are encoded with (:class:`Fitted`)
``encoded-00012``     how many rows and bytes of a shard were written
====================  ==================================================================================

Each is written under one key, however often a function is tried again. All expire with the run's other intermediate data.
"""

from __future__ import annotations

from dataclasses import dataclass

from sageline.dataset.profiles.findings import Findings
from sageline.dataset.ranges.plan import ShardPlan
from sageline.dataset.readers.source import ReadOptions
from sageline.preparation.first_read import FirstRead


@dataclass(frozen=True)
class Sharding:
    """A dataset in shards.

    Attributes:
        notes: what was taken for granted when the parts were chosen.
        findings: what a sample has told of the columns.
        workers: how many functions may work on them at once.
    """

    notes: tuple[str, ...]
    options: ReadOptions
    plan: ShardPlan
    findings: Findings
    workers: int


@dataclass(frozen=True, eq=False)
class Fitted:
    """What was counted of all rows, and whether the model is asked about validation rows too."""

    first: FirstRead
    asks_validation: bool


@dataclass(frozen=True)
class EncodedShard:
    """What was written of a shard.

    Attributes:
        rows: of each channel.
        bytes_written: of each channel.
        test_parts: how many rows each object of test rows has.
        validation_parts: the same of the validation rows that the model is asked about.
        lines: how many lines each object of raw rows and of labels has, by channel.
    """

    rows: dict[str, int]
    bytes_written: dict[str, int]
    test_parts: list[int]
    validation_parts: list[int]
    lines: dict[str, list[int]]
