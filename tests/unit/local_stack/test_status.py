"""What ``status`` tells of a stack that is up, down, or something in between."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from sageline_local import keys, services
from sageline_local.errors import StackNotUp
from sageline_local.home import DeployedStack, Home, StackRecord
from sageline_local.processes import ProcessRef
from sageline_local.stack import LocalStack

OUTPUTS = {"ApiId": "abc", "JwtApiId": "def", "BucketName": "bucket", "StateMachineArn": "arn:machine"}
GONE = ProcessRef(2**22 + 1, 0.0)


def this_process() -> ProcessRef:
    return ProcessRef(psutil.Process().pid, psutil.Process().create_time())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose servers answer."""
    monkeypatch.setattr(services.Service, "answers", lambda self, patience=0.0: True)
    home = Home(tmp_path)
    home.make()
    keys.make(home)
    return home


def remember(home: Home, *gone: str, fingerprint: str | None = "now") -> LocalStack:
    """A stack whose processes are this one, but for those that are gone."""
    deployment = None if fingerprint is None else DeployedStack(fingerprint, "arn:stack", OUTPUTS)
    running = {name: GONE if name in gone else this_process() for name in services.TITLES}
    StackRecord(port=4566, sagemaker_port=4567, autoscaling_port=4568, processes=running, deployment=deployment).save(home)
    return LocalStack(home.root)


def test_a_stack_that_never_was_is_down(tmp_path: Path) -> None:
    status = LocalStack(tmp_path / "none").status()

    assert (status.state, status.problems, status.environment) == ("down", [], {})
    assert not (tmp_path / "none").exists()


def test_a_stack_whose_servers_answer_is_up_and_tells_every_address(home: Home) -> None:
    status = remember(home).status()

    assert status.state == "up"
    assert status.to_json() == {
        "state": "up",
        "home": str(home.root.resolve()),
        "region": "us-east-1",
        "endpoint_url": "http://127.0.0.1:4566",
        "sagemaker_url": "http://127.0.0.1:4567",
        "autoscaling_url": "http://127.0.0.1:4568",
        "api_url": "http://127.0.0.1:4566/_aws/execute-api/abc",
        "jwt_api_url": "http://127.0.0.1:4566/_aws/execute-api/def",
        "bucket": "bucket",
        "pids": dict.fromkeys(services.TITLES, this_process().pid),
        "environment": LocalStack(home.root).environment(),
        "outputs": OUTPUTS,
        "problems": [],
        "limits": [],
    }
    assert status.environment["SAGELINE_API_URL"] == status.api_url
    assert status.environment["SAGELINE_JWT_API_URL"] == status.jwt_api_url


def test_what_the_machine_can_not_do_is_told(home: Home) -> None:
    found = {"network": False, "files": False, "reason": "Operation not permitted"}
    (home.sagemaker / "isolation.json").write_text(json.dumps(found))

    status = remember(home).status()

    assert status.state == "up"
    assert len(status.limits) == 1
    assert "(Operation not permitted)" in status.limits[0]


@pytest.mark.parametrize(("dead", "title"), services.TITLES.items())
def test_a_stack_with_one_dead_server_is_half_dead(home: Home, dead: str, title: str) -> None:
    status = remember(home, dead).status()

    assert status.state == "half-dead"
    assert status.problems[0].startswith(f"{title} is not running: `sageline local up` starts it again")
    assert status.environment == {}


def test_a_server_that_does_not_answer_is_told_with_its_log(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.Service, "answers", lambda self, patience=0.0: self.name != "sagemaker")

    status = remember(home).status()

    assert status.state == "half-dead"
    assert "SageMaker" in status.problems[0]
    assert "does not answer on port 4567" in status.problems[0]
    assert str(home.log("sagemaker")) in status.problems[0]


def test_a_stack_that_was_killed_is_down_and_says_so(home: Home) -> None:
    status = remember(home, *services.TITLES).status()

    assert status.state == "down"
    assert status.problems == ["It was killed: `sageline local up` starts it again."]


@pytest.mark.parametrize("fingerprint", [None, ""])
def test_a_stack_whose_deployment_was_cut_off_is_not_up(home: Home, fingerprint: str | None) -> None:
    status = remember(home, fingerprint=fingerprint).status()

    assert status.state == "half-dead"
    assert status.problems == ["The bundle is not deployed: `sageline local up` does it."]


def test_a_command_at_work_is_told(home: Home) -> None:
    stack = remember(home)

    with home.locked():
        assert stack.status().problems == ["A command is starting or stopping it at this moment."]


def test_what_needs_a_stack_says_what_is_wrong_with_it(home: Home, tmp_path: Path) -> None:
    with pytest.raises(StackNotUp, match=r"^There is no local stack in .*none\. Start one .* in SAGELINE_HOME\."):
        LocalStack(tmp_path / "none").environment()
    (tmp_path / "stopped").mkdir()
    with pytest.raises(StackNotUp, match=r"is down\. Start it with `sageline local up`\."):
        LocalStack(tmp_path / "stopped").environment()
    with pytest.raises(StackNotUp, match=r"is half-dead\. MiniStack is not running"):
        remember(home, "ministack").clients()


def test_a_server_that_answers_late_is_busy_and_not_dead(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = 6.0  # seconds
    monkeypatch.setattr(services.Service, "answers", lambda self, patience=0.0: patience > needed)
    assert remember(home).status().state == "up"
