"""The numbers in a column: how they are spelled, which values are none, and whether they count the rows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from sageline.arrays.late_text import DictionaryArray
from sageline.arrays.matrix import DoubleArray
from sageline.arrays.number_spelling import PLAIN, SPELLINGS, Shape, Spelling, plain_text, shape_of
from sageline.arrays.numbers import Cells, is_missing
from sageline.arrays.strings import BoolArray, IntArray, StringArray
from sageline.dataset.profiles.examples import Example, ExampleColumn

NUMBERS_FROM = 0.9
"""A column is one of numbers when more than this share of what it holds are numbers."""

_DECIDED_AFTER = 1000  # values that are no plain numbers
_AT_A_TIME = 1 << 16
_FEW, _SOME_WORDS = 10, 50  # values that are no numbers, by which a sample says that nearly all, or most, are none
_SOME = 3
BEYOND_FLOAT32 = float.fromhex("0x1.ffffffp127")
"""From here on, half a unit above its largest number, a number is infinite in float32."""

_FORM = str.maketrans("23456789", "1" * 8)  # a zero stays: as the first of the digits it tells spellings apart


class NumberProfile:
    """Counts a column's values block by block. Of a column of words, most of which are no numbers, it soon takes every value for
    none that is no plain number, without a look at it.

    Args:
        of_words: whether it is such a column, as a sample of it has found (:attr:`is_of_words`). Then what is counted follows
            from the values alone, and counts of the pieces of a column can be merged. None: this finds it out as it goes.

    Attributes:
        missing: words and signs for a missing number, as they are spelled, with their counts.
        odd: how many values are neither numbers in any spelling nor missing.
        odd_values: the first different ones of them, each where it is first; of a column that is known to be of words, the first.
        leading_zeros: how many whole numbers begin with a zero, as codes do.
        first_negative: the first plain number below 0.
        first_beyond: the first plain number that float32 does not hold.
        beyond: how many of those there are.
    """

    def __init__(self, *, of_words: bool | None = None) -> None:
        self.missing: Counter[str] = Counter()
        self.odd = 0
        self.odd_values: list[Example] = []
        self.minimum, self.maximum = math.inf, -math.inf
        self.leading_zeros = 0
        self.first_negative: Example | None = None
        self.first_beyond: Example | None = None
        self.beyond = 0
        self._plain = 0
        self._points = 0  # plain numbers with a decimal point
        self._grouped = 0  # those of them that may be groups of three digits: 1.234
        self._nonzero = 0  # of the plain numbers
        self._first_nonzero: Example | None = None
        self._pointed: Example | None = None  # a plain number with a decimal point that no group of three digits is
        self._whole = True
        self._shapes: Counter[Shape] = Counter()
        self._of_shape: dict[Shape, Example] = {}  # the first value of each
        self._finds_out, self._is_text = of_words is None, bool(of_words)
        self._is_given = bool(of_words)
        self._values = self._steps = 0
        self._first = self._last = math.nan

    def add(self, values: ExampleColumn, cells: Cells, *, follows: bool) -> None:
        """Count a block.

        Args:
            values: of the column, and where they are.
            cells: its plain numbers.
            follows: whether the block begins where the one before ended.
        """
        numbers = cells.numbers[~np.isnan(cells.numbers)]
        self._add_plain(values, cells, numbers)
        self._add_steps(cells, follows=follows, are_any=len(numbers) > 0)
        self._add_others(values, cells.others)

    def merge(self, after: NumberProfile, *, follows: bool) -> None:
        """Add what another one has counted of the values behind those of this one.

        Args:
            follows: whether the first of them is that of the next row.
        """
        self.missing.update(after.missing)
        self.odd += after.odd
        self._keep(after.odd_values)
        self.leading_zeros += after.leading_zeros
        self._plain += after._plain
        self._points += after._points
        self._grouped += after._grouped
        self._nonzero += after._nonzero
        self._first_nonzero = self._first_nonzero or after._first_nonzero
        self._pointed = self._pointed or after._pointed
        self.first_negative = self.first_negative or after.first_negative
        self.first_beyond = self.first_beyond or after.first_beyond
        self.beyond += after.beyond
        self._note(after.minimum, after.maximum, whole=after._whole)
        self._shapes.update(after._shapes)
        self._of_shape = after._of_shape | self._of_shape
        if after._values:
            self._steps += after._steps + self._step_to(after._first, follows=follows)
            self._first = self._first if self._values else after._first
            self._last = after._last
            self._values += after._values

    def _add_plain(self, values: ExampleColumn, cells: Cells, numbers: DoubleArray) -> None:
        if not len(numbers):
            return
        self._plain += len(numbers)
        self._nonzero += int(np.count_nonzero(numbers))
        plain = ~np.isnan(cells.numbers)
        if self._first_nonzero is None and self._nonzero:
            self._first_nonzero = values.first(plain & (cells.numbers != 0))
        least, most = float(numbers.min()), float(numbers.max())
        self._note(least, most, whole=bool((numbers == np.floor(numbers)).all()))
        if least < 0 and self.first_negative is None:
            self.first_negative = values.first(cells.numbers < 0)
        if max(-least, most) >= BEYOND_FLOAT32:
            beyond = np.abs(cells.numbers) >= BEYOND_FLOAT32
            self.beyond += int(np.count_nonzero(beyond))
            self.first_beyond = self.first_beyond or values.first(beyond)
        column = values.texts
        texts, counts = column, plain.astype(np.int64)
        if isinstance(column, DictionaryArray):
            texts, counts = column.dictionary, np.bincount(column.indices[plain], minlength=len(column.dictionary))
        self.leading_zeros += int(counts[_leading_zeros(texts, counts > 0)].sum())
        if (texts.data == ord(".")).any():
            points, grouped = _points(texts, counts > 0)
            self._points += int(counts[points].sum())
            self._grouped += int(counts[grouped].sum())
            if self._pointed is None and len(others := np.setdiff1d(points, grouped)):
                self._pointed = values.some(_first_of(column, texts, others), 1)[0]

    def _note(self, least: float, most: float, *, whole: bool) -> None:
        self.minimum, self.maximum = min(self.minimum, least), max(self.maximum, most)
        self._whole = self._whole and whole

    def _add_steps(self, cells: Cells, *, follows: bool, are_any: bool) -> None:
        """Whether each number is that of the row before and one."""
        numbers = cells.numbers
        if not len(numbers):
            return
        if self._whole and are_any:
            self._steps += int(np.count_nonzero(np.diff(numbers) == 1)) + self._step_to(float(numbers[0]), follows=follows)
        self._first = self._first if self._values else float(numbers[0])
        self._last = float(numbers[-1])
        self._values += len(numbers)

    def _step_to(self, number: float, *, follows: bool) -> int:
        # Between two pieces of a file there are rows that nobody has looked at.
        return int(number == self._last + 1 if follows else number > self._last)

    def _add_others(self, values: ExampleColumn, others: IntArray) -> None:
        start, size = 0, _DECIDED_AFTER if self._finds_out else _AT_A_TIME
        while start < len(others):
            if self._is_text:
                self.odd += len(others) - start
                self._keep(values.some(others[start:], _SOME))
                return
            some = others[start : start + size]
            self._add_texts(values.texts.take(some).tolist(), values.rows[some], values.file)
            if self._finds_out:
                self._is_text = self.odd >= _DECIDED_AFTER // 2 and self.odd > self.numbers
            start, size = start + size, _AT_A_TIME

    def _keep(self, later: Sequence[Example]) -> None:
        """Values behind those that are kept, as far as there is room."""
        some = [*self.odd_values, *later]
        if not self._is_given:
            first: dict[str, Example] = {}
            for example in some:
                first.setdefault(example.text, example)
            some = list(first.values())
        self.odd_values = some[:_SOME]

    def _add_texts(self, texts: list[str], rows: IntArray, file: str) -> None:
        """Values by their forms: there are few, however many numbers are spelled so."""
        forms = "\n".join(texts).translate(_FORM).split("\n")
        if len(forms) != len(texts):  # some have line breaks
            forms = [text.translate(_FORM) for text in texts]
        odd: set[str] = set()
        for form, count in Counter(forms).items():
            if not form.strip():
                continue
            if is_missing(form):
                self.missing += Counter(text.strip() for text, its in zip(texts, forms, strict=True) if its == form)
            elif plain_text(form, PLAIN) is not None:  # with blanks around it, or another minus
                numbers = [float(plain_text(text, PLAIN) or 0) for text, its in zip(texts, forms, strict=True) if its == form]
                self._plain += count
                self._note(min(numbers), max(numbers), whole=all(map(float.is_integer, numbers)))
            elif (shape := shape_of(form)) is not None:
                self._shapes[shape] += count
                if shape not in self._of_shape:
                    first = forms.index(form)
                    self._of_shape[shape] = Example(texts[first], int(rows[first]), file)
            else:
                self.odd += count
                odd.add(form)
        if odd:
            self._add_odd_values(
                Example(text, int(row), file) for text, its, row in zip(texts, forms, rows, strict=True) if its in odd
            )

    def _add_odd_values(self, odd: Iterable[Example]) -> None:
        known = {example.text for example in self.odd_values}
        for example in odd:
            if len(self.odd_values) == _SOME:
                return
            if example.text not in known:
                known.add(example.text)
                self.odd_values.append(example)

    @property
    def numbers(self) -> int:
        """Values that are numbers in some spelling."""
        return self._plain + self._shapes.total()

    @property
    def is_of_words(self) -> bool:
        """What the values of a sample say of all of them: that most are no numbers."""
        is_nearly_all = self.odd >= _FEW and self.odd > NUMBERS_FROM * (self.odd + self.numbers)
        return self._is_text or is_nearly_all or (self.odd >= _SOME_WORDS and self.odd > self.numbers)

    @property
    def is_numeric(self) -> bool:
        """Whether so many of the values are numbers that the others are taken for mistakes."""
        return self.numbers > NUMBERS_FROM * (self.numbers + self.odd)

    @property
    def share(self) -> float:
        """The share of numbers among the values that are there."""
        return self.numbers / max(1, self.numbers + self.odd)

    @property
    def is_spelled(self) -> bool:
        """Whether some numbers are not plain ones."""
        return bool(self._shapes)

    @property
    def few_spelled(self) -> tuple[int, Example] | None:
        """How many of the numbers are no plain ones, and one of them, where nearly all are plain."""
        count = self._shapes.total()
        if not count or count > (1 - NUMBERS_FROM) * self.numbers:
            return None
        return count, min(self._of_shape.values(), key=lambda example: example.row)

    @property
    def has_unit(self) -> bool:
        """Whether some numbers have a currency or a percent sign."""
        return any(shape.unit for shape in self._shapes)

    @property
    def plain_is_whole(self) -> bool:
        """Whether all of the plain numbers are whole."""
        return self._whole

    @property
    def counts_rows(self) -> bool:
        """Whether the numbers go up by one from row to row, but for few rows: as a row number does."""
        is_all = self._plain == self._values and not self._shapes and not self.odd
        return is_all and self._plain >= 10 and self._whole and self._steps >= 0.95 * (self._values - 1)

    def spellings(self) -> list[Spelling]:
        """The spellings that the most values fit: one of decimal points, or one of decimal commas, or one of each, in this order,
        where a value means two things."""
        unit = self._unit()
        weights: list[int] = []
        for index, spelling in enumerate(SPELLINGS):
            plain = self._plain
            if spelling.decimal == ",":
                plain -= self._points - (self._grouped if spelling.group == "." else 0)
            weights.append(plain + sum(count for (_, fits), count in self._shapes.items() if fits[index]))
        best = max(weights)
        fitting = [spelling for spelling, weight in zip(SPELLINGS, weights, strict=True) if weight == best]
        point = next((spelling for spelling in fitting if spelling.decimal == "."), None)
        comma = next((spelling for spelling in fitting if spelling.decimal == ","), None)
        if point is not None and comma is not None and point.group != "," and comma.group != ".":
            comma = None  # no value has a sign that means two things
        return [spelling._replace(unit=unit) for spelling in (point, comma) if spelling is not None]

    def spelled_otherwise(self, spelling: Spelling) -> tuple[int, list[Example]]:
        """How many values are numbers in other spellings only, which a run cannot read beside this one; and some of them."""
        index = SPELLINGS.index(spelling._replace(unit=""))
        odd = [shape for shape in self._shapes if not shape.fits[index] or not _fits_unit(shape.unit, spelling.unit)]
        count, examples = sum(self._shapes[shape] for shape in odd), [self._of_shape[shape] for shape in odd]
        if spelling.unit == "%":
            count += self._nonzero
            examples += [self._first_nonzero] if self._first_nonzero is not None else []
        elif spelling.decimal == ",":
            pointed = self._points - (self._grouped if spelling.group == "." else 0)
            count += pointed
            examples += [self._pointed] if pointed and self._pointed is not None else []
        return count, examples[:_SOME]

    def _unit(self) -> str:
        """The unit of most numbers that have one."""
        units = Counter[str]()
        for (unit, _), count in self._shapes.items():
            units[unit] += count
        without = self._plain + units.pop("", 0)
        if units["%"] < without:
            del units["%"]  # which every number has where one has it
        return units.most_common(1)[0][0] if units else ""


def _fits_unit(unit: str, wanted: str) -> bool:
    return unit == wanted or (not unit and wanted != "%")


def _first_of(column: StringArray, texts: StringArray, among: IntArray) -> IntArray:
    """``int64[1]``: where a column first has one of these of its texts, which ascend."""
    if not isinstance(column, DictionaryArray):
        return among[:1]
    is_one = np.zeros(len(texts), dtype=np.bool_)
    is_one[among] = True
    return np.array([is_one[column.indices].argmax()], dtype=np.int64)


def _leading_zeros(column: StringArray, plain: BoolArray) -> IntArray:
    """Indexes of the plain numbers that begin with a zero and another digit."""
    long = np.flatnonzero(plain & (column.lengths > 1))
    starts = column.offsets[:-1][long]
    second = column.data[starts + 1]
    is_digit = (second >= ord("0")) & (second <= ord("9"))
    begins_so: BoolArray = (column.data[starts] == ord("0")) & is_digit
    return long[begins_so]


def _points(column: StringArray, plain: BoolArray) -> tuple[IntArray, IntArray]:
    """Indexes of the plain numbers that have a decimal point, and of those of them that have one to three digits before it, no
    zero the first of them, and three behind it."""
    numbers = np.flatnonzero(plain)
    some = column.take(plain)
    ends, lengths = some.offsets[1:], some.lengths
    points = np.add.reduceat(some.data == ord("."), some.offsets[:-1], dtype=np.int64)
    first = some.data[some.offsets[:-1]]
    signed = ((first == ord("+")) | (first == ord("-"))).astype(np.int64)
    digits = lengths - signed
    possible = np.flatnonzero((points == 1) & (digits >= 5) & (digits <= 7))
    at_fourth = some.data[ends[possible] - 4] == ord(".")
    no_zero = some.data[(some.offsets[:-1] + signed)[possible]] != ord("0")
    no_exponent = some.data[ends[possible] - 3] | 0x20 != ord("e")  # in either case
    no_exponent &= some.data[ends[possible] - 2] | 0x20 != ord("e")
    return numbers[points > 0], numbers[possible[at_fourth & no_zero & no_exponent]]
