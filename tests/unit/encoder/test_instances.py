from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from sageline.arrays.blocks import Block
from sageline.arrays.number_spelling import Spelling
from sageline.arrays.strings import StringArray
from sageline.encoder.columns.columns import ColumnsEncoder
from sageline.encoder.columns.fitting import ColumnsFit
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.image import ImageEncoder
from sageline.errors import InvalidRequest
from sageline.spec.encoder import ColumnsSpec
from tests.unit.encoder.encoders import Number, table, table_encoder, text_encoder, words_of_texts


def columns(encoder: FittedEncoder, *instances: object) -> dict[str, list[str]]:
    block = encoder.block_from_instances(list(instances), [])
    assert block.rows == len(instances)
    return {name: column.tolist() for name, column in block.columns.items()}


def test_one_text_column_takes_strings_objects_and_arrays() -> None:
    assert columns(text_encoder(), "Hëllo", {"post": "b"}, ["c"]) == {"post": ["Hëllo", "b", "c"]}


def test_a_table_takes_objects_in_any_order_and_arrays_in_feature_order() -> None:
    instances = [{"income": 5, "colour": "red", "age": "1.5"}, [2, "blue", None]]

    assert columns(table_encoder(), *instances) == {"age": ["1.5", "2"], "colour": ["red", "blue"], "income": ["5", ""]}


def test_columns_that_training_left_out_are_not_looked_at() -> None:
    encoder = FittedEncoder.load(replace(table_encoder(), unused_columns=("id", "note")).save())
    row = {"age": 1, "colour": "red", "income": 2}

    encoded = encoder.encode_instances([row, {**row, "id": 7}, {"note": ["any"], **row}])

    assert isinstance(encoded, np.ndarray)
    assert encoded.tolist() == [encoded[0].tolist()] * 3


def test_nested_objects_are_columns_and_lists_of_words_texts_as_in_training() -> None:
    features = table({"user.age": None, "user.tags": ["red blue", "red"]})
    encoder = FittedEncoder("regression", {"user.age": "number", "user.tags": "category"}, "y", None, features)

    assert columns(encoder, {"user": {"age": 3, "tags": ["red", "blue"]}}, {"user.age": 4, "user": {"tags": "red"}}) == {
        "user.age": ["3", "4"],
        "user.tags": ["red blue", "red"],
    }
    with pytest.raises(InvalidRequest, match=r"instances\[0\] has two values for the column 'user.age'"):
        columns(encoder, {"user.age": 4, "user": {"age": 3, "tags": "red"}})


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
        ({"zzz": 1}, "instances[1]: none of the model's columns is there; they are 'age', 'colour', 'income'."),
        ({"price": 1}, "instances[1]: none of the model's columns is there; they are 'age', 'colour', 'income'."),
        ({"AGE": 1}, "instances[1]: none of the model's columns is there; they are 'age', 'colour', 'income'. "
            "Is 'AGE' meant to be 'age'?"),
        ([1, "red"], "instances[1] has 2 values, expected 3: age, colour, income."),
        ([1], "instances[1] has 1 value, expected 3: age, colour, income."),
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
        table_encoder().block_from_instances([[1, "red", 1], instance], [])
    assert caught.value.message == expected


@pytest.mark.parametrize(
    ("instance", "expected"),
    [
        (
            None,
            "instances[0] is null; expected a string, or an object with the column post, or an array of the values "
            "in this order.",
        ),
        ({}, "instances[0]: none of the model's columns is there; they are 'post'."),
        ({"Post": "b"}, "instances[0]: none of the model's columns is there; they are 'post'. Is 'Post' meant to be 'post'?"),
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


def test_numbers_of_json_are_numbers_however_the_column_spells_them_and_strings_are_as_it_spells_them() -> None:
    numbers = {"price": Number(spelling=Spelling(",", ".")), "share": Number(spelling=Spelling(unit="%"), binary=True)}
    features = table(dict.fromkeys(numbers), numbers)
    encoder = FittedEncoder("regression", dict.fromkeys(numbers, "number"), "y", None, features)
    instances: list[object] = [{"price": 1.234}, {"price": "1.234", "share": "12%"}, {"price": 1234567.5, "share": True}]

    encoded = encoder.encode_instances(instances, [])

    assert isinstance(encoded, np.ndarray)
    assert np.array_equal(encoded, np.array([[1.234, np.nan], [1234, 12], [1234567.5, 1]], dtype=np.float32), equal_nan=True)
    with pytest.raises(InvalidRequest, match=r"instances\[0\], column 'price': '1.5' is not a number as the others are spelled"):
        encoder.encode_instances([["1.5", 1]])


# ---- Columns that are absent, or too many ----


def warned(encoder: FittedEncoder, *instances: object) -> tuple[dict[str, list[str]], list[str]]:
    """The columns that were read, and the warnings."""
    warnings: list[str] = []
    block = encoder.block_from_instances(list(instances), warnings)
    return {name: column.tolist() for name, column in block.columns.items()}, warnings


def test_a_column_that_may_be_missing_may_be_absent_and_is_named_once_a_request() -> None:
    read, warnings = warned(
        table_encoder(), {"age": 1, "colour": "red", "income": 2}, {"income": 3}, {"colour": "red"}, {"age": 4}
    )

    assert read == {"age": ["1", "", "", "4"], "colour": ["red", "", "red", ""], "income": ["2", "3", "", ""]}
    assert warnings == [
        "instances[1] and 1 more: column 'age' is absent and taken for missing.",
        "instances[1] and 1 more: column 'colour' is absent and taken for missing.",
        "instances[2] and 1 more: column 'income' is absent and taken for missing.",
    ]


def test_an_absent_column_is_encoded_as_a_missing_value() -> None:
    encoder = table_encoder()

    absent = encoder.encode_instances([{"age": 1}, {"colour": "red"}], [])

    assert isinstance(absent, np.ndarray)
    assert np.array_equal(absent, [[1, 0, 0, 0, np.nan], [np.nan, 1, 0, 0, np.nan]], equal_nan=True)


def test_an_unknown_column_is_ignored_and_the_nearest_is_named_in_whatever_case() -> None:
    row = {"age": 1, "colour": "red", "income": 2}

    read, warnings = warned(table_encoder(), {**row, "color": "blue"}, {**row, "INCOME": 3, "color": 1}, {**row, "zzz": {}})

    assert read == {"age": ["1"] * 3, "colour": ["red"] * 3, "income": ["2"] * 3}
    assert warnings == [
        "instances[0] and 1 more: unknown column 'color' is ignored; did you mean 'colour'?",
        "instances[1]: unknown column 'INCOME' is ignored; did you mean 'income'?",
        "instances[2]: unknown column 'zzz' is ignored.",
    ]


def test_the_label_is_ignored() -> None:
    assert warned(table_encoder(), {"age": 1, "colour": "red", "income": 2, "price": 7})[1] == [
        "instances[0]: column 'price' is the label, which the model predicts; it is ignored."
    ]


def test_whole_rows_and_columns_that_training_left_out_give_no_warning() -> None:
    encoder = replace(table_encoder(), unused_columns=("id",))

    assert warned(encoder, {"age": 1, "colour": "red", "income": 2, "id": 9}, [1, "red", 2])[1] == []


def test_without_a_list_of_warnings_they_are_errors_and_all_of_them_are_named() -> None:
    with pytest.raises(InvalidRequest) as caught:
        table_encoder().encode_instances([{"age": 1, "colour": "red", "price": 2}])

    assert caught.value.details["warnings"] == [
        "instances[0]: column 'price' is the label, which the model predicts; it is ignored.",
        "instances[0]: column 'income' is absent and taken for missing.",
    ]
    assert caught.value.message.startswith("In strict mode warnings are errors: instances[0]: column 'price' is the label")
    assert caught.value.message.endswith("column 'income' is absent and taken for missing.")


@pytest.mark.parametrize("answers", ["linear-learner", "knn", "tensorflow"])
def test_every_number_that_the_model_needs_is_named_when_it_is_absent(answers: str) -> None:
    filled = table({"age": None, "colour": ["red"], "income": None, "size": None}, {"size": Number(1.5)})
    kinds = {"age": "number", "colour": "category", "income": "number", "size": "number"}
    encoder = FittedEncoder("regression", kinds, "price", None, filled, answers)

    with pytest.raises(InvalidRequest) as caught:
        encoder.encode_instances([[1, None, 1, 1], {"age": 1}, {"incone": 2, "size": 1}], [])

    assert caught.value.message == (
        "instances[1] and 1 more: columns 'age', 'income' are absent and must be there. Is 'incone' meant to be 'income'?"
    )
    assert caught.value.details == {"columns": ["age", "income"]}
    assert warned(encoder, {"age": 1, "income": 2})[1] == [
        "instances[0]: column 'colour' is absent and taken for missing.",
        "instances[0]: column 'size' is absent and taken for missing.",
    ]


def test_pixels_must_be_there() -> None:
    image = FittedEncoder("regression", dict.fromkeys("abcd", "pixel"), "y", None, ImageEncoder(list("abcd"), (2, 2), 1.0))

    with pytest.raises(InvalidRequest, match=r"instances\[1\]: columns 'b', 'd' are absent and must be there"):
        image.encode_instances([[1, 2, 3, 4], {"a": 1, "c": 2}], [])


def test_a_text_among_several_may_be_absent_or_null_and_is_empty_then() -> None:
    kinds = {"title": "text", "post": "text"}
    encoder = FittedEncoder("classification", kinds, "label", ["ham", "spam"], words_of_texts(["hello"], list(kinds)))

    read, warnings = warned(encoder, {"title": "hello"}, {"title": None, "post": "b"})

    assert read == {"title": ["hello", ""], "post": ["", "b"]}
    assert warnings == ["instances[0]: column 'post' is absent and taken for missing."]
    with pytest.raises(InvalidRequest, match=r"instances\[0\]: none of the model's columns is there"):
        encoder.encode_instances([{}], [])


def test_many_columns_are_named_in_few_sentences() -> None:
    names = [f"c{place}" for place in range(200)]
    encoder = FittedEncoder("regression", dict.fromkeys(names, "number"), "y", None, table(dict.fromkeys(names)))

    _, warnings = warned(encoder, {"c0": 1, **{f"unknown {place}": 1 for place in range(300)}})

    assert len(warnings) == 42
    assert warnings[20].startswith("instances[0]: columns 'unknown 20', 'unknown 21', ")
    assert warned(encoder, {**dict.fromkeys([*names, *map(str, range(30))], 1), "y": 1})[1][0].endswith("it is ignored.")
    assert warnings[20].endswith(" and 180 more are unknown and ignored too.")
    assert warnings[41].endswith(" and 79 more are absent and taken for missing too.")


# ---- Booleans ----


def test_booleans_are_0_and_1_for_numbers_that_were_only_these_in_training() -> None:
    features = table({"member": None, "age": None}, {"member": Number(binary=True), "age": Number()})
    encoder = FittedEncoder("regression", dict.fromkeys(features.numbers, "number"), "y", None, features)

    assert columns(encoder, [True, 3], {"member": False, "age": 4}) == {"member": ["1", "0"], "age": ["3", "4"]}
    assert columns(encoder, ["True", 3], ["FALSE", 4])["member"] == ["1", "0"]
    with pytest.raises(InvalidRequest, match=r"instances\[0\], column 'age': 'True' is not a number"):
        encoder.encode_instances([[1, "True"]])
    with pytest.raises(InvalidRequest, match=r"instances\[0\], column 'age' is a boolean; expected a number or null"):
        encoder.encode_instances([[True, True]])


def test_which_numbers_take_booleans_is_learnt_from_the_train_rows_and_saved() -> None:
    rows = ["1,0,2,0.5,", "0,0,1,1,1", "1,0,0,0,"]
    names = ["both", "zero", "three", "half", "gaps"]
    cells = zip(*(row.split(",") for row in rows), strict=True)
    fit = ColumnsFit(ColumnsSpec(), dict.fromkeys(names, "number"), {}, {}, is_class=False)
    block = Block.of({name: StringArray.from_list(texts) for name, texts in zip(names, cells, strict=True)})
    fit.update(block, np.ones(block.rows, dtype=np.bool_), np.zeros(block.rows, dtype=np.float32))
    encoder = FittedEncoder("regression", dict.fromkeys(names, "number"), "y", None, fit.finish("data.csv", None))

    loaded = FittedEncoder.load(encoder.save())

    assert isinstance(loaded.features, ColumnsEncoder)
    assert [name for name, number in loaded.features.numbers.items() if number.binary] == ["both", "zero", "gaps"]


@pytest.mark.parametrize(
    ("known", "spelling"), [(["0", "1"], "1"), (["1.0"], "1.0"), (["0", "1", "2"], "true"), (["no"], "true")]
)
def test_true_is_the_category_1_where_there_are_only_0_and_1(known: list[str], spelling: str) -> None:
    encoder = FittedEncoder("regression", {"member": "category"}, "y", None, table({"member": known}))

    assert columns(encoder, [True])["member"] == [spelling]
