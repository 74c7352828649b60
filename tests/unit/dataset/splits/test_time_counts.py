from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.dataset.split import channels_of
from sageline.dataset.splits.time_counts import TimeCounts, keys_of, times_of

TIMES = st.lists(st.floats(-1e12, 1e12) | st.integers(-5, 5).map(float), min_size=3, max_size=60)


@given(st.lists(st.floats(allow_nan=False), min_size=2))
def test_keys_are_in_the_order_of_the_times_and_tell_them(times: list[float]) -> None:
    numbers = np.array(times)
    keys = keys_of(numbers)

    assert (times_of(keys) == numbers).all()
    assert ((keys[:-1] < keys[1:]) == (numbers[:-1] < numbers[1:])).all()


@given(TIMES, st.sampled_from([4, 16, 1 << 20]), st.randoms(use_true_random=False), st.integers(1, 20))
def test_the_bounds_do_not_depend_on_order_and_blocks(times: list[float], most: int, random: Random, size: int) -> None:
    shuffled = list(times)
    random.shuffle(shuffled)
    whole, cut = TimeCounts(most), TimeCounts(most)
    whole.add(np.array(times))
    for start in range(0, len(shuffled), size):
        cut.add(np.array(shuffled[start : start + size]))

    assert (whole.different, whole.is_exact) == (cut.different, cut.is_exact)
    if whole.different >= 3:
        assert whole.bounds(0.6, 0.2) == cut.bounds(0.6, 0.2)


@given(TIMES, st.sampled_from([4, 1 << 20]), st.floats(0.05, 0.85), st.floats(0.05, 0.85))
def test_shares_are_off_by_half_a_step_at_most_unless_one_would_be_empty(
    times: list[float], most: int, train: float, of_rest: float
) -> None:
    counts = TimeCounts(most)
    counts.add(np.array(times))
    if counts.different < 3:
        return
    validation = (1 - train) * of_rest

    bounds = counts.bounds(train, validation)

    rows = np.bincount(channels_of(np.array(times), bounds), minlength=3)
    assert rows.min() >= 1
    largest = int(counts._counts.max())
    before = np.cumsum(counts._counts)[:-1].tolist()  # at these numbers of rows the steps part
    start, end = int(rows[0]), int(rows[0] + rows[1])
    for number, share, first, last in ((start, train, 0, -2), (end, train + validation, 1, -1)):
        is_forced = number in (before[first], before[last]) or end == before[before.index(start) + 1]
        assert abs(number - share * len(times)) <= largest / 2 + 1e-9 or is_forced


def test_more_times_than_are_kept_are_counted_in_steps_of_which_half_as_many_are_left() -> None:
    counts = TimeCounts(most=1000)
    seconds = np.arange(1.6e9, 1.6e9 + 700_000, 7.0, dtype=np.float64)

    for piece in np.array_split(np.random.default_rng(0).permutation(seconds), 33):
        counts.add(piece)

    assert not counts.is_exact
    assert 500 <= counts.different <= 1000
    rows = np.bincount(channels_of(seconds, counts.bounds(0.8, 0.1)), minlength=3)
    assert np.abs(rows / 100_000 - [0.8, 0.1, 0.1]).max() <= 2 / 500


def test_without_a_share_for_validation_two_times_are_enough() -> None:
    counts = TimeCounts()
    counts.add(np.array([1.0, 1.0, 2.0]))

    assert counts.bounds(0.9, 0) == (2.0, 2.0)
    with pytest.raises(ValueError, match="2 times for 3 shares"):
        counts.bounds(0.8, 0.1)
