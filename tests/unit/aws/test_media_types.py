"""What clients say in Content-Type and Accept."""

from __future__ import annotations

import pytest

from sageline.aws.media_types import media_type, parameter, preferred

OFFERED = ["application/json", "text/csv", "application/x-ndjson"]


@pytest.mark.parametrize(
    ("value", "name", "header"),
    [
        ("text/csv", "text/csv", None),
        ("Text/CSV ; charset=utf-8; Header=Present", "text/csv", "present"),
        ('text/csv;header="absent"', "text/csv", "absent"),
        ("text/csv; header", "text/csv", ""),
        ("csv", "csv", None),
        ("", "", None),
        (";;=", "", None),
    ],
)
def test_a_type_is_read_with_its_parameters(value: str, name: str, header: str | None) -> None:
    assert (media_type(value), parameter(value, "header")) == (name, header)


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/*", "text/csv"),
        ("application/*", "application/json"),
        ("text/csv", "text/csv"),
        ("TEXT/CSV;Q=0.5", "text/csv"),
        ("text/html, application/x-ndjson;q=0.3", "application/x-ndjson"),
        ("application/json;q=0.5, text/csv", "text/csv"),
        ("application/json;q=0.5, text/csv;q=0.4", "application/json"),
        ("*/*;q=0.1, text/csv", "text/csv"),
        ("*/*, application/json;q=0", "text/csv"),
        ("application/*;q=0, */*", "text/csv"),
        ("text/csv, application/json", "text/csv"),
        ("application/json, text/csv", "application/json"),
        ("application/json, text/plain, */*", "application/json"),
        ('text/csv; note="a,b"; q=0.2, application/json;q=0.1', "text/csv"),
        ("application/json;q=high", "application/json"),
        ("application/json;q=nan", "application/json"),
        ("application/json;q=", "application/json"),
        (",,", "application/json"),
    ],
)
def test_the_type_that_a_client_wants_most_is_answered(accept: str, name: str) -> None:
    found = preferred(accept, OFFERED)
    assert found is not None
    assert found[0] == name


@pytest.mark.parametrize(
    "accept", ["text/html", "image/*", "*/*;q=0", "application/json;q=0.0", "csv", "text/csv;q=0, text/*;q=0"]
)
def test_nothing_is_answered_to_a_client_that_wants_nothing_of_what_there_is(accept: str) -> None:
    assert preferred(accept, OFFERED) is None


def test_the_item_that_decides_comes_with_its_parameters() -> None:
    assert preferred("application/json;q=0.1, text/csv;header=absent", OFFERED) == ("text/csv", "text/csv;header=absent")
