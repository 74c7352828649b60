"""Decimal numbers out of their digits: eight bytes of a text are one whole number, and arithmetic on it reads all eight at once.

The digits of a number without its point, as a whole number, and the power of ten that it is divided by, are both exact as
``float64`` where there are at most 15 digits, so the quotient is rounded once: it is the number that ``float`` reads (Clinger,
1990).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sageline.arrays.matrix import DoubleArray
from sageline.arrays.strings import BoolArray, ByteArray, Eights, IntArray, WordArray

_MOST_BYTES = 16  # of a text: two words
_MOST_DIGITS = 15
_POWERS = 10.0 ** np.arange(_MOST_BYTES)


def _each(byte: int) -> np.uint64:
    return np.uint64(0x0101010101010101 * byte)


_ONES, _SIXES, _ZEROS, _UPPER, _HIGHEST = _each(0x01), _each(0x06), _each(ord("0")), _each(0xF0), _each(0x80)
_POINTS = _each(ord(".") ^ ord("0"))
_NONE, _FIRST = np.uint64(0), np.uint64(0xFF)
_MINUS, _PLUS = (np.uint64(ord(sign) ^ ord("0")) for sign in "-+")


def read_decimals(data: ByteArray, starts: IntArray, lengths: IntArray) -> tuple[DoubleArray, BoolArray]:
    """Numbers of at most 15 digits and 16 bytes, without an exponent.

    Args:
        data: of all texts, of which number ``i`` is ``data[starts[i] : starts[i] + lengths[i]]``.

    Returns:
        ``float64[n]``, and ``bool[n]``: which of the texts are such numbers; the others are NaN.
    """
    words = Eights(data)
    is_short = lengths <= 8
    if is_short.all():
        return _read_words(words[starts], lengths)
    numbers, is_read = np.full(len(starts), np.nan), np.zeros(len(starts), dtype=np.bool_)
    short = np.flatnonzero(is_short)
    numbers[short], is_read[short] = _read_words(words[starts[short]], lengths[short])
    long = np.flatnonzero(~is_short & (lengths <= _MOST_BYTES))
    ends = starts[long] + lengths[long]
    numbers[long], is_read[long] = _read_pairs(words[starts[long]], words[ends - 8], lengths[long])
    return numbers, is_read


def _read_words(words: WordArray, lengths: IntArray) -> tuple[DoubleArray, BoolArray]:
    """Texts of at most eight bytes; what follows one in its word belongs to another."""
    signs = _Signs.taken_from(words)
    words <<= _bits_unused(lengths)  # right-aligned, zeros before
    points = _points_in(words)
    digits = lengths - signs.are_there - (points != 0)
    words, decimals = _without_point(words, points)
    numbers, is_read = _eight_digits(words)
    return _finished(numbers, decimals, signs, is_read & (digits >= 1))


def _read_pairs(first: WordArray, low: WordArray, lengths: IntArray) -> tuple[DoubleArray, BoolArray]:
    """Texts of nine to sixteen bytes, by their first eight bytes and their last eight."""
    signs = _Signs.taken_from(first)
    low = low ^ _ZEROS
    high = first << _bits_unused(lengths - 8)
    points_low = _points_in(low)
    in_low = points_low != 0
    points_high = np.where(in_low, _NONE, _points_in(high))
    in_high = points_high != 0
    low, decimals_low = _without_point(low, points_low)
    high, decimals_high = _without_point(high, points_high)
    low |= np.where(in_low, high >> np.uint64(56), _NONE)
    high = np.where(in_low, high << np.uint64(8), high)
    low_number, is_read = _eight_digits(low)
    high_number, high_read = _eight_digits(high)
    is_read &= high_read
    is_read &= lengths - signs.are_there - (in_low | in_high) <= _MOST_DIGITS
    numbers = high_number * np.uint64(10**8) + low_number
    return _finished(numbers, decimals_low + decimals_high + np.uint8(8) * in_high, signs, is_read)


class _Signs(NamedTuple):
    """Which texts have a sign, and which of them a minus."""

    are_there: BoolArray
    negative: BoolArray

    @classmethod
    def taken_from(cls, words: WordArray) -> _Signs:
        """The signs of texts by their first bytes, which become digits' values in place, zeros where the signs were."""
        words ^= _ZEROS
        sign = words & _FIRST
        negative = sign == _MINUS
        signs = cls(negative | (sign == _PLUS), negative)
        if signs.are_there.any():
            words -= sign * signs.are_there
        return signs


def _finished(whole: WordArray, decimals: ByteArray, signs: _Signs, is_read: BoolArray) -> tuple[DoubleArray, BoolArray]:
    numbers = whole.astype(np.float64)
    if decimals.any():
        numbers /= _POWERS.take(decimals, mode="clip")
    np.negative(numbers, out=numbers, where=signs.negative)
    if not is_read.all():
        numbers[~is_read] = np.nan
    return numbers, is_read


def _bits_unused(lengths: IntArray) -> WordArray:
    """Of words that texts of up to eight bytes begin."""
    return (64 - (lengths << 3)).view(np.uint64)


def _points_in(words: WordArray) -> WordArray:
    """The highest bit of the first byte of each word that is a point, nothing else; 0 where none is. One alone where all words
    have it at the same place."""
    first = _first_points(words[:1])
    byte = (first >> np.uint64(7)) * np.uint64(0xFF)
    if first.any() and ((words & byte) == (_POINTS & byte)).all():
        return first
    return _first_points(words)


def _first_points(words: WordArray) -> WordArray:
    words = words ^ _POINTS
    found = (words - _ONES) & ~words & _HIGHEST  # the lowest bit of these is that of the first byte that is zero
    return found & (~found + np.uint64(1))


def _without_point(words: WordArray, points: WordArray) -> tuple[WordArray, ByteArray]:
    """The words with what stands before the point moved to its place, and how many bytes stand behind it."""
    behind = ~(points << np.uint64(1)) + np.uint64(1)
    before = (points >> np.uint64(7)) - np.uint64(1)
    moved = (words & behind) | ((words & before) << np.uint64(8))
    decimals = np.bitwise_count(behind) >> np.uint8(3)
    return np.where(points, moved, words), decimals


def _eight_digits(digits: WordArray) -> tuple[WordArray, BoolArray]:
    """The bytes of each word as a decimal number, and whether all of them are digits."""
    # A byte above 9 has a bit of its upper half, or gets one when 6 is added to it.
    are_digits = ((digits | (digits + _SIXES)) & _UPPER) == 0
    pairs = (digits * np.uint64(10) + (digits >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    fours = (pairs * np.uint64(100) + (pairs >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    eights = (fours * np.uint64(10_000) + (fours >> np.uint64(32))) & np.uint64(0xFFFFFFFF)
    return eights, are_digits
