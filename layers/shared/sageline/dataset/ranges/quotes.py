"""Where rows begin in whole lines of CSV, which may begin inside quotes or outside: by line ends and quotes alone.

The rules are those of :mod:`sageline.dataset.readers.csv_scan`, of files whose lines end in LF or CRLF.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sageline.arrays.strings import BoolArray, ByteArray, IntArray
from sageline.dataset.readers.csv_scan import CR, LF, QUOTE

_FEW = 64  # quotes


@dataclass(frozen=True)
class LinesRead:
    """What some lines are, if they begin with a row, or else inside a quoted field.

    Attributes:
        first: offset of the first row that begins in them; a blank line counts as one here. None where none begins.
        rows: how many begin in them; as far as a broken quote.
        ends_inside: whether what follows is inside a quoted field.
        broken: offset of what follows a closing quote, and is neither a delimiter nor the end of the line.
    """

    first: int | None
    rows: int
    ends_inside: bool
    broken: int | None = None


def read_lines(text: bytes, delimiter: bytes, *, is_last: bool) -> tuple[LinesRead, LinesRead]:
    """What the lines are if they begin with a row, and if they begin inside a quoted field.

    Args:
        text: not empty; ends with a line feed, unless it is the last of the file.
        delimiter: one ASCII byte.
    """
    data = np.frombuffer(text, dtype=np.uint8)
    if QUOTE not in text:
        return LinesRead(0, _unquoted_rows(text, data, is_last), ends_inside=False), LinesRead(None, 0, ends_inside=True)
    quotes = np.flatnonzero(data == QUOTE)
    lines = _Lines(data, is_last)
    # Of whole lines with quotes, one reading is mostly wrong soon, and in the other every quote opens or closes.
    outside, inside = _in_runs(data, _first_quotes(quotes), delimiter[0], lines)
    if (outside.broken is None) != (inside.broken is None):
        is_inside = inside.broken is None
        toggled = _toggled(data, quotes, delimiter[0], lines, is_inside)
        if toggled is not None:
            return (outside, toggled) if is_inside else (toggled, inside)
    return _in_runs(data, quotes, delimiter[0], lines)


def count_lines(text: bytes) -> int:
    """How many lines of JSON Lines are rows, and so not blank. ``text`` is as for :func:`read_lines`."""
    data = np.frombuffer(text, dtype=np.uint8)
    begins = np.concatenate([np.zeros(1, dtype=np.int64), np.flatnonzero(data == LF) + 1])
    if begins[-1] == len(data):
        begins = begins[:-1]
    doubtful = begins[data[begins] <= 0x20]
    return len(begins) - sum(not text[start : _line_end(text, start)].strip() for start in doubtful.tolist())


def _line_end(text: bytes, start: int) -> int:
    end = text.find(b"\n", start)
    return len(text) if end < 0 else end


def _unquoted_rows(text: bytes, data: ByteArray, is_last: bool) -> int:
    """How many lines are not blank."""
    lines = text.count(b"\n") + (data[-1] != LF)
    begin_so = (data[1:] == LF) | (data[1:] == CR)
    begin_so &= data[:-1] == LF
    doubtful = np.append(0, np.flatnonzero(begin_so) + 1)
    return int(lines - _blank(data, doubtful, is_last).sum())


def _blank(data: ByteArray, begins: IntArray, is_last: bool) -> BoolArray:
    """Which of the lines that begin so hold nothing but their end: LF, CRLF, CR CR LF, or a CR that ends the file."""
    first = data[begins]
    blank: BoolArray = first == LF
    returns = np.flatnonzero(first == CR)
    if len(returns):
        blank[returns] = _ends_line(data, begins[returns], is_last)
    return blank


class _Lines:
    """Where the lines begin, and which of them are blank."""

    def __init__(self, data: ByteArray, is_last: bool) -> None:
        begins = np.append(0, np.flatnonzero(data == LF) + 1)
        self.begins = begins[:-1] if begins[-1] == len(data) else begins
        self.is_blank = _blank(data, self.begins, is_last)
        self.are_last = is_last

    def read(self, begins_row: BoolArray, *, ends_inside: bool, broken: int | None = None) -> LinesRead:
        """What the lines are by which of them begin outside quotes."""
        first = int(begins_row.argmax())
        rows = int((begins_row & ~self.is_blank).sum())
        return LinesRead(int(self.begins[first]) if begins_row[first] else None, rows, ends_inside, broken)


def _first_quotes(quotes: IntArray) -> IntArray:
    """Some, the last of which is not followed by another at once."""
    count = min(_FEW, len(quotes))
    while count < len(quotes) and quotes[count] == quotes[count - 1] + 1:
        count += 1
    return quotes[:count]


def _toggled(data: ByteArray, quotes: IntArray, delimiter: int, lines: _Lines, inside: bool) -> LinesRead | None:
    """What the lines are if every quote opens or closes a field, or is one half of a doubled one; None where one does not."""
    opening, closing = quotes[inside::2], quotes[not inside :: 2]
    before = data[opening[opening > 0] - 1]
    if not ((before == delimiter) | (before == LF) | (before == QUOTE)).all():
        return None
    followed = closing[closing < len(data) - 1] + 1
    after = data[followed]
    fits = (after == delimiter) | (after == LF) | (after == QUOTE)
    returns = np.flatnonzero(after == CR)
    fits[returns] = _ends_line(data, followed[returns], lines.are_last)
    if not fits.all():
        return None
    begins_row = np.searchsorted(quotes, lines.begins) % 2 == inside
    return lines.read(begins_row, ends_inside=len(quotes) % 2 != inside)


def _in_runs(data: ByteArray, quotes: IntArray, delimiter: int, lines: _Lines) -> tuple[LinesRead, LinesRead]:
    """What the lines are outside and inside a field, whatever the quotes are; of ``quotes``, those that are there."""
    runs = _Runs(data, quotes, delimiter, lines.are_last)
    before = np.searchsorted(runs.starts, lines.begins)  # how many runs
    return _as_runs_say(runs, before, lines, inside=False), _as_runs_say(runs, before, lines, inside=True)


def _as_runs_say(runs: _Runs, before: IntArray, lines: _Lines, *, inside: bool) -> LinesRead:
    states = runs.after(inside)
    begins_row = ~states[before]
    broken = runs.broken(states)
    if broken is None:
        return lines.read(begins_row, ends_inside=bool(states[-1]))
    begins_row[before > broken] = False
    return lines.read(begins_row, ends_inside=False, broken=int(runs.ends[broken]))


class _Runs:
    """The runs of quotes next to each other, and what each does to the state of being inside a quoted field.

    A run of an odd number opens a field where it follows a delimiter or the end of a line, and closes one where it is followed by
    them; one of an even number is doubled quotes, or an empty field. Elsewhere outside a field, quotes are ordinary characters.
    """

    def __init__(self, data: ByteArray, quotes: IntArray, delimiter: int, is_last: bool) -> None:
        firsts = np.flatnonzero(np.diff(quotes, prepend=-2) != 1)
        self.starts = quotes[firsts]
        lengths = np.diff(firsts, append=len(quotes))
        self.ends = self.starts + lengths
        odd = (lengths & 1).astype(np.bool_)
        before = data[self.starts - 1]  # of the first byte the last, which is mended below
        opens = (before == delimiter) | (before == LF)
        if self.starts[0] == 0:
            opens[0] = True
        closes = self._closes(data, delimiter, is_last)
        # State after a run: a run that opens or closes says it by itself; one that may do either turns it round; others leave it.
        says = odd & ~(opens & closes)
        turned = np.cumsum(odd & opens & closes) & 1
        said_at = np.maximum.accumulate(np.where(says, np.arange(len(says)), -1))
        self._unsaid = int(np.searchsorted(said_at, 0))  # runs before the first that says it
        value = opens.astype(np.int64) ^ turned
        self._after = (value[said_at] ^ turned).astype(np.bool_)
        self._after[: self._unsaid] = turned[: self._unsaid]
        self._broken_inside = odd & ~closes
        self._broken_outside = ~odd & opens & ~closes

    def after(self, inside: bool) -> BoolArray:
        """Whether what follows each run is inside a field, and before the first of them, if the text begins so."""
        states = np.append(inside, self._after)
        if inside:
            states[1 : self._unsaid + 1] ^= True
        return states

    def broken(self, states: BoolArray) -> int | None:
        """Index of the first run that closes a field in the middle of text."""
        wrong = np.where(states[:-1], self._broken_inside, self._broken_outside)
        first = int(wrong.argmax())
        return first if wrong[first] else None

    def _closes(self, data: ByteArray, delimiter: int, is_last: bool) -> BoolArray:
        """Whether a delimiter or the end of a line or of the file follows."""
        after = data[np.minimum(self.ends, len(data) - 1)]
        closes: BoolArray = (after == delimiter) | (after == LF)
        returns = np.flatnonzero(after == CR)
        if len(returns):
            closes[returns] = _ends_line(data, self.ends[returns], is_last)
        if self.ends[-1] == len(data):
            closes[-1] = True
        return closes


def _ends_line(data: ByteArray, returns: IntArray, is_last: bool) -> BoolArray:
    """Whether each of these carriage returns begins a CRLF or a CR CR LF, or ends the file."""
    last = len(data) - 1
    second, third = data[np.minimum(returns + 1, last)], data[np.minimum(returns + 2, last)]
    ends: BoolArray = (second == LF) | ((second == CR) & (third == LF))
    return ends | (returns == last) if is_last else ends
