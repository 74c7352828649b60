"""Bodies in, answers and errors out."""

from __future__ import annotations

import base64
import inspect
import json
from typing import Any

import pytest

from sageline import errors
from sageline.aws import http


class Log:
    """A logger that remembers what it was told."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def exception(self, msg: str, /) -> None:
        self.messages.append(msg)


def event(body: str | None, *, is_base64: bool = False) -> dict[str, Any]:
    return {"version": "2.0", "requestContext": {"http": {}}, "body": body, "isBase64Encoded": is_base64}


def refusal(body: str | None, *, is_base64: bool = False) -> errors.InvalidRequest:
    with pytest.raises(errors.InvalidRequest) as caught:
        http.read_json_object(event(body, is_base64=is_base64))
    return caught.value


def test_a_body_arrives_as_text_or_as_base64() -> None:
    text = '{"text": "Ä"}'
    assert http.read_json_object(event(text)) == {"text": "Ä"}
    assert http.read_json_object(event(base64.b64encode(text.encode()).decode(), is_base64=True)) == {"text": "Ä"}


def test_malformed_json_is_located() -> None:
    error = refusal('{"instances": [\n  1 2]}')
    assert "line 2, column 5" in error.message
    assert error.details == {"line": 2, "column": 5}


def test_a_body_larger_than_the_route_takes_is_refused_unread() -> None:
    with pytest.raises(errors.RequestTooLarge, match="has 1,000,001 bytes; this route takes at most 1,000,000"):
        http.read_json_object(event("{" * 1_000_001))
    assert http.read_json_object(event("{}" + " " * 999_998)) == {}


def test_what_an_error_quotes_is_cut() -> None:
    error = errors.InvalidRequest("x" * 10_000, key="k" * 10_000, columns=["c" * 1000] * 2000)
    told = json.loads(http.error_response(error, Log())["body"])["error"]
    assert (len(told["message"]), len(told["details"]["key"]), len(told["details"]["columns"])) == (4_000, 400, 1_000)


def test_what_is_too_deep_for_those_who_work_on_it_is_a_mistake_of_the_caller() -> None:
    answer = http.error_response(RecursionError(), Log())
    assert (answer["statusCode"], "nested too deeply" in answer["body"]) == (400, True)


@pytest.mark.parametrize("body", [None, "", "  \n"])
def test_a_missing_body_is_said_to_be_missing(body: str | None) -> None:
    assert "no body" in refusal(body).message


@pytest.mark.parametrize(
    ("body", "kind"),
    [("[]", "array"), ('"a"', "string"), ("1", "number"), ("1.5", "number"), ("true", "boolean"), ("null", "null")],
)
def test_json_that_is_no_object_is_named(body: str, kind: str) -> None:
    assert f"a JSON {kind}" in refusal(body).message


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_constants_that_json_does_not_have_are_refused(constant: str) -> None:
    assert constant in refusal(f'{{"a": {constant}}}').message


@pytest.mark.parametrize(
    "body",
    ['{"age": 1, "age": 1}', '{"spec": {"b": 1, "age": 1, "age": 2}}', '{"instances": [{"b": 1}, {"age": 1, "age": null}]}'],
)
def test_a_key_that_occurs_twice_is_refused_at_any_level(body: str) -> None:
    error = refusal(body)
    assert error.message == "Key `age` occurs twice in one object of the request body; send it once."
    assert error.details == {"key": "age"}


def test_a_long_key_that_occurs_twice_is_cut() -> None:
    assert refusal(json.dumps({"k" * 1000: 1})[:-1] + f', "{"k" * 1000}": 2}}').details == {"key": "k" * 57 + "..."}


def test_bytes_that_are_no_text_are_located() -> None:
    assert "0xff at offset 6" in refusal(base64.b64encode(b'{"a": \xff}').decode(), is_base64=True).message


def test_a_body_falsely_marked_as_base64_is_refused() -> None:
    assert "base64" in refusal("{}", is_base64=True).message


def test_absurd_nesting_and_numbers_are_refused_and_break_nothing() -> None:
    assert "nested too deeply" in refusal('{"a": ' + "[" * 100_000).message
    assert "cannot be read" in refusal('{"a": ' + "9" * 10_000 + "}").message


def test_an_unknown_key_comes_with_the_nearest_known_one() -> None:
    with pytest.raises(errors.InvalidRequest, match="did you mean `instances`"):
        http.check_keys({"instance": []}, known=("instances", "top_k"))
    with pytest.raises(errors.InvalidRequest, match="known keys: instances, top_k"):
        http.check_keys({"zzz": []}, known=("instances", "top_k"))


def test_a_missing_key_is_named() -> None:
    with pytest.raises(errors.InvalidRequest, match="`instances` is missing"):
        http.check_keys({}, known=("instances",), required=("instances",))


def test_an_answer_is_what_api_gateway_takes() -> None:
    answer = http.json_response(201, {"label": "Ä"}, {"x-extra": "1"})
    assert answer == {
        "statusCode": 201,
        "headers": {"content-type": "application/json", "x-extra": "1"},
        "body": '{"label": "Ä"}',
        "isBase64Encoded": False,
    }


def test_half_a_surrogate_pair_in_an_answer_does_no_harm() -> None:
    assert json.loads(http.json_response(200, {"key": "\ud800"})["body"]) == {"key": "?"}


def test_an_answer_larger_than_lambda_takes_is_refused() -> None:
    with pytest.raises(errors.RequestTooLarge, match="Ask for less"):
        http.json_response(200, {"predictions": "x" * http.MAX_BODY_BYTES})


@pytest.mark.parametrize(("kind", "status"), http.STATUS_OF_ERROR.items())
def test_a_named_error_becomes_its_status_with_its_message(kind: type[errors.SagelineError], status: int) -> None:
    log = Log()
    answer = http.error_response(kind("What is wrong.", column="age"), log)
    assert answer["statusCode"] == status
    assert json.loads(answer["body"]) == {
        "error": {"code": kind.__name__, "message": "What is wrong.", "details": {"column": "age"}}
    }
    assert log.messages == []


def test_errors_that_pass_say_when_to_try_again() -> None:
    assert http.error_response(errors.TooManyRequests("x"), Log())["headers"]["retry-after"] == "1"
    assert http.error_response(errors.EndpointNotReady("x"), Log())["headers"]["retry-after"] == "10"
    assert "retry-after" not in http.error_response(errors.RunNotFound("x"), Log())["headers"]


@pytest.mark.parametrize("error", [KeyError("secret"), errors.SettingsError("secret")])
def test_anything_else_is_a_500_that_tells_nothing_and_is_logged(error: Exception) -> None:
    log = Log()
    answer = http.error_response(error, log)
    assert answer["statusCode"] == 500
    assert json.loads(answer["body"])["error"]["code"] == "InternalError"
    assert "secret" not in answer["body"]
    assert log.messages == ["Unexpected error"]


def test_a_lost_race_is_told_as_the_conflict_that_it_is() -> None:
    answer = http.error_response(errors.ConcurrentModification("Endpoint wines was changed by somebody else."), Log())
    assert (answer["statusCode"], json.loads(answer["body"])["error"]["code"]) == (409, "ResourceConflict")


def test_every_named_error_either_has_a_status_or_stays_inside() -> None:
    inside = {
        errors.AlreadyStarted,
        errors.CandidatesFailed,
        errors.ConcurrentModification,  # told as the ResourceConflict that it is
        errors.InvalidEvent,
        errors.ModelMissing,
        errors.ProcessDied,
        errors.QuotaExceeded,
        errors.RolloutAlarm,
        errors.RolloutPending,
        errors.SettingsError,
        errors.SmokeTestFailed,
        errors.TrainingJobFailed,
        errors.TrainingJobStopped,
        errors.TransformJobFailed,
        errors.TransformJobStopped,
        errors.TuningJobFailed,
        errors.TuningJobStopped,
    }
    named = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.SagelineError)}
    assert named - {errors.SagelineError} - inside == set(http.STATUS_OF_ERROR)


@pytest.mark.parametrize(
    "text", ["", "plain", 'say "cheese"', "back\\slash", "two\nlines\tand\ttabs", "Grüße, 東京", "\x01\x1f", "\ud800"]
)
def test_a_text_is_counted_as_it_stands_in_json(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_BODY_BYTES", 0)
    assert http.escaped_bytes(text) + 2 == len(json.dumps(text, ensure_ascii=False).encode(errors="surrogatepass"))


def test_an_answer_that_lambda_would_not_hand_over_is_refused() -> None:
    """Lambda's limit is 6,291,456 bytes of the whole answer as JSON, in which every quote of the body takes two."""
    labels = [{"label": "a", "probability": 0.5}] * 150_000
    body = json.dumps({"predictions": labels}, ensure_ascii=False)
    assert len(body) < 6_000_000
    assert len(json.dumps({"body": body})) > 6_291_456
    with pytest.raises(errors.RequestTooLarge, match=r"The answer would have .* bytes, its quotes escaped"):
        http.json_response(200, {"predictions": labels})


def test_every_answer_that_is_not_refused_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    largest = {"predictions": "ü" * (http.MAX_BODY_BYTES // 2 - 20)}
    assert len(json.dumps(http.json_response(200, largest), ensure_ascii=False).encode()) < 6_291_456
