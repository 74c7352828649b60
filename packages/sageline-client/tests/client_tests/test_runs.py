"""Runs, page by page and to their end."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from client_tests.fakes import Clock, FakeApi
from sageline_client import NotFound

RUNNING: dict[str, Any] = {  # JSON
    "run_id": "wines-1",
    "status": "Running",
    "state": "CheckTraining",
}
SUCCEEDED: dict[str, Any] = {  # JSON
    **RUNNING,
    "status": "Succeeded",
    "state": "PromoteVariant",
}


def test_runs_are_asked_for_page_by_page_as_they_are_come_to(api: FakeApi) -> None:
    api.answer({"runs": [RUNNING], "next_token": "more"})
    api.answer({"runs": [], "next_token": "yet more"})
    api.answer({"runs": [SUCCEEDED], "next_token": None})
    runs = api.client().runs.list(name="wines", page_size=1)

    assert list(islice(runs, 1)) == [RUNNING]
    assert len(api.requests) == 1
    assert list(runs) == [SUCCEEDED]
    assert [dict(request.url.params) for request in api.requests] == [
        {"limit": "1", "name": "wines"},
        {"limit": "1", "name": "wines", "next_token": "more"},
        {"limit": "1", "name": "wines", "next_token": "yet more"},
    ]


def test_a_run_is_waited_for_from_before_it_has_begun_to_its_end(api: FakeApi, clock: Clock) -> None:
    api.refuse(404, "RunNotFound")
    api.answer(RUNNING)
    api.answer({**RUNNING, "status": "Unknown"})
    api.answer(RUNNING)
    api.answer(SUCCEEDED)

    assert api.client().runs.wait("wines-1") == SUCCEEDED

    assert len(clock.slept) == 4


@pytest.mark.parametrize("status", ["Failed", "Rejected", "Stopped"])
def test_a_run_that_has_ended_otherwise_is_given_too(api: FakeApi, clock: Clock, status: str) -> None:
    api.answer({**RUNNING, "status": status})

    assert api.client().runs.wait("wines-1")["status"] == status


def test_a_run_that_takes_longer_is_said_to_go_on(api: FakeApi, clock: Clock) -> None:
    api.answer(RUNNING)

    with pytest.raises(TimeoutError, match="has not ended in 30 s; it is Running, in the state CheckTraining"):
        api.client().runs.wait("wines-1", seconds=30)

    assert 30 <= clock.now() <= 35


def test_a_run_that_never_begins_is_not_there(api: FakeApi, clock: Clock) -> None:
    api.refuse(404, "RunNotFound", "No run 'wines-1' is known.")

    with pytest.raises(NotFound):
        api.client().runs.wait("wines-1")

    assert 60 <= clock.now() < 70


def test_a_name_with_a_slash_stays_one_part_of_the_path(api: FakeApi) -> None:
    api.answer(RUNNING)

    api.client().runs.get("a/../b")

    assert api.requests[0].url.raw_path == b"/stage/pipelines/a%2F..%2Fb"
