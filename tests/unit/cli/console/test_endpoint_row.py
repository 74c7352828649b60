"""Trying a row: the form that an endpoint's columns make, what it sends, and how the answer is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sageline_cli.connection import Connection
from sageline_cli.console.endpoints.row_form import FormField, form_of, row_of
from tests.unit.cli.console.endpoint_pages import ENDPOINT, EVIL, NEW, Pages, pages_of
from tests.unit.cli.fakes import FakeApi
from tests.unit.world.fake_aws import FakeAws

PATH = "/endpoints/wine/predictions"
ROW = {"number:alcohol": "13.2", "category:colour": "red", "text:note": ""}


@pytest.fixture
def pages(connection: Connection, api: FakeApi, account: FakeAws) -> Pages:
    return pages_of(connection, api, account)


def answer(**prediction: Any) -> dict[str, Any]:  # any JSON value
    return {"predictions": [prediction], "endpoint": "wine", "variant": NEW, "model_version": NEW}


def test_the_form_has_a_field_for_each_column_filled_with_the_example(pages: Pages) -> None:
    form = pages.get("/endpoints/wine/row").text

    assert 'type="number" step="any"' in form
    assert 'value="13.2" required' in form
    assert ('<option value="red">' in form, '<option value="white">' in form) == (True, True)
    assert "fruity</textarea>" in form
    assert "Any field that does not say otherwise may be empty" in form
    assert form.count("<label") == 3


def test_what_is_empty_is_missing_and_numbers_are_numbers() -> None:
    fields = [("number:a", "13"), ("number:b", " 1.5 "), ("number:c", ""), ("category:d", ""), ("text:e", "007")]
    assert row_of([*fields, ("classes", "2")]) == {"a": 13, "b": 1.5, "c": None, "d": None, "e": "007"}


def test_a_number_that_json_cannot_hold_is_left_to_the_api_to_refuse() -> None:
    assert row_of([("number:a", "1e999"), ("number:b", "strong"), ("number:c", "nan")]) == {
        "a": "1e999",
        "b": "strong",
        "c": "nan",
    }


def test_a_columns_own_name_may_hold_a_colon() -> None:
    assert row_of([("text:category:x", "y")]) == {"category:x": "y"}


def test_the_answer_shows_all_probabilities_the_variant_and_the_time(pages: Pages) -> None:
    found = answer(label="merlot", probability=0.9, probabilities={"pinot": 0.1, "merlot": 0.9})
    pages.api.answer("POST", PATH, found | {"warnings": ["instances[0]: column 'note' is absent and taken for missing."]})

    part = pages.post("/endpoints/wine/row", classes="2", **ROW).text

    assert pages.sent("POST", PATH) == [
        {"instances": [{"alcohol": 13.2, "colour": "red", "note": None}], "top_k": 1, "probabilities": True}
    ]
    assert part.index("90.0 %") < part.index("10.0 %"), "the most probable first"
    assert (NEW in part, " ms" in part) == (True, True)
    assert "column &#39;note&#39; is absent" in part
    assert "style=" not in part


def test_a_label_that_is_not_the_most_probable_is_explained(pages: Pages) -> None:
    pages.api.answer("POST", PATH, answer(label="pinot", probability=0.4, probabilities={"pinot": 0.4, "merlot": 0.6}))
    assert "follows the model" in pages.post("/endpoints/wine/row", classes="2", **ROW).text


def test_of_many_labels_the_least_probable_are_folded_away(pages: Pages) -> None:
    probabilities = {f"label-{index:02}": (index + 1) / 300 for index in range(24)}
    pages.api.answer("POST", PATH, answer(label="label-23", probability=0.08, probabilities=probabilities))
    part = pages.post("/endpoints/wine/row", classes="24", **ROW).text
    assert part.index("label-23") < part.index("14 more labels") < part.index("label-00")


def test_a_regression_is_not_asked_for_probabilities(pages: Pages) -> None:
    pages.show(label={"name": "price", "classes": None, "labels": None})
    assert 'name="classes"' not in pages.get("/endpoints/wine/row").text
    pages.api.answer("POST", PATH, answer(value=-1234.5))

    part = pages.post("/endpoints/wine/row", **ROW).text

    assert "probabilities" not in pages.sent("POST", PATH)[0]
    assert "\N{MINUS SIGN}1,234.5" in part


def test_probabilities_that_the_model_does_not_tell_are_no_numbers(pages: Pages) -> None:
    pages.api.answer("POST", PATH, answer(label="pinot", probability=None, probabilities={"pinot": None, "merlot": None}))
    part = pages.post("/endpoints/wine/row", classes="2", **ROW).text
    assert ("None" in part, "follows the model" in part) == (False, False)


def test_the_same_request_can_be_copied(pages: Pages) -> None:
    pages.api.answer("POST", PATH, answer(label="merlot", probability=0.9, probabilities={"merlot": 0.9, "pinot": 0.1}))
    part = pages.post("/endpoints/wine/row", classes="2", **{**ROW, "text:note": "it's"}).text
    assert "curl --aws-sigv4" in part
    assert "$SAGELINE_API_URL/endpoints/wine/predictions" in part
    assert "| sageline predict wine --file -" in part
    assert "it&#39;&#34;&#39;&#34;&#39;s" in part, "quoted for a shell, then for the page"


def test_of_a_stack_in_aws_the_copied_command_names_it(connection: Connection, api: FakeApi, account: FakeAws) -> None:
    pages = pages_of(connection, api, account, "production")
    pages.api.answer("POST", PATH, answer(value=1.0))
    assert "sageline predict wine --file - --stack production" in pages.post("/endpoints/wine/row", **ROW).text


def test_an_error_is_shown_as_the_api_says_it(pages: Pages) -> None:
    pages.api.fail("POST", PATH, 400, "InvalidRequest", f"Column {EVIL} is no number.")
    part = pages.post("/endpoints/wine/row", classes="2", **ROW)
    assert (part.status_code >= 400, "<img" in part.text, "&lt;img" in part.text) == (True, False, True)


def test_a_model_that_is_being_started_is_asked_again_by_the_page(pages: Pages) -> None:
    pages.api.fail("POST", PATH, 503, "EndpointWarming", "The model of endpoint wine is being started.")
    part = pages.post("/endpoints/wine/row", classes="2", **ROW).text
    assert ("is being started" in part, 'hx-include="#row-form"' in part, "Stop trying" in part) == (True, True, True)


def test_labels_are_text(pages: Pages) -> None:
    pages.api.answer("POST", PATH, answer(label=EVIL, probability=0.9, probabilities={EVIL: 0.9, "b": 0.1}))
    part = pages.post("/endpoints/wine/row", classes="2", **ROW).text
    assert ("<img" in part, "&lt;img" in part) == (False, True)


def test_an_image_is_sent_as_it_is(pages: Pages) -> None:
    pages.show(columns=[{"name": "image", "kind": "image", "required": True}], column_count=1, example=None)
    assert 'type="file" accept="image/*"' in pages.get("/endpoints/wine/row").text
    pages.api.answer("POST", PATH, answer(label="cat", probability=0.9, probabilities={"cat": 0.9, "dog": 0.1}))

    part = pages.send_file("/endpoints/wine/row", b"\x89PNG", "image/png", classes="2").text

    [sent] = [request for request in pages.api.requests if request.url.path == PATH]
    assert (sent.content, sent.headers["content-type"]) == (b"\x89PNG", "image/png")
    assert "--data-binary @cat.png" in part


@pytest.mark.parametrize(("size", "why"), [(0, "No image was chosen"), (4_500_001, "at most 4,500,000")])
def test_an_image_that_cannot_be_sent_is_not(pages: Pages, size: int, why: str) -> None:
    part = pages.send_file("/endpoints/wine/row", bytes(size), "image/png")
    assert (part.status_code, why in part.text, pages.sent("POST", PATH)) == (400, True, [])


def test_a_row_of_pixels_is_written_as_json(pages: Pages) -> None:
    pages.show(columns=[], column_count=64, image_shape=[8, 8], example=[[0, 1]])
    assert "written as JSON" in pages.get("/endpoints/wine/row").text
    pages.api.answer("POST", PATH, answer(label="7", probability=0.9, probabilities={"7": 0.9, "1": 0.1}))

    pages.post("/endpoints/wine/row", classes="2", row="[[0, 16]]")

    assert pages.sent("POST", PATH)[0]["instances"] == [[[0, 16]]]


@pytest.mark.parametrize("text", ["{", "[NaN]", ""])
def test_json_that_is_none_is_told_where(pages: Pages, text: str) -> None:
    part = pages.post("/endpoints/wine/row", row=text)
    assert (part.status_code, pages.sent("POST", PATH)) == (400, [])


def test_a_number_is_shown_with_its_range_in_the_dataset(pages: Pages) -> None:
    alcohol = {"type": ["number", "null"], "x-sageline-minimum": 11.03, "x-sageline-maximum": 14.83}
    forms = [{"type": "array", "prefixItems": [{}]}, {"type": "object", "properties": {"alcohol": alcohol}}]
    pages.api.answer("GET", "/endpoints/wine/schema", {"anyOf": forms})

    form = pages.get("/endpoints/wine/row").text

    assert "must be filled in, 11.03 to 14.83 in the dataset" in form
    assert form.count("in the dataset") == 1


def test_a_date_is_shown_with_how_it_is_written(pages: Pages) -> None:
    pages.show(columns=[{"name": "bottled", "kind": "date", "required": False}], column_count=1, example={"bottled": "1.5.2021"})
    bottled = {
        "type": ["string", "null"],
        "description": "A date, day, month, year as in 30.05.2021.",
        "examples": ["30.05.2021"],
    }
    pages.api.answer("GET", "/endpoints/wine/schema", {"anyOf": [{"type": "object", "properties": {"bottled": bottled}}]})

    assert "day, month, year as in 30.05.2021<" in pages.get("/endpoints/wine/row").text


def test_without_a_schema_the_form_tells_no_range(pages: Pages) -> None:
    pages.api.fail("GET", "/endpoints/wine/schema", 500, "ObjectMissing", "The encoder of wine is gone.")

    form = pages.get("/endpoints/wine/row")

    assert (form.status_code, form.text.count("<label"), "in the dataset" in form.text) == (200, 3, False)


@pytest.mark.parametrize(
    ("low", "high", "hint"),
    [(1, 3.5, "1 to 3.5"), (-2e6, 12_500_000, "-2000000 to 12500000"), (0.1234567, 1e300, "0.123457 to 1e+300")],
)
def test_a_range_is_written_as_a_person_would(low: float, high: float, hint: str) -> None:
    field = FormField("a", "number", required=False, value="", low=float(low), high=float(high))
    assert field.hint == f"{hint} in the dataset"


def test_an_endpoint_that_does_not_say_what_it_takes_has_a_form_for_json() -> None:
    unknown = dict.fromkeys(("columns", "column_count", "image_shape", "label", "example"))
    form = form_of(ENDPOINT | unknown)
    assert (form.fields, form.example_json, form.classes) == ((), "", None)
    assert json.loads(form_of(ENDPOINT).example_json) == ENDPOINT["example"]
