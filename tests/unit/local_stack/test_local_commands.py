"""``sageline local``: output, JSON and exit codes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sageline_cli.local_commands import local
from sageline_local.errors import PortInUse, StackNotUp
from sageline_local.progress import Progress
from sageline_local.stack import LocalStack
from sageline_local.status import StackStatus

UP = StackStatus(
    state="up",
    home="/stack",
    region="us-east-1",
    endpoint_url="http://127.0.0.1:4566",
    sagemaker_url="http://127.0.0.1:4567",
    api_url="http://127.0.0.1:4566/_aws/execute-api/abc",
    bucket="bucket",
    pids={"ministack": 12, "sagemaker": 13},
    environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
)


class FakeStack:
    """What the commands ask of a stack."""

    def __init__(self) -> None:
        self.found = UP
        self.error: Exception | None = None
        self.asked: list[tuple[str, object]] = []

    def up(self, progress: Progress, parameters: Mapping[str, str] | None) -> StackStatus:
        self.asked.append(("up", parameters))
        with progress.step("Start MiniStack"):
            if self.error:
                raise self.error
        progress.note("a [note]")
        return self.found

    def down(self, progress: Progress, delete: bool) -> bool:
        self.asked.append(("down", delete))
        return True

    def status(self) -> StackStatus:
        return self.found

    def token(self, scopes: tuple[str, ...], *, subject: str, minutes: int) -> str:
        self.asked.append(("token", (scopes, subject, minutes)))
        if self.error:
            raise self.error
        return "a.token.b"

    def environment(self, function: str | None = None) -> dict[str, str]:
        self.asked.append(("environment", function))
        if self.error:
            raise self.error
        return self.found.environment


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> FakeStack:
    fake = FakeStack()

    def make(home: Path, port: int | None = None) -> FakeStack:
        fake.asked.append(("stack", (home, port)))
        return fake

    monkeypatch.setattr("sageline_cli.local_commands.LocalStack", make)
    monkeypatch.delenv("SAGELINE_HOME", raising=False)
    monkeypatch.delenv("SAGELINE_PORT", raising=False)
    return fake


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner(mix_stderr=False).invoke(local, arguments, env=environment)


def test_up_shows_steps_on_stderr_and_addresses_on_stdout(stack: FakeStack) -> None:
    result = run("up", "--home", "/stack", "--port", "4600", "--parameter", "LogLevel=DEBUG", "--parameter", "A=b=c")

    assert result.exit_code == 0
    assert stack.asked == [("stack", (Path("/stack"), 4600)), ("up", {"LogLevel": "DEBUG", "A": "b=c"})]
    assert "Start MiniStack" in result.stderr
    assert "a [note]" in result.stderr
    assert "http://127.0.0.1:4566/_aws/execute-api/abc" in result.stdout
    assert "Start MiniStack" not in result.stdout


def test_home_and_port_come_from_the_environment(stack: FakeStack) -> None:
    run("up", SAGELINE_HOME="/elsewhere", SAGELINE_PORT="4700")

    assert stack.asked == [("stack", (Path("/elsewhere"), 4700)), ("up", None)]


@pytest.mark.parametrize("command", ["up", "down", "status", "env"])
def test_json_is_the_only_thing_on_stdout(stack: FakeStack, command: str) -> None:
    result = run(command, "--json")

    assert result.exit_code == 0
    assert isinstance(json.loads(result.stdout), dict)


def test_a_failure_is_a_sentence_and_exit_code_1(stack: FakeStack) -> None:
    stack.error = PortInUse("Port 4566 is in use. Stop that program.")

    result = run("up")

    assert result.exit_code == 1
    assert "Error: Port 4566 is in use. Stop that program." in result.stderr


def test_a_failure_is_a_document_with_json(stack: FakeStack) -> None:
    stack.error = StackNotUp("It is down.")

    result = run("env", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "StackNotUp"


@pytest.mark.parametrize("arguments", [("up", "--port", "http"), ("up", "--port", "80"), ("up", "--parameter", "x"), ("nope",)])
def test_wrong_usage_is_exit_code_2(stack: FakeStack, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_status_shows_problems_and_fails_unless_up(stack: FakeStack) -> None:
    stack.found = StackStatus(state="half-dead", home="/stack", region="us-east-1", problems=["MiniStack [12] is not running."])

    result = run("status")

    assert result.exit_code == 1
    assert "half-dead" in result.stdout
    assert "MiniStack [12] is not running." in result.stdout
    assert run("status", "--json").exit_code == 1


def test_status_tells_what_the_machine_can_not_do_of_a_stack_that_is_up(stack: FakeStack) -> None:
    stack.found = replace(UP, limits=["This machine has not the [namespaces]."])

    result = run("status")

    assert result.exit_code == 0
    assert "This machine has not the [namespaces]." in result.stdout


def test_env_prints_lines_for_a_shell(stack: FakeStack) -> None:
    assert run("env").stdout == "unset AWS_PROFILE AWS_SESSION_TOKEN\nexport AWS_ENDPOINT_URL=http://127.0.0.1:4566\n"


def test_env_can_be_that_of_a_function(stack: FakeStack) -> None:
    run("env", "--function", "prepare_data")

    assert stack.asked[-1] == ("environment", "prepare_data")


def test_down_keeps_the_state_unless_told(stack: FakeStack) -> None:
    run("down")
    run("down", "--delete")

    assert [asked for asked in stack.asked if asked[0] == "down"] == [("down", False), ("down", True)]


def test_logs_of_the_servers_are_read_without_a_running_stack(tmp_path: Path) -> None:
    log = LocalStack(tmp_path).log_file("ministack")
    log.parent.mkdir()
    log.write_text("what happened\n")

    result = CliRunner(mix_stderr=False).invoke(local, ["logs", "--home", str(tmp_path)])

    assert (result.exit_code, result.stdout) == (0, "ministack | what happened\n")


def test_a_token_is_printed_and_nothing_else(stack: FakeStack) -> None:
    result = run("token", "--scope", "sageline/predict", "--scope", "sageline/read", "--minutes", "5", "--subject", "app")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "a.token.b\n", "")
    assert stack.asked[-1] == ("token", (("sageline/predict", "sageline/read"), "app", 5))


@pytest.mark.parametrize("arguments", [(), ("--scope", "sageline/predicts"), ("--scope", "sageline/read", "--minutes", "0")])
def test_a_token_for_nothing_or_for_what_no_route_asks_for_is_wrong_usage(stack: FakeStack, arguments: tuple[str, ...]) -> None:
    result = run("token", *arguments)

    assert result.exit_code == 2
    assert stack.asked == []
