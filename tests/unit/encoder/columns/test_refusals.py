"""Of several values that cannot be encoded the one in the first row is named, whatever its column."""

from __future__ import annotations

import re

import pytest

from sageline.arrays.blocks import Block
from sageline.arrays.strings import StringArray
from sageline.errors import InvalidDataset
from tests.unit.encoder.columns.test_one_row import KINDS, ROW, encoder_of


@pytest.mark.parametrize("layout", ["dense", "sparse"])
@pytest.mark.parametrize(("bad_number", "bad_date", "named"), [(7, 3, "row 4, column 'd'"), (3, 7, "row 4, column 'n'")])
def test_the_first_row_that_cannot_be_encoded_is_named(layout: str, bad_number: int, bad_date: int, named: str) -> None:
    encoder = encoder_of("xgboost", {"layout": layout})
    columns = {name: [str(ROW[name])] * 10 for name in KINDS}
    columns["n"][bad_number] = "twelve"
    columns["d"][bad_date] = "the day before"
    block = Block.of({name: StringArray.from_list(values) for name, values in columns.items()})

    with pytest.raises(InvalidDataset, match=re.escape(named)):
        encoder.encode(block)
