"""``make invoke`` and ``make api``, as a person types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sageline_local import golden_events
from sageline_local.stack import PROJECT, LocalStack
from tests.docker.conftest import Docker
from tests.ports import free_port

_PATIENCE_SECONDS = 120


@pytest.fixture
def variables(docker: Docker, stack: LocalStack) -> dict[str, str]:
    """The environment of a shell in which the commands are typed."""
    image = {"SAGELINE_INVOKE_IMAGE": docker.image} if docker.image else {}
    shell = {**docker.engine.variables(), **image, "SAGELINE_HOME": str(stack.home)}
    shell.pop("SAGELINE_PORT", None)  # of whoever runs the tests: the stack has a port of its own
    return shell


@pytest.fixture(autouse=True)
def nothing_is_left(docker: Docker, stack: LocalStack) -> Iterator[None]:
    """Neither containers nor networks nor files of a command are there when it has ended."""
    before = _containers_and_networks(docker)
    yield
    assert _containers_and_networks(docker) == before
    assert not (stack.home / "invoke").exists()


def test_a_function_that_answers(variables: dict[str, str]) -> None:
    done = _make(variables, "invoke", "FUNCTION=manage_pipelines", "EVENT=list-pipelines")

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["statusCode"] == 200
    assert isinstance(json.loads(answer["body"])["runs"], list)
    assert "In a container: sam local invoke" in done.stderr
    assert "REPORT RequestId" in done.stderr
    assert "✓ Answered" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_function_that_fails_fails_the_command(variables: dict[str, str], tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"run_id": "nobody-20261120100000-0a1b2c"}))

    done = _make(variables, "invoke", "FUNCTION=prepare_data", f"EVENT={event}")

    assert done.returncode != 0
    assert json.loads(done.stdout)["errorType"] == "RunNotFound"
    assert "✗ The function failed: RunNotFound: No run 'nobody-20261120100000-0a1b2c' is known" in done.stderr


def test_an_interrupted_command_takes_everything_with_it(docker: Docker, variables: dict[str, str]) -> None:
    before = _containers_and_networks(docker)
    command = ["make", "-s", "invoke", "FUNCTION=manage_pipelines", "EVENT=list-pipelines"]
    process = subprocess.Popen(command, cwd=PROJECT, env=variables, stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while _containers_and_networks(docker) == before:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)

    # As a terminal does on Ctrl-C.
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=_PATIENCE_SECONDS)

    assert process.returncode != 0


def test_the_api_answers_whoever_asks_also_with_a_prediction(variables: dict[str, str], stack: LocalStack) -> None:
    event = golden_events.find("invoke_preprocess", "predict-objects")
    asked = golden_events.fill(event, golden_events.variables(stack.require_up()))
    port = free_port()
    command = ["make", "-s", "api", f"PORT={port}"]
    process = subprocess.Popen(command, cwd=PROJECT, env=variables, start_new_session=True)
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (listed := _ask(port, "/pipelines")) is None:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.5)
        predicted = _ask(port, asked["rawPath"], asked["body"])
        unknown = _ask(port, "/endpoints/nobody/predictions", asked["body"])
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(_PATIENCE_SECONDS)

    assert listed[0] == 200
    assert predicted is not None
    assert predicted[0] == 200, predicted[1]
    assert json.loads(predicted[1])["predictions"]
    assert unknown is not None
    assert unknown[0] == 404


def _ask(port: int, path: str, body: str | None = None) -> tuple[int, str] | None:
    """Status and text of an answer; None if nobody listens."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body.encode() if body else None)  # http
    if body:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_SECONDS) as response:  # noqa: S310 # http
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except urllib.error.URLError:
        return None


def _make(variables: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "-s", *arguments]
    return subprocess.run(command, cwd=PROJECT, env=variables, capture_output=True, text=True, check=False)


def _containers_and_networks(docker: Docker) -> list[str]:
    lines: list[str] = []
    for listing in (["ps", "--all", "--quiet"], ["network", "ls", "--quiet"]):
        lines += subprocess.run(
            ["docker", *listing], env=docker.engine.variables(), capture_output=True, text=True, check=True
        ).stdout.splitlines()
    return sorted(lines)
