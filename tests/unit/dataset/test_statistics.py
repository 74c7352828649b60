from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.number_spelling import Spelling
from sageline.arrays.strings import StringArray
from sageline.dataset.split import hash_columns
from sageline.dataset.statistics import DatasetStatistics, Moments, characters
from sageline.errors import InvalidDataset
from tests.unit.dataset.reading import block_of

NUMBERS = st.lists(st.floats(-1e6, 1e6, width=32), max_size=20)


@given(st.lists(NUMBERS, max_size=5))
def test_moments_of_pieces_are_those_of_the_whole(pieces: list[list[float]]) -> None:
    moments, whole = Moments(), np.concatenate([np.zeros(0), *pieces])
    for piece in pieces:
        moments.add(np.array(piece))

    found = moments.profile()
    if len(whole) == 0:
        assert found == {"minimum": None, "maximum": None, "mean": None, "std": None}
    else:
        expected = [whole.min(), whole.max(), whole.mean(), whole.std()]
        assert np.allclose([number or 0.0 for number in found.values()], expected, rtol=1e-5, atol=1e-5)
    assert moments.count == len(whole)


def test_the_deviation_of_large_numbers_keeps_its_digits() -> None:
    moments = Moments()
    for start in range(0, 1000, 10):
        moments.add(1e9 + np.arange(start, start + 10) % 2)

    assert moments.profile()["std"] == 0.5


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_lengths_are_in_characters(texts: list[str]) -> None:
    assert characters(StringArray.from_list(texts)).tolist() == [len(text) for text in texts]


def test_every_column_has_statistics_of_its_own() -> None:
    columns = DatasetStatistics({"age": "number", "post": "text"}, "tag", {})
    for block in (
        block_of({"age": ["1", "na"], "post": ["né", ""], "tag": ["a", "b"], "id": ["x1", "x2"]}),
        block_of({"age": ["4"], "post": ["four"], "tag": ["a"], "id": ["x3"]}, first_row=3),
    ):
        columns.add(block, hash_columns(block))

    profile = columns.profile()

    assert json.loads(json.dumps(profile, allow_nan=False)) == {
        "age": {"kind": "number", "missing": 1, "minimum": 1.0, "maximum": 4.0, "mean": 2.5, "std": 1.5},
        "post": {"kind": "text", "missing": 1, "distinct": 2, "characters": lengths(2, 4, 3, 1)},
        "tag": {"kind": "label", "missing": 0, "distinct": 2, "characters": lengths(1, 1, 1, 0)},
        "id": {"kind": "left out", "missing": 0, "distinct": 3, "characters": lengths(2, 2, 2, 0)},
    }


def test_a_label_of_numbers_is_measured_as_numbers() -> None:
    columns = DatasetStatistics({}, "price", {"price": Spelling(",", ".")})
    for block in (block_of({"price": ["100,5", "200,5"]}), block_of({"price": ["100,5", ""]}, first_row=3)):
        columns.add(block, hash_columns(block))

    assert columns.profile()["price"] == {
        **{"kind": "label", "missing": 1, "distinct": 2},
        **{"minimum": 100.5, "maximum": 200.5, "mean": 133.8333, "std": 47.14045},
    }


def test_a_label_with_one_word_among_numbers_is_measured_as_text() -> None:
    columns = DatasetStatistics({}, "grade", {})
    for block in (block_of({"grade": ["1", "2"]}), block_of({"grade": ["none at all", "3"]}, first_row=3)):
        columns.add(block, hash_columns(block))

    assert columns.profile()["grade"]["characters"] == lengths(1, 11, 3.5, 4.330127)


def lengths(minimum: float, maximum: float, mean: float, std: float) -> dict[str, float]:
    return {"minimum": minimum, "maximum": maximum, "mean": mean, "std": std}


def test_a_number_that_is_none_is_an_error_that_names_it() -> None:
    block = block_of({"age": ["1", "old"], "tag": ["a", "b"]})

    with pytest.raises(InvalidDataset, match="row 2, column 'age'"):
        DatasetStatistics({"age": "number"}, "tag", {}).add(block, hash_columns(block))
