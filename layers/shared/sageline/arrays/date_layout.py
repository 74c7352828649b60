"""Dates of one shape, read by arithmetic on their bytes."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from sageline.arrays.calendar import DAY, END_SECOND, FIRST_SECOND, months
from sageline.arrays.date_spelling import PIVOT, SHORT_MONTHS, Spans, month_of, spans_of, zone_sign
from sageline.arrays.matrix import AnyArray, DoubleArray
from sageline.arrays.strings import BoolArray, ByteArray

_SHAPE = bytes.maketrans(b"123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"000000000abcdefghijklmnopqrstuvwxyz")
_LOWER = 0x20  # of which an upper-case letter lacks the bit


class DateShape(NamedTuple):
    """Which texts of one length have a shape: those whose bytes, with the bits of ``fold`` set and less ``base``, are none above
    ``limit``; each of these is ``uint8[length, 1]``."""

    fold: ByteArray
    base: ByteArray
    limit: ByteArray

    def fits(self, rows: ByteArray) -> BoolArray:
        """Which of the rows, ``uint8[n, length]``, have it."""
        return ~self.less_base(rows)[1]

    def less_base(self, rows: ByteArray) -> tuple[ByteArray, BoolArray]:
        """Bytes ``uint8[length, n]`` as they are compared with the limit, and which rows exceed it somewhere."""
        columns = rows.T.copy()
        if self.fold.any():
            columns |= self.fold
        columns -= self.base  # what is below it wraps around
        exceeds = columns > self.limit
        if not exceeds.any():
            return columns, np.zeros(len(rows), dtype=np.bool_)
        exceed: BoolArray = np.logical_or.reduce(exceeds, axis=0)
        return columns, exceed


class Layout(NamedTuple):
    """Where a shape's dates have their parts.

    Attributes:
        spans: of the parts.
        month: the one whose name they all have; 0 where they have different ones, of three letters each, or numbers.
        zone: 1 east of Greenwich, -1 west of it, 0 without a difference.
    """

    shape: DateShape
    spans: Spans
    month: int
    zone: int

    def read(self, rows: ByteArray) -> tuple[DoubleArray, BoolArray]:
        """The seconds since 1970 of texts ``uint8[n, length]``; NaN for those of another shape, and where there is no such day or
        time. And which texts have the shape; any letters stand for the name of a month here."""
        columns, wrong = self.shape.less_base(rows)
        fits = ~wrong
        month = self._months(columns, wrong) if "name" in self.spans else self._number(columns, "month")
        month -= 1  # a zero wraps around
        wrong |= month > 11
        index = self._years(columns) * 12 + month
        if wrong.any():
            index[wrong] = 0  # in a year that has no days
        starts = months().take(index)
        days = starts >> 5
        if "day" in self.spans:
            day = self._number(columns, "day") - 1
            wrong |= day >= (starts & 31)
            days += day
        else:
            wrong |= starts & 31 == 0
        seconds: DoubleArray = days.astype(np.float64)
        seconds *= DAY
        if "hour" in self.spans:
            seconds += self._time(columns, wrong)
            if self.zone:
                wrong |= (seconds < FIRST_SECOND) | (seconds >= END_SECOND)
        if "fraction" in self.spans:
            start, end = self.spans["fraction"]
            seconds += self._number(columns, "fraction") / 10 ** (end - start)
        seconds[wrong] = np.nan
        return seconds, fits

    def _number(self, columns: ByteArray, part: str) -> AnyArray:
        """The numbers of a part: ``uint8[n]`` up to two digits, else ``int64[n]``; anything where there are no digits."""
        start, end = self.spans[part]
        number: AnyArray = columns[start]
        if end - start > 1:
            number = number * 10 + columns[start + 1]
        if end - start > 2:
            number = number.astype(np.int64)
            for position in range(start + 2, end):
                number = number * 10 + columns[position]
        return number

    def _years(self, columns: ByteArray) -> AnyArray:
        start, end = self.spans["year"]
        year: AnyArray = (columns[end - 2] * 10 + columns[end - 1]).astype(np.int32)
        if end - start == 4:
            year += (columns[start] * 10 + columns[start + 1]).astype(np.int32) * 100
        else:
            year += np.where(year >= PIVOT, np.int32(1900), np.int32(2000))
        return year

    def _months(self, columns: ByteArray, wrong: BoolArray) -> AnyArray:
        if self.month:
            return np.full(columns.shape[1], self.month, dtype=np.uint8)
        start = self.spans["name"][0]
        by_end, firsts = _month_names()
        ends = columns[start + 1].astype(np.int32) * 26 + columns[start + 2]
        ends[wrong] = 0
        found: ByteArray = by_end.take(ends)
        wrong |= firsts.take(found) != columns[start]
        return found

    def _time(self, columns: ByteArray, wrong: BoolArray) -> AnyArray:
        """Seconds since midnight in UTC, which may be on another day."""
        hour, minute = self._number(columns, "hour"), self._number(columns, "minute")
        if "half" in self.spans:
            half = columns[self.spans["half"][0]]
            wrong |= ((half != 0) & (half != _PM)) | (hour > 12)
            hour = hour % 12 + (half == _PM) * np.uint8(12)
        wrong |= (hour > 23) | (minute > 59)
        seconds: AnyArray = hour.astype(np.int32) * 3600 + minute.astype(np.int32) * 60
        if "second" in self.spans:
            second = self._number(columns, "second")
            wrong |= second > 59
            seconds += second
        if self.zone:
            zone_hour = self._number(columns, "zone_hour")
            wrong |= zone_hour > 23
            seconds -= zone_hour.astype(np.int32) * (3600 * self.zone)
        if "zone_minute" in self.spans:
            zone_minute = self._number(columns, "zone_minute")
            wrong |= zone_minute > 59
            seconds -= zone_minute.astype(np.int32) * (60 * self.zone)
        return seconds


_PM = ord("p") - ord("a")


@functools.cache
def _month_names() -> tuple[ByteArray, ByteArray]:
    """The month by the last two of its name's first three letters, ``uint8[26 * 26]`` with 0 for none, and the first letter by
    the month, ``uint8[13]``; an ``a`` is 0."""
    by_end, firsts = np.zeros(26 * 26, dtype=np.uint8), np.full(13, 255, dtype=np.uint8)
    for number, name in enumerate(SHORT_MONTHS, start=1):
        first, second, third = (letter - ord("a") for letter in name)
        by_end[second * 26 + third], firsts[number] = number, first
    return by_end, firsts


def shape_text(text: bytes) -> bytes:
    """The shape of a text: in lower case, with a zero for each digit."""
    return text.translate(_SHAPE)


@functools.lru_cache(maxsize=256)
def shape_of(text: bytes) -> DateShape:
    """The shape as it is compared.

    Args:
        text: the shape as a text.
    """
    base = np.frombuffer(text, dtype=np.uint8).reshape(-1, 1)
    is_letter = (base >= ord("a")) & (base <= ord("z"))
    return DateShape((is_letter * _LOWER).astype(np.uint8), base, (base == ord("0")) * np.uint8(9))


@functools.lru_cache(maxsize=256)
def layout_of(text: bytes, order: str) -> Layout | None:
    """The layout of dates of a shape in an order; None when they are no dates in it.

    Args:
        text: the shape as a text.
    """
    spans = spans_of(text, order)
    if spans is None:
        return None
    fold, base, limit = shape_of(text)
    base, limit = base.copy(), limit.copy()
    month = 0
    if "name" in spans:
        start, end = spans["name"]
        if end - start == 3:
            base[start:end], limit[start:end] = ord("a"), 25
        else:
            month = month_of(text, spans)
    if "half" in spans:
        base[spans["half"][0]], limit[spans["half"][0]] = ord("a"), _PM
    return Layout(DateShape(fold, base, limit), spans, month, zone_sign(text, spans))
