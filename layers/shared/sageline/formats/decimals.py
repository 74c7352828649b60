"""Many float32 numbers as text at once: each with the fewest decimals that read back as the same float32.

Every cell of a table gets the same number of bytes, as many as the widest needs. Digits come four at a time from look-up
tables; a byte that a cell does not need is zero, and all zero bytes are dropped at the end.

A number between 1e-4 and 1e8 (or zero) is ``k / 10**d`` for the smallest ``d`` that reads back. The numbers k and 10**d are
exact in float64, so their quotient is what a reader makes of the text before it casts to float32. Other numbers, and the few
whose quotient lies in the middle between two float32 (a reader that does not pass through float64 may round it differently),
are left to numpy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sageline.dataset.blocks import BoolArray, ByteArray, IntArray
from sageline.formats.matrix import AnyArray, DoubleArray, FloatArray

_SMALL = 1000  # whole numbers below this, from 0, have a table of their own
_BELOW, _FROM = 1e8, 1e-4  # what is written with digits from the tables
_MOST_DECIMALS = 12  # of such numbers: nine digits tell all float32 apart
_OTHER_BYTES = 24  # more than the longest text that numpy gives a float32
_CHUNK_CELLS = 1 << 15  # what fits a processor's cache

# Any in these: numpy's shape parameter.
_Words = np.ndarray[Any, np.dtype[np.uint32]]


def write_lines(table: FloatArray, labels: FloatArray | None) -> bytes:
    """``float32[rows, columns]`` as lines of cells separated by commas, in front of them the label, if there are labels
    (``float32[rows]``); NaN is an empty cell."""
    rows, columns = len(table), int(table.shape[1])
    if labels is None and columns == 0:
        return b"\n" * rows
    step = max(1, _CHUNK_CELLS // (columns + 1))
    lines = []
    for start in range(0, rows, step):
        part = table[start : start + step]
        if labels is not None:
            part = np.column_stack([labels[start : start + step], part])
        lines.append(_lines(np.ascontiguousarray(part, dtype=np.float32)))
    return b"".join(lines)


def _lines(table: FloatArray) -> bytes:
    small = _small_whole(table)
    if small is not None:
        words = _SMALL_TEXT[small]
        words.view(np.uint8).reshape(*table.shape, 4)[:, -1, 3] = ord("\n")
        return _without_zeros(words)
    cells = _cells(table.reshape(-1))
    cells["end"].reshape(table.shape)[:, -1] = ord("\n")
    return _without_zeros(cells)


def _without_zeros(cells: AnyArray) -> bytes:
    return cells.tobytes().translate(None, b"\0")


def write_pairs(keys: IntArray, values: FloatArray, ends: ByteArray) -> bytes:
    """``key:value`` for each pair, followed by its end, a byte; the value alone where the key is negative.

    Args:
        keys: ``int64[n]``, less than 1e8.
        values: ``float32[n]``.
    """
    parts = []
    for start in range(0, len(keys), _CHUNK_CELLS):
        chunk = slice(start, start + _CHUNK_CELLS)
        cells = _cells(values[chunk])
        cells["end"] = ends[chunk]
        has_key = keys[chunk] >= 0
        before = _whole(np.where(has_key, keys[chunk], 0))
        layout = [*((name, part.dtype) for name, part in before.items()), ("colon", "u1"), ("value", cells.dtype)]
        pairs = np.zeros(len(cells), layout)
        for name, part in before.items():
            pairs[name] = part * has_key
        pairs["colon"] = has_key * np.uint8(ord(":"))
        pairs["value"] = cells
        parts.append(_without_zeros(pairs))
    return b"".join(parts)


def _small_whole(table: FloatArray) -> IntArray | None:
    """The table as indexes of :data:`_SMALL_TEXT`, if it holds nothing but small whole numbers."""
    if not (table.min() >= 0 and table.max() < _SMALL):  # not so for NaN either
        return None
    whole = table.astype(np.int64)
    return whole if (whole == table).all() and not np.signbit(table).any() else None


def _cells(values: FloatArray) -> AnyArray:
    """Each number as a record of bytes; the last one, ``end``, separates it from the next, a comma."""
    sizes = np.abs(values)
    usable = ((sizes >= _FROM) & (sizes < _BELOW)) | (sizes == 0)
    every = bool(usable.all())
    exact = (sizes if every else np.where(usable, sizes, np.float32(0))).astype(np.float64)
    whole = exact.astype(np.int64)
    decimals = _decimals(exact, whole)
    usable[decimals.unread] = False
    parts = {"sign": np.signbit(values) * np.uint8(ord("-")), **_whole(whole), **_fraction(decimals)}
    other = [] if every and len(decimals.unread) == 0 else [("other", f"S{_OTHER_BYTES}")]
    cells = np.zeros(len(values), [*((name, part.dtype) for name, part in parts.items()), *other, ("end", "u1")])
    for name, part in parts.items():
        cells[name] = part
    if other:
        cells[~usable] = np.zeros(1, cells.dtype)
        cells["other"][~usable] = [_text(value) for value in values[~usable]]
    cells["end"] = ord(",")
    return cells


def _text(value: np.float32) -> bytes:
    return b"" if np.isnan(value) else str(value).removesuffix(".0").encode()


def _whole(numbers: IntArray) -> dict[str, AnyArray]:
    """Digits before the point."""
    if numbers.max() < 10_000:
        return {"low": _LEADING[numbers]}
    high = numbers // 10_000
    low = _LEADING[numbers - high * 10_000 + (high > 0) * 10_000]
    return {"high": np.where(high > 0, _LEADING[high], np.uint32(0)), "low": low}


def _fraction(decimals: _Decimals) -> dict[str, AnyArray]:
    """The point and the digits after it."""
    groups = -(-decimals.most // 4)
    rest = decimals.numbers // 10 ** (_MOST_DECIMALS - 4 * groups)
    parts: dict[str, AnyArray] = {}
    follows = np.zeros(len(rest), dtype=np.bool_)  # whether there are digits further right
    for group in reversed(range(groups)):
        digits, rest = (rest - rest // 10_000 * 10_000, rest // 10_000) if group else (rest, rest)
        parts[f"group{group}"] = _TRAILING[digits + follows * 10_000]
        follows |= digits > 0
    point: AnyArray = follows * np.uint8(ord("."))
    return {"point": point, **dict(reversed(parts.items()))} if groups else {}


class _Decimals(NamedTuple):
    """What follows the points of some numbers.

    Attributes:
        numbers: the first :data:`_MOST_DECIMALS` decimals as one whole number, ``int64[n]``.
        most: how many decimals the longest has.
        unread: indexes of numbers that have no such decimals.
    """

    numbers: IntArray
    most: int
    unread: IntArray


def _decimals(exact: DoubleArray, whole: IntArray) -> _Decimals:
    """The fewest decimals with which each number reads back as the same float32."""
    search = _Search(exact, whole, np.zeros(len(exact), dtype=np.int64))
    rest = search.settle(np.flatnonzero(whole != exact), (1, 2))
    # A number that has not few decimals has many as a rule: six are enough for half of the others.
    wanted = exact[rest]
    short = _reads_back(np.rint(wanted * 1e6) / 1e6, wanted)
    unread = search.settle(rest[~short], range(7, _MOST_DECIMALS + 1))
    unread = np.append(unread, search.settle(rest[short], range(3, 7)))
    return _Decimals(search.numbers, search.most, unread)


@dataclass
class _Search:
    exact: DoubleArray
    whole: IntArray
    numbers: IntArray
    most: int = 0

    def settle(self, places: IntArray, counts: Iterable[int]) -> IntArray:
        """Try these counts of decimals for the numbers at these places; the places where none of them will do."""
        for count in counts:
            if len(places) == 0:
                break
            wanted = self.exact[places]
            units = np.rint(wanted * 10.0**count)
            good = _reads_back(units / 10.0**count, wanted)
            found = places[good]
            if len(found):
                fraction = units[good].astype(np.int64) - self.whole[found] * 10**count
                self.numbers[found] = fraction * 10 ** (_MOST_DECIMALS - count)
                self.most = max(self.most, count)
            places = places[~good]
        return places


def _reads_back(decimal: DoubleArray, wanted: DoubleArray) -> BoolArray:
    """Whether a decimal is the wanted float32 for every reader: not in the middle between that and the next one."""
    certain: BoolArray = (decimal.view(np.int64) & _BELOW_FLOAT32) != _MIDDLE
    certain &= decimal.astype(np.float32) == wanted
    return certain


_BELOW_FLOAT32, _MIDDLE = (1 << 29) - 1, 1 << 28  # the 29 bits that float64 has more than float32


def _four_digits() -> tuple[ByteArray, BoolArray]:
    """The digits of 0 to 9999, ``uint8[10000, 4]``, and which of them are zeros with nothing but zeros to their left."""
    digits = np.arange(10_000)[:, None] // 10 ** np.arange(3, -1, -1) % 10
    return (digits + ord("0")).astype(np.uint8), np.cumsum(digits, axis=1) == 0


def _as_words(*texts: ByteArray) -> _Words:
    return np.concatenate(texts).view(np.uint32).reshape(-1)


_DIGITS, _IDLE = _four_digits()
_IDLE[0, 3] = False  # 0 is written as one digit
_LEADING = _as_words(np.where(_IDLE, np.uint8(0), _DIGITS), _DIGITS)  # from 10,000 on with all zeros
_TRAILING_IDLE = np.cumsum(_DIGITS[:, ::-1] - ord("0"), axis=1)[:, ::-1] == 0
_TRAILING = _as_words(np.where(_TRAILING_IDLE, np.uint8(0), _DIGITS), _DIGITS)
_COMMAS = np.full((_SMALL, 1), ord(","), dtype=np.uint8)
_SMALL_TEXT = _as_words(np.hstack([np.where(_IDLE, np.uint8(0), _DIGITS)[:_SMALL, 1:], _COMMAS]))
