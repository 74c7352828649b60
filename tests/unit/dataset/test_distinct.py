from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.hashing import hash_strings
from sageline.arrays.strings import StringArray
from sageline.dataset.distinct import MOST_DISTINCT, DistinctValues
from sageline.storage.shards.state_codec import encode_state


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


def of_files(*files: tuple[str, list[str]]) -> DistinctValues:
    values = DistinctValues()
    for name, texts in files:
        column = StringArray.from_list(texts)
        values.add(column, hash_strings(column), np.arange(1, len(texts) + 1), name)
    return values


@pytest.mark.parametrize("cut", range(4))
def test_where_each_value_is_first_is_known_however_the_files_are_counted(cut: int) -> None:
    files = [("a.csv", ["x", "y", "x"]), ("b.csv", ["y", "z"]), ("c.csv", ["z", "x", "", "w"])]
    values, after = of_files(*files[:cut]), of_files(*files[cut:])

    values.merge(after)

    first = {"x": ("a.csv", 1), "y": ("a.csv", 2), "z": ("b.csv", 2), "": ("c.csv", 3), "w": ("c.csv", 4)}
    assert {example.text: (example.file, example.row) for example in values.places()} == first


def test_a_state_of_many_values_has_few_things_that_are_read_one_by_one() -> None:
    values = of_files(("a.csv", [f"value {index}" for index in range(MOST_DISTINCT)]))

    state = encode_state(values)

    described = int.from_bytes(state[:8], "little")
    assert described < 2_000, "the values themselves stand in arrays"
