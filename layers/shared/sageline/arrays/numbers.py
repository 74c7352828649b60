"""Reading numbers from text, the same way for training data and for requests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from sageline.arrays.digits import read_decimals
from sageline.arrays.late_text import DictionaryArray, NumberArray, NumberText
from sageline.arrays.matrix import DoubleArray, FloatArray
from sageline.arrays.number_spelling import PLAIN, Spelling, plain_text, plain_texts
from sageline.arrays.strings import BoolArray, ByteArray, IntArray, StringArray


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
        is_other = np.zeros(len(column.dictionary), dtype=np.bool_)
        is_other[cells.others] = True
        return Cells(cells.numbers[column.indices], np.flatnonzero(is_other[column.indices]))
    if isinstance(column, NumberText):
        return Cells(column.numbers, np.zeros(0, dtype=np.int64))
    lengths = column.lengths
    is_plain = (lengths > 0) & (lengths <= _MOST_PLAIN)
    is_plain[is_plain] = _PLAIN[column.data[column.offsets[:-1][is_plain]]]  # most texts are known by their first byte
    numbers = np.full(len(column), np.nan)
    plain = np.flatnonzero(is_plain)
    numbers[plain], is_read = read_decimals(column.data, column.offsets[plain], lengths[plain])
    rest = plain[~is_read]
    is_plain[rest] = _may_be_numbers(column.data, column.offsets[rest], lengths[rest])
    rest = rest[is_plain[rest]]
    if len(rest):
        numbers[rest] = _read_one_by_one(column.take(rest))
        is_plain[rest] = ~np.isnan(numbers[rest])
    return Cells(numbers, np.flatnonzero(~is_plain & (lengths > 0)))


def _may_be_numbers(data: ByteArray, starts: IntArray, lengths: IntArray) -> BoolArray:
    """Which texts are not seen to be no number by their third and fifth bytes, where most dates have signs."""
    may_be = np.ones(len(starts), dtype=np.bool_)
    for place in (2, 4):
        reach = np.flatnonzero(lengths > place)
        byte, before = data[starts[reach] + place], data[starts[reach] + (place - 1)] | 0x20  # in lower case
        is_sign = (byte == ord("+")) | (byte == ord("-"))
        may_be[reach] &= _PLAIN[byte] & (~is_sign | (before == ord("e")))
    return may_be


def _read_one_by_one(column: StringArray) -> DoubleArray:
    """Texts that are not empty as numbers, NaN where one is no plain number."""
    is_plain = np.logical_and.reduceat(_PLAIN[column.data], column.offsets[:-1])
    is_plain[_with_sign_inside(column)] = False
    texts = [text for text, plain in zip(column.tolist(), is_plain.tolist(), strict=True) if plain]
    numbers = np.full(len(column), np.nan)
    try:
        numbers[is_plain] = np.array(texts, dtype=np.float64) if texts else np.nan
    except ValueError:  # signs and points only, say
        numbers[is_plain] = [float(text) if is_number(text) else np.nan for text in texts]
    return numbers


def _with_sign_inside(column: StringArray) -> IntArray:
    """Indexes of the texts that have a sign somewhere else than at the beginning and in an exponent, as dates have."""
    data = column.data
    signs = np.flatnonzero((data == ord("+")) | (data == ord("-")))
    row: IntArray = np.searchsorted(column.offsets, signs, side="right") - 1
    before = data[signs - 1] | 0x20  # in lower case
    inside = (signs > column.offsets[row]) & (before != ord("e"))
    return row[np.flatnonzero(inside)]


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
