"""Bringing a stack up, with servers and a deployment that stand for the real ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sageline_local import build, deploy, processes, recovery
from sageline_local.errors import BuildFailed, DeployFailed, PortInUse, StackElsewhere, StartFailed
from sageline_local.home import DeployedStack, StackRecord
from sageline_local.ports import choose
from sageline_local.services import TITLES
from sageline_local.stack import LocalStack
from tests.notes import Notes
from tests.unit.local_stack.world import BROKEN, OUTPUTS, World

pytestmark = pytest.mark.slow


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World(tmp_path / "home")
    for module in ("start", "stop", "stack"):
        monkeypatch.setattr(f"sageline_local.{module}.services", world.make_services)
    monkeypatch.setattr(build, "fingerprint", lambda project: world.source)
    monkeypatch.setattr(build, "is_built", lambda project, build_id: False)
    monkeypatch.setattr(build, "build", world.build)
    monkeypatch.setattr(deploy, "deploy", world.deploy)
    monkeypatch.setattr(deploy, "is_there", lambda clients, deployment: not world.lost)
    monkeypatch.setattr(deploy, "function_names", lambda clients: {})
    monkeypatch.setattr(recovery, "failed_jobs", lambda clients, since: world.jobs)
    monkeypatch.setattr(recovery, "interrupted_runs", lambda clients, arn, since: world.runs)
    monkeypatch.setattr(recovery, "record", world.record)
    yield world
    LocalStack(world.home.root).down()


def test_a_stack_comes_up_from_nothing(world: World) -> None:
    told = world.up({"LogLevel": "DEBUG"})

    assert set(told.steps) == {
        *("Build the functions and the layer", "Deploy to MiniStack"),
        *("Start MiniStack", "Start Application Auto Scaling", "Start SageMaker"),
    }
    assert told.notes == []
    assert world.stack().status().state == "up"
    assert world.deployed == [{"LogLevel": "DEBUG"}]


def test_a_stack_that_is_up_is_left_alone(world: World) -> None:
    world.up()
    before = StackRecord.load(world.home)

    told = world.up()

    assert (told.steps, told.notes) == ([], ["The local stack was up already."])
    assert StackRecord.load(world.home) == before


def test_changed_code_is_deployed_to_the_running_servers(world: World) -> None:
    world.up({"LogLevel": "DEBUG"})
    pids = world.stack().status().pids
    world.source = "second"

    told = world.up()

    assert told.steps == ["Build the functions and the layer", "Deploy to MiniStack"]
    assert world.stack().status().pids == pids
    assert world.deployed == [{"LogLevel": "DEBUG"}] * 2, "parameters of the last time stay"


def test_other_parameters_are_deployed(world: World) -> None:
    world.up()

    world.up({"LogLevel": "DEBUG"})

    assert world.deployed == [{}, {"LogLevel": "DEBUG"}]


def test_after_a_stop_nothing_is_built_or_deployed_again(world: World) -> None:
    world.up()
    assert world.stack().down() is True
    assert world.stack().down() is False

    told = world.up()

    assert told.steps == ["Start MiniStack", "Start Application Auto Scaling", "Start SageMaker"]
    assert len(world.deployed) == 1


@pytest.mark.parametrize(("name", "title"), TITLES.items())
def test_only_the_server_that_was_killed_is_started_again(world: World, name: str, title: str) -> None:
    world.up()
    pids = world.stack().status().pids
    world.kill(name)
    assert world.stack().status().state == "half-dead"

    told = world.up()

    assert told.steps == [f"Start {title}"]
    assert told.notes == [f"{title} (process {pids[name]}) had ended without `sageline local down`."]
    after = world.stack().status()
    assert after.state == "up"
    assert {key for key in pids if after.pids[key] != pids[key]} == {name}


def test_what_a_kill_has_interrupted_is_told_and_recorded(world: World) -> None:
    world.up()
    (world.home.state / "saved").touch()
    world.kill("ministack")
    world.kill("sagemaker")
    world.jobs = ["The training job j was running and is Failed now."]
    world.runs = [recovery.Interrupted("arn:execution:run-1", {}, "CheckTraining")]

    told = world.up()

    assert world.recorded == world.runs
    assert told.notes[2].startswith("MiniStack was killed. It saved its state last at ")
    assert told.notes[3:] == ["The training job j was running and is Failed now.", "recorded arn:execution:run-1"]


def test_a_deployment_that_ministack_has_lost_is_made_anew_and_that_is_told(world: World) -> None:
    world.up()
    world.stack().down()
    world.lost = True

    told = world.up()

    assert told.notes == ["MiniStack has lost what was deployed, and with it all runs: it is deployed anew."]
    assert len(world.deployed) == 2


def test_a_server_that_ends_while_starting_stops_the_other_and_shows_its_log(world: World) -> None:
    world.programs["sagemaker"] = BROKEN

    with pytest.raises(StartFailed, match=r"SageMaker ended while starting\. The end of .*sagemaker\.log:\nno database"):
        world.up()

    assert processes.leftovers(world.home.root) == []
    assert world.stack().status().state == "down"


def test_a_server_that_is_never_ready_is_given_up(world: World) -> None:
    world.programs["ministack"] = "import time; print('thinking', flush=True); time.sleep(60)"
    world.start_seconds = 0.5

    with pytest.raises(StartFailed, match=r"MiniStack was not ready after 0 s\. The end of .*:\nthinking"):
        world.up()

    assert processes.leftovers(world.home.root) == []


@pytest.mark.parametrize("failure", [BuildFailed("no wheel"), DeployFailed("Role: denied")])
def test_a_failed_deployment_stops_what_was_started_and_the_next_up_tries_again(world: World, failure: Exception) -> None:
    if isinstance(failure, BuildFailed):
        world.build_error = failure
    else:
        world.deploy_error = failure
    with pytest.raises(type(failure), match=str(failure)):
        world.up()
    assert world.stack().status().state == "down"
    assert processes.leftovers(world.home.root) == []
    world.build_error = world.deploy_error = None

    world.up()

    assert world.stack().status().state == "up"


def test_a_failed_update_leaves_the_servers_running_and_is_tried_again(world: World) -> None:
    world.up()
    world.source = "second"
    world.deploy_error = DeployFailed("Role: denied")
    with pytest.raises(DeployFailed):
        world.up()
    assert world.stack().status().problems == ["The bundle is not deployed: `sageline local up` does it."]
    world.deploy_error = None

    world.up()

    assert world.stack().status().state == "up"


def test_the_state_of_a_first_deployment_that_was_cut_off_is_dropped(world: World) -> None:
    world.home.make()
    half_made = world.home.objects / "000000000000" / "bucket"
    half_made.mkdir(parents=True)

    world.up()

    assert not half_made.exists()


def test_the_objects_of_a_deployed_stack_are_kept(world: World) -> None:
    world.up()
    world.stack().down()
    uploaded = world.home.objects / "000000000000" / "bucket"
    uploaded.mkdir(parents=True)

    world.up()

    assert uploaded.exists()


def test_a_used_port_is_refused_before_anything_starts(world: World) -> None:
    world.up()
    told = Notes()

    with pytest.raises(PortInUse, match=f"Port {world.port} is in use"):
        LocalStack(world.home.root.parent / "second", world.port).up(told)

    assert told.steps == []


def test_a_running_stack_does_not_move_to_another_port(world: World) -> None:
    world.up()

    with pytest.raises(StackElsewhere, match=f"is up on port {world.port}"):
        world.stack(world.port + 50).up()


def test_two_stacks_get_ports_of_their_own(world: World, tmp_path: Path) -> None:
    world.up()
    second = LocalStack(tmp_path / "second", choose(world.port + 10))
    try:
        status = second.up()
    finally:
        second.down()

    first = world.stack().status()
    assert first.state == "up"
    urls = [(one.endpoint_url, one.sagemaker_url, one.autoscaling_url) for one in (first, status)]
    assert len({*urls[0], *urls[1]}) == 6


def test_a_deployment_under_way_is_marked_so_that_a_kill_cannot_pass_for_success(world: World) -> None:
    world.up()
    world.source = "second"

    world.up()

    assert world.remembered_while_deploying == [None, DeployedStack("", "arn:stack", OUTPUTS)]


def test_a_process_left_over_from_a_kill_is_ended(world: World) -> None:
    world.up()
    orphan = processes.start(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        {processes.MARKER: str(world.home.root.resolve())},
        world.home.log("orphan"),
    )

    told = world.up()

    assert not orphan.alive
    assert told.notes[0] == "Ended 1 process left over from a stack that was killed."


def test_servers_of_a_version_without_a_key_are_started_again_and_lose_nothing(world: World) -> None:
    world.up({"LogLevel": "DEBUG"})
    before = world.stack().status().pids
    world.home.secret_file.unlink()
    status = world.stack().status()
    assert status.state == "half-dead"
    assert "It has no key of its own" in status.problems[0]

    told = world.up()

    assert told.notes == ["The servers that run are of a version that verifies no signatures: they are started again."]
    after = world.stack().status()
    assert after.state == "up"
    assert not set(before.values()) & set(after.pids.values())
    assert world.deployed == [{"LogLevel": "DEBUG"}], "it is not deployed again"
    assert after.environment["AWS_SECRET_ACCESS_KEY"] == world.home.secret_file.read_text()


def test_a_stack_keeps_its_secret(world: World) -> None:
    world.up()
    secret = world.home.secret_file.read_text()
    world.stack().down()

    world.up()

    assert world.home.secret_file.read_text() == secret
