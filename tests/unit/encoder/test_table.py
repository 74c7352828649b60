from __future__ import annotations

import numpy as np
import pytest

from sageline.arrays.blocks import Block
from sageline.arrays.factors import factors
from sageline.arrays.matrix import FloatArray
from sageline.arrays.strings import StringArray
from sageline.encoder.columns.value_counts import Targets, ValueCounts
from sageline.errors import InvalidDataset
from tests.unit.dataset.reading import block_of
from tests.unit.encoder.encoders import table

TABLE = table({"n": None, "c": ["red", "blue"], "m": None})


def encoded_rows_of(block: Block) -> FloatArray:
    encoded = TABLE.encode(block)
    assert isinstance(encoded, np.ndarray)
    return encoded


def test_numbers_stay_and_categories_become_columns() -> None:
    encoded = encoded_rows_of(block_of({"n": ["1.5", ""], "c": ["blue", "red"], "m": ["NA", "-2"], "other": ["x", "y"]}))

    assert encoded.dtype == np.float32
    assert np.array_equal(encoded, [[1.5, 0, 1, np.nan], [np.nan, 1, 0, -2]], equal_nan=True)
    assert TABLE.feature_dim == 4


@pytest.mark.parametrize("value", ["", " ", "green", "Red"])
def test_a_category_that_is_missing_or_unseen_has_no_column(value: str) -> None:
    assert encoded_rows_of(block_of({"n": ["1"], "c": [value], "m": ["1"]})).tolist() == [[1, 0, 0, 1]]


def test_what_is_no_number_is_named_with_its_row_and_column() -> None:
    with pytest.raises(
        InvalidDataset, match=r"^data.csv: row 8, column 'm': 'two' is not a number. Correct it, or leave it empty"
    ):
        encoded_rows_of(block_of({"n": ["1", "1"], "c": ["", ""], "m": ["1", "two"]}, first_row=7))


def test_the_most_frequent_categories_come_first_then_by_spelling() -> None:
    counts, targets = ValueCounts(), Targets(is_class=False)
    for values in (["b", "a", "", "c", "c"], ["d", "d", "d", ""]):
        targets.read(np.zeros(len(values), dtype=np.float32))
        counts.add(factors(StringArray.from_list(values)), np.zeros(len(values), dtype=np.int64), targets)

    assert list(counts.values()) == ["d", "c", "a", "b"]
    assert counts.missing == 2
