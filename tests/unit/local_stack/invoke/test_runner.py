"""What runs a function, and what is found of Docker and of AWS's runtime emulator."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sageline_local.errors import DockerMissing, EmulatorMissing, InvokeFailed
from sageline_local.invoke import emulator, engine
from sageline_local.invoke.engine import Engine
from sageline_local.invoke.runner import Runner, RunnerName, choose

ENGINE = Engine("unix:///d.sock", "x86_64", True, {})
EMULATOR = Path("/sam/aws-lambda-rie-x86_64")
DESKTOP = "Docker Desktop 4.40.0"
Script = Callable[[str], dict[str, str]]


def docker_there(machine: Mapping[str, str]) -> Engine:
    return ENGINE


def docker_missing(machine: Mapping[str, str]) -> Engine:
    raise DockerMissing("No Docker daemon answers: no.")


def emulator_there() -> Path:
    return EMULATOR


def emulator_missing() -> Path:
    raise EmulatorMissing("AWS's runtime emulator is a program for Linux.")


def test_docker_comes_first() -> None:
    assert choose(None, {}, docker_there, emulator_there) == Runner(engine=ENGINE)


def test_without_docker_it_is_the_emulator_and_the_reason_is_known() -> None:
    assert choose(None, {}, docker_missing, emulator_there) == Runner(
        emulator=EMULATOR, instead=("No Docker daemon answers: no.",)
    )


def test_without_either_it_is_the_stacks_own_lambda_and_both_reasons_are_known() -> None:
    reasons = ("No Docker daemon answers: no.", "AWS's runtime emulator is a program for Linux.")

    assert choose(None, {}, docker_missing, emulator_missing) == Runner(instead=reasons)


@pytest.mark.parametrize(
    ("wanted", "expected"), [("docker", Runner(engine=ENGINE)), ("emulator", Runner(emulator=EMULATOR)), ("stack", Runner())]
)
def test_what_is_asked_for_is_taken(wanted: RunnerName, expected: Runner) -> None:
    assert choose(wanted, {}, docker_there, emulator_there) == expected


def test_what_is_asked_for_and_is_not_there_is_an_error() -> None:
    with pytest.raises(DockerMissing):
        choose("docker", {}, docker_missing, emulator_there)
    with pytest.raises(EmulatorMissing):
        choose("emulator", {}, docker_there, emulator_missing)


@pytest.fixture
def docker(tmp_path: Path) -> Script:
    """Puts a script in the place of Docker's client; the environment in which it is found."""

    def write(script: str) -> dict[str, str]:
        client = tmp_path / "docker"
        client.write_text(f"#!/bin/sh\n{script}\n")
        client.chmod(0o755)
        return {"PATH": f"{tmp_path}:{os.environ['PATH']}"}

    return write


def answering(server: object, context: str = "unix:///home/me/.docker/run/docker.sock") -> str:
    return f"""case "$1" in
version) echo '{json.dumps(server)}';;
context) echo '{context}';;
esac"""


def test_the_daemon_of_the_users_context_is_found_which_sam_would_not_find(
    docker: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    machine = docker(answering({"Arch": "arm64", "Os": "linux", "Platform": {"Name": "Docker Engine - Community"}}))
    monkeypatch.setenv("PATH", machine["PATH"])

    found = engine.find(machine)

    assert (found.address, found.architecture, found.shares_sockets) == (
        "unix:///home/me/.docker/run/docker.sock",
        "aarch64",
        True,
    )
    assert found.variables() == {**machine, "DOCKER_HOST": "unix:///home/me/.docker/run/docker.sock"}


def test_docker_host_goes_before_the_context(docker: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = {**docker(answering({"Arch": "amd64"})), "DOCKER_HOST": "unix:///other.sock"}
    monkeypatch.setenv("PATH", machine["PATH"])

    assert engine.find(machine).address == "unix:///other.sock"


@pytest.mark.parametrize(
    ("system", "name"), [("darwin", "Docker Desktop 4.40.0"), ("linux", "Docker Desktop 4.40.0"), ("darwin", "")]
)
def test_containers_in_a_machine_of_their_own_share_no_sockets(
    docker: Script, monkeypatch: pytest.MonkeyPatch, system: str, name: str
) -> None:
    monkeypatch.setattr("sys.platform", system)
    machine = docker(answering({"Arch": "arm64", "Platform": {"Name": name}}))
    monkeypatch.setenv("PATH", machine["PATH"])

    assert not engine.find(machine).shares_sockets


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (
            "echo 'Cannot connect to the Docker daemon' >&2; exit 1",
            "No Docker daemon answers: Cannot connect to the Docker daemon",
        ),
        ("echo null", "No Docker daemon answers: exit code 0"),
        (answering({"Arch": "s390x"}), "Docker's containers do not suit"),
    ],
)
def test_a_daemon_that_does_not_answer_is_told_with_what_docker_says(
    docker: Script, monkeypatch: pytest.MonkeyPatch, script: str, why: str
) -> None:
    machine = docker(script)
    monkeypatch.setenv("PATH", machine["PATH"])

    with pytest.raises(DockerMissing, match=why):
        engine.find(machine)


def test_a_machine_without_docker_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(DockerMissing, match="docker is not installed"):
        engine.find({"PATH": str(tmp_path)})


def test_only_containers_of_a_commands_own_folder_are_removed(
    docker: Script, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    listing = r"echo 'aa /h/invoke/12/functions/F'; echo 'bb /h/invoke/123/functions/F'; echo 'cc '"
    machine = docker(f'case "$1" in ps) {listing};; *) echo "$@" >> {tmp_path}/asked;; esac')
    monkeypatch.setenv("PATH", machine["PATH"])

    removed = Engine("unix:///d.sock", "x86_64", True, machine).remove_containers_of(Path("/h/invoke/12"))

    assert removed == 1
    assert (tmp_path / "asked").read_text() == "rm --force aa\n"


def test_what_docker_refuses_is_told(docker: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = docker("echo 'could not find an available subnet' >&2; exit 1")
    monkeypatch.setenv("PATH", machine["PATH"])

    with pytest.raises(InvokeFailed, match="`docker network create` failed: could not find an available subnet"):
        Engine("unix:///d.sock", "x86_64", True, machine).make_network("n")


@pytest.mark.parametrize(("machine", "name"), [("x86_64", "aws-lambda-rie-x86_64"), ("aarch64", "aws-lambda-rie-arm64")])
def test_the_emulator_is_the_one_that_sam_brings_for_this_machine(machine: str, name: str) -> None:
    program = emulator.find("linux", machine)

    assert program.name == name
    assert os.access(program, os.X_OK)


def test_there_is_no_emulator_for_macos() -> None:
    with pytest.raises(EmulatorMissing, match="a program for Linux"):
        emulator.find("darwin", "arm64")


def test_an_image_is_fetched_by_the_daemon_and_what_it_says_is_told(docker: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = docker("echo 'no such host' >&2; exit 1")
    monkeypatch.setenv("PATH", machine["PATH"])
    missing = Engine("unix:///d.sock", "x86_64", True, machine)

    assert not missing.has_image("public.ecr.aws/lambda/python:3.13-x86_64")
    with pytest.raises(InvokeFailed, match="`docker pull --quiet` failed: no such host"):
        missing.fetch_image("public.ecr.aws/lambda/python:3.13-x86_64")
