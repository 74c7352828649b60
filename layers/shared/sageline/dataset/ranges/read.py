"""The rows of a shard, as one reading of the dataset gives them; and what is said of all shards together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO

from sageline.arrays.blocks import Block
from sageline.dataset.ranges.joined_parts import JoinedParts
from sageline.dataset.ranges.plan import Begin, DatasetPart, OpenRange, Range, ShardPlan, open_ahead
from sageline.dataset.ranges.text_head import Note, TextHead
from sageline.dataset.readers.csv_reader import CsvReader
from sageline.dataset.readers.dialect import Dialect
from sageline.dataset.readers.jsonl_reader import JsonLinesReader
from sageline.dataset.readers.source import BLOCK_BYTES, ReadOptions, chunks_of, lines_of, open_blocks, open_lines, without_rows
from sageline.formats.text_encoding import TextPosition, Utf8Text


@dataclass(frozen=True)
class Said:
    """A note, and the part that it is on."""

    uri: str
    note: Note


def read_shard(
    plan: ShardPlan, number: int, open_range: OpenRange, options: ReadOptions, said: list[Said], *, block_bytes: int = BLOCK_BYTES
) -> Iterator[Block]:
    """The rows of a shard, with the numbers that they have in their files and the columns in the order of the first part.

    ``lists`` of a block names those columns of which this shard has had lists so far, not those of shards before it.

    Args:
        plan: settled, where a file is cut at bytes.
        options: those that the plan was made with.
        said: what was guessed or mended is appended to it; :func:`join_notes` makes the notes of all shards of them.

    Raises:
        InvalidDataset: while iterating, as reading the whole dataset does, had the rows before these been read.
        ValueError: the shard is not settled.
    """
    joined = JoinedParts(plan.uri, has_test=plan.has_test, first=plan.first)
    ranges = plan.shards[number]
    wanted = [(plan.parts[item.part], *_bounds(item, plan.parts[item.part])) for item in ranges]
    with closing(open_ahead(open_range, wanted)) as streams:
        for item, stream in zip(ranges, streams, strict=True):
            part = plan.parts[item.part]
            notes: list[str] = []
            blocks = _RangeReader(plan, options, notes, block_bytes).blocks(item, stream)
            yield from joined.blocks(blocks, part.uri, part.side) if plan.is_folder else blocks
            said += [Said(part.uri, Note.of(note)) for note in notes]


def read_shard_lines(plan: ShardPlan, number: int, open_range: OpenRange) -> Iterator[bytes]:
    """The lines of a shard of a JSON Lines file that are rows, as :func:`sageline.dataset.readers.source.open_lines` gives them.

    Args:
        plan: settled, of one file whose encoding nobody has said.

    Raises:
        ValueError: the shard is not settled.
    """
    for item in plan.shards[number]:
        part = plan.parts[item.part]
        with closing(open_range(part, *_bounds(item, part))) as stream:
            if item.kind == "whole":
                yield from open_lines(stream, part.uri)
                continue
            begin = _begin_of(item)
            text = Utf8Text(part.uri, begin.encoding, item.start, [], begins=begin.position)
            yield from lines_of(text.chunks(chunks_of(stream, b"", BLOCK_BYTES)))


def _begin_of(item: Range) -> Begin:
    if item.begin is None:
        raise ValueError("a range that is not settled")
    return item.begin


def _bounds(item: Range, part: DatasetPart) -> tuple[int, int]:
    return (item.start, item.end) if item.kind == "bytes" else (0, part.size)


class _RangeReader:
    """Reads a range."""

    def __init__(self, plan: ShardPlan, options: ReadOptions, notes: list[str], block_bytes: int) -> None:
        self._plan = plan
        self._options = options
        self._notes = notes
        self._block_bytes = block_bytes

    def blocks(self, item: Range, stream: BinaryIO) -> Iterator[Block]:
        match item.kind:
            case "whole":
                return open_blocks(
                    stream,
                    self._plan.parts[item.part].uri,
                    self._plan.format,
                    self._block_bytes,
                    options=self._options,
                    notes=self._notes,
                    may_be_empty=self._plan.is_folder,
                )
            case "groups":
                return self._groups(item, stream)
            case "bytes":
                return self._text(item, _begin_of(item), stream)

    def _groups(self, item: Range, stream: BinaryIO) -> Iterator[Block]:
        from sageline.dataset.readers import parquet_reader  # noqa: PLC0415 # as in open_blocks

        return parquet_reader.read_parquet(
            stream,
            self._plan.parts[item.part].uri,
            self._block_bytes,
            self._notes if item.start == 0 else [],
            label=self._options.label,
            wants=self._options.wants,
            groups=range(item.start, item.end),
        )

    def _text(self, item: Range, begin: Begin, stream: BinaryIO) -> Iterator[Block]:
        source, head = self._plan.parts[item.part].uri, self._plan.heads[item.part]
        if begin.note is not None:
            self._notes.append(begin.note)
        if item.start == head.start:
            self._notes += [note.as_said() for note in head.notes]
        text = Utf8Text(source, begin.encoding, item.start, self._notes, begins=begin.position)
        reader = _resumed(text, head, begin.position, self._options)
        yield from reader.blocks(text.chunks(chunks_of(stream, b"", self._block_bytes)))
        if item.is_last and begin.position.row == 1 and not item.rows:
            without_rows(source, reader, self._notes, may_be_empty=self._plan.is_folder)


def _resumed(text: Utf8Text, head: TextHead, at: TextPosition, options: ReadOptions) -> CsvReader | JsonLinesReader:
    if head.keys is not None:
        return JsonLinesReader.resumed(text, head.keys, at, label=options.label, wants=options.wants)
    return CsvReader.resumed(text, head.dialect or Dialect(), head.names, at)


def join_notes(plan: ShardPlan, said: Iterable[Said]) -> list[str]:
    """The notes that one reading of the dataset makes.

    Args:
        said: by all shards, in their order.
    """
    told: set[tuple[str, str]] = set()
    of_parts: dict[str, list[str]] = {}
    for item in said:
        subject = item.note.subject
        if subject is None or (item.uri, subject) not in told:
            of_parts.setdefault(item.uri, []).append(item.note.text)
        if subject is not None:
            told.add((item.uri, subject))
    if not plan.is_folder:
        return [note for notes in of_parts.values() for note in notes]
    joined = JoinedParts(plan.uri, has_test=plan.has_test)
    for uri, notes in of_parts.items():
        joined.said(uri, notes)
    return joined.notes()
