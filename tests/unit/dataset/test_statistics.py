from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.blocks import Block
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


CELLS = st.sampled_from(["", "1", "-0", "2.5", "1e30", "word", "é" * 5])
NUMBER = st.sampled_from(["", "nan", "0", "-0", "0.1", "3e38", "16777217", "-7"])
ROWS = st.fixed_dictionaries({"age": NUMBER, "post": CELLS, "label": NUMBER | CELLS, "id": CELLS})


@given(st.lists(st.lists(ROWS, min_size=1, max_size=5), min_size=1, max_size=6), st.integers(0, 6))
def test_statistics_of_pieces_make_those_of_the_whole_when_merged(pieces: list[list[dict[str, str]]], wider: int) -> None:
    def blocks_of(number: int) -> Block:
        names = ["age", "post", "label", "id"][: 4 if number >= wider else 3]  # a column may be there in later pieces only
        return block_of({name: [row[name] for row in pieces[number]] for name in names})

    def counted(*numbers: int) -> DatasetStatistics:
        columns = DatasetStatistics({"age": "number", "post": "text"}, "label", {})
        for block in map(blocks_of, numbers):
            columns.add(block, hash_columns(block))
        return columns

    whole = counted(*range(len(pieces))).profile()
    from_front, *rest = (counted(number) for number in range(len(pieces)))
    for part in rest:
        from_front.merge(part)
    from_back = counted()
    for number in reversed(range(len(pieces))):
        before = counted(number)
        before.merge(from_back)
        from_back = before

    assert json.dumps(from_front.profile()) == json.dumps(from_back.profile()) == json.dumps(whole)


def lengths(minimum: float, maximum: float, mean: float, std: float) -> dict[str, float]:
    return {"minimum": minimum, "maximum": maximum, "mean": mean, "std": std}


def test_a_number_that_is_none_is_an_error_that_names_it() -> None:
    block = block_of({"age": ["1", "old"], "tag": ["a", "b"]})

    with pytest.raises(InvalidDataset, match="row 2, column 'age'"):
        DatasetStatistics({"age": "number"}, "tag", {}).add(block, hash_columns(block))
