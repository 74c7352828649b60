"""What a caller may ask."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from sageline.aws.http import MAX_BODY_BYTES
from sageline.errors import InvalidRequest, NotAcceptable, RequestTooLarge, UnsupportedMediaType
from sageline.serving.answer import AnswerForm
from sageline.serving.document import MAX_INSTANCES
from sageline.serving.request import PredictionRequest, read_prediction_request
from sageline.serving.rows import CsvTable, Instances
from tests.unit.golden import golden_event


def event(body: object) -> dict[str, Any]:  # an event is JSON
    return {"body": json.dumps(body), "isBase64Encoded": False}


def sent(
    body: str | bytes, content_type: str | None = None, query: dict[str, str] | None = None, accept: str | None = None
) -> dict[str, Any]:
    """An event of a body that API Gateway hands over as text, or as base64."""
    headers = {name: value for name, value in (("content-type", content_type), ("accept", accept)) if value is not None}
    text = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    event = {"headers": headers, "body": text, "isBase64Encoded": isinstance(body, bytes)}
    return event | ({"queryStringParameters": query} if query else {})


def golden(case: str) -> dict[str, Any]:  # an event is JSON
    read: dict[str, Any] = golden_event(f"invoke_preprocess/{case}")
    return read


@pytest.mark.parametrize("case", ["predict-base64-body", "predict-for-session"])
def test_the_body_may_be_text_or_base64(case: str) -> None:
    request = read_prediction_request(golden(case))
    assert request.rows == Instances([{"alcohol": 13.2, "colour": "red", "proline": 1050}])
    assert request.session == ("customer-42" if case == "predict-for-session" else None)


def test_only_the_instances_must_be_given() -> None:
    assert read_prediction_request(event({"instances": ["a"]})) == PredictionRequest(Instances(["a"]), top_k=1, session=None)
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
        ({"instances": ["a"], "probabilities": "true"}, "`probabilities` is not true or false"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_key(body: object, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        read_prediction_request(event(body))


def test_as_many_instances_as_allowed_and_not_one_more() -> None:
    most = ["a"] * MAX_INSTANCES
    assert read_prediction_request(event({"instances": most})).rows == Instances([*most])
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


ONE = '{"instances": [["a"]]}'


@pytest.mark.parametrize(
    "content_type",
    [
        *(None, "", "application/json", "Application/JSON; charset=utf-8", "application/vnd.wines+json"),
        *("application/octet-stream", "application/x-www-form-urlencoded", "text/plain;charset=UTF-8"),
    ],
)
def test_a_body_is_json_if_that_is_said_or_nothing_is(content_type: str | None) -> None:
    assert read_prediction_request(sent(ONE, content_type)).rows == Instances([["a"]])


@pytest.mark.parametrize("as_sent", [str, str.encode], ids=["text", "base64"])
@pytest.mark.parametrize("content_type", ["text/csv", "text/csv;charset=UTF-8", 'text/csv; charset="us-ascii"; header=absent'])
def test_a_body_may_be_csv(content_type: str, as_sent: Callable[[str], str | bytes]) -> None:
    rows = read_prediction_request(sent(as_sent("\ufeff13.2,rosé\n"), content_type)).rows
    assert rows == CsvTable([["13.2", "rosé"]], [1], False if "header" in content_type else None)


@pytest.mark.parametrize("as_sent", [str, str.encode], ids=["text", "base64"])
@pytest.mark.parametrize("content_type", ["application/jsonlines", "application/x-ndjson", "application/jsonl; charset=utf-8"])
def test_a_body_may_be_json_lines(content_type: str, as_sent: Callable[[str], str | bytes]) -> None:
    rows = read_prediction_request(sent(as_sent('"rosé"\n\n["a"]\n'), content_type)).rows
    assert rows == Instances(["rosé", ["a"]], [1, 3])


@pytest.mark.parametrize("content_type", ["application/xml", "csv", "text/tab-separated-values", "video/mp4", "json"])
def test_a_body_of_another_type_is_refused_with_those_that_are_taken(content_type: str) -> None:
    with pytest.raises(
        UnsupportedMediaType, match=r"send application/json, text/csv, .*application/jsonl or image/\*\."
    ) as caught:
        read_prediction_request(sent(ONE, content_type))
    taken = ["application/json", "text/csv", "application/jsonlines", "application/x-ndjson", "application/jsonl", "image/*"]
    assert caught.value.details == {"accepted": taken}


def test_csv_is_taken_in_utf_8_alone() -> None:
    with pytest.raises(UnsupportedMediaType, match="is in 'iso-8859-1'; send it in UTF-8"):
        read_prediction_request(sent("1", "text/csv; charset=ISO-8859-1"))
    with pytest.raises(InvalidRequest, match="not UTF-8 text: byte 0xe9 at offset 3"):
        read_prediction_request(sent("ros\u00e9".encode("latin-1"), "text/csv"))


def test_a_body_whose_bytes_were_no_text_is_refused_although_it_comes_as_text() -> None:
    """API Gateway hands on text, in which U+FFFD stands for what is no UTF-8."""
    sent_bytes = "alcohol,colour\n1,Weiß\n".encode("cp1252")
    replaced = sent_bytes.decode(errors="replace")
    for content_type, text, length in (
        ("text/csv", replaced, len(sent_bytes)),
        ("application/json", json.dumps({"instances": [replaced]}, ensure_ascii=False), 40),
    ):
        event = sent(text, content_type)
        event["headers"]["content-length"] = str(length)
        with pytest.raises(InvalidRequest, match=r"The request body is not UTF-8 text: what stands in line .* cannot be read"):
            read_prediction_request(event)

    meant = sent(replaced, "text/csv")
    meant["headers"]["content-length"] = str(len(replaced.encode()))
    assert read_prediction_request(meant)
    with pytest.raises(InvalidRequest, match="not UTF-8 text: byte 0xdf at offset 20"):
        read_prediction_request(sent(sent_bytes, "text/csv"))


def test_options_come_in_the_query_string_as_json_has_them() -> None:
    query = {"top_k": "3", "session": "42", "strict": "true", "probabilities": "false"}
    signature = {"X-Amz-Signature": "0123", "x-amz-date": "20261120T100000Z"}
    read = read_prediction_request(sent("1", "text/csv", {**query, **signature}))
    assert (read.top_k, read.session, read.strict, read.probabilities) == (3, "42", True, False)
    assert read_prediction_request(sent(ONE, None, {"top_k": "3"})).top_k == 3


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"topk": "3"}, "Unknown key `topk` in the query string; did you mean `top_k`"),
        ({"instances": "[]"}, "Unknown key `instances` in the query string"),
        ({"top_k": "0"}, "`top_k` is not a positive whole number"),
        ({"top_k": "-1"}, "`top_k` is not"),
        ({"top_k": "²"}, "`top_k` is not"),
        ({"top_k": "9" * 5_000}, "`top_k` is not"),
        ({"top_k": "1,2"}, "`top_k` is not"),
        ({"session": ""}, "`session` is not a string of 1"),
        ({"strict": "yes"}, "`strict` is not true or false"),
        ({"probabilities": "1"}, "`probabilities` is not true or false"),
    ],
)
def test_what_cannot_be_asked_in_the_query_string_is_refused_by_name(query: dict[str, str], message: str) -> None:
    for body, content_type in (("1", "text/csv"), ('"a"', "application/jsonlines"), (ONE, "application/json")):
        with pytest.raises(InvalidRequest, match=message):
            read_prediction_request(sent(body, content_type, query))


def test_an_option_is_sent_once() -> None:
    with pytest.raises(InvalidRequest, match="`top_k` is in the query string and in the request body; send it once"):
        read_prediction_request(sent('{"instances": ["a"], "top_k": 2}', None, {"top_k": "2"}))


def test_the_form_of_the_answer_is_asked_for_by_accept() -> None:
    assert read_prediction_request(sent(ONE)).form == AnswerForm("application/json")
    assert read_prediction_request(sent(ONE, accept="text/csv")).form == AnswerForm("text/csv")
    with pytest.raises(NotAcceptable, match="An answer cannot be 'image/png'; ask for application/json, text/csv"):
        read_prediction_request(sent(ONE, accept="image/png"))


def test_a_body_of_any_type_has_the_same_limit() -> None:
    for content_type in ("text/csv", "application/jsonlines"):
        with pytest.raises(RequestTooLarge, match="its quotes and line ends escaped"):
            read_prediction_request(sent("x" * (MAX_BODY_BYTES + 1), content_type))


@pytest.mark.parametrize("content_type", ["image/png", "IMAGE/JPEG", "image/webp; charset=binary"])
def test_a_body_may_be_an_image_file(content_type: str) -> None:
    body = base64.b64encode(b"\x89PNG").decode()
    asked = {"headers": {"content-type": content_type}, "body": body, "isBase64Encoded": True}
    assert read_prediction_request(asked) == PredictionRequest(Instances([{"image": body}]))


def test_an_image_that_comes_as_text_is_looked_at_as_one() -> None:
    asked = {"headers": {"content-type": "image/svg+xml"}, "body": "<svg>ä", "isBase64Encoded": False}
    assert read_prediction_request(asked).rows == Instances([{"image": base64.b64encode("<svg>ä".encode()).decode()}])


def test_an_image_body_is_neither_empty_nor_too_large() -> None:
    with pytest.raises(InvalidRequest, match="no body; send the bytes of an image file"):
        read_prediction_request({"headers": {"content-type": "image/png"}})
    with pytest.raises(RequestTooLarge):
        read_prediction_request({"headers": {"content-type": "image/png"}, "body": "A" * 6_000_001, "isBase64Encoded": True})


@pytest.mark.parametrize(
    ("content_type", "hint"),
    [
        ("application/x-www-form-urlencoded", "Its content type is application/x-www-form-urlencoded, which clients send"),
        (None, "It has no content type"),
    ],
)
def test_a_body_that_is_json_only_by_default_says_how_to_send_something_else(content_type: str | None, hint: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_prediction_request(sent("alcohol,colour\n1,red\n", content_type))
    with pytest.raises(InvalidRequest) as said:
        read_prediction_request(sent("alcohol,colour\n1,red\n", "application/json"))

    assert hint in refused.value.message
    assert "so it is read as JSON; set `content-type: text/csv` for CSV" in refused.value.message
    assert refused.value.details == said.value.details
    assert "content-type" not in said.value.message
