"""Cells that a spreadsheet would run."""

from __future__ import annotations

import pytest

from sageline.formats.spreadsheet import without_formula


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "-", "+", "=", "-a", "-1e", "--1", "\uff1d1+1"]
)
def test_what_a_spreadsheet_would_run_becomes_a_text(cell: str) -> None:
    assert without_formula(cell) == f"'{cell}"


@pytest.mark.parametrize(
    "cell", ["-1.5", "+1", "-.5", "-1,234.5", "-1.234,5", "-1e-7", "+3E5", "-12%", "red", "", " =1", "1=1", "'=1", -1.5, None]
)
def test_all_else_stays_numbers_above_all(cell: object) -> None:
    assert without_formula(cell) == cell
