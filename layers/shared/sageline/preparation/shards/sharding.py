"""A dataset that is prepared in shards, and what is known when its rows are counted, and when they are encoded."""

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
    """

    rows: dict[str, int]
    bytes_written: dict[str, int]
    test_parts: list[int]
    validation_parts: list[int]
