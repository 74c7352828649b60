from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.numbers import BadNumber, is_number, parse_numbers, read_cells, shown
from sageline.arrays.strings import StringArray
from sageline.encoder.labels import class_order, encode_classes


def parse(*texts: str) -> list[float]:
    numbers = parse_numbers(StringArray.from_list(texts))
    assert numbers.dtype == np.float32
    return [float(number) for number in numbers]


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_every_float32_is_read_back_exactly(numbers: list[float]) -> None:
    expected = np.array(numbers, dtype=np.float32)

    for spell in (repr, str, "{:.9g}".format, "{:e}".format if not numbers else "{:.9e}".format):
        read = parse_numbers(StringArray.from_list([spell(number) for number in numbers]))
        assert read.view(np.uint32).tolist() == expected.view(np.uint32).tolist()


@pytest.mark.parametrize("text", ["1", "+1", "1.", "1.0", " 1 ", "1e0", "1E+00", "\t1", "01"])
def test_the_spellings_of_a_number(text: str) -> None:
    assert parse(text) == parse(text, "NA")[:1] == [1.0]


@pytest.mark.parametrize(
    "text", ["", " ", "NA", "n/a", "NaN", "nan", "NULL", "None", "?", " na ", "#N/A", "-", ".", "n.d.", "Unknown", "#DIV/0!"]
)
def test_the_spellings_of_a_missing_number(text: str) -> None:
    assert np.isnan(parse("1", text)).tolist() == [False, True]


@pytest.mark.parametrize(
    "text", ["abc", "1,5", "1_000", "0x10", "1-2", "1e", "--1", "<1.0", "3 or 4", "inf", "-Infinity", "\u0661", "1 2", "e5"]
)
def test_what_is_no_number_is_named(text: str) -> None:
    for others in (["1", "2"], ["1", "NA"]):  # digits only, and not
        with pytest.raises(BadNumber) as caught:
            parse(*others, text)
        assert (caught.value.index, caught.value.problem) == (2, f"{text!r} is not a number")


@pytest.mark.parametrize("text", ["3.5e38", "-1e39", "1e999", "9" * 400])
def test_a_number_beyond_float32_is_refused(text: str) -> None:
    with pytest.raises(BadNumber) as caught:
        parse("1", text)
    assert (caught.value.index, caught.value.problem) == (1, f"{shown(text)} is beyond the range of float32 (3.4e38)")


def test_a_number_too_small_for_float32_is_zero() -> None:
    assert parse("1e-60", "-1e-400") == [0.0, 0.0]


def test_a_long_value_is_cut_in_an_error() -> None:
    assert shown("x" * 60) == repr("x" * 60)
    assert shown("x" * 61) == repr("x" * 57 + "...")


def test_classes_that_are_numbers_are_in_the_order_of_their_values() -> None:
    assert class_order(["10", "9", "-1", "9", "9.0"]) == ["-1", "9", "9.0", "10"]
    assert class_order(["b", "a", "10", "9", "a"]) == ["10", "9", "a", "b"]
    assert class_order(["true", "false"]) == ["false", "true"]


def test_labels_become_class_numbers_and_unknown_ones_nan() -> None:
    encoded = encode_classes(StringArray.from_list(["b", "x", "a"]), ["a", "b"])

    assert encoded.dtype == np.float32
    assert str(encoded.tolist()) == "[1.0, nan, 0.0]"


@given(
    st.lists(st.one_of(st.from_regex(r"[+-]?\d{0,17}\.?\d{0,17}([eE][+-]?\d)?", fullmatch=True), st.text("0123456789.+-e /:é")))
)
def test_many_values_are_read_as_python_reads_each(texts: list[str]) -> None:
    cells = read_cells(StringArray.from_list(texts))

    expected = [float(text) if _is_plain(text) else math.nan for text in texts]
    assert cells.numbers.tobytes() == np.array(expected, dtype=np.float64).tobytes()  # the sign of a zero too
    assert cells.others.tolist() == [index for index, text in enumerate(texts) if text and not _is_plain(text)]


def _is_plain(text: str) -> bool:
    return is_number(text) and text == text.strip() and len(text) <= 32
