"""From the scans of all ranges to where exactly each begins: its first byte, and the number of its first row and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from sageline.dataset.ranges.plan import Begin, DatasetPart, Range, ShardPlan
from sageline.dataset.ranges.scan import Guess, RangeScan, Reading
from sageline.dataset.ranges.text_head import TextHead
from sageline.dataset.readers.source import BLOCK_BYTES
from sageline.formats.text_encoding import UTF_8, TextPosition

Key: TypeAlias = tuple[int, int]
"""A range, by its shard and its place there."""


class _Begun(NamedTuple):
    """A range in which a row begins: where in the file, and in its text in UTF-8."""

    key: Key
    item: Range
    start: int
    text: int
    line: int
    row: int
    rows: int


def settle(plan: ShardPlan, scans: Mapping[int, Sequence[RangeScan]]) -> ShardPlan:
    """The same shards with the exact beginning of each range; ranges without rows are left out.

    Of a file that cannot be read to its end, such as one with a quote that is never closed, all that follows is of the range in
    which reading it fails, and later ranges of the file are left out. So that error is raised there, with its row and line, and
    nowhere else; ``broken`` says in which shard.

    Args:
        scans: of every shard in ``plan.to_scan``, what :func:`sageline.dataset.ranges.scan.scan_shard` has found.
    """
    files = {part: _File(plan.parts[part], head) for part, head in plan.heads.items()}
    waiting = [
        (number, index) for number in plan.to_scan for index, item in enumerate(plan.shards[number]) if item.kind == "bytes"
    ]
    found = [scan for number in plan.to_scan for scan in scans[number]]
    for (number, index), scan in zip(waiting, found, strict=True):
        item = plan.shards[number][index]
        files[item.part].add((number, index), item, scan)
    settled: dict[Key, Range] = {}
    for file in files.values():
        settled.update(file.ranges())
    shards = [tuple(_settled(settled, number, ranges)) for number, ranges in enumerate(plan.shards)]
    broken = min((file.broken for file in files.values() if file.broken is not None), default=None)
    return replace(plan, shards=tuple(shards), broken=broken)


def _settled(settled: Mapping[Key, Range], number: int, ranges: Sequence[Range]) -> Iterator[Range]:
    for index, item in enumerate(ranges):
        if item.kind != "bytes":
            yield item
        elif (number, index) in settled:
            yield settled[number, index]


class _File:
    """The ranges of a file, in order.

    Attributes:
        broken: the shard in which reading the file fails.
    """

    def __init__(self, part: DatasetPart, head: TextHead) -> None:
        self._part = part
        self._head = head
        self._line, self._text, self._row = head.position.line, head.position.offset, head.position.row
        self._inside = self._is_over = False
        self._guess: Guess | None = None
        self._begun: list[_Begun] = []
        self._last: tuple[Key, Range] | None = None
        self.broken: int | None = None

    def add(self, key: Key, item: Range, scan: RangeScan) -> None:
        """Take the next range, and what has been found in it."""
        if self._is_over:
            return
        self._last = key, item
        self._guess = self._guess or scan.guess
        reading = scan.inside if self._inside else scan.outside
        if reading.first is not None:
            self._begin(reading.first, reading)
        self._row += reading.rows
        self._line += scan.lines
        self._text += scan.text
        self._inside = reading.ends_inside
        if reading.broken:
            self._is_over = True
            self.broken = self._begun[-1].key[0]

    def ranges(self) -> dict[Key, Range]:
        """Each range in which a row begins, by its shard and its place there."""
        if not self._begun:
            self._begin(self._head.start, Reading())
        if self._inside:
            self.broken = self._begun[-1].key[0]
        ends = [*(begun.start for begun in self._begun[1:]), self._part.size]
        last = self._begun[-1].key
        return {
            begun.key: replace(
                begun.item,
                start=begun.start,
                end=end,
                begin=self._exact(begun, end),
                rows=begun.rows,
                is_last=begun.key == last,
            )
            for begun, end in zip(self._begun, ends, strict=True)
        }

    def _begin(self, start: int, reading: Reading) -> None:
        if self._last is not None:
            key, item = self._last
            text, line = self._text + reading.text, self._line + reading.lines
            self._begun.append(_Begun(key, item, start, text, line, self._row, reading.rows))

    def _exact(self, begun: _Begun, end: int) -> Begin:
        encoding = self._head.encoding
        note = None
        if self._guess is not None:
            guessed = self._guess.encoding or UTF_8  # what is neither stays as it is, and its reader refuses it
            # One reading knows the encoding of all of the chunk that has the byte.
            encoding = guessed if end > self._guess.offset // BLOCK_BYTES * BLOCK_BYTES else None
            note = self._guess.note if begun.start <= self._guess.offset < end else None
            is_decoded = guessed != UTF_8
        else:
            is_decoded = encoding not in (None, UTF_8)
        return Begin(TextPosition(begun.text if is_decoded else begun.start, begun.line, begun.row), encoding, note)
