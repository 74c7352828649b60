"""Columns whose text is made late are in all else what columns of that text are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.blocks import Block
from sageline.arrays.late_text import DictionaryArray, NumberArray, NumberText
from sageline.arrays.numbers import parse_doubles, read_cells
from sageline.arrays.strings import BoolArray, IntArray, StringArray, row_chunks
from sageline.dataset.number_profile import NumberProfile
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.profiles.examples import ExampleColumn
from sageline.dataset.row_sample import MOST_ROWS
from sageline.dataset.split import hash_columns

take = StringArray.take
TEXTS = ["", "0", "-0", "7", "255", "0.5", "1.250", "-0.125", "012", "1e-07", "na", "grün"]


@pytest.mark.slow
@given(st.lists(st.integers(0, len(TEXTS) - 1), max_size=30))
def test_a_dictionary_of_strings_is_what_they_are(places: list[int]) -> None:
    indices = np.array(places, dtype=np.int64)
    column, text = DictionaryArray(StringArray.from_list(TEXTS), indices), StringArray.from_list([TEXTS[at] for at in places])

    for found, expected in (column, text), (column.take(indices % 2 == 0), text.take(indices % 2 == 0)):
        assert found.tolist() == expected.tolist()
        assert len(found) == len(expected)
        assert np.array_equal(found.lengths, expected.lengths)
        assert np.array_equal(found.offsets, expected.offsets)
        assert np.array_equal(read_cells(found).numbers, read_cells(expected).numbers, equal_nan=True)
        assert np.array_equal(read_cells(found).others, read_cells(expected).others)
        assert list(row_chunks([found], 8)) == list(row_chunks([expected], 8))
        assert repr(vars(profiled(found))) == repr(vars(profiled(expected)))  # NaN is not equal to itself
    both = hash_columns(Block.of({"a": column, "b": text, "c": column}))
    assert np.array_equal(both["a"], both["b"])
    assert np.array_equal(both["a"], both["c"])


def profiled(column: StringArray) -> NumberProfile:
    profile = NumberProfile()
    rows = np.arange(1, len(column) + 1, dtype=np.int64)
    profile.add(ExampleColumn(column, rows, "data.csv"), read_cells(column), follows=False)
    profile._last = 0.0  # NaN is not itself
    return profile


def test_a_column_of_a_dictionary_is_profiled_by_the_text_of_a_sample_of_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    block = Block.of({"pixel": DictionaryArray(StringArray.from_list(["0", "255"]), np.arange(10_000) % 2)})
    made: list[int] = []

    def counted(column: StringArray, rows: BoolArray | IntArray) -> StringArray:
        made.append(len(rows))
        return take(column, rows)

    monkeypatch.setattr(StringArray, "take", counted)

    profile = DatasetProfile()
    profile.add(block, hash_columns(block))

    assert (profile.columns["pixel"].is_numeric, profile.rows) == (True, 10_000)
    assert max(made) <= MOST_ROWS


def test_numbers_have_the_text_that_they_are_given_when_it_is_asked_for() -> None:
    column = NumberArray(np.array([1.5, np.nan]), lambda: StringArray.from_list(["1.50", ""]))

    assert (len(column), column.tolist()) == (2, ["1.50", ""])
    assert column.take(np.array([True, False])).tolist() == ["1.50"]
    assert column.take(np.array([0])).numbers.tolist() == [1.5]


def test_a_text_of_plain_numbers_is_not_parsed_and_its_text_not_made_until_somebody_asks() -> None:
    texts = ["1.5", "", "-2", "007"]
    asked: list[str] = []

    def make_text() -> StringArray:
        asked.append("text")
        return StringArray.from_list(texts)

    column = NumberText(np.array([1.5, np.nan, -2.0, 7.0]), np.array([3, 0, 2, 3]), make_text)
    taken = column.take(np.array([False, True, True, True]))

    assert parse_doubles(taken).tolist()[1:] == [-2.0, 7.0]
    assert (len(taken), taken.lengths.tolist(), taken.offsets.tolist()) == (3, [0, 2, 3], [0, 0, 2, 5])
    assert asked == []
    assert taken.tolist() == ["", "-2", "007"]
