"""Scanning a range of a plain text file: where rows begin in it, and how many, whatever came before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass

import numpy as np

from sageline.dataset.ranges.plan import DatasetPart, OpenRange, Range, ShardPlan
from sageline.dataset.ranges.quotes import LinesRead, count_lines, read_lines
from sageline.dataset.ranges.text_head import TextHead, utf8_lengths
from sageline.dataset.readers.csv_reader import MAX_ROW_BYTES
from sageline.dataset.readers.source import read_up_to
from sageline.formats.text_encoding import CP1252, UTF_8, first_beyond_ascii, guess_encoding, guess_note
from sageline.json_objects import Json

_PIECE_BYTES = 512 << 10  # what a processor's cache holds, with the arrays made of it
_EVIDENCE_BYTES = 64 << 10
_SHOWN_BYTES = 40
_LONGEST_LINE = MAX_ROW_BYTES + (16 << 20)  # surely refused by the reader


@dataclass(frozen=True)
class Reading:
    """What a range is, if it begins with a row, or else inside a quoted field.

    Attributes:
        first: where in the file the first row of it begins; a blank line counts as one. None where none begins.
        lines, text: how many lines end, and how many bytes of UTF-8 there are, before that.
        rows: how many begin in the range, blank lines not counted.
        ends_inside: whether the next range begins inside a quoted field.
        broken: reading it fails, at a quote that does not close its field or a line that is too long.
    """

    first: int | None = None
    lines: int = 0
    text: int = 0
    rows: int = 0
    ends_inside: bool = False
    broken: bool = False


@dataclass(frozen=True)
class Guess:
    """What the first byte beyond ASCII in a range says of the encoding, if it is the first of the file.

    Attributes:
        offset: of the byte.
        encoding: None where it is none that is known.
        note: to say so, if that is needed.
    """

    offset: int
    encoding: str | None
    note: str | None


@dataclass(frozen=True)
class RangeScan:
    """What has been found in the lines that begin in a range of bytes.

    Attributes:
        lines, text: how many lines end, and how many bytes of UTF-8 there are.
        outside, inside: what the range is if it begins with a row, or inside a quoted field.
        guess: where the encoding was not known before, and is needed here.
    """

    lines: int
    text: int
    outside: Reading
    inside: Reading
    guess: Guess | None = None

    def to_json(self) -> Json:
        return asdict(self)

    @classmethod
    def of_json(cls, found: Json) -> RangeScan:
        guess = Guess(**found["guess"]) if found["guess"] else None
        return cls(found["lines"], found["text"], Reading(**found["outside"]), Reading(**found["inside"]), guess)


def scan_shard(plan: ShardPlan, number: int, open_range: OpenRange) -> list[RangeScan]:
    """What is in the ranges of bytes of a shard, in order. Reads each once, and a line beyond its end."""
    return [scan_range(plan, item, open_range) for item in plan.shards[number] if item.kind == "bytes"]


def scan_range(plan: ShardPlan, item: Range, open_range: OpenRange) -> RangeScan:
    """What is in a range of bytes."""
    part, head = plan.parts[item.part], plan.heads[item.part]
    lines = _Lines(part, head, item, open_range)
    scanned = _Scan(head)
    for start, text in lines:
        scanned.add(start, text, is_last=start + len(text) == part.size)
    if lines.too_long is not None:
        scanned.fail(lines.too_long)
    guess = None if scanned.beyond_ascii is None else _guess(part, scanned.beyond_ascii, open_range)
    return scanned.result(guess)


class _Lines:
    """The lines that begin in a range, in pieces, each with its offset in the file.

    Attributes:
        too_long: where a line begins that its reader refuses; it and what follows are not among the pieces.
    """

    def __init__(self, part: DatasetPart, head: TextHead, item: Range, open_range: OpenRange) -> None:
        self._part = part
        self._start = max(item.start, head.start)
        self._begins_line = item.start <= head.start
        self._end = item.end
        self._open = open_range
        self.too_long: int | None = None

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        if self._start >= self._end:
            return
        start = self._start if self._begins_line else self._start - 1
        at = start
        held: list[bytes] = []
        begun = self._begins_line
        for chunk in self._chunks(start):
            if not begun:
                feed = chunk.find(b"\n")
                if feed < 0 or at + feed + 1 >= self._end:
                    at += len(chunk)
                    if at >= self._end:
                        return
                    continue
                begun, at = True, at + feed + 1
                rest = chunk[feed + 1 :]
            else:
                rest = chunk
            cut = rest.rfind(b"\n") + 1
            if cut:
                text = b"".join([*held, rest[:cut]])
                held = []
                yield at, text
                at += len(text)
            if cut < len(rest):
                held.append(rest[cut:])
            if sum(map(len, held)) > _LONGEST_LINE:
                self.too_long = at
                return
        if held:
            yield at, b"".join(held)

    def _chunks(self, start: int) -> Iterator[bytes]:
        """The bytes from ``start`` to the end of the line in which the range ends."""
        chunk = b""
        with closing(self._open(self._part, start, self._end)) as stream:
            while piece := read_up_to(stream, _PIECE_BYTES):
                chunk = piece
                yield chunk
        at = self._end
        while at < self._part.size and not chunk.endswith(b"\n"):
            with closing(self._open(self._part, at, min(self._part.size, at + _PIECE_BYTES))) as stream:
                chunk = read_up_to(stream, _PIECE_BYTES)
            at += len(chunk)
            chunk = chunk[: chunk.find(b"\n") + 1] or chunk
            yield chunk
            if not chunk:
                return


class _Scan:
    """Gathers what is in the pieces of a range."""

    def __init__(self, head: TextHead) -> None:
        self._delimiter = None if head.dialect is None else head.dialect.delimiter
        self._is_known = head.encoding is not None
        # What is not known may turn out to be Windows-1252.
        encoding = head.encoding or CP1252
        self._lengths = None if encoding == UTF_8 else utf8_lengths(encoding)
        self._lines = self._text = 0
        self._outside, self._inside = _Hypothesis(inside=False), _Hypothesis(inside=True)
        self.beyond_ascii: int | None = None

    def add(self, start: int, text: bytes, *, is_last: bool) -> None:
        if self._delimiter is None:
            outside = LinesRead(0, count_lines(text), ends_inside=False)
            inside = LinesRead(None, 0, ends_inside=True)
        else:
            outside, inside = read_lines(text, self._delimiter, is_last=is_last)
        for hypothesis in (self._outside, self._inside):
            found = inside if hypothesis.is_inside else outside
            if hypothesis.add(found) and found.first is not None:
                before = text[: found.first]
                hypothesis.begin(start + found.first, self._lines + before.count(b"\n"), self._text + self._size(before))
        if not self._is_known and self.beyond_ascii is None and not text.isascii():
            self.beyond_ascii = start + first_beyond_ascii(text)
        self._lines += text.count(b"\n")
        self._text += self._size(text)

    def fail(self, start: int) -> None:
        """The next line cannot be read."""
        for hypothesis in (self._outside, self._inside):
            if hypothesis.fail():
                hypothesis.begin(start, self._lines, self._text)

    def result(self, guess: Guess | None) -> RangeScan:
        return RangeScan(self._lines, self._text, self._outside.reading(), self._inside.reading(), guess)

    def _size(self, text: bytes) -> int:
        """How many bytes of UTF-8 it is."""
        if self._lengths is None or text.isascii():
            return len(text)
        return int(self._lengths[np.frombuffer(text, dtype=np.uint8)].sum(dtype=np.int64))


class _Hypothesis:
    """That the range begins inside a quoted field, or does not; followed through its pieces."""

    def __init__(self, *, inside: bool) -> None:
        self.is_inside = inside
        self._first: int | None = None
        self._lines = self._text = self._rows = 0
        self._broken = False

    def add(self, found: LinesRead) -> bool:
        """Take what a piece is; says whether the first row may be in it."""
        if self._broken:
            return False
        self._rows += found.rows
        self._broken = found.broken is not None
        self.is_inside = found.ends_inside
        return self._first is None

    def begin(self, first: int, lines: int, text: int) -> None:
        self._first, self._lines, self._text = first, lines, text

    def fail(self) -> bool:
        """Reading fails at what follows; says whether it is the first row."""
        is_first = self._first is None and not self.is_inside and not self._broken
        self._broken = True
        return is_first

    def reading(self) -> Reading:
        return Reading(self._first, self._lines, self._text, self._rows, self.is_inside and not self._broken, self._broken)


def _guess(part: DatasetPart, offset: int, open_range: OpenRange) -> Guess:
    start = max(0, offset - _SHOWN_BYTES)
    end = min(part.size, offset + _EVIDENCE_BYTES)
    with closing(open_range(part, start, end)) as stream:
        text = read_up_to(stream, end - start)
    encoding = guess_encoding(text)
    return Guess(offset, encoding, guess_note(part.uri, text, start) if encoding == CP1252 else None)
