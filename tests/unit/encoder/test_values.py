from __future__ import annotations

from sageline.arrays.strings import StringArray
from sageline.encoder.values import ValueIndex, alike, merged, one_name


def test_blanks_around_a_text_do_not_count() -> None:
    assert merged({"yes": 3, " yes": 2, "yes ": 1, "no": 4}) == {"yes": 6, "no": 4}


def test_whole_numbers_are_compared_as_numbers_where_all_are() -> None:
    assert merged({"1": 2, "1.0": 5, "1e0": 1, " 1": 1, "2": 3}) == {"1.0": 9, "2": 3}
    assert merged({"1": 2, "1.0": 5, "one": 1}) == {"1": 2, "1.0": 5, "one": 1}


def test_codes_and_versions_are_told_apart() -> None:
    assert merged({"1": 2, "01": 5, "001": 1}) == {"1": 2, "01": 5, "001": 1}
    assert merged({"2.1": 2, "2.10": 5, "3": 1}) == {"2.1": 2, "2.10": 5, "3": 1}


def test_the_name_of_a_value_is_its_most_frequent_spelling_or_else_the_shortest() -> None:
    assert one_name({"1.0": 3, "1": 2, "1e0": 9}) == {"1.0": "1.0", "1": "1.0", "1e0": "1.0"}
    assert one_name({"1.0": 2, "1": 2, "1e0": 1}) == {"1.0": "1", "1": "1", "1e0": "1"}


def test_what_looks_alike_is_named() -> None:
    assert alike(["yes", "Yes", "no"]) == [["Yes", "yes"]]
    assert alike(["01", "1", "2"]) == [["01", "1"]]
    assert alike(["2.1", "2.10"]) == [["2.1", "2.10"]]
    assert alike(["a", "b"]) == []
    assert alike(["e\u0301", "\u00e9", "b"]) == [["e\u0301", "\u00e9"]]
    assert alike(["New  York", "New York", "a", "a\u200b"]) == [["New  York", "New York"], ["a", "a\u200b"]]
    assert alike(["0", "1", "False", "true"]) == [["0", "False"], ["1", "true"]]
    assert alike(["False", "true"]) == []


def test_a_text_finds_the_value_that_it_spells() -> None:
    values = ValueIndex(["1", "2", "03"])

    assert values.indexes_of(StringArray.from_list(["1", " 1.0", "2e0", "03", "3", "x", ""])).tolist() == [0, 0, 1, 2, -1, -1, -1]
    assert ValueIndex(["1", "a"]).indexes_of(StringArray.from_list(["1.0", " a "])).tolist() == [-1, 1]


def test_an_exact_value_is_found_to_the_letter_only() -> None:
    values = ValueIndex(["1", "2"], exact=True)

    assert values.indexes_of(StringArray.from_list(["1", " 1", "1.0"])).tolist() == [0, -1, -1]
