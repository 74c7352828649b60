from __future__ import annotations

from collections.abc import Iterator

import pytest

from sageline.dataset.blocks import Block
from sageline.dataset.sniff import SAMPLE_ROWS, ColumnSample, guess_features, guess_label, guess_task, sample_columns
from sageline.errors import InvalidDataset
from tests.unit.dataset.reading import block_of

SENTENCES = [f"this is sentence number {index} of many" for index in range(40)]
NAMES = [f"Person {index}" for index in range(40)]
COLOURS = ["red", "green", "blue", ""] * 10
NUMBERS = [str(index * 1.5) for index in range(40)]
UUIDS = [f"{index:08x}-0000-4000-8000-000000000000" for index in range(40)]
WHOLE = [str(index) for index in range(40)]
DATES = [f"2024-01-{index % 28 + 1:02d}" for index in range(40)]


def column(name: str, values: list[str]) -> ColumnSample:
    return ColumnSample.of(name, values)


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("anything", SENTENCES, "text"),
        ("anything", SENTENCES[:4] * 10, "text"),
        ("anything", NUMBERS, "number"),
        ("anything", ["1", "NA", "", "2.5"], "number"),
        ("anything", WHOLE, "number"),
        ("anything", COLOURS, "category"),
        ("anything", ["yes", "no"] * 20, "category"),
        ("anything", [f"city {index % 15}" for index in range(40)], "category"),
        ("anything", ["नई दिल्ली", "हिमाचल प्रदेश"] * 20, "category"),
        ("title", [f"Book {index % 15}" for index in range(40)], "text"),
        ("Text", NAMES, "text"),
        ("subject", ["maths", "art"] * 20, "category"),
        ("anything", ["x", ""], "category"),
    ],
)
def test_the_kind_of_a_column_follows_from_its_values(name: str, values: list[str], kind: str) -> None:
    guess = column(name, values).guess()

    assert (guess.kind, guess.unsure) == (kind, False) or values == ["x", ""]


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("id", WHOLE, "it names the row"),
        ("customer_id", NAMES, "it names the row"),
        ("PassengerId", WHOLE, "it names the row"),
        ("Unnamed: 0", WHOLE, "it names the row"),
        ("anything", UUIDS, "it names the row"),
        ("when", DATES, "it holds dates"),
        ("when", [f"{value} 12:30:00" for value in DATES], "it holds dates"),
        ("when", ["1/2/2024", "13.4.99"], "it holds dates"),
        ("n", ["1,5", "2", "1.000,25"], "its numbers hold commas"),
        ("c", ["same"] * 5, "every row holds 'same'"),
        ("c", ["", " "][:1] * 5, "it is empty"),
        ("n", ["NA", "?"], "it is empty"),
    ],
)
def test_what_says_nothing_is_left_out(name: str, values: list[str], reason: str) -> None:
    guess = column(name, values).guess()

    assert guess.kind is None
    assert guess.reason.startswith(reason)


@pytest.mark.parametrize(
    ("name", "values"), [("id", NUMBERS), ("id", ["1", "1", "2"]), ("paid", WHOLE), ("x", WHOLE), ("id", SENTENCES)]
)
def test_not_everything_is_an_id(name: str, values: list[str]) -> None:
    assert column(name, values).guess().kind is not None


def columns(**values: list[str]) -> dict[str, ColumnSample]:
    return sample_columns([block_of(values)])


def test_short_text_counts_only_where_there_is_nothing_better() -> None:
    alone = guess_features(columns(name=NAMES, y=COLOURS), "y")
    beside = guess_features(columns(name=NAMES, age=NUMBERS, y=COLOURS), "y")

    assert alone["name"].kind == "text"
    assert (beside["name"].kind, beside["age"].kind) == (None, "number")
    assert "like a name or a code" in beside["name"].reason


@pytest.mark.parametrize(
    ("values", "label", "reason"),
    [
        ({"a": NUMBERS, "Label": COLOURS, "b": NUMBERS}, "Label", "its name is a usual one for labels (label)"),
        ({"category": COLOURS, "target": NUMBERS}, "target", "its name is a usual one for labels (target)"),
        ({"a": COLOURS, "b": COLOURS}, "b", "the last column; no column has a usual name"),
        ({"spam": COLOURS, "message": SENTENCES}, "spam", "the last column that is neither text nor an id nor a date"),
        ({"a": COLOURS, "when": DATES}, "a", "the last column that is neither text nor an id nor a date"),
        ({"a": SENTENCES, "b": SENTENCES}, "b", "the last column; no column"),
        ({"Y": COLOURS, "y": NUMBERS}, "Y", "its name is a usual one for labels (y)"),
    ],
)
def test_the_label_column_is_found(values: dict[str, list[str]], label: str, reason: str) -> None:
    found, why = guess_label(columns(**values))

    assert found == label
    assert why.startswith(reason)


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (COLOURS, "classification"),
        (["true", "false"], "classification"),
        (["0", "1"], "classification"),
        (["0.0", "1.0"] * 5, "classification"),
        ([str(index % 10) for index in range(40)], "classification"),
        (WHOLE, "regression"),
        (["1", "2", "3", "4"], "regression"),
        (NUMBERS, "regression"),
        (["1", "2", "x"], "classification"),
    ],
)
def test_the_task_follows_from_the_label(values: list[str], task: str) -> None:
    assert guess_task(column("label", values))[0] == task


def test_only_the_first_rows_are_looked_at() -> None:
    def blocks() -> Iterator[Block]:
        yield block_of({"a": ["1"] * (SAMPLE_ROWS - 1)})
        yield block_of({"a": ["2", "x", "x"]})
        raise AssertionError("read further than needed")

    sample = sample_columns(blocks())["a"]

    assert (sample.rows, sample.numeric) == (SAMPLE_ROWS, True)


def test_a_dataset_without_blocks_has_no_columns() -> None:
    with pytest.raises(InvalidDataset, match="no rows"):
        sample_columns([])
