from __future__ import annotations

import math
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays import exact_sums
from sageline.arrays.exact_sums import ExactMoments, ExactTable, digits, exact_product, of_digits
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
        return math.inf if number > 0 else -math.inf


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


@given(st.lists(st.tuples(st.integers(0, 2), DOUBLES | SINGLES), max_size=30), st.integers(0, 30))
def test_sums_by_index_are_rounded_once_however_they_are_cut(added: list[tuple[int, float]], cut: int) -> None:
    table, after = ExactTable(3), ExactTable(3)
    for part, some in ((table, added[:cut]), (after, added[cut:])):
        part.add(np.array([index for index, _ in some], dtype=np.int64), np.array([value for _, value in some]))
    table.merge(after)

    exact = [sum((Fraction(value) for index, value in added if index == of), Fraction(0)) for of in range(3)]
    assert table.values().tolist() == [nearest(total) for total in exact]
    assert table.fractions() == exact


def test_what_is_infinite_or_no_number_stays_so_and_keeps_to_its_index() -> None:
    table = ExactTable(4)
    table.add(np.array([0, 1, 1, 2, 3]), np.array([np.inf, np.inf, -np.inf, np.nan, 1.5]))
    table.add(np.array([0, 1, 2, 3]), np.ones(4))

    assert np.array_equal(table.values(), [np.inf, np.nan, np.nan, 2.5], equal_nan=True)


def test_sums_may_be_moved_into_a_table_of_another_size() -> None:
    table = ExactTable(2)
    table.add(np.array([0, 1]), np.array([0.1, np.inf]))

    assert table.moved(np.array([3, 1]), 4).values().tolist() == [0.0, np.inf, 0.0, 0.1]


@given(st.lists(st.tuples(*[st.floats(-1e140, 1e140).filter(lambda value: value == 0 or abs(value) > 1e-140)] * 2), min_size=1))
def test_a_product_and_what_its_rounding_took_are_the_product(pairs: list[tuple[float, float]]) -> None:
    left, right = (np.array(side) for side in zip(*pairs, strict=True))

    product, rest = exact_product(left, right)

    for one, other, rounded, taken in zip(left.tolist(), right.tolist(), product.tolist(), rest.tolist(), strict=True):
        assert Fraction(rounded) + Fraction(taken) == Fraction(one) * Fraction(other)
        assert rounded == one * other


def test_a_product_beyond_the_range_is_infinite() -> None:
    product, rest = exact_product(np.array([1e200, 2.0]), np.array([1e200, 3.0]))

    assert (product.tolist(), rest.tolist()) == ([np.inf, 6.0], [0.0, 0.0])
