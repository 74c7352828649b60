"""Reading numbers from text, the same way for training data and for requests."""

from __future__ import annotations

import re

import numpy as np

from sageline.dataset.blocks import StringArray
from sageline.formats.matrix import DoubleArray, FloatArray

MISSING = frozenset(("", "na", "n/a", "#n/a", "nan", "null", "none", "?"))
"""What stands for a missing number, in any case, with or without white space around it."""

DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}.*)?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}( \d{1,2}:\d{2}.*)?", re.ASCII)
"""Usual spellings of a date, with or without a time."""

_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_PLAIN = np.zeros(256, dtype=np.bool_)
_PLAIN[list(b"0123456789+-.eE")] = True


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


def is_missing(text: str) -> bool:
    """Whether a number column takes this for a missing value."""
    return text.strip().lower() in MISSING


def is_number(text: str) -> bool:
    """Whether it is a decimal number: optional sign, digits with at most one point, optional exponent."""
    return _NUMBER.fullmatch(text) is not None


def shown(text: str) -> str:
    """A value in an error message: quoted, and cut to 60 characters."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def parse_numbers(column: StringArray) -> FloatArray:
    """The column's numbers, ``float32[n]``; NaN where one is missing (:data:`MISSING`).

    Raises:
        BadNumber: the first value that is no number, or is beyond the range of float32.
    """
    digits = _parse_digits(column)
    if digits is not None:
        return digits
    texts = column.tolist()
    values = _parse_plain(texts) if _PLAIN[column.data].all() else None
    if values is None:
        values = np.array([_parse(index, text) for index, text in enumerate(texts)], dtype=np.float64)
    with np.errstate(over="ignore"):
        result = values.astype(np.float32)
    beyond = np.flatnonzero(np.isinf(result))
    if len(beyond):
        index = int(beyond[0])
        raise BadNumber(index, f"{shown(texts[index])} is beyond the range of float32 (3.4e38)")
    return result


def _parse_digits(column: StringArray) -> FloatArray | None:
    """Texts of one to seven digits only, as counts and pixels are; whole numbers of that size are exact in float32."""
    lengths = column.lengths
    if len(lengths) == 0 or lengths.min() == 0 or lengths.max() > 7:
        return None
    digits = column.data - np.uint8(ord("0"))  # anything below "0" wraps around to more than 9
    if digits.max() > 9:
        return None
    values = np.zeros(len(column), dtype=np.int64)
    for place in range(int(lengths.max())):
        has = np.flatnonzero(lengths > place)
        values[has] = values[has] * 10 + digits[column.offsets[has] + place]
    return values.astype(np.float32)


def _parse_plain(texts: list[str]) -> DoubleArray | None:
    """Texts of digits, signs, points and exponents only: what ``float`` takes of these is a number."""
    try:
        return np.array([text or "nan" for text in texts], dtype=np.float64)
    except ValueError:
        return None


def _parse(index: int, text: str) -> float:
    if is_missing(text):
        return float("nan")
    if not is_number(text):
        is_date = DATE.fullmatch(text.strip())
        hint = " but a date; make numbers of dates (year, month, days since ...) to learn from them" if is_date else ""
        raise BadNumber(index, f"{shown(text)} is not a number{hint}")
    return float(text)
