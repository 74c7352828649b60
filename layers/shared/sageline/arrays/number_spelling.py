"""How the numbers of a column are spelled: decimal comma, groups of three digits, percent and currency signs.

A value may fit several spellings (``1,234`` is 1234 or 1.234); a column has one, which all of its values fit. It is part of the
encoder's saved state, so that a prediction and a batch read ``1.234,50`` as the training did.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple


class Spelling(NamedTuple):
    """How numbers are spelled.

    Attributes:
        decimal: what stands before the fraction, ``.`` or ``,``.
        group: what stands between groups of three digits: empty, or one of ``.``, ``,``, a space, an apostrophe. Numbers without
            groups are read too.
        unit: ``%``, which every number but 0 has, or a currency such as ``$`` or ``EUR``, which a number may lack. The number
            is the one that is written: ``12%`` is 12.
    """

    decimal: str = "."
    group: str = ""
    unit: str = ""

    @property
    def words(self) -> str:
        """How a person would call it; empty for plain numbers."""
        parts = []
        if self.group:
            example = {",": "1,234.5", ".": "1.234,5", " ": f"1 234{self.decimal}5", "'": f"1'234{self.decimal}5"}[self.group]
            parts.append(f"in groups of three digits ({example} is 1234.5)")
        elif self.decimal == ",":
            parts.append("with a decimal comma (1,5 is 1.5)")
        if self.unit:
            parts.append(f"with {self.unit}" + (" (12% is read as 12)" if self.unit == "%" else ""))
        return " and ".join(parts)


PLAIN = Spelling()

SPELLINGS = tuple(Spelling(decimal, group) for decimal in ".," for group in ("", ",", ".", " ", "'") if group != decimal)
"""Every way to spell the digits, the simplest first among those of a decimal sign."""

_TIDIED = str.maketrans(
    {
        **dict.fromkeys("\u2212\uff0d\u2013", "-"),
        **dict.fromkeys("\u00a0\u2007\u2009\u202f", " "),
        **dict.fromkeys("\u2019\u02bc", "'"),
    }
)
"""Signs that look alike: minus (U+2212) and en dash, spaces that do not break, apostrophes."""

_CODES = "USD|EUR|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|RUB|BRL|AUD|CAD|NZD|MXN|ZAR|KRW|SGD|HKD|TRY"
SYMBOL_OR_CODE = rf"[A-Z]{{0,2}}[$¢£¤¥\u20a0-\u20bf]|{_CODES}"
"""Currencies by their signs or their usual codes, as a regular expression."""

_CURRENCY = rf"{SYMBOL_OR_CODE}|Rs\.?|kr\.?|zł|Kč|Ft"
_VALUE = re.compile(
    rf"([+-]?) ?({_CURRENCY})? ?([+-]?)(\d(?:[\d.,' ]*\d)?[.,]?|[.,]\d+)([eE][+-]?\d+)? ?({_CURRENCY}|%)?",
    re.ASCII,
)
_LEADING = str.maketrans("23456789", "1" * 8)
_ALIKE = str.maketrans("023456789", "1" * 9)
_DIGIT = re.compile(r"\d", re.ASCII)
_MOST_SHAPE = 40  # characters of a value that can be a number


class Shape(NamedTuple):
    """What can be said of a value from where its digits and signs are.

    Attributes:
        unit: as in :class:`Spelling`.
        fits: for each of :data:`SPELLINGS`, whether the digits are spelled so.
    """

    unit: str
    fits: tuple[bool, ...]


def shape_of(text: str) -> Shape | None:
    """The shape of a spelled number; None for what is no number in any spelling."""
    if len(text) > _MOST_SHAPE:
        return None
    tidy = text.translate(_TIDIED).strip()
    digit = _DIGIT.search(tidy)
    if digit is None:
        return None
    # All digits but a leading zero are alike, so a few shapes stand for all values of a column.
    return _shape(tidy[: digit.end()].translate(_LEADING) + tidy[digit.end() :].translate(_ALIKE))


@functools.lru_cache(maxsize=4096)
def _shape(tidy: str) -> Shape | None:
    match = _VALUE.fullmatch(tidy)
    if match is None or (match[1] and match[3]) or (match[2] and match[6]):
        return None
    fits = tuple(_digits(spelling.decimal, spelling.group).fullmatch(match[4]) is not None for spelling in SPELLINGS)
    return Shape(match[2] or match[6] or "", fits) if any(fits) else None


@functools.cache
def _digits(decimal: str, group: str) -> re.Pattern[str]:
    """Digits with a fraction, in groups or without; groups of two before the last three are those of India."""
    point, separator = re.escape(decimal), re.escape(group)
    whole = r"\d+"
    if group:
        whole += rf"|[1-9]\d{{0,2}}(?:{separator}\d{{3}})+"
    if group == ",":
        whole += rf"|[1-9]\d?(?:{separator}\d{{2}})+{separator}\d{{3}}"
    return re.compile(rf"(?:{whole})(?:{point}\d*)?|{point}\d+", re.ASCII)


def plain_text(text: str, spelling: Spelling) -> str | None:
    """A number in the spelling as ``float`` reads it; None when it is not spelled so."""
    match = _VALUE.fullmatch(text.translate(_TIDIED).strip())
    if match is None or (match[1] and match[3]) or (match[2] and match[6]):
        return None
    digits = match[4]
    if _digits(spelling.decimal, spelling.group).fullmatch(digits) is None:
        return None
    if spelling.group:
        digits = digits.replace(spelling.group, "")
    number = f"{match[1]}{match[3]}{digits.replace(spelling.decimal, '.')}{match[5] or ''}"
    unit = match[2] or match[6] or ""
    lacks_unit = spelling.unit == "%" and not unit and float(number) != 0
    return None if lacks_unit or unit not in ("", spelling.unit) else number


def plain_texts(texts: Sequence[str], spelling: Spelling) -> list[str] | None:
    """Many numbers in the spelling as ``float`` reads them, ``nan`` for an empty text; None when one of them is not plainly
    spelled so, which :func:`plain_text` may read all the same."""
    joined = "\n".join(texts)
    if not joined.isascii():
        joined = joined.translate(_TIDIED)
    if _lines(spelling).fullmatch(f"{joined}\n") is None:
        return None
    for sign in (spelling.unit, spelling.group, " "):
        joined = joined.replace(sign, "") if sign else joined
    plain = [text or "nan" for text in joined.replace(spelling.decimal, ".").split("\n")]
    return plain if len(plain) == len(texts) else None


@functools.cache
def _lines(spelling: Spelling) -> re.Pattern[str]:
    """Lines that are empty or a number in the spelling. No line is tried twice, so long texts take no longer than they are."""
    number = rf"(?:{_digits(spelling.decimal, spelling.group).pattern})(?:[eE][+-]?\d+)?"
    unit = re.escape(spelling.unit)
    if spelling.unit == "%":
        number = rf"[+-]?{number} ?%"
    elif spelling.unit:
        number = rf"[+-]?(?:{unit} ?)?{number}|[+-]?{number} ?{unit}"
    else:
        number = rf"[+-]?{number}"
    return re.compile(rf"(?>(?:{number})?\n)*+", re.ASCII)


def spelled(number: float, spelling: Spelling) -> str:
    """A number of a JSON document as the column spells it."""
    return respelled(repr(number), spelling)


def respelled(plain: str, spelling: Spelling) -> str:
    """A plain number as the column spells it."""
    text = plain.replace(".", spelling.decimal)
    return f"{text}%" if spelling.unit == "%" else text
