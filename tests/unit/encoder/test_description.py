"""What rows to predict look like: the columns, and an example that the encoder takes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sageline.encoder.description import MOST_COLUMNS, MOST_VALUES, describe, example_of
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.image import ImageEncoder
from sageline.encoder.text.tokens import TokenLines
from tests.unit.encoder.encoders import Number, table, table_encoder, text_encoder, words_of_texts


def image_encoder(shape: tuple[int, ...]) -> FittedEncoder:
    count = 1
    for size in shape:
        count *= size
    pixels = [f"p{place}" for place in range(count)]
    return FittedEncoder("classification", dict.fromkeys(pixels, "pixel"), "digit", ["0", "1"], ImageEncoder(pixels, shape, 1.0))


def test_a_table_lists_its_columns_with_the_values_of_categories() -> None:
    assert describe(table_encoder()) == {
        "columns": [
            {"name": "age", "kind": "number", "required": False},
            {
                "name": "colour",
                "kind": "category",
                "required": False,
                "values": ["red", "3.0", "True"],
                "different_values": 3,
            },
            {"name": "income", "kind": "number", "required": False},
        ],
        "column_count": 3,
        "image_shape": None,
        "label": {"name": "price", "classes": None, "labels": None},
    }


def test_the_labels_are_listed() -> None:
    assert describe(text_encoder())["label"] == {"name": "label", "classes": 2, "labels": ["ham", "spam"]}


def test_long_lists_are_cut_and_counted() -> None:
    many = [str(number) for number in range(150)]
    columns = {"code": many, **{f"c{place}": None for place in range(1200)}}
    kinds = {name: "number" if values is None else "category" for name, values in columns.items()}

    description = describe(FittedEncoder("classification", kinds, "y", many, table(columns)))

    assert (len(description["columns"]), description["column_count"]) == (MOST_COLUMNS, 1201)
    assert (len(description["columns"][0]["values"]), description["columns"][0]["different_values"]) == (MOST_VALUES, 150)
    assert (len(description["label"]["labels"] or []), description["label"]["classes"]) == (MOST_VALUES, 150)


def test_of_an_image_the_shape_is_said_and_no_pixel_listed() -> None:
    description = describe(image_encoder((2, 3)))

    assert (description["columns"], description["column_count"], description["image_shape"]) == ([], 6, [2, 3])


KINDS = {"a": "number", "b": "number", "c": "category"}
NUMBERS = table({"a": None, "b": None, "c": ["red"]}, {"a": Number(0.5)})


@pytest.mark.parametrize(
    ("encoder", "required"),
    [
        (FittedEncoder("regression", KINDS, "y", None, NUMBERS, "xgboost"), set()),
        (FittedEncoder("regression", KINDS, "y", None, NUMBERS, "linear-learner"), {"b"}),
        (text_encoder(), {"post"}),
        (
            FittedEncoder("classification", {"a": "text", "b": "text"}, "y", ["x", "z"], words_of_texts(["hello"], ["a", "b"])),
            set(),
        ),
    ],
)
def test_required_columns_are_those_without_which_an_instance_is_refused(encoder: FittedEncoder, required: set[str]) -> None:
    whole: dict[str, Any] = {name: "hello" if kind == "text" else 1 for name, kind in encoder.feature_columns.items()}

    assert {column["name"] for column in describe(encoder)["columns"] if column["required"]} == required
    for name in whole:
        rest = {key: value for key, value in whole.items() if key != name}
        if name in required:
            with pytest.raises(Exception, match=r"must be there|none of the model's columns"):
                encoder.encode_instances([rest], [])
        else:
            encoder.encode_instances([rest], [])


# ---- The example ----


@pytest.mark.parametrize(
    ("encoder", "row", "example"),
    [
        (table_encoder(), {"age": 1.5, "colour": "red", "income": None}, {"age": 1.5, "colour": "red", "income": None}),
        (text_encoder(), {"post": "hello " * 100}, {"post": ("hello " * 100)[:200]}),
        (FittedEncoder("classification", {"post": "text"}, "y", ["a"], TokenLines(), "blazingtext"), {"post": ""}, {"post": ""}),
        (image_encoder((2, 2)), {"p0": 0.0, "p1": 1.0, "p2": 2.5, "p3": 3.0}, [[0, 1], [2.5, 3]]),
        (image_encoder((1, 2, 2)), {"p0": 0.0, "p1": 1.0, "p2": 2.5, "p3": 3.0}, [[[0, 1], [2.5, 3]]]),
        (table_encoder(), {"age": 78.0, "colour": "3.0", "income": 1e30}, {"age": 78, "colour": "3.0", "income": 1e30}),
    ],
)
def test_a_raw_row_becomes_an_instance_that_is_taken_without_a_warning(
    encoder: FittedEncoder, row: dict[str, Any], example: object
) -> None:
    assert json.dumps(example_of([row], encoder)) == json.dumps(example)
    encoder.encode_instances([example])


def test_the_row_with_the_fewest_missing_values_is_shown() -> None:
    rows: list[dict[str, Any]] = [
        {"age": None, "colour": "red", "income": 1},
        {"age": 2, "colour": "red", "income": 1},
        {"age": 3, "colour": "red", "income": 1},
    ]

    assert example_of(rows, table_encoder()) == rows[1]


def test_what_is_too_large_to_be_looked_at_is_no_example() -> None:
    encoder = image_encoder((40, 26))

    assert example_of([dict.fromkeys(encoder.feature_columns, 1.0)], encoder) is None
    assert example_of([], table_encoder()) is None
