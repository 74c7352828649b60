from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.number_spelling import PLAIN, SPELLINGS, Spelling, plain_text, plain_texts, shape_of, spelled
from sageline.arrays.numbers import BadNumber, parse_numbers
from sageline.arrays.strings import StringArray


@pytest.mark.parametrize(
    ("text", "spelling", "number"),
    [
        ("12%", Spelling(unit="%"), 12),
        ("3.5 %", Spelling(unit="%"), 3.5),
        ("0", Spelling(unit="%"), 0),
        ("$3.50", Spelling(unit="$"), 3.5),
        ("-$3.50", Spelling(unit="$"), -3.5),
        ("3.50", Spelling(unit="$"), 3.5),
        ("€ 3,50", Spelling(",", unit="€"), 3.5),
        ("1.234,50 €", Spelling(",", ".", "€"), 1234.5),
        ("12 EUR", Spelling(unit="EUR"), 12),
        ("1,5", Spelling(","), 1.5),
        ("1.234,50", Spelling(",", "."), 1234.5),
        ("1 000", Spelling(".", " "), 1000),
        ("1\u202f000,5", Spelling(",", " "), 1000.5),
        ("1,234,567", Spelling(".", ","), 1234567),
        ("1,00,000", Spelling(".", ","), 100000),
        ("1'234.5", Spelling(".", "'"), 1234.5),
        ("\u22123.5", PLAIN, -3.5),
        ("999", Spelling(".", ","), 999),
        ("1,5e3", Spelling(","), 1500),
    ],
)
def test_a_number_is_read_in_its_spelling(text: str, spelling: Spelling, number: float) -> None:
    plain = plain_text(text, spelling)

    assert plain is not None
    assert float(plain) == number
    shape = shape_of(text)
    assert shape is not None
    assert shape.fits[SPELLINGS.index(spelling._replace(unit=""))]


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("1.5", Spelling(",")),
        ("1,5", Spelling(".", ",")),
        ("12,34", Spelling(".", ",")),
        ("0,123", Spelling(".", ",")),
        ("1.2345", Spelling(",", ".")),
        ("5", Spelling(unit="%")),
        ("$5", Spelling(unit="€")),
        ("5%", Spelling(unit="€")),
        ("5%", PLAIN),
        ("1 000", PLAIN),
    ],
)
def test_another_spelling_is_not_guessed(text: str, spelling: Spelling) -> None:
    assert plain_text(text, spelling) is None


@pytest.mark.parametrize(
    "text", ["<1.0", "inf", "0x1F", "3 or 4", "1_000", "12 kg", "1.2.3", "10:30", "2024-01-05", "", ".", "--1"]
)
def test_what_is_no_number_has_no_shape(text: str) -> None:
    assert shape_of(text) is None


@pytest.mark.slow
@given(st.floats(-1e15, 1e15, allow_nan=False), st.sampled_from([PLAIN, Spelling(","), Spelling(",", "."), Spelling(unit="%")]))
def test_a_json_number_is_read_back_from_the_spelling_of_its_column(number: float, spelling: Spelling) -> None:
    plain = plain_text(spelled(number, spelling), spelling)

    assert plain is not None
    assert float(plain) == number


def test_a_value_that_is_spelled_unlike_the_others_is_named() -> None:
    with pytest.raises(BadNumber) as caught:
        parse_numbers(StringArray.from_list(["1,5", "2.5"]), Spelling(","))

    assert caught.value.index == 1
    assert caught.value.problem == "'2.5' is not a number as the others are spelled, with a decimal comma (1,5 is 1.5)"


def test_words_for_a_missing_number_are_missing_in_every_spelling() -> None:
    numbers = parse_numbers(StringArray.from_list(["1.234,5", "n.d.", "-", ""]), Spelling(",", "."))

    assert np.array_equal(numbers, [1234.5, np.nan, np.nan, np.nan], equal_nan=True)


ALL = st.sampled_from([spelling._replace(unit=unit) for spelling in SPELLINGS for unit in ("", "%", "$", "EUR")])


@given(
    ALL,
    st.lists(
        st.sampled_from(
            ["", "1", "-2", "0,5", "0.5", "1.234", "1,234", "1.234,5", "1 000", "1'000.5", "5%", "-5 %", "$5", "5 EUR"]
        )
    ),
)
def test_many_numbers_are_read_as_one_by_one(spelling: Spelling, texts: list[str]) -> None:
    together = plain_texts(texts, spelling)
    alone = [plain_text(text, spelling) if text else "nan" for text in texts]

    if together is not None:
        assert [float(text) for text in together if text != "nan"] == [float(text) for text in alone if text and text != "nan"]
        assert None not in alone


def test_a_column_that_is_spelled_plainly_is_read_at_once() -> None:
    for text, spelling in [("1.234,5", Spelling(",", ".")), ("12%", Spelling(unit="%")), ("-$1,234.50", Spelling(".", ",", "$"))]:
        assert plain_texts([text, ""], spelling) == [plain_text(text, spelling), "nan"]
