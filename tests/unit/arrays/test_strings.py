from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.blocks import Block
from sageline.arrays.strings import StringArray, row_chunks
from tests.unit.dataset.reading import block_of

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"])))


@given(TEXTS)
def test_a_string_array_gives_back_the_strings_it_was_made_of(values: list[str]) -> None:
    array = StringArray.from_list(values)

    assert len(array) == len(values)
    assert array.tolist() == list(array) == [array[index] for index in range(len(values))] == values
    assert array.lengths.tolist() == [len(value.encode()) for value in values]


@given(TEXTS, st.data())
def test_taking_strings_by_mask_or_index_keeps_their_order(values: list[str], data: st.DataObject) -> None:
    array = StringArray.from_list(values)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values))), dtype=np.bool_)

    assert array.take(mask).tolist() == [value for value, taken in zip(values, mask, strict=True) if taken]
    assert array.take(np.flatnonzero(mask)[::-1]).tolist() == [values[index] for index in np.flatnonzero(mask)[::-1]]


def test_a_string_array_is_indexed_like_a_list() -> None:
    array = StringArray.from_list(["a", "", "ü"])

    assert (array[-1], array[1]) == ("ü", "")
    with pytest.raises(IndexError, match="index 3 of 3 strings"):
        array[3]


def test_rows_taken_from_a_block_keep_their_numbers() -> None:
    block = block_of({"a": ["x", "y", "z"]}, first_row=7)

    taken = block.take(np.array([True, False, True]))

    assert (taken.rows, taken.first_row, taken.where(1)) == (2, 7, "data.csv: row 9")
    assert taken.columns["a"].tolist() == ["x", "z"]


def test_a_block_without_columns_has_no_rows() -> None:
    assert Block.of({}).rows == 0


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=10), st.integers(1, 60))
def test_chunks_are_all_rows_in_order(texts: list[str], chunk_bytes: int) -> None:
    column = StringArray.from_list(texts)

    chunks = list(row_chunks([column, column], chunk_bytes))

    assert [row for start, end in chunks for row in range(start, end)] == list(range(len(texts)))
    assert all(end == start + 1 or 2 * (column.offsets[end] - column.offsets[start]) <= chunk_bytes for start, end in chunks)
