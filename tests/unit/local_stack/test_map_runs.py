"""The children of a Distributed Map: how many at once, and how they end."""

from __future__ import annotations

import inspect
import threading
from typing import Any

import pytest
from ministack.services import stepfunctions

from sageline_local import map_runs, nested_executions
from tests.unit.local_stack.maps import FIT, Document, MapWorld, wait_for


def boom(payload: Any) -> object:  # JSON
    if payload["shard"] == 1:
        raise stepfunctions._ExecutionError("InvalidDataset", "row 7")
    return payload


def statuses(maps: MapWorld, parent: str) -> list[str]:
    return [child["status"] for child in maps.children(parent)]


def test_ministack_still_lets_a_failed_map_run_to_its_end() -> None:
    source = inspect.getsource(stepfunctions._run_distributed_map)
    assert "futures_wait(" in source
    assert "copy.deepcopy(ctx)" in source


@pytest.mark.parametrize(("given", "most"), [("{% $workers %}", 2), (2, 2), (None, 4), (9, 4)])
def test_no_more_children_run_at_once_than_the_map_and_the_machine_allow(
    maps: MapWorld, monkeypatch: pytest.MonkeyPatch, given: object, most: int
) -> None:
    monkeypatch.setattr(map_runs, "_MOST_AT_ONCE", 4)
    go_on = threading.Event()
    maps.function = lambda payload: go_on.wait(20) and payload

    parent = maps.start({"shards": 9, "workers": 2}, MaxConcurrency=given)
    wait_for(lambda: maps.at_once == most)
    go_on.set()

    assert len(maps.output(parent)) == 9
    assert maps.most_at_once == most


def test_a_child_that_fails_ends_the_map_and_stops_the_others(maps: MapWorld) -> None:
    fail, never = threading.Event(), threading.Event()

    def function(payload: Any) -> object:  # JSON
        (fail if payload["shard"] == 1 else never).wait(20)
        return boom(payload)

    maps.function = function
    parent = maps.start({"shards": 9}, MaxConcurrency=2)
    wait_for(lambda: len(maps.payloads) == 2)
    fail.set()

    assert maps.output(parent) == {
        "Error": "States.ExceedToleratedFailureThreshold",
        "Cause": "The specified tolerated failure threshold was exceeded",
    }
    assert statuses(maps, parent) == ["ABORTED", "FAILED"]
    failed = maps.children(parent)[1]
    assert (failed["error"], failed["cause"]) == ("InvalidDataset", "row 7")
    run = maps.map_run(parent)
    assert run["status"] == "FAILED"
    counts = run["itemCounts"]
    assert {name: counts[name] for name in ("failed", "aborted", "running", "pending")} == {
        **{"failed": 1, "aborted": 1},
        **{"running": 0, "pending": 7},
    }
    never.set()  # what a stopped child still computes changes nothing
    wait_for(lambda: maps.at_once == 0)
    assert statuses(maps, parent) == ["ABORTED", "FAILED"]


@pytest.mark.parametrize("tolerance", [{"ToleratedFailureCount": "{% 1 %}"}, {"ToleratedFailurePercentage": 34}])
def test_failures_that_are_tolerated_leave_a_gap(maps: MapWorld, tolerance: Document) -> None:
    maps.function = boom

    assert maps.output(maps.start(**tolerance)) == [{"shard": 0}, None, {"shard": 2}]


@pytest.mark.parametrize(
    "tolerance",
    [
        {"ToleratedFailureCount": 0},
        {"ToleratedFailurePercentage": 33},
        {"ToleratedFailureCount": 1, "ToleratedFailurePercentage": 0},
    ],
)
def test_more_than_are_tolerated_fail_the_map(maps: MapWorld, tolerance: Document) -> None:
    maps.function = boom

    assert maps.output(maps.start(**tolerance))["Error"] == "States.ExceedToleratedFailureThreshold"


@pytest.mark.parametrize(("size", "ended"), [(1, "SUCCEEDED"), (2, "FAILED")])
def test_a_failed_batch_counts_as_many_failures_as_it_has_items(maps: MapWorld, size: int, ended: str) -> None:
    maps.function = lambda payload: boom(payload["Items"][-1])

    parent = maps.start({"shards": 4}, ItemBatcher={"MaxItemsPerBatch": size}, ToleratedFailureCount=1)

    maps.ended(parent)
    assert maps.map_run(parent)["status"] == ended


def test_a_failure_that_is_tried_again_is_none(maps: MapWorld) -> None:
    def function(payload: Any) -> object:  # JSON
        return boom(payload) if maps.payloads.count(payload) < 2 else payload

    maps.function = function
    first = {**FIT, "Retry": [{"ErrorEquals": ["InvalidDataset"], "IntervalSeconds": 0, "MaxAttempts": 1}]}

    assert len(maps.output(maps.start(first=first))) == 3


def test_whoever_stops_the_parent_stops_its_children_and_starts_no_more(maps: MapWorld) -> None:
    go_on = threading.Event()
    maps.function = lambda payload: go_on.wait(20) and payload
    parent = maps.start({"shards": 9}, MaxConcurrency=2)
    wait_for(lambda: len(maps.payloads) == 2)

    maps.stop(parent)

    wait_for(lambda: statuses(maps, parent) == ["ABORTED", "ABORTED"])
    assert maps.map_run(parent)["status"] == "ABORTED"
    go_on.set()
    wait_for(lambda: maps.at_once == 0)
    assert len(maps.children(parent)) == len(maps.payloads) == 2
    assert maps.ended(parent)["status"] == "ABORTED"


def test_a_child_that_waits_to_try_again_does_not_when_it_was_stopped(maps: MapWorld) -> None:
    threads = set(threading.enumerate())
    maps.function = boom
    first = {**FIT, "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 9}]}
    parent = maps.start(first=first)
    wait_for(lambda: len(maps.payloads) == 3)

    maps.stop(parent)

    wait_for(lambda: set(threading.enumerate()) <= threads)
    assert len(maps.payloads) == 3


def test_a_child_that_somebody_stops_counts_as_failed(maps: MapWorld) -> None:
    go_on = threading.Event()
    maps.function = lambda payload: go_on.wait(20) and payload
    parent = maps.start({"shards": 1})
    wait_for(lambda: len(maps.payloads) == 1)

    maps.stop(maps.children(parent)[0]["executionArn"])
    go_on.set()

    assert maps.output(parent)["Error"] == "States.ExceedToleratedFailureThreshold"


def test_eventbridge_hears_of_standard_children_under_the_label_of_the_map(maps: MapWorld) -> None:
    maps.output(maps.start({"shards": 1}))

    assert [status for machine, status in maps.told if machine == "pipeline/FitShards"] == ["RUNNING", "SUCCEEDED"]


def test_eventbridge_does_not_hear_of_express_children(maps: MapWorld) -> None:
    parent = maps.start({"shards": 1}, ExecutionType="EXPRESS")
    maps.output(parent)

    assert {machine for machine, _ in maps.told} == {"pipeline"}
    assert ":express:pipeline/FitShards:" in maps.children(parent)[0]["executionArn"]


def test_an_express_child_that_takes_more_than_five_minutes_fails(maps: MapWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_runs, "_EXPRESS_SECONDS", -1)

    parent = maps.start({"shards": 1}, ExecutionType="EXPRESS")

    assert maps.output(parent)["Error"] == "States.ExceedToleratedFailureThreshold"
    assert maps.children(parent)[0]["error"] == "States.Timeout"


def test_a_shutdown_leaves_the_executions_as_they_are(maps: MapWorld) -> None:
    go_on = threading.Event()
    maps.function = lambda payload: go_on.wait(20) and payload
    parent = maps.start()
    wait_for(lambda: len(maps.payloads) == 2)

    nested_executions.stop_waiting()
    go_on.set()

    wait_for(lambda: maps.at_once == 0)
    assert stepfunctions._executions[parent]["status"] == "RUNNING"
    assert set(statuses(maps, parent)) == {"RUNNING"}
