"""Messages of the API as the page of an upload shows them."""

from __future__ import annotations

import pytest

from sageline_cli.console.wording import in_words_of_the_form

URI = "s3://bucket/datasets/wine/console-20261120100000-abc123.csv"


def test_the_file_has_the_name_that_it_has_on_the_persons_machine() -> None:
    told = in_words_of_the_form(f"{URI} has no rows; {URI} needs some.", URI, "Wine list.csv")
    assert told == "Wine list.csv has no rows; Wine list.csv needs some."


def test_a_file_whose_name_is_not_known_is_the_file() -> None:
    assert in_words_of_the_form(f"{URI} has no rows.", URI, "") == "The file has no rows."
    assert in_words_of_the_form(f"Row 3 of {URI} is short.", URI, "") == "Row 3 of the file is short."


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("say its kind in dataset.kinds.", "On this page dataset.kinds is “Taken for”."),
        ('say {"dataset": {"kinds": {"a": "category"}}}', "On this page dataset.kinds is “Taken for”."),
        ("name it in `dataset.label`, or leave it out.", "On this page dataset.label is “Predict the column”."),
        ("name it in `split.column`.", "split.column: only a spec says so, with which `sageline submit` starts a run."),
    ],
)
def test_what_a_spec_says_is_told_as_the_form_says_it(text: str, hint: str) -> None:
    assert in_words_of_the_form(text, URI, "a.csv") == f"{text} {hint}"


def test_other_texts_stay_as_they_are() -> None:
    text = "The column 'task' has 2 different values, and deployment 3."
    assert in_words_of_the_form(text, URI, "a.csv") == text
