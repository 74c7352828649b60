"""What is sent again, when, and for how long."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from client_tests.fakes import Clock, FakeApi
from sageline_client import ApiError, NotReady, Retries, ServerError, TimedOut, TooManyRequests, Unreachable

ANSWER: dict[str, Any] = {  # JSON
    "predictions": [],
    "endpoint": "wines",
    "variant": "v",
    "model_version": "v",
}
STARTED = {"run_id": "wines-1", "status": "Running"}


@pytest.mark.parametrize(("status", "code"), [(429, "TooManyRequests"), (503, "EndpointNotReady"), (503, "EndpointWarming")])
def test_a_prediction_is_asked_for_again_not_before_the_api_says(api: FakeApi, clock: Clock, status: int, code: str) -> None:
    api.refuse(status, code, retry_after=7)
    api.refuse(status, code, retry_after=7)
    api.answer(ANSWER)

    assert api.client().predict("wines", ["a text"]) == ANSWER

    assert clock.slept == [7, 7]
    assert len({request.content for request in api.requests}) == 1


def test_without_a_word_of_the_api_waits_grow_at_random(api: FakeApi, clock: Clock) -> None:
    for _ in range(6):
        api.refuse(429, "TooManyRequests")
    api.answer({"endpoints": []})

    api.client().endpoints.list()

    limits = [0.5, 1, 2, 4, 8, 16]
    assert all(0 <= slept <= limit for slept, limit in zip(clock.slept, limits, strict=True))
    assert len(set(clock.slept)) == 6


def test_clients_that_are_refused_again_and_again_come_back_later_than_they_were_told(api: FakeApi, clock: Clock) -> None:
    api.refuse(429, "TooManyRequests", retry_after=1)

    with pytest.raises(TooManyRequests):
        api.client(retries=Retries(120)).predict("wines", ["a text"])

    assert min(clock.slept) == 1
    assert max(clock.slept) > 2


def test_the_time_for_all_tries_is_bounded(api: FakeApi, clock: Clock) -> None:
    api.refuse(503, "EndpointNotReady", "Endpoint wines is being changed.", retry_after=10)

    with pytest.raises(NotReady, match="is being changed") as caught:
        api.client(retries=Retries(35)).endpoints.delete("wines")

    assert clock.slept == [10, 10, 10]
    assert caught.value.retry_after == 10


def test_what_is_waited_for_can_be_told(api: FakeApi, clock: Clock) -> None:
    told: list[tuple[str, float]] = []
    api.refuse(503, "EndpointWarming", retry_after=10)
    api.answer(ANSWER)

    patient = api.client().with_retries(Retries(on_retry=lambda error, seconds: told.append((error.code, seconds))))
    patient.predict("wines", ["a text"])

    assert told == [("EndpointWarming", 10)]


def test_a_run_is_started_once_however_often_the_request_is_sent(api: FakeApi, clock: Clock) -> None:
    api.fail(httpx.ReadTimeout("slow"))
    api.answer({"message": "Service Unavailable"}, 503)
    api.answer(STARTED, 202)
    api.answer(STARTED, 202)
    client = api.client()

    client.runs.start({"name": "wines"})
    client.runs.start({"name": "wines"})

    keys = [request.headers["idempotency-key"] for request in api.requests]
    assert len(keys) == 4
    assert keys[0] == keys[1] == keys[2] != keys[3]


def test_what_may_have_been_done_is_sent_again_only_where_twice_is_once(api: FakeApi, clock: Clock) -> None:
    api.fail(httpx.ReadError("reset"))
    http = api.client()._http

    with pytest.raises(Unreachable):
        http.send("POST", "/new-route")
    assert len(api.requests) == 1
    with pytest.raises(Unreachable):
        http.send("PATCH", "/new-route")
    assert len(api.requests) > 3


def test_what_was_not_sent_is_sent_again_in_any_case(api: FakeApi, clock: Clock) -> None:
    api.fail(httpx.ConnectError("refused"))
    api.answer({}, 200)

    assert api.client()._http.send("POST", "/new-route").status_code == 200


def test_an_api_that_is_not_there_need_not_be_waited_for(api: FakeApi, clock: Clock) -> None:
    api.fail(httpx.ConnectError("refused"))

    with pytest.raises(Unreachable):
        api.client(retries=Retries(60, after_no_answer=False)).endpoints.list()

    assert clock.slept == []


@pytest.mark.parametrize(("status", "kind"), [(400, ApiError), (404, ApiError), (409, ApiError), (500, ServerError)])
def test_what_will_not_change_is_not_sent_again(api: FakeApi, clock: Clock, status: int, kind: type[ApiError]) -> None:
    api.refuse(status, "Any")

    with pytest.raises(kind):
        api.client().endpoints.list()

    assert len(api.requests) == 1


def test_no_answer_in_time_is_said(api: FakeApi) -> None:
    api.fail(httpx.ReadTimeout("slow"))

    with pytest.raises(TimedOut, match=r"https://api\.example/stage did not answer in time"):
        api.impatient().endpoints.list()
