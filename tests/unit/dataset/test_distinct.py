from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.hashing import hash_strings
from sageline.arrays.strings import StringArray
from sageline.dataset.distinct import MOST_DISTINCT, DistinctValues


def count(values: DistinctValues, piece: list[str]) -> None:
    column = StringArray.from_list(piece)
    values.add(column, hash_strings(column))


@given(st.lists(st.lists(st.sampled_from("abcdefgh")), max_size=5))
def test_few_different_values_are_counted_exactly(pieces: list[list[str]]) -> None:
    values = DistinctValues()
    for piece in pieces:
        count(values, piece)

    assert values.complete
    assert values.counts == Counter(value for piece in pieces for value in piece)
    assert values.profile() == {"distinct": len(values.counts)}


@pytest.mark.parametrize("different", [5_000, 60_000])
def test_many_different_values_are_estimated_and_some_are_kept(different: int) -> None:
    values = DistinctValues()
    for start in range(0, different, 1000):
        count(values, [f"value {index}" for index in range(start, start + 1000)] * 2)

    assert not values.complete
    assert values.profile()["distinct_estimate"] == pytest.approx(different, rel=0.05)
    assert len(values.counts) == MOST_DISTINCT
    assert all(value.startswith("value ") for value in values.counts)


def test_values_that_come_in_one_piece_are_kept_as_those_in_many() -> None:
    whole, pieces = DistinctValues(), DistinctValues()
    texts = [str(index) for index in range(6000)]
    count(whole, texts)
    for start in range(0, 6000, 500):
        count(pieces, texts[start : start + 500])

    assert set(whole.counts) == set(pieces.counts)


def test_values_are_placed_where_they_are_first() -> None:
    values, later = DistinctValues(), DistinctValues()
    for counted, piece, file, start in ((values, ["a", "b", "a"], "1.csv", 1), (later, ["b", "c", "c"], "2.csv", 1)):
        column = StringArray.from_list(piece)
        counted.add(column, hash_strings(column), np.arange(start, start + len(piece)), file)
    values.merge(later)

    assert sorted(values.places()) == [("a", 1, "1.csv"), ("b", 2, "1.csv"), ("c", 2, "2.csv")]
