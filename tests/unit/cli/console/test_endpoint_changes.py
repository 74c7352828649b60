"""What a person does to an endpoint on its page: asked of the API as filled in, and told as the API says."""

from __future__ import annotations

import time

import pytest

from sageline_cli.connection import Connection
from tests.unit.cli.console.endpoint_pages import NEW, OLD, Pages, deployed, pages_of
from tests.unit.cli.fakes import FakeApi
from tests.unit.world.fake_aws import FakeAws


@pytest.fixture
def pages(connection: Connection, api: FakeApi, account: FakeAws) -> Pages:
    return pages_of(connection, api, account)


def test_a_split_sets_the_weights(pages: Pages) -> None:
    pages.api.answer("PATCH", "/endpoints/wine", {})

    told = pages.post("/endpoints/wine/split", **{f"share:{OLD}": "90", f"share:{NEW}": "10"})

    assert pages.sent("PATCH", "/endpoints/wine") == [{"weights": {OLD: 90.0, NEW: 10.0}}]
    assert ("The traffic is split" in told.text, told.headers["hx-trigger"]) == (True, "endpoint-asked")


@pytest.mark.parametrize(
    ("old", "new", "why"), [("90", "20", "add up to 110 %"), ("-1", "101", "from 0 to 100"), ("", "100", "'")]
)
def test_shares_that_are_not_all_the_traffic_are_not_sent(pages: Pages, old: str, new: str, why: str) -> None:
    told = pages.post("/endpoints/wine/split", **{f"share:{OLD}": old, f"share:{NEW}": new})
    assert (told.status_code, why in told.text.replace("&#39;", "'")) == (400, True)
    assert pages.sent("PATCH", "/endpoints/wine") == []


def test_what_the_api_refuses_is_told_in_its_words(pages: Pages) -> None:
    pages.api.fail("PATCH", "/endpoints/wine", 409, "ResourceConflict", f"Run {NEW} is deploying to endpoint wine.")
    told = pages.post("/endpoints/wine/split", **{f"share:{OLD}": "100", f"share:{NEW}": "0"})
    assert (told.status_code, f"Run {NEW} is deploying" in told.text) == (409, True)


@pytest.mark.parametrize(("ends", "hours", "sent"), [("hours", "1.5", 1.5), ("never", "", None)])
def test_the_time_to_live_is_set(pages: Pages, ends: str, hours: str, sent: float | None) -> None:
    pages.api.answer("PATCH", "/endpoints/wine", {})
    assert pages.post("/endpoints/wine/end", ends=ends, hours=hours).status_code == 200
    assert pages.sent("PATCH", "/endpoints/wine") == [{"ttl_hours": sent}]


@pytest.mark.parametrize("hours", ["0", "9000", "soon", "nan"])
def test_no_time_to_live_is_not_sent(pages: Pages, hours: str) -> None:
    told = pages.post("/endpoints/wine/end", ends="hours", hours=hours)
    assert (told.status_code, "at most 8,760" in told.text) == (400, True)


def test_the_time_to_live_is_asked_for_and_not_proposed(pages: Pages) -> None:
    """What a form proposed, whoever clicks its button would set: also for an endpoint that is to be kept."""
    shell = pages.get("/endpoints/wine").text
    told = pages.post("/endpoints/wine/end", ends="hours", hours="")

    assert 'id="ends-hours" value="hours" required>' in shell
    assert "Say in how many hours the endpoint is to be deleted." in told.text
    assert pages.sent("PATCH", "/endpoints/wine") == []


def test_a_promotion_names_the_run_that_removes_the_others(pages: Pages) -> None:
    pages.api.answer("POST", "/endpoints/wine/promote", {"endpoint": "wine", "run_id": "wine-x", "status": "Running"}, 202)
    told = pages.post("/endpoints/wine/promote", variant=NEW)
    assert pages.sent("POST", "/endpoints/wine/promote") == [{"variant": NEW}]
    assert 'href="/token/runs/wine-x"' in told.text


def test_a_rollback_names_its_run(pages: Pages) -> None:
    pages.api.answer("POST", "/endpoints/wine/rollback", {"endpoint": "wine", "run_id": "wine-y", "status": "Running"}, 202)
    told = pages.post("/endpoints/wine/rollback")
    assert ("goes back to what it served before" in told.text, 'href="/token/runs/wine-y"' in told.text) == (True, True)


def test_a_rollback_in_the_middle_of_a_change_goes_on_with_the_run_that_was_stopped(pages: Pages) -> None:
    busy = {"error": {"code": "EndpointNotReady", "message": "Endpoint wine is Updating.", "details": {"run_id": NEW}}}
    pages.api.answer("POST", "/endpoints/wine/rollback", busy, 503)
    pages.api.answer("DELETE", f"/pipelines/{NEW}", busy, 503)

    told = pages.post("/endpoints/wine/rollback").text

    assert ("/token/endpoints/wine/undo" in told, NEW in told) == (True, True)
    assert "Trying again in" in told

    pages.api.answer("DELETE", f"/pipelines/{NEW}", deployed(NEW, status="Stopped"))
    assert "the run is stopped" in pages.post("/endpoints/wine/undo", run_id=NEW).text
    assert len(pages.sent("POST", "/endpoints/wine/rollback")) == 1, "a second could undo what served before it"


def test_the_dialog_names_all_that_goes(pages: Pages) -> None:
    alarm = {"AlarmName": f"sageline-rollout-{NEW}-errors", "StateValue": "OK", "AlarmDescription": ""}
    pages.cloudwatch.alarms = [{**alarm, "MetricName": "Invocation5XXErrors", "Variant": NEW}]

    dialog = pages.get("/endpoints/wine/deletion").text

    for part in ("endpoint config", "models", "schedule", alarm["AlarmName"], "endpoints/wine/routing.json", OLD, NEW):
        assert part in dialog, part
    assert 'id="delete" class="danger" disabled' in dialog, "until the name is typed"


def test_an_endpoint_is_deleted_only_when_its_name_was_typed(pages: Pages) -> None:
    pages.api.answer("DELETE", "/endpoints/wine", {"endpoint": "wine", "deleted": ["schedule/wine", "endpoint/wine"]})

    refused = pages.post("/endpoints/wine/delete", typed="wines")
    assert (refused.status_code, pages.sent("DELETE", "/endpoints/wine")) == (400, [])

    told = pages.post("/endpoints/wine/delete", typed="wine")
    assert (told.headers["hx-retarget"], "schedule/wine" in told.text) == ("#endpoint", True)


def test_a_deletion_that_has_to_wait_is_sent_again_by_the_page(pages: Pages) -> None:
    pages.api.fail("DELETE", "/endpoints/wine", 503, "EndpointNotReady", "Endpoint wine is Updating.")

    told = pages.post("/endpoints/wine/delete", typed="wine").text

    assert ("Endpoint wine is Updating." in told, "Trying again in" in told, "load delay:" in told) == (True, True, True)


def test_after_a_quarter_of_an_hour_a_deletion_is_not_sent_again(pages: Pages) -> None:
    pages.api.fail("DELETE", "/endpoints/wine", 503, "EndpointNotReady", "Endpoint wine is Updating.")
    told = pages.post("/endpoints/wine/delete", typed="wine", began=str(time.time() - 1000))
    assert (told.status_code, "Trying again" in told.text, "is Updating" in told.text) == (502, False, True)
