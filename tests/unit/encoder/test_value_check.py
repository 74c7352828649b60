"""What is odd about values is said in the same words whether rows are looked at together, or apart and merged."""

from __future__ import annotations

import numpy as np
import pytest

from sageline.arrays.strings import StringArray
from sageline.encoder.value_check import NotedValues, ValueCheck
from sageline.encoder.values import ValueIndex

COLUMNS = {
    "colour": ["red", "red", "red", "red", "green", "pink", *(f"colour {number}" for number in range(2000))],
    "shape": ["round", "flat", "long", "round", "round", "round", *["round"] * 2000],
}
"""The first odd shape comes before the first odd colour."""
KNOWN = {"colour": ValueIndex(["red"]), "shape": ValueIndex(["round"])}


def noted(start: int, end: int) -> NotedValues:
    check = ValueCheck(lambda number: f"row {number:,}")
    for name, values in COLUMNS.items():
        check.note_unseen(name, StringArray.from_list(values[start:end]), KNOWN[name], np.arange(start, end) + 1)
    return check.noted


@pytest.mark.parametrize("cut", [1, 2, 3, 5, 1004, 1500, 2005])
def test_rows_that_are_looked_at_apart(cut: int) -> None:
    merged = noted(0, cut)
    merged.merge(noted(cut, 2006))

    assert merged.sentences() == noted(0, 2006).sentences()
    assert merged.sentences() == [
        "row 2 and 1 more, column 'shape': 'flat', 'long' are values that training did not have, or only once.",
        "row 5 and 2,001 more, column 'colour': 'green', 'pink', 'colour 0' and over 997 more are values that training did not "
        "have, or only once.",
    ]
