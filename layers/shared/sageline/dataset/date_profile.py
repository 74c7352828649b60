"""The dates in a column: whether it is one of dates, in which order they are written, and from when to when they are."""

from __future__ import annotations

import re
import sys
from collections import Counter
from copy import copy
from datetime import datetime, timedelta

import numpy as np

from sageline.arrays.calendar import DAY, date_parts, days_of
from sageline.arrays.dates import EPOCH, ORDER_WORDS, DateFormat, Dates, date_of, read_dates
from sageline.arrays.factors import factors
from sageline.arrays.late_text import DictionaryArray
from sageline.arrays.matrix import DoubleArray
from sageline.arrays.numbers import Cells
from sageline.arrays.strings import BoolArray, IntArray, StringArray
from sageline.dataset.column_names import is_time, words_in
from sageline.dataset.number_profile import NUMBERS_FROM
from sageline.dataset.profiles.date_counts import DateCounts, OddValues
from sageline.dataset.profiles.examples import Example, ExampleColumn
from sageline.dataset.profiles.findings import ColumnFindings

_DECIDED_AFTER = 500  # rows
_DECIDED_AGAIN_AFTER = 1 << 16  # more rows
_FEWEST = 50  # values by which a column may be found to be none of dates
_FEW = 10  # of which none is one
_SOME = 3
_FREE, _OTHERS = "ymd", ("dmy", "mdy", "yymd")
_SAME_PLACES = ("dmy", "mdy")
_PLACES = {"dmy": "day before the month", "mdy": "month before the day"}
_1970 = datetime(1970, 1, 1)
_COMPACT_FROM = 19_000_101  # the first date of eight digits that is taken for one
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d\d(:\d\d([.,]\d+)?)?( ?[ap]\.?m\.?)?", re.ASCII | re.IGNORECASE)
_TIME_WORDS = frozenset(("at", "utc", "ts", "dob", "birthday", "created", "updated", "modified"))


def _second(year: int) -> float:
    """Its first, since 1970."""
    return float((days_of(year, 1, 1) or 0) * DAY)


_COMPACT_RANGE = (_second(1900), _second(2101))
_EPOCH_RANGE = (_second(1990), _second(2041))


class DateProfile:
    """Counts a column's values block by block, and soon no more of a column that holds something else. What it finds does not
    depend on where blocks begin and end.

    What it reads of the column is decided from the first values, and again now and then; or, by ``findings`` of a sample of the
    column, beforehand: then what is counted follows from the values alone, and counts of the pieces of a column can be merged.

    Numbers such as ``20210530``, and seconds and milliseconds since 1970, are dates only where the column's name says that it
    is one of times and all of its numbers are dates of our times. Years are numbers, and a time of day is no date.

    Attributes:
        missing: how many values are missing: empty, or a word for it (:data:`sageline.arrays.numbers.MISSING`).
        missing_words: those words, as they are spelled, with their counts.
    """

    def __init__(self, name: str, findings: ColumnFindings | None = None) -> None:
        self.missing = 0
        self.missing_words = Counter[str]()
        self._odd_texts, self._odd_numbers = OddValues(), OddValues()
        self._asked: str | None = None
        self._file, self._has_files = "", False  # the first one, and whether there are others
        self._by_name = is_time(name) or not _TIME_WORDS.isdisjoint(words_in(name)[-1:])
        self._finds_out = findings is None
        self._rows, self._next_decision = 0, _DECIDED_AFTER if findings is None else sys.maxsize
        self._is_none = findings is not None and findings.no_dates  # it is no column of dates, and is not looked at any more
        self._tallies = {order: DateCounts() for order in (_FREE, *_OTHERS)}
        self._early_odd = self._times_of_day = self._numbers = 0
        self._ordered = 0  # texts that are dates in at least one of the other orders
        self._compact = DateCounts()  # numbers of eight digits and more that are dates
        self._reads_compact = findings is None or not findings.no_compact_dates
        self._since_1970 = {order: DateCounts() for order in EPOCH}
        self._whole = True

    def add(self, column: StringArray, cells: Cells, row_numbers: IntArray, file: str = "") -> None:
        """Count a block.

        Args:
            cells: the column's plain numbers.
            row_numbers: ``int64[n]``, of the values in their file.
            file: the name of that file.
        """
        self._file, self._has_files = self._file or file, self._has_files or self._file not in ("", file)
        values = ExampleColumn(column, row_numbers, file)
        start = 0
        while start < len(column) and not self._is_none:
            end = min(len(column), start + self._next_decision - self._rows)
            first, last = np.searchsorted(cells.others, [start, end])
            self._add_numbers(values, cells.numbers[start:end], start)
            self._add_texts(values, cells.others[first:last])
            numbers = int(np.count_nonzero(~np.isnan(cells.numbers[start:end])))
            self.missing += end - start - numbers - int(last - first)
            self._rows += end - start
            if self._rows == self._next_decision:
                self._next_decision += _DECIDED_AGAIN_AFTER
                self._decide()
            start = end

    def merge(self, after: DateProfile) -> None:
        """Add what another one has counted of the values behind those of this one; both have the findings of one sample."""
        self._has_files = self._has_files or after._has_files or (after._file != "" and self._file not in ("", after._file))
        self._file = self._file or after._file
        self.missing += after.missing
        self.missing_words.update(after.missing_words)
        self._odd_texts.merge(after._odd_texts)
        self._odd_numbers.merge(after._odd_numbers)
        self._rows += after._rows
        for order, tally in after._tallies.items():
            self._tallies[order].merge(tally)
        self._numbers += after._numbers
        self._ordered += after._ordered
        self._compact.merge(after._compact)
        for order, tally in after._since_1970.items():
            self._since_1970[order].merge(tally)
        self._whole = self._whole and after._whole

    @property
    def is_none(self) -> bool:
        """What the values of a sample say of all of them: that it is no column of dates."""
        share = self._possible_share
        is_seldom = (self._there >= _FEWEST and share < 0.5) or (self._there >= _FEW and share == 0)
        return self._is_none or is_seldom

    @property
    def is_without_compact(self) -> bool:
        """What the values of a sample say of all of them: that no numbers such as ``20210530`` are dates."""
        are_there = self._compact.count or self._texts.count
        return not self._reads_compact or (self._there >= _FEW and not are_there)

    def _decide(self) -> None:
        """Give up where most values are no dates."""
        self._reads_compact = self._reads_compact and bool(self._compact.count or self._texts.count)
        self._is_none = self._there >= _FEWEST and self._possible_share < 0.5

    def _add_texts(self, of_column: ExampleColumn, others: IntArray) -> None:
        """Count values that are neither empty nor plain numbers."""
        if not len(others):
            return
        texts = _taken(of_column.texts, others)
        values = ExampleColumn(texts, of_column.rows[others], of_column.file)
        free = read_dates(texts, DateFormat(_FREE))
        is_left = _mask(len(texts), free.unreadable)
        is_free = ~np.isnan(free.seconds)
        self._add_missing(texts, np.flatnonzero(~is_free & ~is_left))
        self._count(_FREE, values, free, is_free, is_free)
        if len(free.unreadable):
            self._add_ordered(values if is_left.all() else values.take(is_left))

    def _add_missing(self, texts: StringArray, at: IntArray) -> None:
        self.missing += len(at)
        if len(at):
            words = factors(texts.take(at))
            counts, first = np.bincount(words.codes), np.zeros(len(words.values), dtype=np.int64)
            first[words.codes[::-1]] = np.arange(len(at))[::-1]
            for word in np.argsort(first).tolist():  # a dictionary has them in any order
                self.missing_words[words.values[word].strip()] += int(counts[word])
            del self.missing_words[""]  # of blanks

    def _add_ordered(self, values: ExampleColumn) -> None:
        """Count values that mean different dates in different orders, or none."""
        texts = values.texts
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
        self._odd_texts.add(values, odd)
        if self._finds_out and self._rows < _DECIDED_AFTER:
            some = texts.take(odd).tolist()
            self._early_odd += len(some)
            self._times_of_day += sum(_TIME_OF_DAY.fullmatch(text.strip()) is not None for text in some)

    def _count(self, order: str, values: ExampleColumn, dates: Dates, fits: BoolArray, decides: BoolArray) -> None:
        tally = self._tallies[order]
        tally.add(dates.seconds[fits], has_zone=dates.has_zone)
        tally.first = tally.first or values.first(fits)
        tally.decisive = tally.decisive or values.first(decides)

    def _add_numbers(self, values: ExampleColumn, numbers: DoubleArray, start: int) -> None:
        there = ~np.isnan(numbers)
        known = numbers[there]
        self._numbers += len(known)
        is_compact = there & (numbers >= _COMPACT_FROM)
        at = np.flatnonzero(is_compact)
        if len(at) and self._reads_compact:
            texts = values.texts.take(start + at)
            read = read_dates(texts, DateFormat(_FREE))
            fits = (read.seconds >= _COMPACT_RANGE[0]) & (read.seconds < _COMPACT_RANGE[1])
            self._compact.add(read.seconds[fits], has_zone=False)
            self._compact.first = self._compact.first or ExampleColumn(texts, values.rows[start + at], values.file).first(fits)
            there[at[fits]] = False
        self._odd_numbers.add(values, start + np.flatnonzero(there))
        if self._whole and len(known):
            self._whole = bool((known == np.floor(known)).all())
            for order, scale in EPOCH.items():
                self._since_1970[order].add(known / scale, has_zone=False)

    @property
    def _number_order(self) -> str | None:
        """The order of a column of numbers, whatever its name; None when they are no dates."""
        if not self._numbers or not self._whole:
            return None
        if self._compact.count == self._numbers:
            return _FREE
        return next((order for order, tally in self._since_1970.items() if tally.is_within(_EPOCH_RANGE)), None)

    @property
    def _texts(self) -> DateCounts:
        """Texts that are dates in the order of the column."""
        free = self._tallies[_FREE]
        return free if self._order == _FREE else free + self._tallies[self._order]

    @property
    def _order(self) -> str:
        """The order that is asked for, or in which most of the texts are dates."""
        if self._asked is not None:
            return self._asked
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
    def _dates(self) -> DateCounts:
        """All that are dates in the order of the column."""
        if self._texts.count:
            return self._texts + self._compact
        order = self._number_order
        return self._compact if order in (None, _FREE) else self._since_1970[order]

    @property
    def odd(self) -> int:
        """How many values are neither missing nor dates in any order; of a column of numbers that are dates, none."""
        return self._odd_texts.count + (self._odd_numbers.count if self._has_odd_numbers else 0)

    @property
    def odd_values(self) -> list[Example]:
        """Some of the first of them."""
        numbers = self._odd_numbers.first if self._has_odd_numbers else []
        return list(map(self.located, [*self._odd_texts.first, *numbers][:_SOME]))

    def located(self, example: Example | None) -> Example:
        """An example, with the file only where there are several."""
        found = example or Example("", 0)
        return found if self._has_files else found._replace(file="")

    @property
    def _has_odd_numbers(self) -> bool:
        return self.format().order not in EPOCH

    @property
    def _there(self) -> int:
        return self._rows - self.missing

    @property
    def is_date(self) -> bool:
        """Whether it is a column of dates, apart from mistakes and from what is missing."""
        return not self._is_none and self.share > NUMBERS_FROM

    @property
    def share(self) -> float:
        """The share of dates, in whatever order, among the values that are there; numbers are dates where the name says so."""
        are_dates = self._texts.count or (self._by_name and self._number_order is not None)
        return self._possible_share if are_dates else 0.0

    @property
    def _possible_share(self) -> float:
        """The same, whatever the name says."""
        texts = self._tallies[_FREE].count + self._ordered
        return (texts + self._compact.count if texts else self._dates.count) / max(1, self._there)

    @property
    def may_be_dates(self) -> bool:
        """Whether there are dates, also if they are numbers under a name that says no time."""
        return self._texts.count > 0 or self._compact.count > 0 or self._number_order is not None

    def read_as(self, order: str | None) -> DateProfile:
        """The same column with days and months in an order that somebody has said, ``dmy`` or ``mdy``. With None, and where the
        order does not matter, as its values are."""
        profile = copy(self)
        profile._asked = order if self._ordered else None
        return profile

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
        if self._asked is not None:
            return False
        is_told = order == _FREE or any(self._tallies[told].decisive is not None for told in _SAME_PLACES)
        return not is_told and order in _SAME_PLACES

    def format(self) -> DateFormat:
        """How the dates of a column of dates are written."""
        order = self._order if self._texts.count else self._number_order or _FREE
        return DateFormat(order, self.has_time)

    @property
    def contradiction(self) -> str | None:
        """A sentence that names two values of which one has the day before the month and the other behind it, or a value that
        has not the order that is asked for."""
        if self._asked is not None:
            others = [self._tallies[order].decisive for order in _OTHERS if order != self._asked]
            other = next(filter(None, others), None)
            return (
                None if other is None else f"{self.located(other)} is no date with the {_PLACES[self._asked]}, as the spec says"
            )
        day_first, month_first = (self._tallies[order].decisive for order in _SAME_PLACES)
        if day_first is None or month_first is None:
            return None
        return (
            f"{self.located(day_first)} is a date with the day before the month, {self.located(month_first)} one with the "
            "month before the day; "
            "write all dates alike, best as 2021-05-30"
        )

    @property
    def reason(self) -> str:
        """What is known of the column, for a person; empty where it has nothing to do with dates."""
        if self.is_date:
            return self.how
        if self._early_odd and self._times_of_day > NUMBERS_FROM * self._early_odd and not self._dates.count:
            return f"times of day without a date, as {self.odd_values[0]}; a category, unless numbers are made of them"
        return ""

    @property
    def how(self) -> str:
        """How its dates are written, whether or not they are enough for a column of dates."""
        return self._order_reason() + self._time_reason()

    @property
    def example(self) -> str:
        """The first date that has its day and month in the order of the column, and how it is read."""
        order = self._order
        first = self.located(self._tallies[order].first)
        seconds = date_of(first.text, DateFormat(order))
        return str(first) if seconds is None else f"{first} is read as {(_1970 + timedelta(seconds=seconds)).date().isoformat()}"

    def _order_reason(self) -> str:
        order, first = self.format().order, self.located(self._dates.first)
        if order in EPOCH:
            by_name = ", as its name and its values say" if self._by_name else ""
            return f"dates in {ORDER_WORDS[order]}{by_name}, which are from {self._range()}"
        if not self._texts.count and self._by_name:
            return f"dates, as its name says, such as {first}"
        if order == _FREE or not self._texts.count:
            return f"dates, such as {first}"
        if self._asked is not None:
            return f"dates, {ORDER_WORDS[order]}, as the spec says"
        tally, words = self._tallies[order], ORDER_WORDS[order]
        if self.contradiction is not None and order in _SAME_PLACES:
            other = self._tallies[next(told for told in _SAME_PLACES if told != order)]
            told, not_told = self.located(tally.decisive), self.located(other.decisive)
            return f"dates, {words}, as {told} and most others say; {not_told} does not"
        if tally.decisive is not None:
            return f"dates, {words}, as {self.located(tally.decisive)} says"
        if order not in _SAME_PLACES:
            return f"dates, {words}, by how much each of the numbers varies; the first is {self.located(tally.first)}"
        usual = "'/'" if order == "mdy" else "these signs"
        return f"dates, taken for {words}, as is usual with {usual}, because no value tells: {self.example}"

    def _time_reason(self) -> str:
        if self.has_zone:
            return "; times are converted to UTC"
        return "; times are taken for UTC" if self.has_time and self.format().order not in EPOCH else ""

    def _range(self) -> str:
        first, last = (_1970 + timedelta(seconds=second) for second in (self.minimum, self.maximum))
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
