"""The values of rows to predict, compared with those of the train rows: what was not seen, and dates that are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from sageline.arrays.dates import DateFormat, read_dates, written
from sageline.arrays.factors import factors
from sageline.arrays.numbers import shown
from sageline.arrays.strings import IntArray, StringArray, gather
from sageline.encoder.values import ValueIndex

_MOST_SENTENCES = 20
_SOME = 3  # values of a column that are shown
_MOST_VALUES = 1000
_FEW = 64  # rows, of which nobody asks which values differ


@dataclass
class _OddValues:
    """Values of a column about which there is one thing to say.

    Attributes:
        row: the first that has one, as sentences call it.
        number: of that row.
        rows: how many have one.
        values: the different ones; where there are very many, some of them.
    """

    column: str
    row: str
    number: int
    rows: int = 0
    values: dict[str, None] = field(default_factory=dict)

    def sentence(self, is_one: str, are_many: str, what: str) -> str:
        """What there is to say, with the first row and values, and how many more there are."""
        listed = ", ".join(map(shown, list(self.values)[:_SOME]))
        others = min(len(self.values), _MOST_VALUES) - _SOME
        if others > 0:
            listed += f" and {'over ' if len(self.values) > _MOST_VALUES else ''}{others:,} more"
        rows = f" and {self.rows - 1:,} more" if self.rows > 1 else ""
        return f"{self.row}{rows}, column {self.column!r}: {listed} {is_one if self.rows == 1 else are_many} {what}."

    def merge(self, later: _OddValues) -> None:
        """Add what was noted of later rows."""
        self.rows += later.rows
        if len(self.values) <= _MOST_VALUES:
            self.values |= later.values


@dataclass
class NotedValues:
    """What is odd about the values of some rows, by column.

    Attributes:
        unseen: values of categories that training did not have.
        no_dates: dates that are none, and how dates of the column are written.
    """

    unseen: dict[str, _OddValues] = field(default_factory=dict)
    no_dates: dict[str, tuple[_OddValues, str]] = field(default_factory=dict)

    def merge(self, later: NotedValues) -> None:
        """Add what was noted of later rows; what is there is changed."""
        for column, odd in later.unseen.items():
            if column in self.unseen:
                self.unseen[column].merge(odd)
            else:
                self.unseen[column] = odd
        for column, (odd, how) in later.no_dates.items():
            if column in self.no_dates:
                self.no_dates[column][0].merge(odd)
            else:
                self.no_dates[column] = odd, how

    def sentences(self) -> list[str]:
        """One for each column and what is odd there, in the order of the rows; of many columns the first."""
        never = "that training did not have, or only once"
        unseen = sorted(self.unseen.values(), key=lambda odd: odd.number)
        said = [odd.sentence("is a value", "are values", never) for odd in unseen]
        for odd, how in sorted(self.no_dates.values(), key=lambda noted: noted[0].number):
            said.append(odd.sentence("is no date", "are no dates", f"as the column's are, {how}, and taken for missing"))
        return said[:_MOST_SENTENCES]


class ValueCheck:
    """Notes what is odd about values, block by block.

    Args:
        name: how sentences call the row of a number.

    Attributes:
        noted: what was odd so far.
    """

    def __init__(self, name: Callable[[int], str]) -> None:
        self._name = name
        self.noted = NotedValues()

    def note_unseen(self, column: str, texts: StringArray, known: ValueIndex, numbers: IntArray) -> None:
        """Note values of a category column that training did not have.

        Args:
            numbers: ``int64[n]``, of the rows.
        """
        if len(texts) <= _FEW:
            is_unseen = np.array([bool(text.strip()) and known.index(text) < 0 for text in texts.tolist()], dtype=np.bool_)
        else:
            different = factors(texts)
            is_unseen = np.array([bool(text.strip()) and known.index(text) < 0 for text in different.values.tolist()])
            is_unseen = is_unseen[different.codes]
        rows = np.flatnonzero(is_unseen)
        if len(rows):
            self._note(self.noted.unseen.setdefault(column, self._first(column, rows, numbers)), texts, rows)

    def readable(self, column: str, texts: StringArray, date_format: DateFormat, numbers: IntArray) -> StringArray:
        """A date column in which the dates that are none are missing, which is noted.

        Args:
            numbers: ``int64[n]``, of the rows.
        """
        rows = read_dates(texts, date_format).unreadable
        if not len(rows):
            return texts
        noted, _ = self.noted.no_dates.setdefault(column, (self._first(column, rows, numbers), written(date_format)))
        self._note(noted, texts, rows)
        lengths = texts.lengths
        lengths[rows] = 0
        return gather(texts.data, texts.offsets[:-1], lengths)

    def sentences(self) -> list[str]:
        """What was odd, as :meth:`NotedValues.sentences` says it."""
        return self.noted.sentences()

    def _first(self, column: str, rows: IntArray, numbers: IntArray) -> _OddValues:
        number = int(numbers[rows[0]])
        return _OddValues(column, self._name(number), number)

    def _note(self, odd: _OddValues, texts: StringArray, rows: IntArray) -> None:
        odd.rows += len(rows)
        if len(odd.values) <= _MOST_VALUES:
            odd.values |= dict.fromkeys(texts.take(rows).tolist())
