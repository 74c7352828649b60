"""Rows in every kind of body."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import pytest

from client_tests.fakes import FakeApi

ANSWER: dict[str, Any] = {  # JSON
    "predictions": [{"label": "merlot", "probability": 0.9}],
    "endpoint": "wines",
    "variant": "v",
    "model_version": "v",
}
IMAGE = b"\x89PNG\r\n"


def test_options_that_are_not_asked_for_are_not_sent(api: FakeApi) -> None:
    api.answer(ANSWER)

    api.client().predict("wines", [{"alcohol": 13.2}])

    assert json.loads(api.requests[0].content) == {"instances": [{"alcohol": 13.2}], "top_k": 1}


def test_options_go_with_the_rows_in_json_and_beside_them_otherwise(api: FakeApi) -> None:
    api.answer(ANSWER)
    client, row = api.client(), {"alcohol": 13.2}

    client.predict("wines", [row], top_k=2, session="customer", strict=True, probabilities=True)
    client.predict_body("wines", "alcohol\n13.2\n", "text/csv", top_k=2, session="customer", strict=True, probabilities=True)

    by_json, by_csv = api.requests
    options = {"top_k": 2, "session": "customer", "strict": True, "probabilities": True}
    assert json.loads(by_json.content) == {"instances": [row], **options}
    assert dict(by_csv.url.params) == {"top_k": "2", "session": "customer", "strict": "true", "probabilities": "true"}
    assert (by_csv.headers["content-type"], by_csv.content) == ("text/csv", b"alcohol\n13.2\n")


def test_image_files_among_rows_are_sent_in_base64(api: FakeApi) -> None:
    api.answer(ANSWER)

    api.client().predict("pets", [IMAGE, {"image": IMAGE}])

    encoded = base64.b64encode(IMAGE).decode()
    assert json.loads(api.requests[0].content)["instances"] == [encoded, {"image": encoded}]


def test_an_image_file_alone_is_sent_as_it_is(api: FakeApi) -> None:
    api.answer(ANSWER)

    assert api.client().predict_body("pets", IMAGE, "image/png") == ANSWER

    assert api.requests[0].content == IMAGE


def test_predictions_may_be_asked_for_as_csv(api: FakeApi) -> None:
    headers = {
        "content-type": "text/csv; charset=utf-8; header=present",
        "sageline-variant": "wines-1",
        "sageline-model-version": "wines-2",
        "sageline-warnings": json.dumps(["line 2: column 'colour' is absent and taken for missing."]),
    }
    api.answer(status=200, text="label,probability\nmerlot,0.9\n", headers=headers)

    answer = api.client().predict_text("wines", b"alcohol\n13.2\n", "text/csv")

    assert api.requests[0].headers["accept"] == "text/csv"
    assert answer.text == "label,probability\nmerlot,0.9\n"
    assert (answer.content_type, answer.variant, answer.model_version) == (headers["content-type"], "wines-1", "wines-2")
    assert answer.warnings == ("line 2: column 'colour' is absent and taken for missing.",)


def test_a_number_that_json_does_not_have_is_refused_with_what_to_send(api: FakeApi) -> None:
    with pytest.raises(ValueError, match="send None for a missing value"):
        api.client().predict("wines", [{"alcohol": math.nan}])

    assert api.requests == []
