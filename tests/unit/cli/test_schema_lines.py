from __future__ import annotations

from typing import Any

import pytest

from sageline_cli.schema_lines import schema_lines
from tests.unit.cli.fakes import SCHEMA


def said(**more: Any) -> list[str]:
    return [line.plain for line in schema_lines({"details": {"schema": SCHEMA | more}})]


def test_a_person_is_told_what_is_predicted_from_what_and_how_to_say_otherwise() -> None:
    assert said() == [
        "Predicts price (regression): the last column.",
        "From 2 columns (1 number, 1 category): area, city.",
        "Left out: id, because it numbers the rows.",
        "Left out: when, since, each because it holds dates.",
        "Note: The numbers of 'area' are read with a decimal comma (1,5 is 1.5).",
        "Warning: Column 'id' alone tells the label.",
        'To say otherwise: --label COLUMN, or --spec FILE with a line such as {"dataset": {"exclude": ["area"]}} (docs/spec.md).',
    ]


def test_what_every_row_has_changed_is_said() -> None:
    assert "Changed when every row was read: `task`: it is another one." in said(changes=["`task`: it is another one."])


def test_of_many_columns_some_are_named() -> None:
    names = {f"x{index}": "number" for index in range(20)}

    lines = said(features=names, kinds={"number": 20}, left_out={}, left_out_in_all=0)
    wide = said(features={}, kinds={"number": 500}, left_out={}, left_out_in_all=60)

    assert "From 20 columns (20 numbers): x0, x1, x2, x3, x4, x5, x6, x7 and 12 more." in lines
    assert "From 500 columns (500 numbers)." in wide
    assert "Left out: 60 more columns (sageline show has the reasons)." in wide


def test_nothing_is_said_before_the_data_were_read() -> None:
    assert schema_lines({"details": {}}) == []


def test_names_with_commas_and_quotes_can_be_told_apart_and_copied() -> None:
    lines = said(
        features={'height, 6" pipe': "number", "city": "category"}, left_out={"Länge, cm": "it is empty"}, left_out_in_all=1
    )
    assert lines[1] == "From 2 columns (1 number, 1 category): 'height, 6\" pipe', city."
    assert lines[2] == "Left out: 'Länge, cm', because it is empty."
    assert r'{"dataset": {"exclude": ["height, 6\" pipe"]}}' in lines[-1]


@pytest.mark.parametrize(
    ("split", "line"),
    [
        ({"by": "time", "column": "sold"}, "Tests on the rows with the latest 'sold'."),
        ({"by": "group", "column": "owner"}, "Tests on the rows of some values of 'owner', of which none trains."),
        ({"by": "given", "column": "fold"}, "Tests on the rows that 'fold' says."),
        ({"by": "given", "column": None}, "Tests on the rows of the test files."),
    ],
)
def test_which_rows_test_is_said_unless_any_may(split: dict[str, str | None], line: str) -> None:
    assert line in said(split=split)
    assert not any(text.startswith("Tests on") for text in [*said(), *said(split={"by": "hash", "column": None})])
