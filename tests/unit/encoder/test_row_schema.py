"""The schema of a model's rows accepts what the model takes and refuses what it refuses; its example works."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest

from sageline.arrays.dates import DateFormat
from sageline.encoder.columns.columns import ColumnsEncoder
from sageline.encoder.columns.date import DatePart
from sageline.encoder.columns.number import NumberPart, NumberScaling
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.image_file import ImageFileEncoder
from sageline.encoder.schema.row_schema import row_schema
from sageline.encoder.text.tokens import TokenLines
from sageline.errors import InvalidRequest
from tests.unit.encoder.encoders import table_encoder, text_encoder
from tests.unit.encoder.test_description import image_encoder

DATES = ColumnsEncoder(
    (
        NumberPart("open", binary=True),
        DatePart("made", DateFormat("dmy"), ("days",), (NumberScaling(fill=0.0),)),
        NumberPart("size.width"),
    )
)
ENCODERS: dict[str, FittedEncoder] = {
    "table": table_encoder(["cheap", "dear"]),
    "regression": table_encoder(),
    "without missing numbers": replace(table_encoder(["cheap", "dear"]), answers="knn"),
    "text": text_encoder(),
    "tokens": FittedEncoder("classification", {"post": "text"}, "kind", ["a", "b"], TokenLines(), answers="blazingtext"),
    "texts": FittedEncoder("classification", {"a": "text", "b": "text"}, "kind", ["a", "b"], TokenLines(), answers="blazingtext"),
    "pixels": image_encoder((2, 3)),
    "channels": image_encoder((2, 2, 3)),
    "files": FittedEncoder("classification", {"image": "image"}, "pet", ["a", "b"], ImageFileEncoder("image", (4, 4), 1 / 255)),
    "dates": FittedEncoder(
        "regression", {"open": "number", "made": "date", "size.width": "number"}, "price", None, DATES, unused_columns=("id",)
    ),
}
VALUES: list[Any] = [0, 1.5, -(10**30), 1e300, True, "1", "", " ", "x", None, [], ["a", "b"], [1], {}, {"a": 1}, [[0, 0, 0]] * 2]


def accepts(encoder: FittedEncoder, instance: object) -> bool:
    try:
        encoder.block_from_instances([instance], [])
    except InvalidRequest:
        return False
    return True


def instances(encoder: FittedEncoder) -> list[object]:
    """Rows as nobody sends them, and the right one with one value changed, or gone."""
    [right] = row_schema(encoder, {})["examples"]
    names = list(encoder.feature_columns)
    found: list[object] = [right, *VALUES, ["x"] * len(names), [1] * len(names), [1] * (len(names) + 1), [None] * len(names)]
    row = right if isinstance(right, dict) else dict.fromkeys(names, 0)
    for name in names:
        # An object in a row is columns of its own names, a.b: JSON Schema does not say it.
        found += [{**row, name: value} for value in VALUES if not value or not isinstance(value, dict)]
        found += [[{**row, name: value}[key] for key in names] for value in VALUES]
        found.append({key: value for key, value in row.items() if key != name})
    return [*found, {**row, "more": 1}, {**row, encoder.label_column: "x"}, {"more": 1}]


def is_text_for_a_number(encoder: FittedEncoder, instance: object) -> bool:
    """What JSON Schema does not say: whether a text is a number as the column spells it, or an image file."""
    values = instance if isinstance(instance, list) else list(instance.values()) if isinstance(instance, dict) else [instance]
    numbers = {"number", "pixel", "image"} & {*encoder.feature_columns.values()}
    return bool(numbers) and any(isinstance(value, str) for value in values)


@pytest.mark.parametrize("name", ENCODERS)
def test_the_schema_is_one_and_its_example_is_taken_without_a_warning(name: str) -> None:
    encoder, schema = ENCODERS[name], row_schema(ENCODERS[name], {})

    jsonschema_rs.meta.validate(schema)
    [example] = schema["examples"]
    assert jsonschema_rs.is_valid(schema, example)
    warnings: list[str] = []
    encoder.encode_instances([example], warnings)
    assert warnings == []


@pytest.mark.parametrize("name", ENCODERS)
def test_rows_are_valid_if_the_model_takes_them(name: str) -> None:
    encoder = ENCODERS[name]
    check = jsonschema_rs.Draft202012Validator(row_schema(encoder, {}))

    wrong = [
        instance
        for instance in instances(encoder)
        if check.is_valid(instance) != accepts(encoder, instance) and not is_text_for_a_number(encoder, instance)
    ]

    assert wrong == []


def test_what_the_dataset_had_is_told_and_refuses_nothing() -> None:
    seen = {"age": {"minimum": 1.0, "maximum": 99.0}, "price": {"minimum": 0.5, "maximum": 8.0}}
    schema = row_schema(table_encoder(), seen)

    age = schema["anyOf"][0]["properties"]["age"]
    assert (age["x-sageline-minimum"], age["x-sageline-maximum"]) == (1.0, 99.0)
    assert schema["x-sageline-label"] == {
        "name": "price",
        "task": "regression",
        "x-sageline-minimum": 0.5,
        "x-sageline-maximum": 8.0,
    }
    assert schema["anyOf"][0]["properties"]["colour"]["examples"] == ["red", "3.0", "True"]
    assert jsonschema_rs.is_valid(schema, {"age": 1000, "colour": "mauve"})


def test_a_table_of_very_many_columns_is_said_without_what_was_seen() -> None:
    names = [f"c{number}" for number in range(1_001)]
    features = ColumnsEncoder(tuple(NumberPart(name) for name in names))
    schema = row_schema(FittedEncoder("regression", dict.fromkeys(names, "number"), "y", None, features), {})

    assert "x-sageline-kind" not in schema["anyOf"][0]["properties"]["c0"]
    assert not jsonschema_rs.is_valid(schema, {"c1000": True})
    assert jsonschema_rs.is_valid(schema, {"c1000": 1})


def test_labels_are_told_in_their_order() -> None:
    label = row_schema(text_encoder(), {})["x-sageline-label"]
    assert (label["labels"], label["classes"]) == (["ham", "spam"], 2)
