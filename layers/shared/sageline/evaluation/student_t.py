"""Student's t distribution, which numpy lacks."""

from __future__ import annotations

import math

_TINY = 1e-300
_PRECISION = 1e-15
_STEPS = 10_000


def upper_tail(t: float, degrees: float) -> float:
    """The probability of a value above ``t``, with ``degrees`` of freedom (Abramowitz and Stegun, 26.5.27 and 26.7.1)."""
    if math.isinf(t):
        return 0.0 if t > 0 else 1.0
    both_tails = _beta(degrees / 2, 0.5, degrees / (degrees + t * t))
    return both_tails / 2 if t >= 0 else 1 - both_tails / 2


def upper_quantile(probability: float, degrees: float) -> float:
    """The value that is exceeded with a probability of at most one half."""
    low, high = 0.0, 1.0
    while upper_tail(high, degrees) > probability:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if upper_tail(middle, degrees) > probability else (low, middle)
    return high


def _beta(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function (DLMF 8.17.22), by the modified Lentz method."""
    numerator = 1.0
    denominator = 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    result = denominator
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            denominator = 1 / _away_from_zero(1 + term * denominator)
            numerator = _away_from_zero(1 + term / numerator)
            result *= numerator * denominator
        if abs(numerator * denominator - 1) < _PRECISION:
            break
    return result


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
