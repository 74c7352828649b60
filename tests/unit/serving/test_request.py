"""What a caller may ask."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from sageline.aws.http import MAX_BODY_BYTES
from sageline.errors import InvalidRequest, RequestTooLarge
from sageline.serving.request import MAX_INSTANCES, PredictionRequest, read_prediction_request
from tests.unit.golden import golden_event


def event(body: object) -> dict[str, Any]:  # an event is JSON
    return {"body": json.dumps(body), "isBase64Encoded": False}


def golden(case: str) -> dict[str, Any]:  # an event is JSON
    read: dict[str, Any] = golden_event(f"invoke_preprocess/{case}")
    return read


@pytest.mark.parametrize("case", ["predict-base64-body", "predict-for-session"])
def test_the_body_may_be_text_or_base64(case: str) -> None:
    request = read_prediction_request(golden(case))
    assert request.instances == [{"alcohol": 13.2, "colour": "red", "proline": 1050}]
    assert request.session == ("customer-42" if case == "predict-for-session" else None)


def test_only_the_instances_must_be_given() -> None:
    assert read_prediction_request(event({"instances": ["a"]})) == PredictionRequest(["a"], top_k=1, session=None)
    assert read_prediction_request(event({"instances": ["a"], "session": None})).session is None
    assert read_prediction_request(event({"instances": ["a"], "strict": True})).strict


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"instance": ["a"]}, "did you mean `instances`"),
        ({"top_k": 1}, "`instances` is missing"),
        ({"instances": {"a": 1}}, "`instances` is a JSON object; send an array"),
        ({"instances": []}, "`instances` is empty"),
        ({"instances": ["a"], "top_k": 0}, "`top_k` is not a positive whole number"),
        ({"instances": ["a"], "top_k": True}, "`top_k` is not"),
        ({"instances": ["a"], "top_k": 1.5}, "`top_k` is not"),
        ({"instances": ["a"], "top_k": None}, "`top_k` is not"),
        ({"instances": ["a"], "session": ""}, "`session` is not a string"),
        ({"instances": ["a"], "session": 7}, "`session` is not a string"),
        ({"instances": ["a"], "session": "s" * 257}, "1 to 256"),
        ({"instances": ["a"], "strict": 1}, "`strict` is not true or false"),
        ({"instances": ["a"], "strict": None}, "`strict` is not true or false"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_key(body: object, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        read_prediction_request(event(body))


def test_as_many_instances_as_allowed_and_not_one_more() -> None:
    assert len(read_prediction_request(event({"instances": ["a"] * MAX_INSTANCES})).instances) == MAX_INSTANCES
    with pytest.raises(RequestTooLarge, match="1,001 items; a request takes at most 1,000") as caught:
        read_prediction_request(event({"instances": ["a"] * (MAX_INSTANCES + 1)}))
    assert caught.value.details == {"max_instances": MAX_INSTANCES}


def test_a_body_over_the_limit_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(*_: object) -> None:
        raise AssertionError

    parser: Callable[..., None] = parse
    monkeypatch.setattr("sageline.serving.request.read_json_object", parser)
    with pytest.raises(RequestTooLarge, match="6,000,001 bytes"):
        read_prediction_request({"body": "x" * (MAX_BODY_BYTES + 1)})


@pytest.mark.parametrize(
    "instance",
    ['"' * 1000, "\n" * 1000, "\\" * 700, "ü" * 1500, "東" * 1000, "x" * 2990],
    ids=["quotes", "lines", "backslashes", "umlauts", "kanji", "plain"],
)
def test_a_body_counts_as_the_event_holds_it_so_that_lambda_takes_every_event_that_is_not_refused(instance: str) -> None:
    """Lambda's limit is 6,291,456 bytes of the whole event, in which every quote of the body takes two."""
    one = json.dumps(instance, ensure_ascii=False)
    in_event = len(json.dumps(one, ensure_ascii=False).encode())
    most = MAX_BODY_BYTES // in_event
    headers = {f"header-{number}": "h" * 100 for number in range(100)}  # as large as API Gateway lets them be
    fitting = {"body": json.dumps({"instances": [instance] * (most - 5)}, ensure_ascii=False), "headers": headers}
    assert len(json.dumps(fitting, ensure_ascii=False).encode()) < 6_291_456
    with pytest.raises(RequestTooLarge, match=f"a request takes at most {MAX_INSTANCES:,}"):
        read_prediction_request(fitting)
    with pytest.raises(RequestTooLarge, match="its quotes and line ends escaped as Lambda gets it"):
        read_prediction_request({"body": json.dumps({"instances": [instance] * (most + 5)}, ensure_ascii=False)})


def test_a_base64_body_counts_as_the_event_holds_it() -> None:
    body = base64.b64encode(b"x" * 4_500_001).decode()
    with pytest.raises(RequestTooLarge, match="6,000,004 bytes"):
        read_prediction_request({"body": body, "isBase64Encoded": True})


@pytest.mark.parametrize("content_type", ["image/png", "IMAGE/JPEG", "image/webp; charset=binary"])
def test_a_body_may_be_an_image_file(content_type: str) -> None:
    body = base64.b64encode(b"\x89PNG").decode()
    asked = {"headers": {"content-type": content_type}, "body": body, "isBase64Encoded": True}
    assert read_prediction_request(asked) == PredictionRequest([{"image": body}])


def test_an_image_that_comes_as_text_is_looked_at_as_one() -> None:
    asked = {"headers": {"content-type": "image/svg+xml"}, "body": "<svg>ä", "isBase64Encoded": False}
    assert read_prediction_request(asked).instances == [{"image": base64.b64encode("<svg>ä".encode()).decode()}]


def test_an_image_body_is_neither_empty_nor_too_large() -> None:
    with pytest.raises(InvalidRequest, match="no body; send the bytes of an image file"):
        read_prediction_request({"headers": {"content-type": "image/png"}})
    with pytest.raises(RequestTooLarge):
        read_prediction_request({"headers": {"content-type": "image/png"}, "body": "A" * 6_000_001, "isBase64Encoded": True})
