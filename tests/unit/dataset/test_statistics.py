from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.number_spelling import Spelling
from sageline.arrays.strings import StringArray
from sageline.dataset.split import hash_columns
from sageline.dataset.statistics import DatasetStatistics, characters
from sageline.errors import InvalidDataset
from tests.unit.dataset.reading import block_of


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
