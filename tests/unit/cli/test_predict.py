from __future__ import annotations

import json

import httpx
import pytest

from sageline_cli.errors import CommandFailed
from sageline_cli.predict import batches, predict
from tests.unit.cli.fakes import FakeApi, Respond

PATH = "/endpoints/wine/predictions"


def echo(variant: str = "v1") -> Respond:
    def respond(request: httpx.Request) -> tuple[int, object]:
        instances = json.loads(request.content)["instances"]
        predictions = [{"label": instance["a"], "probability": 1.0} for instance in instances]
        return 200, {"predictions": predictions, "endpoint": "wine", "variant": variant, "model_version": variant}

    return respond


def test_batches_cover_every_row_once_and_in_order() -> None:
    rows: list[object] = list(range(450))
    found = list(batches(rows))
    assert [(start, len(batch)) for start, batch in found] == [(0, 200), (200, 200), (400, 50)]
    assert [row for _, batch in found for row in batch] == rows


def test_batches_of_long_texts_are_small_and_one_that_is_too_long_goes_alone() -> None:
    texts = ["x" * 200_000, "x" * 200_000, "x" * 200_000, "x" * 900_000, "y"]
    assert [len(batch) for _, batch in batches(texts)] == [2, 1, 1, 1]


def test_many_rows_are_predicted_in_order_with_progress(api: FakeApi) -> None:
    api.routes["POST", PATH] = echo()
    done: list[int] = []
    answer = predict(api.client(), "wine", [{"a": str(i)} for i in range(450)], advance=done.append)
    assert [prediction["label"] for prediction in answer["predictions"]] == [str(i) for i in range(450)]
    assert (answer["variant"], done) == ("v1", [200, 200, 50])
    assert "variant" not in answer["predictions"][0]


def test_each_prediction_names_its_variant_when_two_variants_answered(api: FakeApi) -> None:
    def respond(request: httpx.Request) -> tuple[int, object]:
        return echo(f"v{len(api.requests)}")(request)

    api.routes["POST", PATH] = respond
    answer = predict(api.client(), "wine", [{"a": "x"}] * 201)
    assert [prediction["variant"] for prediction in answer["predictions"]] == ["v1"] * 200 + ["v2"]


def warns(*warnings: list[str]) -> Respond:
    """Each request's warnings."""
    remaining = list(warnings)

    def respond(request: httpx.Request) -> tuple[int, object]:
        status, answer = echo()(request)
        assert isinstance(answer, dict)
        said = remaining.pop(0)
        return status, answer | ({"warnings": said} if said else {})

    return respond


def test_warnings_of_several_requests_are_said_once_with_rows_counted_from_1(api: FakeApi) -> None:
    api.routes["POST", PATH] = warns(
        ["instances[3] and 1,199 more: column 'b' is absent and taken for missing."],
        [],
        [
            "instances[0]: unknown column 'c' is ignored; did you mean 'b'?",
            "instances[1] and 2 more: column 'b' is absent and taken for missing.",
            "instances[7] and 1 more, column 'd': 'soon' is no date and taken for missing.",
            "Something of the whole request.",
        ],
    )
    answer = predict(api.client(), "wine", [{"a": "x"}] * 450)
    assert answer["warnings"] == [
        "row 4 and 1,202 more: column 'b' is absent and taken for missing.",
        "row 401: unknown column 'c' is ignored; did you mean 'b'?",
        "row 408 and 1 more, column 'd': 'soon' is no date and taken for missing.",
        "Something of the whole request.",
    ]


def test_without_warnings_there_is_no_key_for_them(api: FakeApi) -> None:
    api.routes["POST", PATH] = warns([])
    assert "warnings" not in predict(api.client(), "wine", [{"a": "x"}])


def test_a_strict_request_says_so_and_its_warnings_are_counted_in_the_whole_input(api: FakeApi) -> None:
    warning = "instances[3] and 1 more: unknown column 'c' is ignored."

    def respond(request: httpx.Request) -> tuple[int, object]:
        assert json.loads(request.content)["strict"] is True
        if len(api.requests) == 1:
            return echo()(request)
        return 400, {"error": {"code": "InvalidRequest", "message": f"Refused: {warning}", "details": {"warnings": [warning]}}}

    api.routes["POST", PATH] = respond
    with pytest.raises(CommandFailed) as caught:
        predict(api.client(), "wine", [{"a": "x"}] * 210, strict=True)
    assert caught.value.message == "Refused: row 204 and 1 more: unknown column 'c' is ignored."
    assert caught.value.details == {"warnings": ["row 204 and 1 more: unknown column 'c' is ignored."]}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("instances[3]: column `b` is missing.", "row 204: column `b` is missing."),
        ("The model failed.", "The model failed. (In the request that began with row 201.)"),
    ],
)
def test_a_refused_row_is_counted_in_the_whole_input(api: FakeApi, said: str, shown: str) -> None:
    def respond(request: httpx.Request) -> tuple[int, object]:
        if len(api.requests) == 1:
            return echo()(request)
        return 400, {"error": {"code": "InvalidRequest", "message": said, "details": {"column": "b"}}}

    api.routes["POST", PATH] = respond
    with pytest.raises(CommandFailed) as caught:
        predict(api.client(), "wine", [{"a": "x"}] * 210)
    assert (caught.value.message, caught.value.code, caught.value.details) == (shown, "InvalidRequest", {"column": "b"})


WARMING = {"error": {"code": "EndpointWarming", "message": "Endpoint wine is starting.", "details": {}}}


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds slept; nothing else takes time."""
    seconds: list[float] = []
    monkeypatch.setattr("time.sleep", seconds.append)
    monkeypatch.setattr("time.monotonic", lambda: sum(seconds))
    return seconds


def test_an_endpoint_that_starts_is_asked_again_when_the_api_says_and_that_is_told(api: FakeApi, slept: list[float]) -> None:
    api.routes["POST", PATH] = lambda request: (503, WARMING) if len(api.requests) < 3 else echo()(request)
    told: list[str] = []
    answer = predict(api.client(), "wine", [{"a": "x"}], tell=told.append)
    assert [prediction["label"] for prediction in answer["predictions"]] == ["x"]
    assert slept == [10, 10]
    assert told == ["Endpoint wine is starting. Trying again in 10 s ..."] * 2


def test_an_endpoint_that_never_starts_is_waited_for_five_minutes(api: FakeApi, slept: list[float]) -> None:
    api.answer("POST", PATH, WARMING, 503)
    with pytest.raises(CommandFailed, match="is starting") as caught:
        predict(api.client(), "wine", [{"a": "x"}], tell=lambda _: None)
    assert caught.value.code == "EndpointWarming"
    assert 280 <= sum(slept) <= 300


def test_a_request_that_the_gateway_gives_up_after_30_seconds_is_made_again(api: FakeApi, slept: list[float]) -> None:
    gave_up = {"message": "Service Unavailable"}
    api.routes["POST", PATH] = lambda request: (503, gave_up) if len(api.requests) < 2 else echo()(request)
    answer = predict(api.client(), "wine", [{"a": "x"}], tell=lambda _: None)
    assert [prediction["label"] for prediction in answer["predictions"]] == ["x"]
    assert slept == [10]


def test_what_the_api_does_not_say_to_try_again_is_not(api: FakeApi, slept: list[float]) -> None:
    api.fail("POST", PATH, 502, "PredictionFailed", "The model failed.")
    with pytest.raises(CommandFailed, match="The model failed"):
        predict(api.client(), "wine", [{"a": "x"}])
    assert (slept, len(api.requests)) == ([], 1)


def test_a_request_that_the_gateway_refuses_as_too_large_says_what_to_do(api: FakeApi) -> None:
    api.answer("POST", PATH, {"message": "Request Entity Too Large"}, 413)
    with pytest.raises(CommandFailed, match=r"too large .* send fewer rows") as caught:
        predict(api.client(), "wine", [{"a": "x"}])
    assert caught.value.code == "RequestTooLarge"
