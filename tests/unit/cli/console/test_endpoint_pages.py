"""The pages of endpoints: the list, what one serves, its traffic, and what is said when it cannot be shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from botocore.exceptions import ClientError

from sageline_cli.connection import Connection
from tests.unit.cli.console.endpoint_pages import ENDPOINT, EVIL, NEW, OLD, ROUTING, Pages, deployed, pages_of
from tests.unit.cli.fakes import FakeApi
from tests.unit.world.fake_aws import FakeAws


@pytest.fixture
def pages(connection: Connection, api: FakeApi, account: FakeAws) -> Pages:
    return pages_of(connection, api, account)


def test_the_list_shows_variants_shares_end_and_cost(pages: Pages) -> None:
    page = pages.get("/endpoints", part=False)
    assert (page.status_code, "/token/endpoint-rows" in page.text) == (200, True)
    assert pages.api.requests == [], "the page itself waits for nobody"

    rows = pages.get("/endpoint-rows?costs").text

    assert "In service" in rows
    assert (OLD in rows, "75 %" in rows, NEW in rows, "25 %" in rows) == (True,) * 4
    assert "days" in rows
    assert rows.count("$") > 0
    assert "not known" not in rows


def test_the_list_is_there_before_the_costs_are_looked_up(pages: Pages) -> None:
    answer = pages.get("/endpoint-rows")
    first = answer.text

    assert "being looked up" in first
    assert ('name="costs"' in first, answer.headers["hx-trigger-after-swap"]) == (True, "costs-missing"), "the next poll asks"
    assert [request.url.path for request in pages.api.requests] == ["/endpoints"]

    pages.get("/endpoint-rows?costs")
    pages.get("/endpoint-rows?costs")

    asked = [request.url.path for request in pages.api.requests if request.url.path.startswith("/pipelines/")]
    assert sorted(asked) == sorted([f"/pipelines/{OLD}", f"/pipelines/{NEW}"]), "each run is asked once"


def test_without_endpoints_the_list_says_how_to_get_one(pages: Pages) -> None:
    pages.api.answer("GET", "/endpoints", {"endpoints": []})
    assert "upload a dataset" in pages.get("/endpoint-rows").text


def test_the_page_of_an_endpoint_asks_the_api_for_nothing(pages: Pages) -> None:
    page = pages.get("/endpoints/wine", part=False)

    assert page.status_code == 200
    assert (OLD in page.text, NEW in page.text) == (True, True)
    assert pages.api.requests == []


def test_an_endpoint_that_is_not_there_is_said_so(pages: Pages) -> None:
    pages.route(None)
    page = pages.get("/endpoints/wine", part=False)
    assert (page.status_code, "was deleted, or never made" in page.text) == (404, True)


def test_an_endpoint_that_somebody_else_deletes_while_the_page_is_open_is_said_to_be_gone(pages: Pages) -> None:
    assert pages.get("/endpoints/wine/status").status_code == 200
    pages.route(None)
    pages.api.fail("GET", "/endpoints/wine", 404, "EndpointNotFound", "There is no endpoint wine.")

    part = pages.get("/endpoints/wine/status")

    assert (part.status_code, part.headers["hx-retarget"]) == (200, "#endpoint"), "a poll's error would not be shown"
    assert "This endpoint is gone" in part.text


def test_the_status_tells_cost_runs_and_that_nothing_is_under_way(pages: Pages) -> None:
    created = datetime.now(UTC) - timedelta(hours=2)
    pages.show(created_at=created.isoformat())

    part = pages.get("/endpoints/wine/status").text

    assert "$0.46" in part, "two instances, two hours, $0.115 an hour each"
    assert f"{OLD}: 1 ml.m5.large, 2 h at $0.115 an hour = $0.23" in part
    assert (f"/token/runs/{OLD}" in part, f"/token/runs/{NEW}" in part) == (True, True)
    assert "is changing this endpoint" not in part


def test_a_serverless_variant_costs_what_it_has_computed(pages: Pages) -> None:
    serverless = {"parts": [{"what": "endpoint", "usd": 0, "text": "serverless"}], "endpoint_usd_per_hour": 0}
    for run_id in (OLD, NEW):
        run = deployed(run_id)
        run["details"]["cost"] = serverless
        pages.api.answer("GET", f"/pipelines/{run_id}", run)
    pages.cloudwatch.values = {("ModelLatency", "Sum"): 1000e6}

    part = pages.get("/endpoints/wine/status").text

    assert "1e+03 s of computing at $0.00004 a second = $0.04" in part
    assert "$0.08" in part


def test_a_run_that_changes_the_endpoint_is_named_and_what_would_be_refused_is_disabled(pages: Pages) -> None:
    pages.api.answer("GET", f"/pipelines/{NEW}", deployed(NEW, [OLD], status="Running", state="Bake"))

    status, controls = pages.get("/endpoints/wine/status").text, pages.get("/endpoints/wine/controls").text

    assert f"/token/runs/{NEW}" in status
    assert "watch the new model&#39;s alarms" in status
    assert controls.count("<fieldset disabled>") == 2, "the shares and the promotion"
    assert "Stop it and go back" in controls


def test_the_controls_are_fetched_anew_only_when_something_has_changed(pages: Pages) -> None:
    controls = pages.get("/endpoints/wine/controls").text
    seen = controls.split('name="seen" value="')[1].split('"')[0]

    for same in ("", seen):
        assert "hx-trigger-after-swap" not in pages.get(f"/endpoints/wine/status?seen={same}").headers

    pages.route(ROUTING.with_weights({OLD: 0.5, NEW: 0.5}, "2026-11-20T11:00:00.000Z"))
    changed = pages.get(f"/endpoints/wine/status?seen={seen}")
    assert "endpoint-changed" in changed.headers["hx-trigger-after-swap"]


def test_what_a_rollback_brings_back_is_said(pages: Pages) -> None:
    assert f"Goes back to what served before: {OLD}." in pages.get("/endpoints/wine/controls").text

    pages.api.answer("GET", f"/pipelines/{NEW}", deployed(NEW))
    assert "there is nothing to go back to" in pages.get("/endpoints/wine/controls").text


def test_an_endpoint_of_one_variant_has_no_shares_to_split(pages: Pages) -> None:
    pages.route(replace(ROUTING, variants=ROUTING.variants[:1]))
    controls = pages.get("/endpoints/wine/controls").text
    assert ("Shares of the traffic" in controls, "Roll back" in controls) == (False, True)


def test_where_the_routing_may_not_be_read_the_api_is_asked(pages: Pages, connection: Connection) -> None:
    pages.account.s3.put_object({"Bucket": connection.bucket, "Key": "endpoints/wine/routing.json", "Body": b"damaged"})
    page = pages.get("/endpoints/wine", part=False)
    assert (page.status_code, OLD in page.text) == (200, True)


def test_traffic_is_shown_as_plots_with_tables(pages: Pages) -> None:
    pages.cloudwatch.values = {
        ("Invocations", "Sum"): 40,
        ("Invocation5XXErrors", "Sum"): 3,
        ("Invocation4XXErrors", "Sum"): 0,
        ("ModelLatency", "p50"): 8_000,
        ("ModelLatency", "p95"): 21_000,
        ("ModelLatency", "Maximum"): 30_000,
        ("ModelLatency", "Sum"): 400_000,
        ("OverheadLatency", "Sum"): 80_000,
        ("Instances", "Sum"): 1200,
    }

    part = pages.get("/endpoints/wine/traffic?hours=1").text

    assert part.count("<svg") >= 3
    assert part.count("<summary>") == 3, "each plot is there as a table"
    assert "10.0 ms" in part, "400 ms of 40 requests"
    assert "1,200 rows were predicted" in part
    assert "style=" not in part, "the policy forbids it"


def test_no_traffic_is_said_plainly(pages: Pages) -> None:
    part = pages.get("/endpoints/wine/traffic").text
    assert "CloudWatch knows of no request in this time" in part
    assert "<svg" not in part


def test_rows_that_nobody_has_counted_are_said_so(pages: Pages) -> None:
    pages.cloudwatch.values = {("Invocations", "Sum"): 40}
    assert "the local stack keeps none" in pages.get("/endpoints/wine/traffic").text


def test_metrics_that_may_not_be_read_leave_the_rest_of_the_page(pages: Pages) -> None:
    message = "not authorized to perform: cloudwatch:GetMetricData"
    pages.cloudwatch.refuses = ClientError({"Error": {"Code": "AccessDenied", "Message": message}}, "GetMetricData")

    part = pages.get("/endpoints/wine/traffic")

    assert (part.status_code, "your role or user lacks the permission" in part.text) == (502, True)
    assert pages.get("/endpoints/wine/status").status_code == 200


def test_alarms_are_shown_with_their_state(pages: Pages) -> None:
    alarm = {"AlarmName": f"stack-rollout-{NEW}-errors", "StateValue": "ALARM", "AlarmDescription": "Over 5 % are errors."}
    pages.cloudwatch.alarms = [{**alarm, "MetricName": "Invocation5XXErrors", "Variant": NEW}]

    part = pages.get("/endpoints/wine/traffic").text

    assert ("Over 5 % are errors." in part, ">Alarm<" in part) == (True, True)


def test_a_stack_that_is_down_is_said_and_looked_for_again(pages: Pages) -> None:
    def refuse(request: httpx.Request) -> tuple[int, object]:
        raise httpx.ConnectError("Connection refused")

    pages.api.routes["GET", "/endpoints"] = refuse
    page = pages.get("/endpoint-rows")
    assert (page.status_code, "data-waits" in page.text) == (503, True)


def test_names_of_columns_and_labels_are_text(pages: Pages) -> None:
    pages.show(
        columns=[{"name": EVIL, "kind": "category", "required": False, "values": [EVIL], "different_values": 1}],
        column_count=1,
        example={EVIL: EVIL},
        label={"name": EVIL, "classes": 2, "labels": [EVIL, "b"]},
        failure_reason=EVIL,
    )
    for path in ("/endpoints/wine/row", "/endpoints/wine/status"):
        part = pages.get(path).text
        assert ("<img" in part, "&lt;img" in part) == (False, True), path


@pytest.mark.parametrize("status", ["Failed", "Missing", "Unknown", "RollingBack"])
def test_a_status_is_a_word_and_not_a_colour_alone(pages: Pages, status: str) -> None:
    pages.api.answer("GET", "/endpoints", {"endpoints": [ENDPOINT | {"status": status, "variants": []}]})
    assert f">{'Rolling back' if status == 'RollingBack' else status}</span>" in pages.get("/endpoint-rows?costs").text
