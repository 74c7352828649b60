from __future__ import annotations

import random

import numpy as np
import pytest

from sageline.arrays.number_spelling import PLAIN, Spelling
from sageline.dataset.profile import ColumnProfile, DatasetProfile
from sageline.dataset.profiles.examples import Example
from sageline.dataset.row_sample import MOST_ROWS
from tests.unit.dataset.reading import block_of

NUMBERS = [str(index * 1.5) for index in range(40)]


def column(values: list[str], pieces: int = 1) -> ColumnProfile:
    profile = DatasetProfile()
    size = -(-len(values) // pieces)
    blocks = [block_of({"x": values[at : at + size]}, first_row=at + 1) for at in range(0, len(values), size)]
    return profile.of(blocks).columns["x"]


@pytest.mark.parametrize(
    ("values", "spellings"),
    [
        (NUMBERS, [PLAIN]),
        (["1,5", "2,25"], [Spelling(",")]),
        (["1.234,5", "2"], [Spelling(",", ".")]),
        (["1,234.5", "2"], [Spelling(".", ",")]),
        (["1 234", "2"], [Spelling(".", " ")]),
        (["1'234", "2"], [Spelling(".", "'")]),
        (["12%", "3.5%"], [Spelling(unit="%")]),
        (["0.12", "0.5", "3%"], [PLAIN]),  # so that the one with a sign is the odd one
        (["€ 3,50", "€ 12,00"], [Spelling(",", unit="€")]),
        (["1,234,567", "2"], [Spelling(".", ",")]),
        (["1,234", "5,678"], [Spelling(".", ","), Spelling(",")]),  # 1234 or 1.234: the file's other columns decide
        (["1.234", "5.678"], [PLAIN, Spelling(",", ".")]),
        (["1.234", "5.67"], [PLAIN]),
        (["0.234", "5.678"], [PLAIN]),
        (["1.234", "1.234.567"], [Spelling(",", ".")]),
        (["\u22125", "\u20136", " 7 ", "1e3"], [PLAIN]),
    ],
)
def test_one_spelling_fits_all_values_of_a_column(values: list[str], spellings: list[Spelling]) -> None:
    numbers = column(values).numbers

    assert numbers.spellings() == spellings
    assert (numbers.odd, numbers.is_numeric) == (0, True)


@pytest.mark.parametrize("odd", ["<1.0", "inf", "0x1F", "3 or 4", "1_000", "1e", "TRUE"])
def test_one_odd_value_does_not_make_a_column_of_numbers_another(odd: str) -> None:
    profile = column([*NUMBERS, odd])

    assert (profile.is_numeric, profile.numbers.odd_values) == (True, [Example(odd, 41, "data.csv")])


def test_a_tenth_of_odd_values_does() -> None:
    assert column([*NUMBERS[:9], "x"]).is_numeric is False
    assert column([*NUMBERS[:10], "x"]).is_numeric is True


@pytest.mark.parametrize("word", ["-", ".", "n.d.", "unknown", "NULL", "#N/A", "#DIV/0!", "\u2014", "n/a", "\\N"])
def test_words_for_a_missing_number_are_missing_and_counted(word: str) -> None:
    profile = column([*NUMBERS, word, word])

    assert (profile.missing, profile.present, dict(profile.numbers.missing)) == (2, 40, {word: 2})


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ([str(index) for index in range(30)], True),
        ([str(index + 10248) for index in range(30)], True),
        ([str(index % 40) for index in range(200)], True),  # begins again for every group
        ([str(2 * index) for index in range(30)], False),
        ([str(index * 7 % 31) for index in range(30)], False),
        ([str(index + 0.5) for index in range(30)], False),
        ([*map(str, range(29)), ""], False),
        ([str(index // 2) for index in range(30)], False),
    ],
)
@pytest.mark.parametrize("pieces", [1, 4])
def test_row_numbers_go_up_by_one_from_row_to_row(values: list[str], counts: bool, pieces: int) -> None:
    assert column(values, pieces).numbers.counts_rows is counts


def test_a_profile_of_pieces_is_that_of_the_whole() -> None:
    generator = random.Random(0)
    values = [generator.choice(["1,5", "2", "-", "", "x", " y ", "3.000,25"]) for _ in range(500)]

    whole, pieces = column(values), column(values, pieces=7)

    for name in ("rows", "missing", "present", "distinct", "values", "is_numeric", "is_unique", "is_whole", "mean_words"):
        assert getattr(whole, name) == getattr(pieces, name), name
    assert whole.numbers.spellings() == pieces.numbers.spellings()
    assert whole.numbers.odd_values == pieces.numbers.odd_values


def test_a_long_column_of_text_is_known_as_text_soon() -> None:
    profile = column([f"some words {index}" for index in range(20_000)], pieces=3)

    assert (profile.is_numeric, profile.numbers.odd, profile.is_unique) == (False, 20_000, True)


def test_the_sample_of_rows_depends_on_the_rows_and_not_on_their_order() -> None:
    rows = [(str(index), str(index % 3)) for index in range(3 * MOST_ROWS)]
    shuffled = rows.copy()
    random.Random(1).shuffle(shuffled)

    def sample(order: list[tuple[str, str]], size: int) -> set[tuple[str, str]]:
        pieces = [order[at : at + size] for at in range(0, len(order), size)]
        profile = DatasetProfile.of(block_of({"a": [a for a, _ in piece], "b": [b for _, b in piece]}) for piece in pieces)
        columns = profile.sample.columns
        assert len(columns["a"]) == MOST_ROWS
        return set(zip(columns["a"], columns["b"], strict=True))

    assert sample(rows, 700) == sample(shuffled, 1900) <= set(rows)


def test_the_sample_keeps_the_order_of_the_file() -> None:
    profile = DatasetProfile.of([block_of({"a": [str(index) for index in range(5000)]})])

    numbers = np.array(profile.sample.columns["a"], dtype=np.int64)
    assert (np.diff(numbers) > 0).all()
