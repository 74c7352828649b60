"""Splitting traffic, promoting and rolling back by command."""

from __future__ import annotations

import json

import click
import httpx
import pytest
from click.testing import CliRunner

from sageline.runs.timings import StateTime
from sageline_cli.main import cli
from sageline_cli.traffic import read_weights
from tests.unit.cli.fakes import FakeApi, run_record

OLD, NEW = "wine-20261120100000-0a1b2c", "wine-20261121100000-3d4e5f"
CHANGE = "wine-20261121110000-7e1f0b"
ENDPOINT = {
    "name": "wine",
    "status": "InService",
    "variants": [{"name": OLD, "weight": 0.9, "model_version": OLD}, {"name": NEW, "weight": 0.1, "model_version": NEW}],
    "created_at": "2026-11-20T10:00:00.000Z",
    "updated_at": "2026-11-21T10:00:00.000Z",
    "failure_reason": None,
}


@pytest.mark.usefixtures("connection")
def test_splitting_shows_the_endpoint_as_it_is_then(runner: CliRunner, api: FakeApi) -> None:
    api.answer("PATCH", "/endpoints/wine", ENDPOINT)

    result = runner.invoke(cli, ["split", "wine", f"{OLD}=0.9", f"{NEW}=0.1"])

    assert (result.exit_code, f"{NEW} 10 %" in " ".join(result.stdout.split())) == (0, True)
    assert json.loads(runner.invoke(cli, ["split", "wine", f"{OLD}=9", "--json"]).stdout) == ENDPOINT


@pytest.fixture
def timeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run has gone through one state."""
    states = [StateTime("CheckEndpoint", 3.0, "done")]
    monkeypatch.setattr("sageline_cli.traffic.ExecutionTimeline", lambda stepfunctions: lambda run: states)


def test_weights_are_read_as_they_are_typed() -> None:
    assert read_weights([f"{OLD}=0.9", f"{NEW}=1"]) == {OLD: 0.9, NEW: 1.0}


@pytest.mark.parametrize("pair", ["0.9", f"{OLD}=most", "=1", f"{OLD}=", f"{OLD}=-1", f"{OLD}=nan", f"{OLD}=inf"])
def test_what_is_no_weight_is_wrong_usage(pair: str) -> None:
    with pytest.raises(click.UsageError, match="is no VARIANT=WEIGHT"):
        read_weights([pair])


def test_two_weights_for_one_variant_are_wrong_usage(runner: CliRunner) -> None:
    result = runner.invoke(cli, ["split", "wine", f"{OLD}=1", f"{OLD}=2"])
    assert (result.exit_code, f"{OLD} is there twice" in result.stderr) == (2, True)


@pytest.mark.usefixtures("connection")
def test_promoting_says_which_run_removes_the_others(runner: CliRunner, api: FakeApi) -> None:
    api.answer("POST", "/endpoints/wine/promote", {"endpoint": "wine", "run_id": CHANGE, "status": "Running"})
    assert runner.invoke(cli, ["promote", "wine", OLD]).stdout == (
        f"Variant {OLD} has all the traffic of endpoint wine. Run {CHANGE} removes the others: sageline show {CHANGE}\n"
    )


@pytest.mark.usefixtures("connection")
@pytest.mark.parametrize("options", [[], ["--wait"]])
def test_a_variant_that_serves_alone_needs_no_promotion(runner: CliRunner, api: FakeApi, options: list[str]) -> None:
    answer = {"endpoint": "wine", "run_id": None, "status": "Succeeded"}
    api.answer("POST", "/endpoints/wine/promote", answer)
    result = runner.invoke(cli, ["promote", "wine", OLD, *options])
    assert (result.exit_code, "nothing to do" in result.stdout) == (0, True)
    assert json.loads(runner.invoke(cli, ["promote", "wine", OLD, "--json", *options]).stdout) == answer


@pytest.mark.usefixtures("connection", "timeline")
@pytest.mark.parametrize("command", [["promote", "wine", OLD], ["rollback", "wine"]])
@pytest.mark.parametrize(("status", "exit_code"), [("Succeeded", 0), ("Failed", 1), ("Stopped", 1)])
def test_who_waits_sees_the_states_of_the_run_and_how_it_ended(
    runner: CliRunner, api: FakeApi, command: list[str], status: str, exit_code: int
) -> None:
    api.answer("POST", f"/endpoints/wine/{command[0]}", {"endpoint": "wine", "run_id": CHANGE, "status": "Running"})
    error = {"state": "CheckEndpoint", "error": "EndpointFailed", "message": "No capacity."} if status == "Failed" else None
    record = run_record(run_id=CHANGE, status=status, error=error)
    api.answer("GET", f"/pipelines/{CHANGE}", record)

    result = runner.invoke(cli, [*command, "--wait"])

    assert result.exit_code == exit_code
    assert CHANGE in result.stderr
    assert "✓ CheckEndpoint" in result.stderr
    assert result.stdout.startswith(status)
    assert ("No capacity." in result.stdout) == (status == "Failed")
    with_json = runner.invoke(cli, [*command, "--wait", "--json"])
    assert (with_json.exit_code, json.loads(with_json.stdout)) == (exit_code, record)


@pytest.mark.usefixtures("connection")
def test_ctrl_c_leaves_the_run_that_is_waited_for_alone(runner: CliRunner, api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("sageline_cli.traffic.follow", interrupted)
    api.answer("POST", "/endpoints/wine/rollback", {"endpoint": "wine", "run_id": CHANGE, "status": "Running"})
    result = runner.invoke(cli, ["rollback", "wine", "--wait"])
    assert (result.exit_code, f"The run goes on. See it: sageline show {CHANGE}" in result.stderr) == (130, True)


@pytest.mark.usefixtures("connection")
@pytest.mark.parametrize("options", [[], ["--wait"]])
def test_rolling_back_a_rollout_says_that_its_run_is_stopped(runner: CliRunner, api: FakeApi, options: list[str]) -> None:
    answer = {"endpoint": "wine", "run_id": NEW, "status": "Stopped"}
    api.answer("POST", "/endpoints/wine/rollback", answer)
    result = runner.invoke(cli, ["rollback", "wine", *options])
    assert (result.exit_code, result.stdout) == (0, f"Run {NEW} is stopped; endpoint wine serves what it served before.\n")
    assert json.loads(runner.invoke(cli, ["rollback", "wine", "--json", *options]).stdout) == answer


@pytest.mark.usefixtures("connection")
def test_rolling_back_says_which_run_brings_the_old_model_back(runner: CliRunner, api: FakeApi) -> None:
    answer = {"endpoint": "wine", "run_id": CHANGE, "status": "Running"}
    api.answer("POST", "/endpoints/wine/rollback", answer)
    assert f"sageline show {CHANGE}" in runner.invoke(cli, ["rollback", "wine"]).stdout
    assert json.loads(runner.invoke(cli, ["rollback", "wine", "--json"]).stdout) == answer


@pytest.mark.usefixtures("connection")
def test_a_rollout_that_is_stopped_and_not_undone_yet_is_stopped_again_and_not_rolled_back_twice(
    runner: CliRunner, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = {"error": {"code": "EndpointNotReady", "message": "Stop it again.", "details": {"run_id": NEW}}}
    api.answer("POST", "/endpoints/wine/rollback", busy, 503)
    api.answer("DELETE", f"/pipelines/{NEW}", busy, 503)
    stopped = run_record(run_id=NEW, status="Stopped")
    monkeypatch.setattr("time.sleep", lambda _: api.answer("DELETE", f"/pipelines/{NEW}", stopped))

    result = runner.invoke(cli, ["rollback", "wine"])

    assert (result.exit_code, f"Run {NEW} is stopped" in result.stdout) == (0, True)
    assert [request.method for request in api.requests] == ["POST", "DELETE", "DELETE"]


@pytest.mark.usefixtures("connection")
def test_an_endpoint_that_cannot_be_rolled_back_now_says_so(runner: CliRunner, api: FakeApi) -> None:
    api.fail("POST", "/endpoints/wine/rollback", 503, "EndpointNotReady", "Endpoint wine has status Updating.")
    result = runner.invoke(cli, ["rollback", "wine", "--wait"])
    assert (result.exit_code, "has status Updating" in result.stderr) == (1, True)


@pytest.mark.usefixtures("connection")
@pytest.mark.parametrize(("typed", "sent"), [("24", 24), ("0.5", 0.5), ("never", None)])
def test_the_time_to_live_is_set_and_shown(runner: CliRunner, api: FakeApi, typed: str, sent: float | None) -> None:
    def change(request: httpx.Request) -> tuple[int, object]:
        assert json.loads(request.content) == {"ttl_hours": sent}
        return 200, ENDPOINT | {"expires_at": None}

    api.routes["PATCH", "/endpoints/wine"] = change
    result = runner.invoke(cli, ["ttl", "wine", typed])
    assert (result.exit_code, "never" in result.stdout) == (0, True)
    assert json.loads(runner.invoke(cli, ["ttl", "wine", typed, "--json"]).stdout)["name"] == "wine"


@pytest.mark.parametrize("hours", ["0", "8761", "nan", "soon"])
def test_what_is_no_time_to_live_is_wrong_usage(runner: CliRunner, hours: str) -> None:
    result = runner.invoke(cli, ["ttl", "wine", hours])
    assert (result.exit_code, "or `never`" in result.stderr) == (2, True)
