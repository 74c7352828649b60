"""The same dataset read at once and by ranges."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from sageline.arrays.blocks import Block, Side
from sageline.dataset.ranges.joined_parts import JoinedParts, check_rows
from sageline.dataset.ranges.plan import DatasetPart, OpenRange, ShardPlan, bytes_between, plan_shards
from sageline.dataset.ranges.read import Said, join_notes, read_shard
from sageline.dataset.ranges.scan import RangeScan, scan_shard
from sageline.dataset.ranges.settle import settle
from sageline.dataset.ranges.text_head import read_head
from sageline.dataset.readers.source import BLOCK_BYTES, FIND_OUT, ReadOptions, open_blocks
from sageline.errors import InvalidDataset

Files = Mapping[str, bytes]
SOURCE = "s3://bucket/data"


@dataclass
class Outcome:
    """What reading gives: each row as where it is from, its number and its values, and notes; or an error."""

    columns: list[str] = field(default_factory=list)
    rows: list[tuple[str, Side | None, int, list[str]]] = field(default_factory=list)
    lists: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    error: str | None = None

    def take(self, blocks: Iterable[Block]) -> None:
        for block in blocks:
            assert not self.columns or self.columns == list(block.columns)
            self.columns = list(block.columns)
            self.lists |= block.lists
            values = zip(*(column.tolist() for column in block.columns.values()), strict=True)
            rows = zip(block.row_numbers.tolist(), values, strict=True)
            self.rows += [(block.source, block.side, number, list(row)) for number, row in rows]


def opener(files: Files) -> OpenRange:
    def open_range(part: DatasetPart, start: int, end: int) -> BinaryIO:
        assert 0 <= start <= end <= part.size == len(files[part.uri])
        return io.BytesIO(files[part.uri][start:end])

    return open_range


def parts_of(files: Files, sides: Mapping[str, Side] | None = None) -> list[DatasetPart]:
    return [DatasetPart(uri, len(data), (sides or {}).get(uri)) for uri, data in files.items()]


def at_once(data: bytes, data_format: str = "csv", options: ReadOptions = FIND_OUT, block_bytes: int = BLOCK_BYTES) -> Outcome:
    """A file, read as a dataset by itself."""
    found = Outcome()
    with_error(found, lambda: open_blocks(io.BytesIO(data), SOURCE, data_format, block_bytes, options=options, notes=found.notes))
    return found


def folder_at_once(
    uri: str, files: Files, data_format: str = "csv", sides: Mapping[str, Side] | None = None, options: ReadOptions = FIND_OUT
) -> Outcome:
    """Files, read as the parts of a dataset."""
    found = Outcome()
    parts = parts_of(files, sides)

    def blocks() -> Iterator[Block]:
        joined = JoinedParts(uri, has_test=any(part.side == "test" for part in parts))
        for part in parts:
            notes: list[str] = []
            of_part = open_blocks(
                io.BytesIO(files[part.uri]), part.uri, data_format, options=options, notes=notes, may_be_empty=True
            )
            yield from joined.blocks(of_part, part.uri, part.side)
            joined.said(part.uri, notes)
        joined.check_rows()
        found.notes += joined.notes()

    with_error(found, blocks)
    return found


def with_error(found: Outcome, blocks: Callable[[], Iterator[Block]]) -> None:
    try:
        found.take(blocks())
    except InvalidDataset as error:
        found.error = error.message


def whole(data: bytes, data_format: str = "csv", options: ReadOptions = FIND_OUT, uri: str = SOURCE) -> ShardPlan:
    """A file that is to be cut, and is not yet."""
    head = read_head(io.BytesIO(data), SOURCE, data_format, options)
    return ShardPlan(uri, data_format, (DatasetPart(SOURCE, len(data)),), (), {0: head})


def cut(plan: ShardPlan, cuts: Sequence[int]) -> ShardPlan:
    """The file cut at these bytes, each range a shard of its own."""
    return replace(plan, shards=tuple((item,) for item in bytes_between(0, [0, *cuts, plan.parts[0].size])))


def in_shards(
    plan: ShardPlan,
    files: Files,
    options: ReadOptions = FIND_OUT,
    *,
    settled: list[ShardPlan] | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Outcome:
    """All shards read, each as one that knows the others by JSON alone."""
    plan = by_json(plan)
    open_range = opener(files)
    scans = {number: scan_shard(plan, number, open_range) for number in plan.to_scan}
    known = {
        number: [RangeScan.of_json(json.loads(json.dumps(scan.to_json()))) for scan in found] for number, found in scans.items()
    }
    plan = by_json(settle(plan, known))
    assert plan.to_scan == []
    if settled is not None:
        settled.append(plan)
    found = Outcome()
    said: list[Said] = []

    def blocks() -> Iterator[Block]:
        rows: dict[Side | None, int] = {}
        for number in range(len(plan.shards)):
            for block in read_shard(plan, number, open_range, options, said, block_bytes=block_bytes):
                rows[block.side] = rows.get(block.side, 0) + block.rows
                yield block
        if plan.is_folder:
            check_rows(plan.uri, rows, has_test=plan.has_test)
        found.notes += join_notes(plan, said)

    with_error(found, blocks)
    return found


def by_json(plan: ShardPlan) -> ShardPlan:
    again = ShardPlan.of_json(json.loads(json.dumps(plan.to_json())))
    assert again == plan
    return again


def planned(
    uri: str,
    files: Files,
    shard_bytes: int,
    data_format: str = "csv",
    *,
    sides: Mapping[str, Side] | None = None,
    options: ReadOptions = FIND_OUT,
    file_bytes: int = 0,
) -> ShardPlan:
    parts = parts_of(files, sides)
    return plan_shards(uri, data_format, parts, shard_bytes, file_bytes=file_bytes, open_range=opener(files), options=options)


def assert_same(one: Outcome, other: Outcome) -> None:
    """The same rows, or the same error; what is read before an error depends on the size of the blocks."""
    assert one.error == other.error
    if one.error is None:
        assert one == other
