"""Splitting traffic, promoting and rolling back by command."""

from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner

from cli.main import cli
from cli.traffic import read_weights
from tests.unit.cli.fakes import FakeApi

OLD, NEW = "wine-20261120100000-0a1b2c", "wine-20261121100000-3d4e5f"
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

    assert (result.exit_code, f"{NEW} (0.1)" in result.stdout) == (0, True)
    assert json.loads(runner.invoke(cli, ["split", "wine", f"{OLD}=9", "--json"]).stdout) == ENDPOINT


def test_weights_are_read_as_they_are_typed() -> None:
    assert read_weights([f"{OLD}=0.9", f"{NEW}=1"]) == {OLD: 0.9, NEW: 1.0}


@pytest.mark.parametrize("pair", ["0.9", f"{OLD}=most", "=1", f"{OLD}="])
def test_what_is_no_weight_is_wrong_usage(pair: str) -> None:
    with pytest.raises(click.UsageError, match="is no VARIANT=WEIGHT"):
        read_weights([pair])


@pytest.mark.usefixtures("connection")
def test_promoting_says_which_run_lets_the_others_go(runner: CliRunner, api: FakeApi) -> None:
    api.answer("POST", "/endpoints/wine/promote", {"endpoint": "wine", "run_id": NEW, "status": "Running"})
    assert runner.invoke(cli, ["promote", "wine", OLD]).stdout == (
        f"The traffic of wine is all {OLD}'s. Run {NEW} does the rest: sageline show {NEW}\n"
    )
    api.answer("POST", "/endpoints/wine/promote", {"endpoint": "wine", "run_id": None, "status": "Succeeded"})
    assert "nothing to do" in runner.invoke(cli, ["promote", "wine", OLD]).stdout


@pytest.mark.usefixtures("connection")
def test_rolling_back_says_what_is_stopped_or_what_brings_the_old_model_back(runner: CliRunner, api: FakeApi) -> None:
    api.answer("POST", "/endpoints/wine/rollback", {"endpoint": "wine", "run_id": NEW, "status": "Stopped"})
    assert runner.invoke(cli, ["rollback", "wine"]).stdout == (
        f"Run {NEW} is stopped; endpoint wine goes back to what it served before.\n"
    )
    answer = {"endpoint": "wine", "run_id": NEW, "status": "Running"}
    api.answer("POST", "/endpoints/wine/rollback", answer)
    assert f"sageline show {NEW}" in runner.invoke(cli, ["rollback", "wine"]).stdout
    assert json.loads(runner.invoke(cli, ["rollback", "wine", "--json"]).stdout) == answer
