"""Which spellings are one value: of labels, and of categories.

Blanks around a text do not count. Where all values are numbers, whole numbers are compared as numbers: ``1``, ``1.0`` and ``1e0``
are one value. Leading zeros (``01``, a code) and zeros at the end of a fraction (``2.10``, a version) tell values apart.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from sageline.arrays.factors import factors
from sageline.arrays.numbers import is_number
from sageline.arrays.strings import IntArray, StringArray

_TELLING_ZERO = re.compile(r"[+-]?0\d.*|.*\.\d*0", re.ASCII)

_FEW = 64  # texts, of which nobody asks which differ
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
_TRUTH = {"false": 0.0, "true": 1.0}
_NO = ["false", "f", "no", "n", "off", "0", "falsch", "nein", "faux", "non", "falso", "não", "нет", "ні"]
_YES = ["true", "t", "yes", "y", "on", "1", "wahr", "ja", "j", "vrai", "oui", "o", "verdadero", "sí", "si", "sim", "да", "так"]
_TRUTHS = dict.fromkeys(_NO, False) | dict.fromkeys(_YES, True)
"""Usual spellings of a boolean, in any case."""


def one_name(counts: Mapping[str, int]) -> dict[str, str]:
    """For every text its value's name: the most frequent spelling without an exponent, of equally frequent ones the shortest.

    Args:
        counts: how often each text occurs.
    """
    stripped = {text: text.strip() for text in counts}
    of_text = Counter[str]()
    for text, name in stripped.items():
        of_text[name] += counts[text]
    if not of_text or not all(map(is_number, of_text)):
        return stripped
    best: dict[float | str, str] = {}
    for name in sorted(of_text, key=lambda name: ("e" in name.lower(), -of_text[name], len(name), name)):
        best.setdefault(_key(name), name)
    return {text: best[_key(name)] for text, name in stripped.items()}


def is_truth(texts: Iterable[str]) -> bool:
    """Whether these are a yes and a no, however spelled, and not plainly the numbers 0 and 1."""
    names = {text.strip().casefold() for text in texts}
    return {_TRUTHS.get(name) for name in names} == {True, False} and not names <= {"0", "1"}


def category_names(counts: Mapping[str, int]) -> dict[str, str]:
    """The same as :func:`one_name` for categories, of which a yes is one value and a no the other, however spelled."""
    if not is_truth(counts):
        return one_name(counts)
    by_truth: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
    for text, count in counts.items():
        by_truth[_TRUTHS[text.strip().casefold()]][text.strip()] += count
    best = {truth: min(texts, key=lambda text: (-texts[text], len(text), text)) for truth, texts in by_truth.items()}
    return {text: best[_TRUTHS[text.strip().casefold()]] for text in counts}


def merged(counts: Mapping[str, int]) -> Counter[str]:
    """How often each value occurs, by its name."""
    names = one_name(counts)
    result = Counter[str]()
    for text, count in counts.items():
        result[names[text]] += count
    return result


def alike(names: Iterable[str]) -> list[list[str]]:
    """Values that are told apart and may be one: alike but for case, equal as numbers, or ``1`` and ``true``."""
    groups: dict[str | float, list[str]] = {}
    numbers: dict[float, list[str]] = {}
    listed = sorted(names)
    for name in listed:
        groups.setdefault(_look(name), []).append(name)
        if is_number(name):
            numbers.setdefault(float(name), []).append(name)
    for name in listed:
        if (number := _TRUTH.get(name.casefold())) in numbers:
            numbers[number].append(name)
    return [group for group in (*groups.values(), *numbers.values()) if len(group) > 1]


def _look(name: str) -> str:
    """What names have in common that differ by case, blanks, invisible characters, or how their accents are composed."""
    return " ".join(unicodedata.normalize("NFC", name.translate(_INVISIBLE)).casefold().split())


class ValueIndex:
    """Finds the index of a text among values.

    Args:
        values: in their order.
        exact: a text is the value that it equals to the letter, and no other.
        truth: the values are a yes and a no, and any usual spelling of one is that one.
    """

    def __init__(self, values: Sequence[str], *, exact: bool = False, truth: bool = False) -> None:
        self.indexes = {value: index for index, value in enumerate(values)}
        self._exact = exact
        self._numbers: dict[float | str, int] = {}
        self._truths = {_TRUTHS[value.casefold()]: index for index, value in enumerate(values)} if truth else {}
        there = [value for value in values if value]
        if there and not exact and all(map(is_number, there)):
            self._numbers = {_key(value): index for index, value in enumerate(values) if value}

    def index(self, text: str) -> int:
        """-1 for a text that is none of the values."""
        found = self.indexes.get(text)
        if found is not None or self._exact:
            return -1 if found is None else found
        text = text.strip()
        found = self.indexes.get(text)
        if found is None and self._numbers and is_number(text):
            found = self._numbers.get(_key(text))
        if found is None and self._truths and (truth := _TRUTHS.get(text.casefold())) is not None:
            found = self._truths.get(truth)
        return -1 if found is None else found

    def indexes_of(self, column: StringArray) -> IntArray:
        """``int64[n]``: the index of each text."""
        if len(column) <= _FEW:
            return np.array([self.index(text) for text in column.tolist()], dtype=np.int64)
        different = factors(column)
        return np.array([self.index(text) for text in different.values.tolist()], dtype=np.int64)[different.codes]


def _key(number: str) -> float | str:
    """What equal numbers have in common."""
    value = float(number)
    tells = _TELLING_ZERO.fullmatch(number) is not None and not (value.is_integer() and not re.match(r"[+-]?0\d", number))
    return number if tells or value in (float("inf"), float("-inf")) else value
