from __future__ import annotations

import pytest

from sageline.dataset.profile import ColumnProfile, DatasetProfile
from sageline.dataset.sniff import guess_features, guess_kind, guess_task
from sageline.errors import InvalidDataset
from tests.unit.dataset.reading import block_of

SENTENCES = [f"this is sentence number {index} of many" for index in range(40)]
NAMES = [f"Person {index}" for index in range(40)]
COLOURS = ["red", "green", "blue", ""] * 10
NUMBERS = [str(index * 1.5) for index in range(40)]
UUIDS = [f"{index:08x}-0000-4000-8000-000000000000" for index in range(40)]
WHOLE = [str(index) for index in range(40)]
DATES = [f"2024-01-{index % 28 + 1:02d}" for index in range(40)]


def column(name: str, values: list[str]) -> ColumnProfile:
    return DatasetProfile.of([block_of({name: values})]).columns[name]


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("anything", SENTENCES, "text"),
        ("anything", SENTENCES[:4] * 10, "text"),
        ("anything", NUMBERS, "number"),
        ("anything", ["1", "NA", "", "2.5"], "number"),
        ("anything", [str(index * 3) for index in range(40)], "number"),
        ("year", [str(1950 + index) for index in range(40)], "number"),
        ("epoch", WHOLE, "number"),
        ("age", [str(18 + index) for index in range(40)], "number"),
        ("price", [str(100 + index) for index in range(40)], "number"),
        ("since", [str(1950 + index) for index in range(40)], "number"),
        ("anything", [*NUMBERS, "-"], "number"),
        ("anything", [*NUMBERS, "inf"], "number"),
        ("anything", ["12%", "15%", "3.5 %"] * 9, "number"),
        ("anything", ["$1,234.50", "$7.00"], "number"),
        ("anything", ["1,5", "2", "1.000,25"], "number"),
        ("anything", COLOURS, "category"),
        ("anything", ["yes", "no"] * 20, "category"),
        ("anything", [f"city {index % 15}" for index in range(40)], "category"),
        ("anything", ["नई दिल्ली", "हिमाचल प्रदेश"] * 20, "category"),
        ("title", [f"Book {index % 15}" for index in range(40)], "text"),
        ("Text", NAMES, "text"),
        ("subject", ["maths", "art"] * 20, "category"),
        ("anything", ["x", ""], "category"),
        ("when", DATES, "date"),
        ("when", [f"{value} 12:30:00" for value in DATES], "date"),
        ("when", ["1/2/2024", "13.4.99"], "date"),
        ("Timestamp", [f"2024/01/{index % 28 + 1:02d} 3:04:00 PM GMT+1" for index in range(40)], "date"),
        ("when", ["05-Jan-24", "5 January 2024", "Jan 5, 2024", "Sept. 5, 2024 10:30"], "date"),
        ("Month", [f"{1949 + index // 12}-{index % 12 + 1:02d}" for index in range(40)], "date"),
        ("when", [*DATES, "NULL", "n.d."], "date"),
        ("when", [*DATES, "soon"], "date"),
    ],
)
def test_the_kind_of_a_column_follows_from_its_values(name: str, values: list[str], kind: str) -> None:
    guess = guess_kind(column(name, values))

    assert (guess.kind, guess.unsure) == (kind, False) or values == ["x", ""]


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("id", WHOLE, "it numbers the rows"),
        ("customer_id", NAMES, "it names the row"),
        ("PassengerId", WHOLE, "it numbers the rows"),
        ("Unnamed: 0", WHOLE, "it numbers the rows"),
        ("anything", UUIDS, "it names the row"),
        ("rownames", WHOLE, "it numbers the rows"),
        ("anything", WHOLE, "it numbers the rows"),
        ("Order", [str(10248 + index) for index in range(40)], "it numbers the rows"),
        ("Sample Number", [str(index % 100) for index in range(300)], "it numbers the rows"),
        ("kundennummer", [str(index * 37 % 1009) for index in range(40)], "it names the row"),
        ("Matrikel-Nr", [str(index * 37 % 1009) for index in range(40)], "it names the row"),
        ("PID", [str(526301100 + index * 7) for index in range(40)], "it names the row"),
        ("identifiant", NAMES, "it names the row"),
        ("Belegnummer", [str(index * 37 % 1009) for index in range(40)], "it names the row: every value"),
        ("ID", [str(index * 37 % 1009) for index in (*range(40), 3, 3)], "it names the row: nearly every value"),
        ("c", ["same"] * 5, "every row holds 'same'"),
        ("c", ["", " "][:1] * 5, "it is empty"),
        ("n", ["NA", "?"], "it is empty"),
    ],
)
def test_what_says_nothing_is_left_out(name: str, values: list[str], reason: str) -> None:
    guess = guess_kind(column(name, values))

    assert guess.kind is None
    assert guess.reason.startswith(reason)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("id", NUMBERS),
        ("id", ["1", "1", "2"]),
        ("paid", [str(index * 3) for index in range(40)]),
        ("x", [str(index * 3) for index in range(40)]),
        ("id", SENTENCES),
    ],
)
def test_not_everything_is_an_id(name: str, values: list[str]) -> None:
    assert guess_kind(column(name, values)).kind is not None


def columns(**values: list[str]) -> dict[str, ColumnProfile]:
    return DatasetProfile.of([block_of(values)]).columns


def test_short_text_counts_only_where_there_is_nothing_better() -> None:
    alone = guess_features(columns(name=NAMES, y=COLOURS), "y")
    beside = guess_features(columns(name=NAMES, age=NUMBERS, y=COLOURS), "y")

    assert alone["name"].kind == "text"
    assert (beside["name"].kind, beside["age"].kind) == (None, "number")
    assert "like a name or a code" in beside["name"].reason


def test_a_column_that_is_left_out_though_most_of_it_are_numbers_says_so() -> None:
    amounts = [f"({index}.50)" if index % 4 == 0 else f"{index}.50" for index in range(40)]

    guess = guess_features(columns(amount=amounts, age=NUMBERS, y=COLOURS), "y")["amount"]

    assert (guess.kind, guess.reason) == (None, "75% of its values are numbers, and others are not, such as '(0.50)'")


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
        (["2.1", "2.10", "3", "2.2"] * 20, "classification"),
        ([*NUMBERS * 3, "-"], "regression"),
        ([*NUMBERS * 3, "<1.0"], "regression"),
        (["1,0", "1,3", "1,7"] * 20, "classification"),
        (["$12.50", "$7.50", "$9.00"] * 20, "regression"),
    ],
)
def test_the_task_follows_from_the_label(values: list[str], task: str) -> None:
    assert guess_task(column("label", values))[0] == task


def test_a_dataset_without_blocks_has_no_columns() -> None:
    with pytest.raises(InvalidDataset, match="no rows"):
        DatasetProfile.of([])


def test_few_amounts_are_no_classes() -> None:
    prices = ["10", "12", "15", "20"] * 20

    assert guess_task(column("price", prices))[0] == guess_task(column("SalePrice", prices))[0] == "regression"
    assert guess_task(column("stars", prices))[0] == "classification"


def test_what_is_missing_or_odd_is_in_the_reason() -> None:
    guess = guess_kind(column("x", [*NUMBERS, "-", "-", "unknown", "3 or 4"]))

    assert (
        guess.reason == "40 values are numbers, 3 are taken for missing: '-' (2), 'unknown' (1), 1 is no number, such as '3 or 4'"
    )


def test_empty_cells_are_in_the_reason() -> None:
    assert guess_kind(column("x", NUMBERS)).reason == "every value is a number"
    assert guess_kind(column("x", [*NUMBERS, "", " "])).reason == "40 values are numbers, 2 are empty"
    assert (
        guess_kind(column("x", [*NUMBERS, "", "-"])).reason
        == "40 values are numbers, 1 is empty, 1 is taken for missing: '-' (1)"
    )


def test_a_column_of_numbers_and_words_says_so() -> None:
    guess = guess_kind(column("x", [*["1", "2", "3"] * 10, *["A1", "B2"] * 5]))

    assert guess.kind == "category"
    assert guess.reason.endswith("75% of them are numbers, and others are not, such as 'A1'")
