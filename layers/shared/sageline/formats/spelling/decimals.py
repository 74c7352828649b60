"""Many float32 numbers as text at once: each with the fewest decimals that read back as the same float32.

Every cell of a table gets the same number of bytes, as many as the widest needs. Digits come four at a time from look-up
tables; a byte that a cell does not need is zero, and all zero bytes are dropped at the end.

A number between 1e-4 and 1e8 (or zero) is ``k / 10**d`` for the smallest ``d`` that reads back. The numbers k and 10**d are
exact in float64, so their quotient is what a reader makes of the text before it casts to float32. Other numbers, and the few
whose quotient lies in the middle between two float32 (a reader that does not pass through float64 may round it differently),
are left to numpy.

XGBoost's reader of text is such a one: it makes a float32 of what is before the point, another of what is after it, and adds the
two, and it multiplies by powers of ten in float32. For it (``summed``) a number has decimals enough for their sum to be right as
well, none from 1e-10 to 1e19 has an exponent, and the others have one with which it arrives at them
(:mod:`sageline.formats.spelling.xgboost_numbers`). What a model reads as training data is then what it is asked about, to the
bit; one unit in the last place is enough to end up on the other side of a split that is made at that very number.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sageline.arrays.matrix import AnyArray, DoubleArray, FloatArray
from sageline.arrays.strings import BoolArray, ByteArray, IntArray
from sageline.formats.spelling.xgboost_numbers import with_exponents

_SMALL = 1000  # whole numbers below this, from 0, have a table of their own
_BELOW, _FROM = 1e8, 1e-4  # what is written with digits from the tables
_MOST_DECIMALS = 12  # of such numbers: nine digits tell all float32 apart
_BELOW_WITHOUT_EXPONENT, _FROM_WITHOUT_EXPONENT = 1e19, 1e-10  # 19 digits before and behind the point are what XGBoost reads
_CHUNK_CELLS = 1 << 15  # what fits a processor's cache

# Any in these: numpy's shape parameter.
_Words = np.ndarray[Any, np.dtype[np.uint32]]


def write_lines(table: FloatArray, labels: FloatArray | None, *, summed: bool = False) -> bytes:
    """``float32[rows, columns]`` as lines of cells separated by commas, in front of them the label, if there are labels
    (``float32[rows]``); NaN is an empty cell.

    Args:
        summed: write for a reader that sums, as labelled rows always are.
    """
    rows, columns = len(table), int(table.shape[1])
    if labels is None and columns == 0:
        return b"\n" * rows
    step = max(1, _CHUNK_CELLS // (columns + 1))
    lines = []
    for start in range(0, rows, step):
        part = np.ascontiguousarray(table[start : start + step], dtype=np.float32)
        if labels is not None:
            labelled = np.empty((len(part), columns + 1), dtype=np.float32)
            labelled[:, 0], labelled[:, 1:] = labels[start : start + step], part
            part = labelled
        lines.append(_lines(part, summed=summed or labels is not None))
    return b"".join(lines)


def write_pairs(keys: IntArray, values: FloatArray, ends: ByteArray) -> bytes:
    """``key:value``, and a byte that ends it, for each of ``int64[n]``, ``float32[n]`` and ``uint8[n]``; of NaN
    there is nothing behind the colon. The values are written for a reader that sums."""
    written = []
    highest = int(keys.max(initial=0))
    known = np.arange(highest + 1).astype("S") if highest < len(keys) else None  # a look-up costs a tenth
    for start in range(0, len(keys), _CHUNK_CELLS):
        some = slice(start, start + _CHUNK_CELLS)
        cells = _cells(values[some], summed=True)
        texts = keys[some].astype("S") if known is None else known[keys[some]]
        cells["end"] = ends[some]
        pairs = np.zeros(len(cells), [("key", texts.dtype), ("colon", "u1"), ("value", cells.dtype)])
        pairs["key"], pairs["colon"], pairs["value"] = texts, ord(":"), cells
        written.append(_without_zeros(pairs))
    return b"".join(written)


def _lines(table: FloatArray, *, summed: bool) -> bytes:
    small = _small_whole(table)
    if small is not None:
        words = _SMALL_TEXT[small]
        words.view(np.uint8).reshape(*table.shape, 4)[:, -1, 3] = ord("\n")
        return _without_zeros(words)
    cells = _cells(table.reshape(-1), summed=summed)
    cells["end"].reshape(table.shape)[:, -1] = ord("\n")
    return _without_zeros(cells)


def _without_zeros(cells: AnyArray) -> bytes:
    return cells.tobytes().translate(None, b"\0")


def _small_whole(table: FloatArray) -> IntArray | None:
    """The table as indexes of :data:`_SMALL_TEXT`, if it holds nothing but small whole numbers."""
    if not (table.min() >= 0 and table.max() < _SMALL):  # not so for NaN either
        return None
    whole = table.astype(np.int64)
    return whole if (whole == table).all() and not np.signbit(table).any() else None


def _cells(values: FloatArray, *, summed: bool) -> AnyArray:
    """Each number as a record of bytes; the last one, ``end``, separates it from the next, a comma."""
    sizes = np.abs(values)
    usable = ((sizes >= _FROM) & (sizes < _BELOW)) | (sizes == 0)
    every = bool(usable.all())
    exact = (sizes if every else np.where(usable, sizes, np.float32(0))).astype(np.float64)
    whole = exact.astype(np.int64)
    decimals = _decimals(exact, whole, summed=summed)
    usable[decimals.unread] = False
    parts = {"sign": np.signbit(values) * np.uint8(ord("-")), **_whole(whole), **_fraction(decimals)}
    others = np.flatnonzero(~usable)
    texts = _texts(values[others], summed=summed)
    more = max(map(len, texts), default=0) - sum(part.itemsize for part in parts.values())
    room = [("more", f"S{more}")] if more > 0 else []
    cells = np.zeros(len(values), [*((name, part.dtype) for name, part in parts.items()), *room, ("end", "u1")])
    for name, part in parts.items():
        cells[name] = part
    if texts:
        in_bytes = cells.view(np.uint8).reshape(len(cells), -1)
        size = in_bytes.shape[1] - 1
        in_bytes[others, :size] = np.array(texts, dtype=f"S{size}").view(np.uint8).reshape(-1, size)
    cells["end"] = ord(",")
    return cells


def _texts(values: FloatArray, *, summed: bool) -> list[bytes]:
    texts = [_text(value, summed=summed) for value in values]
    sizes = np.abs(values)
    far = np.isfinite(values) & ((sizes < _FROM_WITHOUT_EXPONENT) | (sizes >= _BELOW_WITHOUT_EXPONENT)) & (sizes > 0)
    if summed and far.any():
        for index, text in zip(np.flatnonzero(far).tolist(), with_exponents(values[far]), strict=True):
            texts[index] = text
    return texts


def _text(value: np.float32, *, summed: bool) -> bytes:
    if np.isnan(value):
        return b""
    if summed and _FROM_WITHOUT_EXPONENT <= abs(value) < _BELOW_WITHOUT_EXPONENT:
        return np.format_float_positional(value, trim="-").encode()
    return str(value).removesuffix(".0").encode()


def _whole(numbers: IntArray) -> dict[str, AnyArray]:
    """Digits before the point."""
    most = int(numbers.max())
    if most < 10:
        return {"low": numbers.astype(np.uint8) + np.uint8(ord("0"))}
    if most < 10_000:
        return {"low": _LEADING.take(numbers, mode="clip")}
    high = numbers // 10_000
    low = _LEADING[numbers - high * 10_000 + (high > 0) * 10_000]
    return {"high": np.where(high > 0, _LEADING[high], np.uint32(0)), "low": low}


def _fraction(decimals: _Decimals) -> dict[str, AnyArray]:
    """The point and the digits after it."""
    groups = -(-decimals.most // 4)
    unused = _MOST_DECIMALS - 4 * groups
    rest = decimals.numbers // 10**unused if unused else decimals.numbers
    parts: dict[str, AnyArray] = {}
    follows = np.zeros(len(rest), dtype=np.bool_)  # whether there are digits further right
    for group in reversed(range(groups)):
        left = rest // 10_000
        digits, rest = rest - left * 10_000, left
        parts[f"group{group}"] = _TRAILING.take(digits + follows * 10_000, mode="clip")
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


def _decimals(exact: DoubleArray, whole: IntArray, *, summed: bool) -> _Decimals:
    """The fewest decimals with which each number reads back as the same float32."""
    fractional = whole != exact
    if 2 * np.count_nonzero(fractional) > len(exact):
        return _after_the_point(exact, whole, summed=summed)
    indexes = np.flatnonzero(fractional)
    some = _after_the_point(exact[indexes], whole[indexes], summed=summed)
    numbers = np.zeros(len(exact), dtype=np.int64)
    numbers[indexes] = some.numbers
    return _Decimals(numbers, some.most, indexes[some.unread])


def _after_the_point(exact: DoubleArray, whole: IntArray, *, summed: bool) -> _Decimals:
    """The same, for numbers of which most are not whole."""
    counts = _counts(exact)
    numbers = _behind_the_point(exact, whole, counts)
    still = np.flatnonzero(whole if summed else 0)
    still = still[~_adds_up(numbers[still], counts[still], exact[still], whole[still])]
    while len(still):
        counts[still] += counts[still] > 0
        counts[still[counts[still] > _MOST_DECIMALS]] = 0
        still = still[counts[still] > 0]
        numbers[still] = _behind_the_point(exact[still], whole[still], counts[still])
        still = still[~_adds_up(numbers[still], counts[still], exact[still], whole[still])]
    unread = np.flatnonzero(counts == 0)
    numbers *= _WHOLE_POWERS.take(_MOST_DECIMALS - counts, mode="clip")
    numbers[unread] = 0
    return _Decimals(numbers, int(counts.max(initial=0)), unread)


def _behind_the_point(exact: DoubleArray, whole: IntArray, counts: IntArray) -> IntArray:
    """The digits behind the point as whole numbers, ``int64[n]``, rounded to so many of them."""
    units = exact * _POWERS.take(counts, mode="clip")
    numbers = np.rint(units, out=units).astype(np.int64)
    numbers -= whole * _WHOLE_POWERS.take(counts, mode="clip")
    return numbers


def _adds_up(numbers: IntArray, counts: IntArray, exact: DoubleArray, whole: IntArray) -> BoolArray:
    """Whether what is before the point and what is behind it, each as a float32, have the number as their sum."""
    sums = (numbers / _POWERS.take(counts, mode="clip")).astype(np.float32)
    sums += whole.astype(np.float32)
    same: BoolArray = sums == exact.astype(np.float32)
    return same


def _counts(exact: DoubleArray) -> IntArray:
    """How many decimals each number takes, at least one; 0 where none will do."""
    # Many have two at most, as prices do. Of the others most have as many as tell all float32 of their size apart, or one less.
    is_short = _enough(exact, 100.0)
    short = np.flatnonzero(is_short)
    if 2 * len(short) > len(exact):
        long = np.flatnonzero(~is_short)
        counts = np.empty(len(exact), dtype=np.int64)
        counts[long] = _many(exact[long], np.ones(len(long), dtype=np.bool_))
    else:
        counts = _many(exact, ~is_short)
    counts[short] = 2 - _enough(exact[short], 10.0)
    return counts


def _many(exact: DoubleArray, is_long: BoolArray) -> IntArray:
    """How many decimals each number takes that takes more than two; 0 where none will do, and anything for the others."""
    bits = exact.view(np.int64)
    counts: IntArray = _DISTINCT.take((bits >> 52) - _DISTINCT_FROM, mode="clip")
    fewer = _enough(exact, _POWERS.take(counts - 1, mode="clip"))
    fewer &= is_long
    counts -= fewer
    still = np.flatnonzero(fewer)
    while len(still):
        still = still[_enough(exact[still], _POWERS[counts[still] - 1])]
        counts[still] -= 1
    # A power of two is nearer to the float32 below it, so it may take more.
    still = np.flatnonzero(((bits & _MANTISSA) == 0) & is_long)
    while len(still):
        still = still[~_enough(exact[still], _POWERS[counts[still]])]
        counts[still] += 1
        counts[still[counts[still] > _MOST_DECIMALS]] = 0
        still = still[counts[still] > 0]
    return counts


def _enough(exact: DoubleArray, powers: DoubleArray | float) -> BoolArray:
    """Whether each number reads back if it is rounded to this power's decimals."""
    rounded = exact * powers
    np.rint(rounded, out=rounded)
    rounded /= powers
    return _reads_back(rounded, exact)


def _reads_back(decimal: DoubleArray, wanted: DoubleArray) -> BoolArray:
    """Whether a decimal is the wanted float32 for every reader: not in the middle between that and the next one."""
    certain: BoolArray = (decimal.view(np.int64) & _BELOW_FLOAT32) != _MIDDLE
    certain &= decimal.astype(np.float32) == wanted
    return certain


_BELOW_FLOAT32, _MIDDLE = (1 << 29) - 1, 1 << 28  # the 29 bits that float64 has more than float32
_MANTISSA = (1 << 52) - 1
_WHOLE_POWERS = 10 ** np.arange(_MOST_DECIMALS + 1)
_POWERS = _WHOLE_POWERS.astype(np.float64)
_DISTINCT_FROM = 1023 - 14  # the exponent, as float64 keeps it, of what 1e-4 begins with
# For each exponent the decimals of the float32 that are 2**-23 of it apart; at least three, for fewer have been tried.
_DISTINCT = np.maximum(np.ceil(-np.log10(2.0 ** (np.arange(-14, 28) - 23))), 3).astype(np.int64)


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
