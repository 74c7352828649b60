from __future__ import annotations

import pytest

from sageline.dataset.label import in_doubt, likely_labels
from sageline.dataset.profile import ColumnProfile, DatasetProfile
from tests.unit.dataset.reading import block_of

SENTENCES = [f"this is sentence number {index} of many" for index in range(60)]
COLOURS = ["red", "green", "blue"] * 20
YES = ["yes", "no"] * 30
NUMBERS = [str(index * 37 % 61 * 1.5) for index in range(60)]
DATES = [f"2024-01-{index % 28 + 1:02d}" for index in range(60)]
WHOLE = [str(index) for index in range(60)]


def columns(values: dict[str, list[str]]) -> dict[str, ColumnProfile]:
    return DatasetProfile.of([block_of(values)]).columns


@pytest.mark.parametrize(
    ("values", "label", "reason"),
    [
        ({"a": NUMBERS, "Label": COLOURS, "b": NUMBERS}, "Label", "its name is a usual one for labels (label)"),
        ({"category": COLOURS, "target": NUMBERS}, "target", "its name is a usual one for labels (target)"),
        ({"a": COLOURS, "b": COLOURS}, "b", "the last column, 3 different values"),
        ({"spam": YES, "message": SENTENCES}, "spam", "its name is a usual one for labels (spam)"),
        ({"a": COLOURS, "when": DATES}, "a", "the last column that is neither text nor an id nor a date"),
        ({"rownames": WHOLE, "churn": YES, "sex": YES, "charges": NUMBERS}, "churn", "its name is a usual one"),
        ({"x": NUMBERS, "price": NUMBERS, "y": NUMBERS, "z": NUMBERS}, "price", "its name is a usual one"),
        ({"x": NUMBERS, "y": NUMBERS}, "y", "its name is a usual one for labels (y)"),
        ({"Survived": YES, "class": COLOURS, "fare": NUMBERS}, "Survived", "its name is a usual one"),
        ({"is_fraud": YES, "amount": NUMBERS}, "is_fraud", "its name is a usual one for labels (is fraud)"),
        ({"sex": YES, "area": NUMBERS}, "area", "the last column"),
        ({"ラベル": COLOURS, "b": NUMBERS}, "ラベル", "its name is a usual one"),
        ({"레이블": COLOURS, "b": NUMBERS}, "레이블", "its name is a usual one"),
        ({"Étiquette": COLOURS, "b": NUMBERS}, "Étiquette", "its name is a usual one"),
        ({"Klasse": COLOURS, "Gewicht": NUMBERS}, "Klasse", "its name is a usual one"),
        ({"Fläche": NUMBERS, "Preis": NUMBERS, "Zimmer": NUMBERS}, "Preis", "its name is a usual one"),
        ({"Fläche": NUMBERS, "Preis": NUMBERS, "Lage": COLOURS}, "Preis", "its name is a usual one"),
        ({"x": NUMBERS, "label": YES, "y": COLOURS}, "label", "its name is a usual one for labels (label)"),
        ({"MSSubClass": COLOURS, "SalePrice": NUMBERS, "Latitude": NUMBERS}, "SalePrice", "its name is a usual one"),
        ({"median_house_value": NUMBERS, "ocean_proximity": COLOURS}, "median_house_value", "its name is a usual one"),
        ({"x": NUMBERS, "target": WHOLE}, "target", "its name is a usual one"),
        ({"x": NUMBERS, "y2": NUMBERS, "rating": ["1", "", "", "2", "", ""] * 10}, "rating", "its name is a usual one"),
        ({"status": COLOURS, "category": ["1", "", "", "2", "", ""] * 10, "wind": NUMBERS}, "status", "its name is a usual one"),
        ({"level": NUMBERS, "sales": COLOURS, "salary": COLOURS}, "salary", "the last column"),
        ({"a": NUMBERS, "b": COLOURS, "special": ["no", ""] * 30}, "b", "the last column that is"),
        ({"pace": NUMBERS, "time": NUMBERS}, "time", "the last column"),
        ({"Purchase": YES, "StoreID": COLOURS, "STORE": COLOURS}, "Purchase", "its name is a usual one"),
    ],
)
def test_the_label_column_is_found(values: dict[str, list[str]], label: str, reason: str) -> None:
    likely = likely_labels(columns(values), "data")

    assert (likely[0].name, in_doubt(likely)) == (label, False)
    assert likely[0].reason.startswith(reason)


@pytest.mark.parametrize("dataset", ["tenure", "Tenure", "tenures"])
def test_a_column_that_is_called_like_the_dataset_is_its_label(dataset: str) -> None:
    values = {"tenure": NUMBERS, "churn": YES, "target": COLOURS}

    likely = likely_labels(columns({"tenure": NUMBERS, "churn": YES, "charges": NUMBERS}), dataset)

    assert (likely[0].name, likely[0].reason) == ("tenure", "it is called like the dataset, the first column")
    assert in_doubt(likely_labels(columns(values), "data")) is False


def test_the_first_column_of_a_table_of_machines_says_which_machine_and_is_no_label() -> None:
    machines = {"machine": COLOURS, "temperature": NUMBERS, "state": YES}

    likely = likely_labels(columns(machines), "machines")

    assert (likely[0].name, in_doubt(likely)) == ("state", False)
    assert likely_labels(columns(dict(reversed(machines.items()))), "machines")[0].name == "machine"


@pytest.mark.parametrize(
    "values",
    [
        {"quality": NUMBERS, "rating": NUMBERS, "a": NUMBERS},
        {"price": NUMBERS, "sales": NUMBERS, "size": NUMBERS},
        {"churned": YES, "fraud": YES, "a": NUMBERS},
        {"ozone": NUMBERS, "wind": NUMBERS, "day": NUMBERS},
    ],
)
def test_two_columns_that_are_about_as_likely_are_a_doubt(values: dict[str, list[str]]) -> None:
    assert in_doubt(likely_labels(columns(values), "data"))


def test_where_no_column_is_like_a_label_the_last_one_is_the_only_one() -> None:
    likely = likely_labels(columns({"a": SENTENCES, "b": SENTENCES}), "data")

    assert [(label.name, label.reason) for label in likely] == [("b", "the last column; no other is more like a label")]
