"""Sums that do not depend on the order of what is added, nor on how it is cut into pieces: no digit is lost.

A sum is kept as one whole number of the smallest unit that there is, as in Kulisch's long accumulator. What is added to it are
sums of whole arrays, and these are exact too: the values are first taken apart into pieces of few bits on a common grid, as in
Demmel and Nguyen's reproducible summation (Parallel Reproducible Summation, 2015), so that no sum of a piece is rounded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Final

import numpy as np

from sageline.arrays.matrix import AnyArray, DoubleArray
from sageline.arrays.strings import IntArray

_UNIT: Final = 1074  # every float64 is a whole number of 2**-1074
_DIGITS: Final = 53  # bits that a float64 holds
_CHUNK: Final = 1 << 13  # values at a time, which stay in the processor's cache
_BITS: Final = 20  # of a piece: the products of two pieces of a chunk sum up to 53 bits at most
_EXTREME: Final = 500  # exponents beyond which squares may leave the range of float64
_LEVEL: Final = 30  # bits of a digit

_ONES: DoubleArray = np.ones(_CHUNK)


class ExactMoments:
    """Number, minimum, maximum, sum, mean and standard deviation of values that come in pieces.

    Attributes:
        count: how many there are.
        minimum, maximum: infinity and minus infinity without values.
    """

    def __init__(self) -> None:
        self.count = 0
        self.minimum, self.maximum = math.inf, -math.inf
        self._units = 0
        self._squares = 0  # of the units
        self._infinite = 0.0  # the sum of the infinite values, if there are any

    def add(self, values: AnyArray) -> None:
        """Count numbers of any kind that float64 holds, none of them NaN."""
        if not len(values):
            return
        self.count += len(values)
        least, most = float(np.minimum.reduce(values)) + 0.0, float(np.maximum.reduce(values)) + 0.0  # 0 and not -0
        self.minimum, self.maximum = min(self.minimum, least), max(self.maximum, most)
        if math.isinf(least) or math.isinf(most):
            self._infinite += sum(values[np.isinf(values)].tolist())
            values = values[np.isfinite(values)]
            least, most = float(values.min(initial=0)), float(values.max(initial=0))
        exponent = math.frexp(max(-least, most))[1]  # no value is beyond 2**exponent
        for start in range(0, len(values), _CHUNK):
            self._add(values[start : start + _CHUNK].astype(np.float64, copy=False), exponent)

    def _add(self, chunk: DoubleArray, exponent: int) -> None:
        pieces = _pieces(chunk, exponent)
        if pieces is None:
            units = [_units(value) for value in chunk.tolist()]
            self._units += sum(units)
            self._squares += sum(unit * unit for unit in units)
            return
        ones = _ONES[: len(chunk)]
        for number, (step, piece) in enumerate(pieces):
            self._units += _steps(piece.dot(ones), step) << _UNIT + step
            self._squares += _steps(piece.dot(piece), 2 * step) << 2 * (_UNIT + step)
            for before, other in pieces[:number]:
                self._squares += _steps(piece.dot(other), step + before) << 2 * _UNIT + step + before + 1

    def merge(self, after: ExactMoments) -> None:
        """Count the values that another one has counted."""
        self.count += after.count
        self.minimum, self.maximum = min(self.minimum, after.minimum), max(self.maximum, after.maximum)
        self._units += after._units
        self._squares += after._squares
        self._infinite += after._infinite

    @property
    def total(self) -> float:
        """The float64 that is nearest to the sum."""
        return self._infinite or _quotient(self._units, 1 << _UNIT)

    @property
    def mean(self) -> float:
        """The float64 that is nearest to the mean; NaN without values."""
        if self.count == 0:
            return math.nan
        return self._infinite or _quotient(self._units, self.count << _UNIT)

    @property
    def deviation(self) -> float:
        """Standard deviation of the values themselves (divided by their number), from their exact variance; 0 without values, NaN
        with infinite ones."""
        if self.count == 0:
            return 0.0
        if self._infinite:
            return math.nan
        return _root(self.count * self._squares - self._units**2, self.count)


def digits(values: DoubleArray) -> dict[int, IntArray]:
    """Finite numbers as digits: each is the sum of ``digit * 2**(30 * level)`` over the levels.

    Digits are added up as integers, of 2**33 numbers and more without an overflow; :func:`of_digits` reads the sums.

    Returns:
        Level to ``int64[n]``; levels where all digits are 0 are left out.
    """
    found: dict[int, IntArray] = {}
    rest = values
    while rest.any():
        level = (math.frexp(float(np.abs(rest).max()))[1] - 1) // _LEVEL
        digit = np.trunc(np.ldexp(rest, -_LEVEL * level))
        rest = rest - np.ldexp(digit, _LEVEL * level)
        found[level] = digit.astype(np.int64)
    return found


def of_digits(sums: Mapping[int, IntArray], shape: tuple[int, ...]) -> DoubleArray:
    """``float64[shape]``: the numbers that are nearest to sums of digits, from level to ``int64[shape]``."""
    if len(sums) <= 1:
        read = (np.ldexp(digit.astype(np.float64), _LEVEL * level) for level, digit in sums.items())
        return next(read, np.zeros(shape))
    lowest = min(0, *sums)
    wholes: AnyArray = np.zeros(shape, dtype=object)  # Python's integers, of any size
    for level, digit in sums.items():
        wholes += digit.astype(object) << _LEVEL * (level - lowest)
    unit = 1 << -_LEVEL * lowest
    return np.array([_quotient(whole, unit) for whole in wholes.flat], dtype=np.float64).reshape(shape)


def nearest(number: Fraction) -> float:
    """The float64 that is nearest to a number."""
    return _quotient(number.numerator, number.denominator)


def exact_product(left: DoubleArray, right: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    """The products as they are rounded, and what rounding has taken from each (Dekker, A floating-point technique for extending
    the available precision, 1971); 0 of those beyond float64."""
    with np.errstate(over="ignore", invalid="ignore"):
        product = left * right
        (high, low), (other_high, other_low) = _halves(left), _halves(right)
        rest = high * other_high - product + high * other_low + low * other_high + low * other_low
    return product, np.where(np.isfinite(rest), rest, 0.0)


class ExactTable:
    """Sums of numbers by their index, each the float64 that is nearest to the sum of all that was added under it.

    Args:
        size: how many sums there are.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._levels: dict[int, IntArray] = {}  # sums of digits
        self._beyond: DoubleArray | None = None  # sums of what is infinite or NaN

    def add(self, index: IntArray, values: DoubleArray) -> None:
        """Add each value to the sum of its index, ``int64[n]``."""
        finite = np.isfinite(values)
        if not finite.all():
            with np.errstate(invalid="ignore"):
                self._add_beyond(np.bincount(index[~finite], values[~finite], self._size).astype(np.float64, copy=False))
            index, values = index[finite], values[finite]
        for start in range(0, len(values), _CHUNK):  # the digits of so many numbers sum up to 53 bits at most
            places = index[start : start + _CHUNK]
            for level, digit in digits(values[start : start + _CHUNK]).items():
                self._add_digits(level, np.bincount(places, digit, self._size).astype(np.int64))

    def merge(self, after: ExactTable) -> None:
        """Add what another one has added."""
        for level, sums in after._levels.items():
            self._add_digits(level, sums)
        if after._beyond is not None:
            self._add_beyond(after._beyond)

    def moved(self, places: IntArray, size: int) -> ExactTable:
        """The same sums at other places, ``int64[size]``, of a table of another size; 0 elsewhere."""
        moved = ExactTable(size)
        for level, sums in self._levels.items():
            moved._levels[level] = np.zeros(size, dtype=np.int64)
            moved._levels[level][places] = sums
        if self._beyond is not None:
            moved._beyond = np.zeros(size)
            moved._beyond[places] = self._beyond
        return moved

    def values(self) -> DoubleArray:
        """``float64[size]``."""
        found = of_digits(self._levels, (self._size,))
        return found if self._beyond is None else np.where(self._beyond == 0, found, self._beyond)

    def fractions(self) -> list[Fraction]:
        """The sums of the finite numbers, exactly."""
        sums = [Fraction(0)] * self._size
        for level, digit in self._levels.items():
            unit = Fraction(2) ** (_LEVEL * level)
            sums = [before + unit * number for before, number in zip(sums, digit.tolist(), strict=True)]
        return sums

    def _add_digits(self, level: int, sums: IntArray) -> None:
        before = self._levels.get(level)
        self._levels[level] = sums if before is None else before + sums

    def _add_beyond(self, sums: DoubleArray) -> None:
        with np.errstate(invalid="ignore"):
            self._beyond = sums if self._beyond is None else self._beyond + sums


def _pieces(values: DoubleArray, exponent: int) -> list[tuple[int, DoubleArray]] | None:
    """Values as sums of pieces, each with its step: of ``2**step``, at most ``2**_BITS`` steps make a number of the piece.

    Returns:
        None where the squares of a piece may be beyond float64, or below its smallest unit.
    """
    pieces: list[tuple[int, DoubleArray]] = []
    rest = values
    while rest.any():
        step = exponent - _BITS
        if exponent > _EXTREME or step < -_EXTREME:
            return None
        shift = math.ldexp(1.5, step + _DIGITS - 1)  # so far from 0, float64 has no finer steps
        piece = rest + shift
        piece -= shift
        rest = rest - piece
        pieces.append((step, piece))
        exponent = step - 1  # half a step is the most that is left
    return pieces


def _halves(values: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    """Numbers as sums of two with half as many bits."""
    shifted = values * ((1 << 27) + 1.0)
    high = shifted - (shifted - values)
    return high, values - high


def _steps(value: float, step: int) -> int:
    """A number as a whole number of ``2**step``, which it is."""
    return int(math.ldexp(value, -step))


def _units(value: float) -> int:
    numerator, denominator = value.as_integer_ratio()
    return numerator << _UNIT + 1 - denominator.bit_length()


def _quotient(numerator: int, denominator: int) -> float:
    try:
        return numerator / denominator  # which Python rounds correctly
    except OverflowError:
        return math.inf if numerator > 0 else -math.inf


def _root(square: int, count: int) -> float:
    """The root of a whole number of square units, divided by a count."""
    behind = max(0, square.bit_length() - 2 * _DIGITS - 1) // 2  # half the bits that say nothing of the first 53 of the root
    return math.ldexp(math.sqrt(square >> 2 * behind) / count, behind - _UNIT)
