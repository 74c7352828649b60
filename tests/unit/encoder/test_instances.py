from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from sageline.encoder.fitted import FittedEncoder
from sageline.errors import InvalidRequest
from tests.unit.encoder.encoders import table_encoder, text_encoder


def columns(encoder: FittedEncoder, *instances: object) -> dict[str, list[str]]:
    block = encoder.block_from_instances(list(instances))
    assert block.rows == len(instances)
    return {name: column.tolist() for name, column in block.columns.items()}


def test_one_text_column_takes_strings_objects_and_arrays() -> None:
    assert columns(text_encoder(), "Hëllo", {"post": "b"}, ["c"]) == {"post": ["Hëllo", "b", "c"]}


def test_a_table_takes_objects_in_any_order_and_arrays_in_feature_order() -> None:
    instances = [{"income": 5, "colour": "red", "age": "1.5"}, [2, "blue", None]]

    assert columns(table_encoder(), *instances) == {"age": ["1.5", "2"], "colour": ["red", "blue"], "income": ["5", ""]}


def test_columns_that_training_left_out_are_not_looked_at_and_others_are_still_unknown() -> None:
    encoder = FittedEncoder.load(replace(table_encoder(), unused_columns=("id", "note")).save())
    row = {"age": 1, "colour": "red", "income": 2}

    encoded = encoder.encode_instances([row, {**row, "id": 7}, {"note": ["any"], **row}])

    assert isinstance(encoded, np.ndarray)
    assert encoded.tolist() == [encoded[0].tolist()] * 3
    with pytest.raises(InvalidRequest, match=r"instances\[0\]: unknown column 'ids'; the columns are age"):
        encoder.encode_instances([{**row, "ids": 7}])


def test_null_is_a_missing_number_or_category() -> None:
    encoder = table_encoder()

    encoded = encoder.encode(encoder.block_from_instances([{"age": None, "colour": None, "income": "NA"}]))

    assert isinstance(encoded, np.ndarray)
    assert np.array_equal(encoded, [[np.nan, 0, 0, 0, np.nan]], equal_nan=True)


@pytest.mark.parametrize(
    ("value", "spelling"), [(3, "3.0"), (3.0, "3.0"), (True, "True"), (False, "false"), (7, "7"), (0.5, "0.5")]
)
def test_a_category_that_is_a_number_or_boolean_is_spelled_as_in_training(value: object, spelling: str) -> None:
    assert columns(table_encoder(), [1, value, 1])["colour"] == [spelling]


def test_numbers_keep_all_their_digits() -> None:
    encoder = table_encoder()
    numbers = [0.1, 1e-300, 123456789012345678, -0.0]

    encoded = encoder.encode(encoder.block_from_instances([[number, None, 1] for number in numbers]))

    assert isinstance(encoded, np.ndarray)
    assert encoded[:, 0].view(np.uint32).tolist() == np.array(numbers, dtype=np.float32).view(np.uint32).tolist()


@pytest.mark.parametrize(
    ("instance", "expected"),
    [
        ({"age": 1, "income": 2}, "instances[1]: column 'colour' is missing; send null when it has no value."),
        ({"age": 1, "color": "red", "income": 2}, "instances[1]: unknown column 'color'; did you mean 'colour'?"),
        ({"zzz": 1}, "instances[1]: unknown column 'zzz'; the columns are age, colour, income."),
        ({"price": 1}, "instances[1]: column 'price' is the label, which the model predicts; leave it out."),
        ([1, "red"], "instances[1] has 2 values, expected 3: age, colour, income."),
        (["x", "red", 1], "instances[1], column 'age': 'x' is not a number."),
        ([1, "red", 1e39], "instances[1], column 'income': '1e+39' is beyond the range of float32 (3.4e38)."),
        ([float("inf"), "red", 1], "instances[1], column 'age': 'inf' is not a number."),
        ([10**400, "red", 1], "instances[1], column 'age': '" + "1" + "0" * 56 + "...' is beyond the range of float32 (3.4e38)."),
        ([True, "red", 1], "instances[1], column 'age' is a boolean; expected a number or null."),
        ([[1], "red", 1], "instances[1], column 'age' is an array; expected a number or null."),
        ([1, {}, 1], "instances[1], column 'colour' is an object; expected a string, a number, a boolean or null."),
        ([1, "\ud800", 1], "instances[1], column 'colour': half of a surrogate pair (\\ud800 to \\udfff) is not a character."),
        ("text", "instances[1] is a string; expected an object with the columns age, colour, income, or an array of the values "
            "in this order."),
        (5, "instances[1] is a number; expected an object with the columns age, colour, income, or an array of the values in "
            "this order."),
    ],
)  # fmt: skip
def test_an_instance_that_does_not_fit_is_named(instance: object, expected: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        table_encoder().block_from_instances([[1, "red", 1], instance])
    assert caught.value.message == expected


@pytest.mark.parametrize(
    ("instance", "expected"),
    [
        (
            None,
            "instances[0] is null; expected a string, or an object with the column post, or an array of the values "
            "in this order.",
        ),
        ({}, "instances[0]: column 'post' is missing."),
        ({"post": None}, "instances[0], column 'post' is null; expected a string."),
        ({"post": 5}, "instances[0], column 'post' is a number; expected a string."),
    ],
)
def test_text_is_a_string(instance: object, expected: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        text_encoder().block_from_instances([instance])
    assert caught.value.message == expected


def test_no_instances_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="instances is empty"):
        text_encoder().block_from_instances([])


def test_nan_as_python_writes_it_in_json_is_a_missing_number() -> None:
    assert columns(table_encoder(), json.loads('[NaN, "red", 1]'))["age"] == ["nan"]
