"""Cutting a dataset into shards, each of which one function reads: many small files together, a large one in ranges."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import BinaryIO, Literal, TypeAlias

from sageline.arrays.blocks import Side
from sageline.dataset.ranges.ahead import SMALL_BYTES, each_ahead
from sageline.dataset.ranges.joined_parts import FirstPart
from sageline.dataset.ranges.text_head import NotToBeCut, TextHead, read_head
from sageline.dataset.readers.source import BLOCK_BYTES, ReadOptions, open_blocks
from sageline.errors import InvalidDataset
from sageline.formats.text_encoding import TextPosition
from sageline.json_objects import Document, Json
from sageline.names import split_format

RangeKind: TypeAlias = Literal["whole", "bytes", "groups"]


@dataclass(frozen=True)
class DatasetPart:
    """A file of a dataset, in the version that is read. ``size`` is in bytes."""

    uri: str
    size: int
    side: Side | None = None
    version_id: str | None = None
    etag: str = ""


OpenRange: TypeAlias = Callable[[DatasetPart, int, int], BinaryIO]
"""Gives the bytes of a part from one offset up to another; the stream can ``seek`` where that is all of the part, and is closed.

Of a range that reading refuses, the end is that of the file: it is not to be fetched before it is read, unless it is small."""


@dataclass(frozen=True)
class Begin:
    """Where the rows of a range begin, exactly.

    Attributes:
        position: as messages name it, and the number of the range's first row.
        encoding: what the bytes are in; None where they are ASCII.
        note: that the encoding has been guessed by what is in this range.
    """

    position: TextPosition
    encoding: str | None
    note: str | None = None


@dataclass(frozen=True)
class Range:
    """A part, or some of it.

    Attributes:
        part: its index.
        kind: ``whole``, or what ``start`` and ``end`` are: bytes, or indexes of row groups.
        start, end: of ``bytes`` the range has the rows that begin in it; once it is settled, its first row begins at ``start``.
        begin: None until it is settled; there is none of the other kinds.
        rows: of a range that is settled; of one that reading refuses, not all are counted.
        is_last: of its part.
    """

    part: int
    kind: RangeKind
    start: int
    end: int
    begin: Begin | None = None
    rows: int | None = None
    is_last: bool = True

    @classmethod
    def of_json(cls, found: Json) -> Range:
        begin = found["begin"]
        if begin:
            begin = Begin(TextPosition(**begin["position"]), begin["encoding"], begin["note"])
        return cls(**{**found, "begin": begin})


@dataclass(frozen=True)
class Uncut:
    """What is larger than a shard, and cannot be cut: a file, or a row group. ``size`` is in bytes."""

    uri: str
    size: int
    why: str


@dataclass(frozen=True)
class ShardPlan:
    """How a dataset is cut.

    Attributes:
        uri: of the dataset; of a folder it ends with a slash.
        format: of every part.
        parts: in the order in which they are read.
        shards: the ranges of each, in the order of the rows.
        heads: of the parts that are cut at bytes, by index.
        first: the first part of a folder that has rows; None where no shard needs to know it.
        uncut: what one function has to read by itself although it is larger than a shard.
        broken: the first shard whose reading certainly raises InvalidDataset; known when the plan is settled.
    """

    uri: str
    format: str
    parts: tuple[DatasetPart, ...]
    shards: tuple[tuple[Range, ...], ...]
    heads: dict[int, TextHead]
    first: FirstPart | None = None
    uncut: tuple[Uncut, ...] = ()
    broken: int | None = None

    @property
    def is_folder(self) -> bool:
        return self.uri.endswith("/")

    @property
    def has_test(self) -> bool:
        return any(part.side == "test" for part in self.parts)

    @property
    def largest_uncut(self) -> int:
        """In bytes, of what is in ``uncut``; 0 where there is nothing."""
        return max((item.size for item in self.uncut), default=0)

    @property
    def to_scan(self) -> list[int]:
        """The shards that have to be scanned before any can be read."""
        return [
            number
            for number, ranges in enumerate(self.shards)
            if any(item.kind == "bytes" and item.begin is None for item in ranges)
        ]

    def to_json(self) -> Json:
        heads = {str(index): head.to_json() for index, head in self.heads.items()}
        return {**asdict(replace(self, heads={})), "heads": heads}

    @classmethod
    def of_json(cls, found: Document) -> ShardPlan:
        """What :meth:`to_json` has made."""
        first = found["first"]
        return cls(
            uri=found["uri"],
            format=found["format"],
            parts=tuple(DatasetPart(**item) for item in found["parts"]),
            shards=tuple(tuple(map(Range.of_json, ranges)) for ranges in found["shards"]),
            heads={int(index): TextHead.of_json(head) for index, head in found["heads"].items()},
            first=FirstPart(first["uri"], first["side"], tuple(first["columns"])) if first else None,
            uncut=tuple(Uncut(**item) for item in found["uncut"]),
            broken=found["broken"],
        )


def open_ahead(open_range: OpenRange, wanted: Sequence[tuple[DatasetPart, int, int]]) -> Generator[BinaryIO]:
    """Ranges of parts as streams, one after the other; small ones are fetched while those before them are read.

    A stream is closed when the next one is asked for.
    """

    def fetch(item: tuple[DatasetPart, int, int]) -> BinaryIO:
        _, start, end = item
        stream = open_range(*item)
        if end - start > SMALL_BYTES:
            return stream
        with closing(stream):
            return io.BytesIO(stream.read())

    with closing(each_ahead(fetch, wanted)) as streams:
        for opened in streams:
            with closing(opened) as stream:
                yield stream


def plan_shards(
    uri: str,
    data_format: str,
    parts: Sequence[DatasetPart],
    shard_bytes: int,
    *,
    file_bytes: int = 0,
    open_range: OpenRange,
    options: ReadOptions,
) -> ShardPlan:
    """Cut a dataset into shards of about ``shard_bytes`` each; none has rows of train files and of test files.

    Of files that are larger than that, the beginning or the footer is read; of a folder that becomes more than one shard, the
    first rows too.

    Args:
        uri: of the object, or of the folder, with a slash at the end.
        parts: in the order of reading.
        file_bytes: what asking for a file counts for, besides its bytes.

    A file that reading refuses at its beginning is not cut; what is wrong is said when it is read.
    """
    cutter = _Cutter(data_format, shard_bytes, open_range, options)
    shards: list[tuple[Range, ...]] = []
    gathered: list[Range] = []
    size = 0
    for index, part in enumerate(parts):
        for item, item_bytes in cutter.ranges(index, part):
            counted = item_bytes + file_bytes
            if gathered and (size + counted > shard_bytes or parts[gathered[-1].part].side != part.side):
                shards.append(tuple(gathered))
                gathered, size = [], 0
            gathered.append(item)
            size += counted
    if gathered:
        shards.append(tuple(gathered))
    first = _first_part(data_format, parts, open_range, options) if uri.endswith("/") and len(shards) > 1 else None
    return ShardPlan(uri, data_format, tuple(parts), tuple(shards), cutter.heads, first, tuple(cutter.uncut))


def bytes_between(part: int, bounds: Sequence[int]) -> list[Range]:
    """The ranges of a part between offsets, of which the first is 0 and the last its size."""
    return [Range(part, "bytes", start, end, is_last=end == bounds[-1]) for start, end in pairwise(bounds)]


class _Cutter:
    """Cuts files, as their format allows."""

    def __init__(self, data_format: str, shard_bytes: int, open_range: OpenRange, options: ReadOptions) -> None:
        self._base, self._compression = split_format(data_format)
        self._shard_bytes = shard_bytes
        self._open = open_range
        self._options = options
        self.heads: dict[int, TextHead] = {}
        self.uncut: list[Uncut] = []

    def ranges(self, index: int, part: DatasetPart) -> Iterator[tuple[Range, int]]:
        """The ranges of a part, and how many bytes each has."""
        whole = Range(index, "whole", 0, part.size), part.size
        if part.size <= self._shard_bytes:
            yield whole
            return
        try:
            if self._compression:
                raise NotToBeCut(f"it is compressed ({self._compression})")
            if self._base == "parquet":
                yield from self._groups(index, part)
            elif self._base in ("csv", "tsv", "jsonl"):
                yield from self._bytes(index, part)
            else:
                raise NotToBeCut(f"files of the format {self._base} are read from the beginning")
        except NotToBeCut as error:
            self.uncut.append(Uncut(part.uri, part.size, str(error)))
            yield whole
        except InvalidDataset:  # said again when the part is read
            yield whole

    def _bytes(self, index: int, part: DatasetPart) -> Iterator[tuple[Range, int]]:
        with closing(self._open(part, 0, part.size)) as stream:
            self.heads[index] = read_head(stream, part.uri, self._base, self._options)
        count = -(-part.size // self._shard_bytes)
        for item in bytes_between(index, [part.size * number // count for number in range(count + 1)]):
            yield item, item.end - item.start

    def _groups(self, index: int, part: DatasetPart) -> Iterator[tuple[Range, int]]:
        from sageline.dataset.readers import parquet_reader  # noqa: PLC0415 # as in open_blocks

        with closing(self._open(part, 0, part.size)) as stream:
            sizes = parquet_reader.row_group_bytes(stream, part.uri)
        if len(sizes) < 2 or not sum(sizes):
            raise NotToBeCut("it has one row group")
        start = size = 0
        for group, group_bytes in enumerate(sizes):
            if group_bytes > self._shard_bytes:
                self.uncut.append(Uncut(part.uri, group_bytes, f"row group {group + 1} is read as a whole"))
            if size and size + group_bytes > self._shard_bytes:
                yield Range(index, "groups", start, group, is_last=False), size
                start, size = group, 0
            size += group_bytes
        yield Range(index, "groups", start, len(sizes)), size


def _first_part(data_format: str, parts: Sequence[DatasetPart], open_range: OpenRange, options: ReadOptions) -> FirstPart | None:
    """The first part that has rows; None where reading it, or one before it, is refused."""
    with closing(open_ahead(open_range, [(part, 0, part.size) for part in parts])) as streams:
        for part, stream in zip(parts, streams, strict=True):
            try:
                blocks = open_blocks(stream, part.uri, data_format, BLOCK_BYTES, options=options, may_be_empty=True)
                block = next(blocks, None)
            except InvalidDataset:
                return None
            if block is not None:
                return FirstPart(part.uri, part.side, tuple(block.columns))
    return None
