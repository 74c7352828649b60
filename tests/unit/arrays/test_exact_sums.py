from __future__ import annotations

import math
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays import exact_sums
from sageline.arrays.exact_sums import ExactMoments, digits, of_digits
from sageline.arrays.strings import IntArray

DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
SINGLES = st.floats(allow_nan=False, allow_infinity=False, width=32)
VALUES = st.lists(DOUBLES | SINGLES | st.integers(-(2**53), 2**53).map(float), max_size=30)


def moments_of(*pieces: list[float]) -> ExactMoments:
    moments = ExactMoments()
    for piece in pieces:
        moments.add(np.array(piece, dtype=np.float64))
    return moments


def read(moments: ExactMoments) -> list[float]:
    return [moments.count, moments.minimum, moments.maximum, moments.total, moments.mean, moments.deviation]


def nearest(number: Fraction) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.copysign(math.inf, number)


@given(VALUES)
def test_sum_and_mean_are_those_of_the_real_numbers_rounded_once(values: list[float]) -> None:
    exact = sum(map(Fraction, values), Fraction(0))

    moments = moments_of(values)

    assert moments.total == nearest(exact)
    if values:
        assert moments.mean == float(exact / len(values))
        assert (moments.minimum, moments.maximum) == (min(values), max(values))


@given(st.lists(SINGLES, min_size=1, max_size=30))
def test_the_deviation_is_that_of_the_real_numbers(values: list[float]) -> None:
    mean = sum(map(Fraction, values)) / len(values)
    variance = sum((Fraction(value) - mean) ** 2 for value in values) / len(values)

    assert moments_of(values).deviation == pytest.approx(math.sqrt(variance), rel=1e-15)


@given(st.lists(VALUES, max_size=5), st.randoms(use_true_random=False))
def test_neither_order_nor_pieces_matter(pieces: list[list[float]], random: Random) -> None:
    together = [value for piece in pieces for value in piece]
    random.shuffle(together)

    merged = ExactMoments()
    for piece in pieces:
        merged.merge(moments_of(piece))

    assert str(read(merged)) == str(read(moments_of(*pieces))) == str(read(moments_of(together)))


def test_very_many_values_lose_nothing() -> None:
    random = np.random.default_rng(0)
    values = random.lognormal(0, 4, 3 * exact_sums._CHUNK + 1).astype(np.float32)
    moments, one_by_one = ExactMoments(), ExactMoments()
    moments.add(values)
    for value in random.permutation(values):
        one_by_one.add(np.array([value]))

    assert read(moments) == read(one_by_one)
    assert moments.total == math.fsum(values)


def test_the_deviation_of_large_numbers_keeps_its_digits() -> None:
    assert moments_of(*([1e9, 1e9 + 1] for _ in range(500))).deviation == 0.5


def test_without_values_there_is_no_mean_and_no_deviation() -> None:
    assert str(read(moments_of([]))) == str([0, math.inf, -math.inf, 0.0, math.nan, 0.0])


def test_zero_has_no_sign() -> None:
    assert str(read(moments_of([-0.0]))) == str(read(moments_of([0.0])))


def test_infinite_values_make_the_mean_infinite() -> None:
    moments = moments_of([math.inf, 1.0], [2.0])

    assert (moments.mean, moments.minimum, moments.maximum) == (math.inf, 1.0, math.inf)
    assert math.isnan(moments.deviation)
    assert math.isnan(moments_of([math.inf], [-math.inf]).mean)


@given(st.lists(SINGLES, max_size=12))
def test_numbers_are_the_sums_of_their_digits(values: list[float]) -> None:
    array = np.array(values, dtype=np.float64)

    assert of_digits(digits(array), array.shape).tolist() == [value + 0.0 for value in values]


@given(st.lists(st.lists(SINGLES, min_size=3, max_size=3), max_size=20))
def test_sums_of_digits_are_the_sums_rounded_once(rows: list[list[float]]) -> None:
    sums: dict[int, IntArray] = {}
    for row in rows:
        for level, digit in digits(np.array(row, dtype=np.float64)).items():
            sums[level] = sums.get(level, 0) + digit

    exact = [float(sum(map(Fraction, column))) for column in zip(*rows, strict=True)] or [0.0, 0.0, 0.0]
    assert of_digits(sums, (3,)).tolist() == exact


def test_whole_numbers_are_one_digit_and_prices_are_two() -> None:
    assert list(digits(np.array([0.0, 1.0, -(2.0**24)]))) == [0]
    assert list(digits(np.array([1.25, 19.99], dtype=np.float32).astype(np.float64))) == [0, -1]
