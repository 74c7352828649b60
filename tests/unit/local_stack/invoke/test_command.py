"""The commands: events, exit codes, folders that come and go, what is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from sageline_local.errors import DockerMissing, EventUnknown, InvokeFailed
from sageline_local.golden_events import GoldenEvent
from sageline_local.home import Home
from sageline_local.invoke import __main__ as entry
from sageline_local.invoke import command, engine, runner
from sageline_local.invoke.command import EventText, InvokeContext, read_event
from sageline_local.invoke.containers import SamLocal
from sageline_local.invoke.deployed_functions import DeployedFunction
from sageline_local.invoke.engine import Engine
from sageline_local.invoke.network import StackNetwork, network_name, open_network
from sageline_local.invoke.runner import Runner
from sageline_local.invoke.workspace import abandoned, clear, workspace

Run = Callable[..., int]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs the command where a function gives an answer, or raises; its exit code."""
    monkeypatch.setenv("SAGELINE_HOME", str(tmp_path))
    monkeypatch.setattr(runner, "choose", lambda wanted, machine: Runner())

    def with_answer(answered: str | BaseException, *arguments: str) -> int:
        def invoke(place: InvokeContext, chosen: Runner, image: str | None, name: str, event: str) -> str:
            place.tell(f"{name} with {event}")
            if isinstance(answered, BaseException):
                raise answered
            return answered

        monkeypatch.setattr(command, "invoke", invoke)
        monkeypatch.setattr(sys, "argv", ["sageline_local.invoke", *(arguments or ("function", "sweep", "hourly"))])
        return entry.run()

    return with_answer


def test_an_answer_goes_to_stdout_alone_and_the_exit_code_is_0(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert run('{"statusCode": 404, "body": ""}') == 0

    printed = capfd.readouterr()
    assert json.loads(printed.out) == {"statusCode": 404, "body": ""}
    assert "sweep with hourly" in printed.err
    assert "✓ Answered after" in printed.err


@pytest.mark.parametrize(
    "answered", ['{"errorType": "KeyError", "errorMessage": "[red]x"}', '{"statusCode": 500, "body": "[red]x"}', "[red]x", ""]
)
def test_a_function_that_failed_is_exit_code_1_and_says_why(run: Run, capfd: pytest.CaptureFixture[str], answered: str) -> None:
    assert run(answered) == 1

    said = capfd.readouterr().err
    assert "✗ The function failed: " in said
    assert ("[red]x" in said) == ("[red]x" in answered)


@pytest.mark.parametrize(
    ("error", "code"), [(InvokeFailed("SAM said no."), 2), (KeyboardInterrupt(), 130), (DockerMissing("None."), 2)]
)
def test_a_function_that_was_not_run_is_another_exit_code(
    run: Run, capfd: pytest.CaptureFixture[str], error: BaseException, code: int
) -> None:
    assert run(error) == code
    assert str(error) in capfd.readouterr().err


def test_a_call_that_makes_no_sense_is_exit_code_2(run: Run) -> None:
    assert run("null", "function", "sweep") == 2
    assert run("null", "nonsense") == 2


def test_the_api_without_docker_says_where_the_stacks_own_is(
    run: Run, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def missing(machine: object) -> Engine:
        raise DockerMissing("No Docker daemon answers: no.")

    monkeypatch.setattr(engine, "find", missing)

    assert run("null", "api") == 2
    said = capfd.readouterr().err
    assert "No Docker daemon answers: no." in said
    assert "SAGELINE_API_URL" in said


def test_an_event_is_a_golden_one_of_the_function_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = '{"bucket": "${BucketName}"}'
    (tmp_path / "own.json").write_text(text)

    golden = read_event("sweep", "hourly")
    assert (golden.source, golden.golden) == ("events/sweep/hourly.json", GoldenEvent("sweep", "hourly"))
    assert read_event("sweep", "own.json") == EventText("own.json", text, None)
    assert read_event("sweep", str(tmp_path / "own.json")).text == text


def test_an_event_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(EventUnknown, match=r"no event events/sweep/daily\.json\. There are: hourly"):
        read_event("sweep", "daily")
    with pytest.raises(EventUnknown, match="is no file with a JSON document"):
        read_event("sweep", str(tmp_path / "daily.json"))


def test_a_file_that_is_no_json_is_told(tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text("{'a': 1}")

    with pytest.raises(EventUnknown, match="Expecting property name"):
        read_event("sweep", str(tmp_path / "event.json"))


def test_a_commands_folder_is_its_owners_alone_and_gone_with_the_command(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with workspace(home) as folder:
        assert folder.parent == home.invoke
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "variables.json").write_text("{}")

    assert not home.invoke.exists()


def test_an_interrupted_commands_folder_is_gone_too(tmp_path: Path) -> None:
    def interrupted() -> None:
        with workspace(Home(tmp_path)):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert not Home(tmp_path).invoke.exists()


def test_what_a_killed_command_left_is_found_and_ended(tmp_path: Path) -> None:
    home = Home(tmp_path)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = home.invoke / str(ended.pid)
    left.mkdir(parents=True)
    (home.invoke / str(os.getpid())).mkdir()
    waiting = "import time; time.sleep(60)"
    own = subprocess.Popen([sys.executable, "-c", waiting, f"{left}/template.json"])
    other = subprocess.Popen([sys.executable, "-c", waiting, f"{left}9/template.json"])
    try:
        assert abandoned(home) == [left]
        clear(left)
        assert not psutil.pid_exists(own.pid)
        assert other.poll() is None
        assert not left.exists()
    finally:
        own.kill()
        other.kill()
        own.wait()
        other.wait()


def test_a_function_gets_its_code_its_variables_and_its_end_of_the_way(tmp_path: Path) -> None:
    source = tmp_path / "functions" / "sweep"
    (source / "__pycache__").mkdir(parents=True)
    (source / "app.py").write_text("code")
    built = tmp_path / "bundle" / "template.yaml"
    built.parent.mkdir()
    built.write_text(
        json.dumps(
            {
                "Globals": {"Function": {}},
                "Resources": {
                    "Layer": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "Layer"}},
                    "SweepFunction": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "../functions/sweep"}},
                },
            }
        )
    )
    folder = tmp_path / "own"
    folder.mkdir()
    function = DeployedFunction(
        "SweepFunction", "sageline-Sweep-1", "SweepRole", "app.handler", 60, 512, {"AWS_ACCESS_KEY_ID": "ASIA1"}
    )
    sam_local = SamLocal(Home(tmp_path), Engine("", "x86_64", True, {}), folder, "image")

    sam_local.prepare(built, [function], StackNetwork({4566: ("172.31.241.2", 4566)}, "sageline-1"))

    code = folder / "functions" / "SweepFunction"
    assert sorted(path.name for path in code.iterdir()) == [".stack", "app.py"]
    assert json.loads((code / ".stack" / "upstreams.json").read_text()) == {"4566": ["172.31.241.2", 4566]}
    assert os.access(code / ".stack" / "relay", os.X_OK)
    variables = json.loads((folder / "variables.json").read_text())
    assert (
        variables["SweepFunction"].items()
        >= {
            "AWS_ACCESS_KEY_ID": "ASIA1",
            "AWS_LAMBDA_EXEC_WRAPPER": "/var/task/.stack/relay",
            "NO_PROXY": "127.0.0.1,localhost",
        }.items()
    )
    written = json.loads((folder / "template.json").read_text())
    assert written["Resources"]["SweepFunction"]["Properties"]["CodeUri"] == str(code)
    assert (
        written["Resources"]["SweepFunction"]["Properties"]["Environment"]["Variables"].keys()
        == variables["SweepFunction"].keys()
    )


def test_docker_desktop_has_a_name_of_its_own_for_this_machine(tmp_path: Path) -> None:
    desktop = Engine("unix:///d.sock", "aarch64", False, {})

    with open_network(desktop, [4566, 4567], tmp_path, "image") as way:
        assert way == StackNetwork({4566: ("host.docker.internal", 4566), 4567: ("host.docker.internal", 4567)}, None)


def test_commands_side_by_side_have_networks_of_their_own() -> None:
    assert network_name(Path("/h/invoke/1")) != network_name(Path("/h/invoke/2"))
