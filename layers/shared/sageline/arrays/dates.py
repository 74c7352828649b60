"""Reading dates from text, the same way for training data and for requests.

A date is the number of seconds since the beginning of 1970 in UTC, ``float64``, NaN for a missing one. A time with a zone is
converted to UTC; one without is taken for UTC, a date without a time for its midnight. Years are those from 1 to 9999.
"""

from __future__ import annotations

import math
from datetime import date
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from sageline.arrays.calendar import DAY, END_SECOND, EPOCH_ORDINAL, FIRST_SECOND
from sageline.arrays.date_layout import layout_of, shape_of, shape_text
from sageline.arrays.date_spelling import MOST_BYTES, ORDERS, seconds_of, spans_of
from sageline.arrays.late_text import DictionaryArray, NumberArray
from sageline.arrays.matrix import DoubleArray
from sageline.arrays.numbers import is_missing, is_number, read_cells, shown
from sageline.arrays.strings import BoolArray, ByteArray, IntArray, StringArray, row_chunks

EPOCH = {"seconds": 1.0, "milliseconds": 1000.0}
"""The orders of dates that are numbers: how many of them are a second."""

ORDER_WORDS = {
    "ymd": "year first",
    "dmy": "day before month",
    "mdy": "month before day",
    "yymd": "year, month, day, with two digits each",
    "seconds": "seconds since 1970",
    "milliseconds": "milliseconds since 1970",
}
"""The orders, as a person would call them."""

_FEW = 4  # rows that are faster one by one
_MOST_SHAPES = 64  # of texts of one length in a chunk; what has others is read one by one
_CHUNK_BYTES = 256 << 10


class DateFormat(NamedTuple):
    """How the dates of a column are written. The form may differ from value to value: signs between the numbers, one or two
    digits, names of months, times, zones. What could be read in two ways does not.

    Attributes:
        order: one of :data:`ORDER_WORDS`. A date that begins with a year of four digits, or has the month's name, is read in all
            of them but the last two; in ``ymd`` no other is.
        has_time: whether the hour says something: some dates are not at midnight in UTC. Reading does not depend on it.
    """

    order: str
    has_time: bool = False


class Dates(NamedTuple):
    """Dates that were read.

    Attributes:
        seconds: since 1970 in UTC, ``float64[n]``, NaN where the date is missing or unreadable.
        unreadable: ``int64[m]``, ascending: indexes of the values that are no dates of the format, or of days that do not exist.
        has_zone: whether one of them has a time zone.
    """

    seconds: DoubleArray
    unreadable: IntArray
    has_zone: bool


class BadDate(Exception):
    """A value that is no date of the column's format.

    Attributes:
        index: where in the column it is.
        problem: the value and what is wrong with it.
    """

    def __init__(self, index: int, problem: str) -> None:
        super().__init__(index, problem)
        self.index = index
        self.problem = problem


def parse_dates(column: StringArray, date_format: DateFormat) -> DoubleArray:
    """The column's dates, ``float64[n]`` seconds since 1970 in UTC; NaN where one is missing
    (:data:`sageline.arrays.numbers.MISSING`).

    Raises:
        BadDate: the first value that is no date of the format, or a day or time that does not exist.
    """
    dates = read_dates(column, date_format)
    if len(dates.unreadable):
        index = int(dates.unreadable[0])
        raise BadDate(index, problem_of(column[index], date_format))
    return dates.seconds


def read_dates(column: StringArray, date_format: DateFormat) -> Dates:
    """The same, with the indexes of the values that cannot be read."""
    if isinstance(column, DictionaryArray) and len(column) > _FEW:
        read = _read_dictionary(column.dictionary, date_format.order)
        used: BoolArray = np.bincount(column.indices, minlength=len(column.dictionary)) > 0
        is_bad, has_zone = read.is_bad[column.indices], bool((read.has_zone & used).any())
        return Dates(read.seconds[column.indices], np.flatnonzero(is_bad), has_zone)
    read = _read(column, date_format.order)
    return Dates(read.seconds, np.flatnonzero(read.is_bad), bool(read.has_zone.any()))


class _Read(NamedTuple):
    """What was read, of each value: ``float64[n]``, ``bool[n]``, ``bool[n]``."""

    seconds: DoubleArray
    is_bad: BoolArray
    has_zone: BoolArray

    @classmethod
    def nothing(cls, rows: int) -> _Read:
        return cls(np.full(rows, np.nan), np.zeros(rows, dtype=np.bool_), np.zeros(rows, dtype=np.bool_))

    def part(self, start: int, end: int) -> _Read:
        """To be written to."""
        return _Read(self.seconds[start:end], self.is_bad[start:end], self.has_zone[start:end])

    def put(self, at: IntArray, read: _Read) -> None:
        for target, source in zip(self, read, strict=True):
            target[at] = source


_READ: WeakKeyDictionary[StringArray, dict[str, _Read]] = WeakKeyDictionary()
"""The dates of dictionaries in use, by their order: columns of several blocks share one."""


def _read_dictionary(dictionary: StringArray, order: str) -> _Read:
    known = _READ.setdefault(dictionary, {})
    if order not in known:
        known[order] = _read(dictionary, order)
    return known[order]


def _read(column: StringArray, order: str) -> _Read:
    if order in EPOCH:
        return _read_numbers(column, EPOCH[order])
    if len(column) <= _FEW:
        return _one_by_one(column.tolist(), order)
    result = _Read.nothing(len(column))
    for start, end in row_chunks([column], _CHUNK_BYTES):
        lengths = np.diff(column.offsets[start : end + 1])
        longest = int(lengths.max())
        if longest == lengths.min():
            rows = column.data[column.offsets[start] : column.offsets[end]].reshape(end - start, longest)
            _read_rows(rows, order, result.part(start, end))
            continue
        for length in np.flatnonzero(np.bincount(np.minimum(lengths, MOST_BYTES + 1))).tolist():
            if length > MOST_BYTES:
                at = start + np.flatnonzero(lengths > MOST_BYTES)
                result.put(at, _one_by_one(column.take(at).tolist(), order))
            elif length:
                at = start + np.flatnonzero(lengths == length)
                its = _Read.nothing(len(at))
                _read_rows(_rows_at(column.data, column.offsets[at], length), order, its)
                result.put(at, its)
    return result


def _rows_at(data: ByteArray, starts: IntArray, length: int) -> ByteArray:
    """The ``length`` bytes from each start, ``uint8[n, length]``."""
    # Items of so many bytes, one of which begins at every byte: copied whole, they take a fourth of the time that indexes take.
    items = np.ndarray(len(data) - length + 1, dtype=f"V{length}", buffer=np.ascontiguousarray(data), strides=(1,))
    return items[starts].view(np.uint8).reshape(-1, length)


def _read_rows(rows: ByteArray, order: str, result: _Read) -> None:
    """Read texts of one length, ``uint8[n, length]``, shape by shape."""
    todo: IntArray | slice = slice(None)
    for _ in range(_MOST_SHAPES if rows.shape[1] <= MOST_BYTES else 0):
        left = rows if isinstance(todo, slice) else rows.take(todo, axis=0)
        shape = shape_text(left[0].tobytes())
        layout = layout_of(shape, order)
        if layout is None:
            fits = shape_of(shape).fits(left)
            result.is_bad[todo] = fits & (not is_missing(shape.decode(errors="replace")))
        else:
            seconds, fits = layout.read(left)
            result.seconds[todo] = seconds
            result.is_bad[todo] = there_is_none = fits & np.isnan(seconds)
            if "zone" in layout.spans:
                result.has_zone[todo] = fits & ~there_is_none
        if fits.all():
            return
        todo = np.flatnonzero(~fits) if isinstance(todo, slice) else todo[~fits]
    rest = np.arange(len(rows))[todo]
    result.put(rest, _one_by_one([row.tobytes().decode() for row in rows[rest]], order))


def _read_numbers(column: StringArray, scale: float) -> _Read:
    """Read seconds, or what a second has ``scale`` of."""
    result = _Read.nothing(len(column))
    if isinstance(column, NumberArray):
        result.seconds[:] = column.numbers
        others = np.zeros(0, dtype=np.int64)
    elif len(column) <= _FEW:
        others = np.arange(len(column))
    else:
        cells = read_cells(column)
        result.seconds[:], others = cells.numbers, cells.others
    read = [_number_in(text) for text in column.take(others).tolist()] if len(others) else []
    result.seconds[others] = [math.nan if number is None else number for number in read]
    result.is_bad[others] = [number is None for number in read]
    seconds = result.seconds
    seconds /= scale
    result.is_bad[(seconds < FIRST_SECOND) | (seconds >= END_SECOND)] = True
    seconds[result.is_bad] = np.nan
    return result


def _number_in(text: str) -> float | None:
    """NaN for a missing one, None for what is no number."""
    if is_number(text):
        return float(text)
    return math.nan if is_missing(text) else None


def _one_by_one(texts: list[str], order: str) -> _Read:
    known = {text: _read_one(text, order) for text in set(texts)} if len(texts) > 1 else {}
    read = [known[text] for text in texts] if known else [_read_one(text, order) for text in texts]
    seconds = np.array([math.nan if second is None else second for second, _ in read], dtype=np.float64)
    is_bad, has_zone = ([second is None for second, _ in read], [has_zone for _, has_zone in read])
    return _Read(seconds, np.array(is_bad, dtype=np.bool_), np.array(has_zone, dtype=np.bool_))


def _read_one(text: str, order: str) -> tuple[float | None, bool]:
    """The date, NaN for a missing one and None for what is none; and whether it has a zone."""
    lower = text.encode().lower()
    layout = layout_of(shape_text(lower), order) if len(lower) <= MOST_BYTES else None  # which is mostly known
    if layout is not None:
        seconds = seconds_of(lower, layout.spans)
        return seconds, seconds is not None and "zone" in layout.spans
    return (math.nan if is_missing(text) else None), False


def date_of(text: str, date_format: DateFormat) -> float | None:
    """One date as :func:`parse_dates` reads it: NaN for a missing one, None for what is none. Not for numbers since 1970."""
    if len(text) == 10 and text[4] == "-" == text[7]:  # most dates are written so
        try:
            return float((date.fromisoformat(text).toordinal() - EPOCH_ORDINAL) * DAY)
        except ValueError:
            pass
    return _read_one(text, date_format.order)[0]


def written(date_format: DateFormat) -> str:
    """How dates of the format are written, with an example."""
    example = EXAMPLES[date_format.order]
    or_year_first = f" or year first as in {EXAMPLES['ymd']}" if date_format.order in ("dmy", "mdy") else ""
    return f"{ORDER_WORDS[date_format.order]} as in {example}{or_year_first}"


EXAMPLES = {
    "ymd": "2021-05-30",
    "dmy": "30.05.2021",
    "mdy": "05/30/2021",
    "yymd": "21-05-30",
    "seconds": "1622332800",
    "milliseconds": "1622332800000",
}
"""The same day, by the order of its parts."""


def problem_of(text: str, date_format: DateFormat) -> str:
    """What is wrong with a value that cannot be read in the format."""
    order = date_format.order
    words = ORDER_WORDS[order]
    if order in EPOCH:
        return f"{shown(text)} is no number of {words}"
    lower = text.encode().lower()
    spans = spans_of(lower, order)
    if spans is None:
        others = [other for other in ORDERS if other != order and spans_of(lower, other) is not None]
        return f"{shown(text)} is no date" + (f" as the others are written, {words}" if others else "")
    if seconds_of(lower, {part: span for part, span in spans.items() if part in ("year", "month", "day", "name")}) is not None:
        return f"{shown(text)} has a time of day that does not exist"
    as_others = f" when it is read {words}, as the others are" if order in ORDERS and "name" not in spans else ""
    return f"{shown(text)} is no day of the calendar{as_others}"
