"""A run whose jobs may take longer than its execution can wait is refused at once."""

from __future__ import annotations

import json

import pytest

from sageline.configuration.configure import configure
from sageline.configuration.waiting_limits import check_longest_wait, longest_wait
from sageline.errors import InvalidRequest, InvalidSpec
from sageline.spec.model import validate_spec
from tests.unit.configuration.test_configure import configure_case, uploaded
from tests.unit.golden import golden_event
from tests.unit.world.world import EXECUTION, World, resolved_spec

DAY = 86_400


def check(interval: int, **spec: object) -> None:
    check_longest_wait(validate_spec(resolved_spec() | spec, "test"), interval)


def test_the_wait_is_as_long_as_the_looks_that_an_execution_has_room_for() -> None:
    assert longest_wait(300) == 6000 * 300
    assert longest_wait(86_400) == 29 * DAY, "the state machine ends an execution after 30 days"


def test_what_fits_is_taken_and_a_second_more_is_not() -> None:
    most = longest_wait(300) - 3600  # for the evaluation
    check(300, algorithm={"max_runtime_seconds": most})
    with pytest.raises(
        InvalidSpec, match=r"20\.79 days \(training\) \+ 1 h \(evaluation\) = 20\.83 days\. .* can wait for 20\.83"
    ):
        check(300, algorithm={"max_runtime_seconds": most + 1})


def test_28_days_of_training_need_a_longer_interval() -> None:
    with pytest.raises(InvalidSpec, match=r"28 days .* looking every 300 s .* larger CheckIntervalSeconds"):
        check(300, algorithm={"max_runtime_seconds": 28 * DAY})
    check(600, algorithm={"max_runtime_seconds": 28 * DAY})


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"tuning": {"max_jobs": 20, "max_parallel_jobs": 3}}, r"7 days \(tuning: 20 jobs, 3 at once\)"),
        (
            {"deployment": None, "batch": {"input": "s3://b/rows.csv", "max_runtime_seconds": 6 * DAY}},
            r"24 h \(training\) \+ 1 h \(evaluation\) \+ 6 days \(batch\)",
        ),
        ({"evaluation": {"beat_champion": True}}, r"2 h \(evaluation\)"),
    ],
)
def test_every_job_counts_and_trials_in_turns(spec: dict[str, object], told: str) -> None:
    algorithm = {"name": "xgboost", "max_runtime_seconds": DAY}
    check(300, algorithm=algorithm, **spec)
    with pytest.raises(InvalidSpec, match=told):
        check(10, algorithm=algorithm, **spec)


@pytest.mark.parametrize(
    ("algorithm", "told"),
    [
        ("tensorflow", r"4\.167 days \(tuning"),
        ("xgboost", r"2\.083 days \(tuning"),
    ],
)
def test_waiting_for_a_spare_machine_counts_but_is_in_the_hour_without_checkpoints(algorithm: str, told: str) -> None:
    on_spot = {"name": algorithm, "max_runtime_seconds": 3600, "spot": True}
    with pytest.raises(InvalidSpec, match=told):
        check(1, algorithm=on_spot, tuning={"max_jobs": 50, "max_parallel_jobs": 1})


def test_configuring_refuses_such_a_run_and_such_a_batch(world: World) -> None:
    spec = {"algorithm": {"max_runtime_seconds": 28 * DAY}}
    world.put("datasets/flowers/spec.json", json.dumps(spec).encode())
    with pytest.raises(InvalidSpec, match="28 days"):
        configure_case(world, uploaded(world))
    trigger = golden_event("configure_run/batch")["trigger"]
    trigger["batch"]["max_runtime_seconds"] = 28 * DAY
    with pytest.raises(InvalidRequest, match="28 days"):
        configure(EXECUTION, trigger, run=world.run)
    assert world.record(trigger["run_id"]).state == "ConfigureRun", "the failure has a record to be told in"
