"""Predictions as JSON, CSV and JSON Lines."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest

from sageline.aws.http import HttpResponse
from sageline.errors import NotAcceptable, RequestTooLarge
from sageline.serving.answer import AnswerForm, PredictionResponse, answer_form, render

CSV, LINES = AnswerForm("text/csv"), AnswerForm("application/jsonlines")


def classified(*labels: str, told: bool = True, **more: object) -> dict[str, Any]:
    """A prediction of these labels, each with half the probability of the one before."""
    top = [{"label": label, "probability": 0.5 ** (place + 1) if told else None} for place, label in enumerate(labels)]
    return {**top[0], "top": top, **more}


def answer(*predictions: dict[str, Any], warnings: list[str] | None = None) -> PredictionResponse:
    return PredictionResponse(list(predictions), "wines", "wines-2", "version-2", warnings or [])


def table(response: HttpResponse) -> list[list[str]]:
    return list(csv.reader(response["body"].splitlines()))


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", AnswerForm()),
        ("*/*", AnswerForm()),
        ("text/*", CSV),
        ("text/csv; header=present", CSV),
        ("text/csv; header=ABSENT;q=0.9", AnswerForm("text/csv", header=False)),
        ("application/jsonlines", LINES),
        ("application/x-ndjson", AnswerForm("application/x-ndjson")),
        ("application/jsonl, application/json;q=0.1", AnswerForm("application/jsonl")),
    ],
)
def test_accept_says_which_form(accept: str, form: AnswerForm) -> None:
    assert answer_form(accept) == form


def test_what_no_answer_can_be_is_refused_with_what_it_can_be() -> None:
    with pytest.raises(NotAcceptable, match="ask for application/json, text/csv, application/jsonlines") as caught:
        answer_form("application/xml")
    assert "text/csv" in caught.value.details["accepted"]  # type: ignore[operator]  # a list, as the match says


def test_a_classification_in_csv_has_label_and_probability() -> None:
    response = render(answer(classified("merlot"), classified("pinot, noir", told=False)), CSV)
    assert response["body"] == 'label,probability\nmerlot,0.5\n"pinot, noir",\n'
    assert response["headers"]["content-type"] == "text/csv; charset=utf-8; header=present"


def test_csv_may_come_without_its_header() -> None:
    response = render(answer(classified("merlot")), AnswerForm("text/csv", header=False))
    assert response["body"] == "merlot,0.5\n"
    assert response["headers"]["content-type"] == "text/csv; charset=utf-8; header=absent"


def test_a_regression_in_csv_has_a_value() -> None:
    assert render(answer({"value": 13.25}, {"value": -1e-07}), CSV)["body"] == "value\n13.25\n-1e-07\n"


def test_csv_has_as_many_columns_as_labels_were_asked_for_although_k_nn_names_fewer() -> None:
    response = render(answer(classified("merlot"), classified("pinot", "merlot")), CSV, top_k=3)
    assert table(response) == [
        ["label", "probability", "top_2_label", "top_2_probability", "top_3_label", "top_3_probability"],
        ["merlot", "0.5", "", "", "", ""],
        ["pinot", "0.5", "merlot", "0.25", "", ""],
    ]


def test_csv_has_a_column_for_each_class_that_no_other_is_called_like() -> None:
    probabilities = {"probability": 0.5, "2": 0.25, "label": None}
    response = render(answer(classified("probability", "2", probabilities=probabilities)), CSV, top_k=2)
    header, row = table(response)
    assert len(set(header)) == len(header)
    assert header[4:] == ["probability_probability", "probability_2", "probability_label"]
    assert row == ["probability", "0.5", "2", "0.25", "0.5", "0.25", ""]


def test_json_lines_has_the_predictions_of_json() -> None:
    predictions = [classified("merlot", "rosé"), classified("two\nlines")]
    response = render(answer(*predictions), LINES)
    assert [json.loads(line) for line in response["body"].split("\n")[:-1]] == predictions
    assert response["headers"]["content-type"] == "application/jsonlines"


@pytest.mark.parametrize("form", [CSV, LINES])
def test_who_answered_and_warnings_are_in_headers(form: AnswerForm) -> None:
    headers = render(answer(classified("merlot"), warnings=["line 2: unknown column 'rosé\n' is ignored."]), form)["headers"]
    assert (headers["sageline-variant"], headers["sageline-model-version"]) == ("wines-2", "version-2")
    assert headers["sageline-warnings"].isascii()
    assert json.loads(headers["sageline-warnings"]) == ["line 2: unknown column 'rosé\n' is ignored."]
    assert "sageline-warnings" not in render(answer(classified("merlot")), form)["headers"]


def test_warnings_that_a_header_has_no_room_for_are_counted() -> None:
    warnings = [f"line 2: unknown column {'ü' * 100} {number} is ignored." for number in range(50)]
    header = render(answer(classified("merlot"), warnings=warnings), CSV)["headers"]["sageline-warnings"]
    *shown, last = json.loads(header)
    assert len(header) < 5_000
    assert 0 < len(shown) < 10
    assert shown == warnings[: len(shown)]
    assert last == f"and {50 - len(shown)} more, which an answer in JSON has."


def test_an_answer_in_any_form_has_the_same_limit() -> None:
    label = "x" * 1_000
    for form in (CSV, LINES):
        with pytest.raises(RequestTooLarge, match="Ask for less at a time"):
            render(answer(*[classified(label)] * 6_000), form)
