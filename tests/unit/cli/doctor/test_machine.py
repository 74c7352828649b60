"""What the doctor says of this machine and the local stack."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from sageline_cli.doctor import machine
from sageline_cli.doctor.finding import Finding
from sageline_local import build, deploy, processes
from sageline_local.home import DeployedStack, Home, StackRecord
from sageline_local.processes import ProcessRef
from sageline_local.services import TITLES
from sageline_local.stack import LocalStack
from sageline_local.status import StackStatus
from sagemaker_emulator.isolation.machine import Abilities
from tests.ports import free_port

GONE = ProcessRef(2**22 + 1, 0.0)
GB = 1 << 30


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    return home


def this_process() -> ProcessRef:
    return ProcessRef(psutil.Process().pid, psutil.Process().create_time())


def looked_at(home: Home) -> list[Finding]:
    return machine.check_processes(home, StackRecord.load(home), LocalStack(home.root).status())


@pytest.mark.parametrize(("version", "state"), [((3, 10), "failed"), ((3, 11), "ok"), ((3, 13), "ok"), ((3, 14), "failed")])
def test_pythons_that_sageline_runs_on(version: tuple[int, int], state: str) -> None:
    assert machine.check_python(version, "python").state == state


def test_without_uv_the_layer_cannot_be_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    found = machine.check_tools(tmp_path / "python")

    assert ("failed", "make setup") in [(finding.state, finding.to_do) for finding in found]
    assert [finding.state for finding in machine.check_tools(Path(sys.executable))] == ["ok"]


def test_a_place_that_cannot_be_written_fails(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert machine.check_home(tmp_path / "a" / "b").state == "ok"
    finding = machine.check_home(tmp_path / "file" / "home")
    assert finding.state == "failed"
    assert f"{tmp_path / 'file'} is no directory" in finding.what
    assert "SAGELINE_HOME" in finding.to_do


@pytest.mark.parametrize(("free", "state"), [(8 * GB, "ok"), (GB, "warning"), (GB // 4, "failed")])
def test_a_disk_that_is_nearly_full_is_said(free: int, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=free))

    assert machine.check_disk(tmp_path / "home").state == state


@pytest.mark.parametrize(("available", "state"), [(4 * GB, "ok"), (GB // 2, "warning")])
def test_little_memory_is_said(available: int, state: str) -> None:
    assert machine.check_memory(available).state == state


def test_a_port_of_another_program_fails_with_the_port_to_take_instead(home: Home) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]

        finding = machine.check_ports(StackRecord(), taken)

    assert finding.state == "failed"
    assert f"Port {taken} is in use" in finding.what
    assert "--port" in finding.to_do


def test_a_port_that_is_free_or_the_stacks_own_is_ok(home: Home) -> None:
    own = StackRecord(port=4566, sagemaker_port=4567, autoscaling_port=4568, processes={"ministack": this_process()})

    assert machine.check_ports(StackRecord(), free_port()).state == "ok"
    finding = machine.check_ports(own, None)
    assert (finding.state, finding.what) == ("ok", "MiniStack 4566, SageMaker 4567, Application Auto Scaling 4568")


def test_a_machine_without_namespaces_is_warned_of() -> None:
    able = machine.check_isolation(Abilities(network=True, files=True))
    unable = machine.check_isolation(Abilities(network=False, files=False, reason="only Linux has them"))

    assert able.state == "ok"
    assert unable.state == "warning"
    assert "only Linux has them" in unable.what


def test_a_stack_that_never_was_is_down_and_well(home: Home) -> None:
    [finding] = looked_at(home)

    assert (finding.state, finding.what) == ("ok", "The local stack is down.")


def test_processes_that_are_gone_are_named_with_what_to_do(home: Home) -> None:
    StackRecord(port=1, sagemaker_port=2, autoscaling_port=3, processes=dict.fromkeys(TITLES, GONE)).save(home)

    [finding] = looked_at(home)

    assert finding.state == "warning"
    assert f"MiniStack {GONE.pid}" in finding.what
    assert finding.to_do == "sageline local up"


def test_a_stack_of_which_one_server_is_dead_fails(home: Home) -> None:
    running = {**dict.fromkeys(TITLES, this_process()), "sagemaker": GONE}
    StackRecord(port=1, sagemaker_port=2, autoscaling_port=3, processes=running).save(home)

    finding = looked_at(home)[0]

    assert finding.state == "failed"
    assert "SageMaker is not running" in finding.what


def test_a_stack_that_is_up_names_its_processes(home: Home) -> None:
    up = StackStatus(state="up", home=str(home.root), region="us-east-1", pids={"ministack": 12})

    [finding] = machine.check_processes(home, StackRecord(), up)

    assert (finding.state, finding.what) == ("ok", "MiniStack 12")


@contextmanager
def left_behind(home: Home) -> Iterator[int]:
    """A process that a stack of that home has started, and that is in no record."""
    command = [sys.executable, "-c", "print(flush=True); input()"]
    environment = {processes.MARKER: str(home.root.resolve())}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        started.stdout.readline()
        try:
            yield started.pid
        finally:
            started.kill()


def test_what_a_killed_stack_has_left_behind_is_named_unless_a_command_is_at_work(home: Home) -> None:
    with left_behind(home) as pid:
        _, left = looked_at(home)
        with home.locked():
            at_work = looked_at(home)

    assert left.state == "warning"
    assert str(pid) in left.what
    assert [finding.state for finding in at_work] == ["ok"]


def test_a_bundle_that_is_not_built_or_not_the_deployed_one_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "fingerprint", lambda project: "now")
    monkeypatch.setattr(build, "is_built", lambda project, build_id: (project / build_id).exists())
    assert machine.check_bundle(tmp_path, StackRecord()).state == "warning"

    (tmp_path / "now").touch()
    deployed = StackRecord(deployment=DeployedStack(deploy.fingerprint("now", {}), "arn", {}))
    older = StackRecord(deployment=DeployedStack(deploy.fingerprint("before", {}), "arn", {}))
    assert machine.check_bundle(tmp_path, deployed).state == "ok"
    assert machine.check_bundle(tmp_path, older).state == "warning"


def test_a_bundle_is_built_from_a_checkout_only(tmp_path: Path) -> None:
    assert machine.check_bundle(tmp_path, StackRecord()).state == "failed"


def test_that_runs_of_images_lack_an_algorithm_here_is_told_and_is_no_failure() -> None:
    found = machine.check_tensorflow(is_installed=False)

    assert found.state == "ok"
    assert "runs of images get a model of k-NN only" in found.what
    assert "`make setup-tensorflow` installs it" in found.what
    assert machine.check_tensorflow(is_installed=True).what == "TensorFlow is installed."
