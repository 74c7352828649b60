"""Reading numbers from text, the same way for training data and for requests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np

from sageline.arrays.late_text import DictionaryArray, NumberArray, NumberText
from sageline.arrays.matrix import DoubleArray, FloatArray
from sageline.arrays.number_spelling import PLAIN, Spelling, plain_text, plain_texts
from sageline.arrays.strings import BoolArray, IntArray, StringArray

WordArray: TypeAlias = "np.ndarray[Any, np.dtype[np.uint64]]"  # Any: numpy's shape parameter


def _texts(listed: str) -> frozenset[str]:
    """Texts that are listed with commas between them, and the empty one."""
    return frozenset(text.strip() for text in listed.split(",")) | {""}


MISSING = _texts(
    """
    na, n/a, #n/a, nan, null, none, nil, nat, ?, ??, <na>, (na), (null), (blank), (missing), -, --, ---, \u2013, \u2014,
    ., .., ..., \u2026, *, n.a., n.a, n.d., n.d, nd, n/d, \\n, s/d, s.d., k.a., k. a., н/д, unknown, missing, undefined,
    not available, not applicable, not known, no data, keine angabe, unbekannt, inconnu, desconocido, desconhecido,
    sconosciuto, onbekend, неизвестно, нет данных, 未知, 不明, 无, #div/0!, #ref!, #value!, #num!, #name?, #null!, #wert!,
    #bezug!, #zahl!, #nv
    """
)
"""What stands for a missing number, in any case, with or without blanks around it: words, signs, and a spreadsheet's errors."""

NO_VALUE = frozenset(text for text in MISSING if text in ("nan", "null") or not (text.replace(" ", "").isalpha()))
"""Those that stand for a missing value in a column of any kind; of words such as ``none`` or ``unknown`` nobody can tell."""

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
DATE = re.compile(
    rf"(\d{{4}}([-/.])\d{{1,2}}\2\d{{1,2}}|\d{{1,2}}([-/.])\d{{1,2}}\3\d{{2,4}}|\d{{1,2}}[- ]{_MONTH}[- ]\d{{2,4}}"
    rf"|{_MONTH} \d{{1,2}},? \d{{4}}|(?:1[5-9]|2[01])\d\d[-/](?:0[1-9]|1[0-2]))(,?[T ]\d{{1,2}}:\d{{2}}.*)?",
    re.ASCII | re.IGNORECASE,
)
"""Usual spellings of a date, with or without a time."""

_TRUTH = {"true": "1", "false": "0"}
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_PLAIN = np.zeros(256, dtype=np.bool_)
_PLAIN[list(b"0123456789+-.eE")] = True
_MOST_PLAIN = 32  # bytes of a number; longer ones are read one by one
_MOST_DIGITS = 15  # any number of so many digits is exact as float64, and so are the powers of ten up to the 22nd
_POWERS = 10.0 ** np.arange(_MOST_DIGITS + 1)
_ZEROS, _SIXES, _UPPER = (np.uint64(0x0101010101010101 * byte) for byte in (ord("0"), 0x06, 0xF0))


class BadNumber(Exception):
    """A value that is no number that can be used.

    Attributes:
        index: where in the column it is.
        problem: the value and what is wrong with it.
    """

    def __init__(self, index: int, problem: str) -> None:
        super().__init__(index, problem)
        self.index = index
        self.problem = problem


@dataclass(frozen=True, eq=False)
class Cells:
    """A column's values as far as they are plain decimal numbers.

    Attributes:
        numbers: ``float64[n]``, NaN where the value is empty or no plain number.
        others: ``int64[m]``, ascending: indexes of the values that are neither empty nor plain numbers.
    """

    numbers: DoubleArray
    others: IntArray


def is_missing(text: str) -> bool:
    """Whether a number column takes this for a missing value."""
    return text.strip().lower() in MISSING


def is_number(text: str) -> bool:
    """Whether it is a plain decimal number: optional sign, digits with at most one point, optional exponent."""
    return _NUMBER.fullmatch(text) is not None


def as_number(text: str) -> str:
    """``1`` for ``true`` and ``0`` for ``false``, in any case; another text as it is."""
    return _TRUTH.get(text.strip().lower(), text)


def shown(text: str) -> str:
    """A value in an error message: quoted, and cut to 60 characters."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


_CELLS: WeakKeyDictionary[StringArray, Cells] = WeakKeyDictionary()
"""The cells of columns in use: a block's are read when they are counted, measured, and fitted by the encoder."""


def read_cells(column: StringArray) -> Cells:
    """The plain numbers of a column of any kind; not to be changed, because the same are given to everybody who asks."""
    cells = _CELLS.get(column)
    if cells is None:
        cells = _CELLS[column] = _read_cells(column)
    return cells


def _read_cells(column: StringArray) -> Cells:
    if isinstance(column, NumberArray):
        return Cells(column.numbers, np.zeros(0, dtype=np.int64))
    if isinstance(column, DictionaryArray):
        cells = read_cells(column.dictionary)
        others = np.flatnonzero(np.isin(column.indices, cells.others)) if len(cells.others) else cells.others
        return Cells(cells.numbers[column.indices], others)
    if isinstance(column, NumberText):
        return Cells(column.numbers, np.zeros(0, dtype=np.int64))
    digits = _parse_digits(column)
    if digits is not None:
        return Cells(digits, np.zeros(0, dtype=np.int64))
    lengths = column.lengths
    is_plain = (lengths > 0) & (lengths <= _MOST_PLAIN)
    is_plain[is_plain] = _PLAIN[column.data[column.offsets[:-1][is_plain]]]  # most texts are known by their first byte
    plain = np.flatnonzero(is_plain)
    numbers = np.full(len(column), np.nan)
    numbers[plain], is_read = _read_decimals(column if len(plain) == len(column) else column.take(plain))
    rest = plain[~is_read]
    if len(rest):
        numbers[rest] = _read_one_by_one(column.take(rest))
        is_plain[rest] = ~np.isnan(numbers[rest])
    return Cells(numbers, np.flatnonzero(~is_plain & (lengths > 0)))


def _read_one_by_one(column: StringArray) -> DoubleArray:
    """Texts that are not empty as numbers, NaN where one is no plain number."""
    is_plain = np.logical_and.reduceat(_PLAIN[column.data], column.offsets[:-1])
    texts = [text for text, plain in zip(column.tolist(), is_plain.tolist(), strict=True) if plain]
    numbers = np.full(len(column), np.nan)
    try:
        numbers[is_plain] = np.array(texts, dtype=np.float64) if texts else np.nan
    except ValueError:  # signs and points only, say
        numbers[is_plain] = [float(text) if is_number(text) else np.nan for text in texts]
    return numbers


def _read_decimals(column: StringArray) -> tuple[DoubleArray, BoolArray]:
    """Numbers of at most 15 digits without an exponent, and which of the texts are such ones; the others are NaN.

    Their digits as a whole number, and the power of ten that it is divided by, are both exact as ``float64``, so the quotient is
    rounded once: it is the number that ``float`` reads (Clinger, 1990).
    """
    if not len(column):
        return np.zeros(0), np.zeros(0, dtype=np.bool_)
    is_point = column.data == ord(".")
    points = np.flatnonzero(is_point)
    before = np.searchsorted(points, column.offsets)  # how many points stand before each text
    has_point = np.diff(before)
    first = column.data[np.minimum(column.offsets[:-1], len(column.data) - 1)]
    negative = first == ord("-")
    digits = column.lengths - has_point - (negative | (first == ord("+")))
    is_read = (has_point <= 1) & (digits >= 1) & (digits <= _MOST_DIGITS)
    decimals = np.zeros(len(column), dtype=np.int64)
    with_point = np.flatnonzero(is_read & (has_point == 1))
    decimals[with_point] = column.offsets[1:][with_point] - points[before[:-1][with_point]] - 1
    # The digits of every text in two words of eight, right-aligned: what the texts before have there is shifted out.
    padded = np.zeros(16 + len(column.data) - len(points), dtype=np.uint8)
    padded[16:] = column.data[~is_point] if len(points) else column.data
    words = np.ndarray(len(padded) - 7, dtype="<u8", buffer=padded.data, strides=(1,))
    ends = 16 + column.offsets[1:] - before[1:]
    low, low_read = _eight_digits(words[ends - 8], np.minimum(digits, 8))
    is_read &= low_read
    long = np.flatnonzero(is_read & (digits > 8))
    if len(long):
        high, is_read[long] = _eight_digits(words[ends[long] - 16], digits[long] - 8)
        low[long] += high * 100_000_000
    numbers = low.astype(np.float64) / _POWERS[np.where(is_read, decimals, 0)]
    numbers[negative] *= -1
    numbers[~is_read] = np.nan
    return numbers, is_read


def _eight_digits(words: WordArray, count: IntArray) -> tuple[IntArray, BoolArray]:
    """The last ``count`` (1 to 8) bytes of each word as a decimal number, and whether all of them are digits."""
    shift = (64 - 8 * np.clip(count, 1, 8)).astype(np.uint64)
    digits = (words ^ _ZEROS) >> shift << shift
    # A byte above 9 has a bit of its upper half, or gets one when 6 is added to it.
    are_digits = ((digits | (digits + _SIXES)) & _UPPER) == 0
    pairs = (digits * np.uint64(10) + (digits >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    fours = (pairs * np.uint64(100) + (pairs >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    eights = (fours * np.uint64(10_000) + (fours >> np.uint64(32))) & np.uint64(0xFFFFFFFF)
    return eights.astype(np.int64), are_digits


def parse_doubles(column: StringArray, spelling: Spelling = PLAIN) -> DoubleArray:
    """The column's numbers, ``float64[n]``; NaN where one is missing (:data:`MISSING`).

    Raises:
        BadNumber: the first value that is no number in the spelling.
    """
    if isinstance(column, NumberArray):
        return column.numbers
    if spelling != PLAIN:
        return _parse_spelled(column, spelling)
    cells = read_cells(column)
    if not len(cells.others):
        return cells.numbers
    numbers = cells.numbers.copy()
    for index in cells.others.tolist():
        numbers[index] = _parse(index, column[index], spelling)
    return numbers


_SPELLED: WeakKeyDictionary[StringArray, tuple[Spelling, DoubleArray]] = WeakKeyDictionary()
"""The same of numbers that are not plain."""


def _parse_spelled(column: StringArray, spelling: Spelling) -> DoubleArray:
    read = _SPELLED.get(column)
    if read is not None and read[0] == spelling:
        return read[1]
    texts = column.tolist()
    missing = {text for text in set(texts) if not text[-1:].isdigit() and is_missing(text)}
    plain = plain_texts(["" if text in missing else text for text in texts] if missing else texts, spelling)
    if plain is None:
        numbers = np.array([_parse(index, text, spelling) for index, text in enumerate(texts)], dtype=np.float64)
    else:
        numbers = np.array(plain, dtype=np.float64)
    _SPELLED[column] = (spelling, numbers)
    return numbers


def parse_numbers(column: StringArray, spelling: Spelling = PLAIN) -> FloatArray:
    """The same as ``float32[n]``.

    Raises:
        BadNumber: the first value that is no number, or is beyond the range of float32.
    """
    values = parse_doubles(column, spelling)
    with np.errstate(over="ignore"):
        result = values.astype(np.float32)
    beyond = np.flatnonzero(np.isinf(result))
    if len(beyond):
        index = int(beyond[0])
        raise BadNumber(index, f"{shown(column[index])} is beyond the range of float32 (3.4e38)")
    return result


def _parse_digits(column: StringArray) -> DoubleArray | None:
    """Texts of one to seven digits only, as counts and pixels are."""
    lengths = column.lengths
    if len(lengths) == 0 or lengths.min() == 0 or lengths.max() > 7:
        return None
    digits = column.data - np.uint8(ord("0"))  # anything below "0" wraps around to more than 9
    if digits.max() > 9:
        return None
    values = np.zeros(len(column), dtype=np.int64)
    for position in range(int(lengths.max())):
        has = np.flatnonzero(lengths > position)
        values[has] = values[has] * 10 + digits[column.offsets[has] + position]
    return values.astype(np.float64)


def _parse(index: int, text: str, spelling: Spelling) -> float:
    if is_missing(text):
        return float("nan")
    number = text if spelling == PLAIN and is_number(text) else plain_text(text, spelling)
    if number is None and plain_text(text, spelling._replace(unit="")) is not None:
        raise BadNumber(index, f"{shown(text)} has no {spelling.unit}, and the other numbers have one; write all of them alike")
    if number is None:
        is_date = DATE.fullmatch(text.strip())
        hint = " but a date; make numbers of dates (year, month, days since ...) to learn from them" if is_date else ""
        as_others = "" if spelling == PLAIN or hint else f" as the others are spelled, {spelling.words}"
        raise BadNumber(index, f"{shown(text)} is not a number{as_others}{hint}")
    return float(number)
