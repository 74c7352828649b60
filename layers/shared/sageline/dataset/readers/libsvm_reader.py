"""Rows of libsvm's sparse text: the label, then ``index:value`` for each feature that the row has.

    1 3:0.5 17:2

The columns are ``label`` and the indexes that occur, in the order of the numbers. A feature that a row does not name is missing,
and not 0: so XGBoost reads such a file, too. The file is read twice, first for the indexes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, NoReturn

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.strings import BoolArray, IntArray, StringArray, gather
from sageline.dataset.readers.compression import decompressed
from sageline.errors import InvalidDataset

LABEL = "label"
MOST_COLUMNS = 20_000
MAX_ROW_BYTES = 64 << 20
_CELLS = 1 << 22  # of a block, absent ones included

_COMMENT = re.compile(rb"[ \t]*#[^\n]*")
_ASCII = bytes(range(0x80))
_BLANKS = np.zeros(256, dtype=np.bool_)
_BLANKS[list(b" \t\r\n")] = True


def read_libsvm(stream: BinaryIO, source: str, compression: str, block_bytes: int) -> Iterator[Block]:
    """All rows.

    Args:
        stream: at its beginning; needs ``read`` and ``seek``.

    Raises:
        InvalidDataset: while iterating: no such text, several labels or a group (``qid``) in a row, too many features; names the
            line and what is there.
    """
    found = np.zeros(0, dtype=np.int64)
    for lines in _lines(decompressed(stream, source, compression), source, block_bytes):
        found = np.union1d(found, lines.indexes)
        if len(found) > MOST_COLUMNS:
            raise InvalidDataset(
                f"{source}: more than {MOST_COLUMNS:,} different features, by line {lines.last_line:,}; the limit is "
                f"{MOST_COLUMNS:,}. Keep the most frequent ones."
            )
    if not len(found):
        return
    stream.seek(0)
    first_row = 1
    for lines in _lines(decompressed(stream, source, compression), source, block_bytes):
        step = max(1, _CELLS // len(found))
        for start in range(0, lines.rows, step):
            columns = lines.columns(start, min(start + step, lines.rows), found)
            yield Block.of(columns, first_row, source)
            first_row += min(step, lines.rows - start)


class _Lines:
    """Some whole lines, taken apart.

    Attributes:
        rows: how many of the lines are no blank ones.
        indexes: ``int64[cells]``: the feature of each cell.
    """

    def __init__(self, text: bytes, first_line: int, source: str) -> None:
        if b"#" in text:
            text = _COMMENT.sub(b"", text)
        self._text, self._first_line, self._source = text, first_line, source
        if not text.isascii():
            line = text[: len(text) - len(text.lstrip(_ASCII))].count(b"\n")
            self._fail(line, "not text of digits and signs, as libsvm writes it; write the file again")
        self.last_line = first_line + text.count(b"\n") - 1
        data = np.frombuffer(text, dtype=np.uint8)
        is_blank = np.concatenate([[True], _BLANKS[data], [True]])
        starts = np.flatnonzero(is_blank[:-1] & ~is_blank[1:])
        ends = np.flatnonzero(~is_blank[:-1] & is_blank[1:])
        line_of = np.searchsorted(np.flatnonzero(data == ord("\n")), starts)
        is_label = np.ones(len(starts), dtype=np.bool_)
        is_label[1:] = line_of[1:] != line_of[:-1]
        colons = np.flatnonzero(data == ord(":"))
        before = np.searchsorted(colons, starts)
        counts = np.searchsorted(colons, ends) - before
        self._data, self._lines = data, line_of
        self._check(counts, is_label, starts, ends)
        self.rows = int(np.count_nonzero(is_label))
        self._labels = starts[is_label], ends[is_label]
        cells = ~is_label
        self._row_of = (np.cumsum(is_label) - 1)[cells]
        colon = colons[before[cells]] if cells.any() else np.zeros(0, dtype=np.int64)
        self._values = colon + 1, ends[cells]
        self.indexes = self._indexes(starts[cells], colon, line_of[cells])
        self._check_values(line_of[cells])

    def columns(self, start: int, end: int, features: IntArray) -> dict[str, StringArray]:
        """The rows from ``start`` to before ``end``, with a column for each of the features."""
        labels = gather(self._data, self._labels[0][start:end], (self._labels[1] - self._labels[0])[start:end])
        first, last = np.searchsorted(self._row_of, [start, end])
        order = np.argsort(self.indexes[first:last], kind="stable") + first
        rows = self._row_of[order] - start
        starts, lengths = self._values[0][order], (self._values[1] - self._values[0])[order]
        bounds = np.searchsorted(self.indexes[order], np.append(features, np.iinfo(np.int64).max))
        columns = {LABEL: labels}
        for number, feature in enumerate(features.tolist()):
            some = slice(int(bounds[number]), int(bounds[number + 1]))
            offsets = np.zeros(end - start + 1, dtype=np.int64)
            offsets[rows[some] + 1] = lengths[some]
            columns[str(feature)] = StringArray(gather(self._data, starts[some], lengths[some]).data, np.cumsum(offsets))
        return columns

    def _check(self, counts: IntArray, is_label: BoolArray, starts: IntArray, ends: IntArray) -> None:
        commas = np.flatnonzero(self._data == ord(","))
        has_comma = np.searchsorted(commas, ends) > np.searchsorted(commas, starts)
        wrong = np.flatnonzero((counts != np.where(is_label, 0, 1)) | (is_label & has_comma))
        if not len(wrong):
            return
        token = int(wrong[0])
        text = self._text[starts[token] : ends[token]]
        if is_label[token] and counts[token] == 0:
            problem = f"{_shown(text)} are several labels, which are not learned; give each row one"
        elif is_label[token]:
            problem = f"begins with {_shown(text)}; write the label first, without a weight, and then index:value"
        else:
            problem = f"{_shown(text)} is no index:value"
        self._fail(int(self._lines[token]), problem)

    def _indexes(self, starts: IntArray, colons: IntArray, lines: IntArray) -> IntArray:
        text = gather(self._data, starts, colons - starts)
        lengths = text.lengths
        digits = text.data - np.uint8(ord("0"))
        wrong = np.flatnonzero((lengths == 0) | (lengths > 9))
        if not len(wrong) and len(digits) and digits.max() > 9:
            wrong = np.searchsorted(text.offsets, np.flatnonzero(digits > 9)[:1], side="right") - 1
        if len(wrong):
            name = text[int(wrong[0])]
            problem = f"{name!r} is no index; a feature is a whole number from 0 to 999,999,999"
            if name == "qid":
                problem = "qid: rows in groups, as for ranking, are not learned; leave it out"
            self._fail(int(lines[wrong[0]]), problem)
        values = np.zeros(len(lengths), dtype=np.int64)
        for position in range(int(lengths.max(initial=0))):
            has = np.flatnonzero(lengths > position)
            values[has] = values[has] * 10 + digits[text.offsets[has] + position]
        keys = (self._row_of << 30) + values
        if (keys[1:] <= keys[:-1]).any():
            order = np.argsort(keys, kind="stable")
            same = order[1:][keys[order[1:]] == keys[order[:-1]]]
            if len(same):
                self._fail(int(lines[same[0]]), f"feature {int(values[same[0]])} occurs twice")
        return values

    def _check_values(self, lines: IntArray) -> None:
        starts, ends = self._values
        empty = np.flatnonzero(starts == ends)
        if len(empty):
            self._fail(int(lines[empty[0]]), f"feature {int(self.indexes[empty[0]])} has no value")

    def _fail(self, line: int, problem: str) -> NoReturn:
        raise InvalidDataset(f"{self._source}: line {self._first_line + line:,}: {problem}.")


def _lines(stream: BinaryIO, source: str, size: int) -> Iterator[_Lines]:
    rest, line = b"", 1
    while chunk := stream.read(size):
        complete, newline, rest = (rest + chunk).rpartition(b"\n")
        if len(rest) > MAX_ROW_BYTES:
            raise InvalidDataset(f"{source}: line {line:,}: longer than {MAX_ROW_BYTES >> 20} MiB; write a line for each row.")
        if newline:
            lines = _Lines(complete + newline, line, source)
            line = lines.last_line + 1
            yield lines
    if rest.strip():
        yield _Lines(rest + b"\n", line, source)


def _shown(text: bytes) -> str:
    shown = text.decode(errors="replace")
    return repr(shown if len(shown) <= 60 else f"{shown[:57]}...")
