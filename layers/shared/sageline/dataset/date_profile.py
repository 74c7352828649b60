"""The dates in a column: whether it is one of dates, in which order they are written, and from when to when they are."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from sageline.arrays.calendar import DAY, date_parts, days_of
from sageline.arrays.dates import EPOCH, ORDER_WORDS, DateFormat, Dates, read_dates
from sageline.arrays.late_text import DictionaryArray
from sageline.arrays.matrix import DoubleArray
from sageline.arrays.numbers import Cells
from sageline.arrays.strings import BoolArray, IntArray, StringArray
from sageline.dataset.column_names import is_time, words_in
from sageline.dataset.number_profile import NUMBERS_FROM

_DECIDED_AFTER = 500  # rows
_DECIDED_AGAIN_AFTER = 1 << 16  # more rows
_FEWEST = 50  # values by which a column may be found to be none of dates
_SOME = 3
_FREE, _OTHERS = "ymd", ("dmy", "mdy", "yymd")
_SAME_PLACES = ("dmy", "mdy")
_COMPACT_FROM = 19_000_101  # the first date of eight digits that is taken for one
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d\d(:\d\d([.,]\d+)?)?( ?[ap]\.?m\.?)?", re.ASCII | re.IGNORECASE)
_TIME_WORDS = frozenset(("at", "utc", "ts", "dob", "birthday", "created", "updated", "modified"))


def _second(year: int) -> float:
    """Its first, since 1970."""
    return float((days_of(year, 1, 1) or 0) * DAY)


_COMPACT_RANGE = (_second(1900), _second(2101))
_EPOCH_RANGE = (_second(1990), _second(2041))


class Example(NamedTuple):
    """A value.

    Attributes:
        row: its number in the file; 0 where it is not known.
    """

    text: str
    row: int

    def __str__(self) -> str:
        return self.text.strip() + (f" (row {self.row})" if self.row else "")


class _Values(NamedTuple):
    """Values with their row numbers, ``int64[n]``."""

    texts: StringArray
    rows: IntArray

    def first(self, among: BoolArray) -> Example | None:
        """The first of those that the mask has."""
        at = int(among.argmax()) if len(among) else 0
        return Example(self.texts[at], int(self.rows[at])) if len(among) and among[at] else None


@dataclass
class _Tally:
    """The dates that are read in one order.

    Attributes:
        days: which days of the month there are, ``bool[32]``.
        first: the first of them.
        decisive: the first that is no date in the order it is to be told from.
    """

    count: int = 0
    minimum: float = math.inf
    maximum: float = -math.inf
    has_time: bool = False
    has_zone: bool = False
    first: Example | None = None
    decisive: Example | None = None
    days: BoolArray = field(default_factory=lambda: np.zeros(32, dtype=np.bool_))

    def add(self, seconds: DoubleArray, *, has_zone: bool) -> None:
        """Count dates, none of which is missing."""
        if len(seconds):
            self.count += len(seconds)
            self.minimum, self.maximum = min(self.minimum, float(seconds.min())), max(self.maximum, float(seconds.max()))
            self.has_time = self.has_time or bool((seconds % DAY != 0).any())
            self.has_zone = self.has_zone or has_zone

    def is_within(self, seconds: tuple[float, float]) -> bool:
        return self.count > 0 and seconds[0] <= self.minimum and self.maximum < seconds[1]

    def __add__(self, other: _Tally) -> _Tally:
        return _Tally(
            self.count + other.count,
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
            self.has_time or other.has_time,
            self.has_zone or other.has_zone,
            self.first or other.first,
            self.decisive or other.decisive,
        )


class DateProfile:
    """Counts a column's values block by block, and soon no more of a column that holds something else. What it finds does not
    depend on where blocks begin and end.

    Numbers such as ``20210530``, and seconds and milliseconds since 1970, are dates only where the column's name says that it
    is one of times and all of its numbers are dates of our times. Years are numbers, and a time of day is no date.

    Attributes:
        missing: how many values are missing: empty, or a word for it (:data:`sageline.arrays.numbers.MISSING`).
        odd: how many values are neither missing nor dates in any order, nor numbers.
        odd_values: the first of them.
    """

    def __init__(self, name: str) -> None:
        self.missing = self.odd = 0
        self.odd_values: list[Example] = []
        self._by_name = is_time(name) or not _TIME_WORDS.isdisjoint(words_in(name)[-1:])
        self._rows, self._next_decision = 0, _DECIDED_AFTER
        self._is_none = False  # it has been found to be no column of dates, and is no longer looked at
        self._tallies = {order: _Tally() for order in (_FREE, *_OTHERS)}
        self._early_odd = self._times_of_day = self._numbers = 0
        self._ordered = 0  # texts that are dates in at least one of the other orders
        self._compact = _Tally()  # numbers of eight digits and more that are dates
        self._reads_compact = True
        self._since_1970 = {order: _Tally() for order in EPOCH}
        self._whole = True

    def add(self, column: StringArray, cells: Cells, row_numbers: IntArray) -> None:
        """Count a block.

        Args:
            cells: the column's plain numbers.
            row_numbers: ``int64[n]``, of the values in their file.
        """
        start = 0
        while start < len(column) and not self._is_none:
            end = min(len(column), start + self._next_decision - self._rows)
            first, last = np.searchsorted(cells.others, [start, end])
            self._add_numbers(column, cells.numbers[start:end], start, row_numbers)
            self._add_texts(column, cells.others[first:last], row_numbers)
            numbers = int(np.count_nonzero(~np.isnan(cells.numbers[start:end])))
            self.missing += end - start - numbers - int(last - first)
            self._rows += end - start
            if self._rows == self._next_decision:
                self._next_decision += _DECIDED_AGAIN_AFTER
                self._decide()
            start = end

    def _decide(self) -> None:
        """Give up where most values are no dates."""
        self._reads_compact = self._reads_compact and bool(self._compact.count or self._texts.count)
        self._is_none = self._there >= _FEWEST and self.share < 0.5

    def _add_texts(self, column: StringArray, others: IntArray, row_numbers: IntArray) -> None:
        """Count values that are neither empty nor plain numbers."""
        if not len(others):
            return
        texts = _taken(column, others)
        free = read_dates(texts, DateFormat(_FREE))
        is_left = _mask(len(texts), free.unreadable)
        is_free = ~np.isnan(free.seconds)
        self.missing += len(texts) - len(free.unreadable) - int(np.count_nonzero(is_free))
        values = _Values(texts, row_numbers[others])
        self._count(_FREE, values, free, is_free, is_free)
        if len(free.unreadable):
            is_all = len(free.unreadable) == len(texts)
            self._add_ordered(values if is_all else _Values(texts.take(is_left), values.rows[is_left]))

    def _add_ordered(self, values: _Values) -> None:
        """Count values that mean different dates in different orders, or none."""
        texts, rows = values
        read = {order: read_dates(texts, DateFormat(order)) for order in _OTHERS}
        fits = {order: ~_mask(len(texts), dates.unreadable) for order, dates in read.items()}
        is_short = fits["yymd"]
        for order, dates in read.items():
            rivals = [fits[other] for other in _OTHERS if other != order and (other in _SAME_PLACES or order == "yymd")]
            self._count(order, values, dates, fits[order], fits[order] & ~np.logical_or.reduce(rivals))
            if is_short.any():
                days = date_parts(dates.seconds[fits[order] & is_short]).day
                self._tallies[order].days[days.astype(np.int64)] = True
        odd = np.flatnonzero(~np.logical_or.reduce(list(fits.values())))
        self._ordered += len(texts) - len(odd)
        self.odd += len(odd)
        if len(self.odd_values) < _SOME:
            self.odd_values += [Example(texts[at], int(rows[at])) for at in odd[: _SOME - len(self.odd_values)].tolist()]
        if self._rows < _DECIDED_AFTER:
            some = texts.take(odd).tolist()
            self._early_odd += len(some)
            self._times_of_day += sum(_TIME_OF_DAY.fullmatch(text.strip()) is not None for text in some)

    def _count(self, order: str, values: _Values, dates: Dates, fits: BoolArray, decides: BoolArray) -> None:
        tally = self._tallies[order]
        tally.add(dates.seconds[fits], has_zone=dates.has_zone)
        tally.first = tally.first or values.first(fits)
        tally.decisive = tally.decisive or values.first(decides)

    def _add_numbers(self, column: StringArray, numbers: DoubleArray, start: int, row_numbers: IntArray) -> None:
        there = ~np.isnan(numbers)
        known = numbers[there]
        self._numbers += len(known)
        is_compact = there & (numbers >= _COMPACT_FROM)
        at = start + np.flatnonzero(is_compact)
        if len(at) and self._reads_compact:
            read = read_dates(column.take(at), DateFormat(_FREE))
            fits = (read.seconds >= _COMPACT_RANGE[0]) & (read.seconds < _COMPACT_RANGE[1])
            self._compact.add(read.seconds[fits], has_zone=False)
            self._compact.first = self._compact.first or _Values(column.take(at), row_numbers[at]).first(fits)
        if self._by_name and self._whole and len(known):
            self._whole = bool((known == np.floor(known)).all())
            for order, scale in EPOCH.items():
                self._since_1970[order].add(known / scale, has_zone=False)

    @property
    def _number_order(self) -> str | None:
        """The order of a column of numbers; None when they are no dates."""
        if not self._by_name or not self._numbers or not self._whole:
            return None
        if self._compact.count == self._numbers:
            return _FREE
        return next((order for order, tally in self._since_1970.items() if tally.is_within(_EPOCH_RANGE)), None)

    @property
    def _texts(self) -> _Tally:
        """Texts that are dates in the order of the column."""
        free = self._tallies[_FREE]
        return free if self._order == _FREE else free + self._tallies[self._order]

    @property
    def _order(self) -> str:
        """The order in which most of the texts are dates."""
        counts = {order: self._tallies[order].count for order in _OTHERS}
        most = max(counts.values())
        if most == 0:
            return _FREE
        best = [order for order in _OTHERS if counts[order] == most]
        if "yymd" in best and len(best) > 1:
            # Days differ more than years do: the order is the one that makes more days of the numbers.
            spread = {order: int(np.count_nonzero(self._tallies[order].days)) for order in best}
            others = [order for order in best if order != "yymd"]
            best = ["yymd"] if spread["yymd"] > max(spread[order] for order in others) else others
        first = self._tallies[best[0]].first
        is_slash = first is not None and "/" in first.text
        return "mdy" if "mdy" in best and (is_slash or "dmy" not in best) else best[0]

    @property
    def _dates(self) -> _Tally:
        """All that are dates in the order of the column."""
        if self._texts.count:
            return self._texts + self._compact
        order = self._number_order
        if order is None:
            return _Tally()
        return self._compact if order == _FREE else self._since_1970[order]

    @property
    def _there(self) -> int:
        return self._rows - self.missing

    @property
    def is_date(self) -> bool:
        """Whether it is a column of dates, apart from mistakes and from what is missing."""
        return not self._is_none and self.share > NUMBERS_FROM

    @property
    def share(self) -> float:
        """The share of dates, in whatever order, among the values that are there."""
        texts = self._tallies[_FREE].count + self._ordered
        return (texts + self._compact.count if texts else self._dates.count) / max(1, self._there)

    @property
    def minimum(self) -> float:
        """The first date, in seconds since 1970 in UTC; infinite without one, as is the last."""
        return self._dates.minimum

    @property
    def maximum(self) -> float:
        """The last date."""
        return self._dates.maximum

    @property
    def has_time(self) -> bool:
        """Whether some dates are not at midnight in UTC."""
        return self._dates.has_time

    @property
    def has_zone(self) -> bool:
        """Whether some dates have a time zone."""
        return self._dates.has_zone

    @property
    def is_ambiguous(self) -> bool:
        """Whether the values would be dates with day and month exchanged, too."""
        order = self._order
        is_told = order == _FREE or any(self._tallies[told].decisive is not None for told in _SAME_PLACES)
        return not is_told and order in _SAME_PLACES

    def format(self) -> DateFormat:
        """How the dates of a column of dates are written."""
        order = self._order if self._texts.count else self._number_order or _FREE
        return DateFormat(order, self.has_time)

    @property
    def contradiction(self) -> str | None:
        """A sentence that names two values of which one has the day before the month and the other behind it."""
        day_first, month_first = (self._tallies[order].decisive for order in _SAME_PLACES)
        if day_first is None or month_first is None:
            return None
        return (
            f"{day_first} is a date with the day before the month, {month_first} one with the month before the day; "
            "write all dates alike, best as 2021-05-30"
        )

    @property
    def reason(self) -> str:
        """What is known of the column, for a person; empty where it has nothing to do with dates."""
        if self.is_date:
            return self._order_reason() + self._time_reason()
        if self._early_odd and self._times_of_day > NUMBERS_FROM * self._early_odd and not self._dates.count:
            return f"times of day without a date, as {self.odd_values[0]}; a category, unless numbers are made of them"
        return ""

    def _order_reason(self) -> str:
        order, first = self.format().order, self._dates.first
        if order in EPOCH:
            return f"dates in {ORDER_WORDS[order]}, as its name and its values say, which are from {self._range()}"
        if not self._texts.count:
            return f"dates, as its name says, such as {first}"
        if order == _FREE:
            return f"dates, such as {first}"
        tally, words = self._tallies[order], ORDER_WORDS[order]
        if self.contradiction is not None and order in _SAME_PLACES:
            other = self._tallies[next(told for told in _SAME_PLACES if told != order)]
            return f"dates, {words}, as {tally.decisive} and most others say; {other.decisive} does not"
        if tally.decisive is not None:
            return f"dates, {words}, as {tally.decisive} says"
        if order not in _SAME_PLACES:
            return f"dates, {words}, by how much each of the numbers varies; the first is {tally.first}"
        other_words = ORDER_WORDS["mdy" if order == "dmy" else "dmy"]
        usual = "'/'" if order == "mdy" else "these signs"
        return (
            f"dates, taken for {words}, as is usual with {usual}; no value tells, so they may be {other_words} "
            f"(the first is {tally.first})"
        )

    def _time_reason(self) -> str:
        if self.has_zone:
            return "; times are converted to UTC"
        return "; times are taken for UTC" if self.has_time and self.format().order not in EPOCH else ""

    def _range(self) -> str:
        first, last = (datetime(1970, 1, 1) + timedelta(seconds=second) for second in (self.minimum, self.maximum))
        return f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _taken(column: StringArray, at: IntArray) -> StringArray:
    """The values at ascending indexes."""
    if isinstance(column, DictionaryArray):
        some = column.take(at)
        return some if len(some) >= len(some.dictionary) else some.dictionary.take(some.indices)
    start, end = int(at[0]), int(at[-1]) + 1
    if end - start > len(at):
        return column.take(at)
    offsets = column.offsets[start : end + 1]
    return StringArray(column.data[offsets[0] : offsets[-1]], offsets - offsets[0])


def _mask(rows: int, at: IntArray) -> BoolArray:
    mask = np.zeros(rows, dtype=np.bool_)
    mask[at] = True
    return mask
