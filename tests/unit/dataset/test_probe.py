"""How well a column alone tells the label is estimated whatever is in its cells."""

from __future__ import annotations

import numpy as np
import pytest

from sageline.arrays.number_spelling import PLAIN, Spelling
from sageline.dataset.probe import Feature, alone, target_of

EUROS = Spelling(unit="€")


def test_cells_that_are_no_numbers_are_taken_for_missing_however_many_there_are() -> None:
    """Of two currencies in one column, thousands are not spelled as the others."""
    labels = [str(index // 2 % 2) for index in range(4_000)]
    amounts = [f"{index} €" if label == "1" else f"${index}" for index, label in enumerate(labels)]
    found = target_of(labels, "classification", PLAIN)
    assert found is not None

    score = alone(Feature("number", amounts, EUROS), found[0])

    assert score == pytest.approx(1.0), "what is missing is of one class, and what is there of the other"


def test_labels_that_are_no_numbers_are_no_rows_of_a_regression() -> None:
    found = target_of(["1.5", "twelve", "", *map(str, range(60))], "regression", PLAIN)

    assert found is not None
    target, rows = found
    assert rows.tolist() == [0, *range(3, 63)]
    assert target.values is not None
    assert np.isfinite(target.values).all()
