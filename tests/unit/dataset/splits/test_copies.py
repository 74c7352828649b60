from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.hashing import mix
from sageline.dataset.split import channels_of
from sageline.dataset.splits.copies import BloomFilter, ContentFilters, ContentPositions

BOUNDS = (0.6, 0.8)
ROWS = st.lists(st.tuples(st.integers(0, 9), st.floats(0, 1, exclude_max=True)), min_size=1, max_size=60)


@given(ROWS, st.integers(1, 10))
def test_the_first_channel_of_each_content_is_known_however_the_rows_come(rows: list[tuple[int, float]], size: int) -> None:
    contents = np.array([content for content, _ in rows], dtype=np.uint64)
    positions = np.array([position for _, position in rows])
    channels = channels_of(positions, BOUNDS)
    kept = ContentPositions()
    for start in range(0, len(rows), size):
        kept.add(contents[start : start + size], positions[start : start + size])
        kept.settle()

    first = kept.first_channels(BOUNDS).of(contents)

    for index, (content, _) in enumerate(rows):
        earliest = channels[contents == content].min()
        assert (first[index] < channels[index]) == (earliest < channels[index])


def test_of_too_many_contents_none_are_kept() -> None:
    kept = ContentPositions(most=100)

    for start in range(0, 200, 50):
        kept.add(np.arange(start, start + 50, dtype=np.uint64), np.zeros(50))
    kept.settle()

    assert kept.is_full


def test_filters_know_every_content_that_an_earlier_channel_has_and_hardly_another() -> None:
    contents = mix(np.arange(3000, dtype=np.uint64))
    channels = np.repeat(np.arange(3), 1000)
    filters = ContentFilters(train_bits=18, validation_bits=18)

    filters.add(contents, channels)

    first = filters.of(contents)
    assert set(first[:1000].tolist()) == {0}
    assert first[1000:2000].max() <= 1
    assert np.mean(first[1000:2000] == 0) < 0.01
    assert np.mean(first[2000:] < 2) < 0.01


def test_a_filter_does_not_depend_on_the_order_in_which_it_is_filled() -> None:
    hashes = mix(np.arange(500, dtype=np.uint64))
    one, other = BloomFilter(12), BloomFilter(12)
    one.add(hashes)
    for hashed in np.array_split(hashes[::-1], 7):
        other.add(hashed)

    assert (one._bytes == other._bytes).all()
