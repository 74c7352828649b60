"""How numbers with exponents are spelled for XGBoost's reader of text, and how that reads them.

The reader makes a float32 of the digits, multiplies or divides it by a float32 power of ten, and so often arrives one unit in the
last place beside the number: for the largest float32 at infinity, which XGBoost refuses. What is below 1e-38 it takes for more.
The digits can stand before another power of ten, though, with which it arrives at the number itself.

Source: ``ParseFloat`` in ``include/dmlc/strtonum.h`` of https://github.com/dmlc/dmlc-core.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sageline.arrays.matrix import FloatArray
from sageline.arrays.strings import BoolArray

_MOST_DIGITS = 19  # before the point, and behind it, that the reader takes
_MOST_EXPONENT = 37  # from 38 on the reader has ends of its own
_DIGITS = 9  # that tell all float32 apart
_NEAR = 4  # float32 on each side of a significand


def _scales() -> list[np.float32]:
    """The powers of ten as the reader makes them, of eight digits at a time and then of one."""
    scales = []
    for exponent in range(_MOST_EXPONENT + 1):
        scale = np.float32(1)
        for _ in range(exponent // 8):
            scale *= np.float32(1e8)
        for _ in range(exponent % 8):
            scale *= np.float32(10)
        scales.append(scale)
    return scales


_SCALES = _scales()


def with_exponents(values: FloatArray) -> list[bytes]:
    """Finite numbers below 1e-10 or from 1e19 on, other than 0, each with an exponent; XGBoost's reader takes each text for this
    very float32.

    Most are as short as can be, and nearly all are spelled so that every other reader takes them for it, too; the others are up
    to three units in the last place off for those.

    Args:
        values: ``float32[n]``.
    """
    sizes = np.abs(values)
    shortest = [str(size) for size in sizes]
    is_read = _are_read(shortest, sizes).tolist()
    signed = np.where(np.signbit(values), "-", "").tolist()
    with np.errstate(over="ignore", under="ignore"):
        return [
            (sign + (text if known else _spelled_otherwise(size, text))).encode()
            for sign, text, known, size in zip(signed, shortest, is_read, sizes, strict=True)
        ]


def _are_read(texts: Sequence[str], wanted: FloatArray) -> BoolArray:
    """``bool[n]``: of which texts, one digit before the point, the reader makes what is wanted."""
    parts = [text.partition("e") for text in texts]
    powers = np.array([int(power) for *_, power in parts], dtype=np.int64)
    whole = np.array([int(significand[0]) for significand, *_ in parts], dtype=np.float32)
    decimals = np.array([float(f"0.{significand[2:]}") for significand, *_ in parts], dtype=np.float32)
    significands, scales = whole + decimals, np.array(_SCALES).take(np.abs(powers), mode="clip")
    with np.errstate(over="ignore"):
        read = np.where(powers > 0, significands * scales, significands / scales)
    are_read: BoolArray = (read == wanted) & (np.abs(powers) <= _MOST_EXPONENT)
    return are_read


def _spelled_otherwise(size: np.float32, shortest: str) -> str:
    """The number above 0 with digits before another power of ten."""
    exact, digit = float(size), int(shortest.partition("e")[2])
    near = list[str]()
    for power in _POWERS_NEAR[digit]:
        # In float64 the digits of a float32 are right.
        decimals = max(0, _DIGITS - 1 - (digit - power))
        significand = f"{exact / 10.0**power if power > 0 else exact * 10.0**-power:.{decimals}f}"
        text = f"{significand.rstrip('0').rstrip('.') if decimals else significand}e{power:+03d}"
        if _read(significand, power) == size and np.float32(float(text)) == size:
            return text
        near += [] if near else _nearby(significand, power, size)
    # There is one for every float32 that was tried.
    return near[0] if near else shortest


def _powers(digit: int) -> list[int]:
    """The powers of ten with which there is room for a number whose first digit is at this one; the nearest ones first."""
    possible = range(max(-_MOST_EXPONENT, digit + 1 - _MOST_DIGITS), min(_MOST_EXPONENT, digit + _MOST_DIGITS - _DIGITS) + 1)
    return sorted(possible, key=lambda power: abs(power - digit))


_POWERS_NEAR = {digit: _powers(digit) for digit in range(-45, 39)}


def _read(significand: str, exponent: int) -> np.float32:
    """What the reader makes of them."""
    whole, _, decimals = significand.partition(".")
    read = np.float32(int(whole)) + np.float32(int(decimals or 0) / 10 ** len(decimals))
    return read * _SCALES[exponent] if exponent > 0 else read / _SCALES[-exponent]


def _nearby(significand: str, exponent: int, wanted: np.float32) -> list[str]:
    """Significands beside this one, of which the reader makes what is wanted."""
    found = []
    for towards in (np.float32(0), np.float32(np.inf)):
        beside = np.float32(significand)
        for _ in range(_NEAR):
            beside = np.nextafter(beside, towards)
            text = np.format_float_positional(beside, trim="-")
            if _read(text, exponent) == wanted:
                found.append(f"{text}e{exponent:+03d}")
    return found
