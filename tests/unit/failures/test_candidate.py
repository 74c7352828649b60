"""The failure of a candidate is recorded as its own, and is none of the list of runs."""

from __future__ import annotations

import json

from sageline.failures.record import record_failure
from sageline.names import candidate_run_id
from tests.unit.evaluation.candidates import begun, choose, validated
from tests.unit.world.world import EXECUTION, RUN_ID, World

CANDIDATE = candidate_run_id(RUN_ID, "xgboost")
TRIGGER: dict[str, object] = {"run_id": CANDIDATE, "candidate_of": RUN_ID}


def fail(world: World, state: str, kind: str, message: str, execution: str) -> None:
    cause = json.dumps({"errorType": kind, "errorMessage": message})
    record_failure({"execution_arn": execution, "trigger": TRIGGER, "state": state, "error": kind, "cause": cause}, run=world.run)


def listed(world: World) -> list[str]:
    return [run.run_id for run in world.run.store.list().runs]


def test_a_candidate_that_failed_before_it_was_claimed_has_a_record_and_is_in_no_list(world: World) -> None:
    fail(world, "ConfigureRun", "ObjectMissing", "spec.json is gone", f"{EXECUTION}-two")

    record = world.record(CANDIDATE)
    assert (record.status, record.state, record.error and record.error["message"]) == (
        "Failed",
        "ConfigureRun",
        "spec.json is gone",
    )
    assert listed(world) == []


def test_why_a_candidate_has_failed_is_told_beside_the_chosen_one(world: World) -> None:
    planned = begun(world)
    validated(world, planned["linear-learner"])
    execution = world.record(CANDIDATE).execution_arn

    fail(world, "CheckTraining", "TrainingJobFailed", "Training job failed: it ran out of memory", execution)

    assert choose(world)["algorithm"] == "linear-learner"
    [line, _] = world.record().details["candidates"]
    assert line["problem"] == "Training job failed: it ran out of memory"
    assert world.record().status == "Running"
    assert listed(world) == [RUN_ID]


def test_a_failure_of_another_execution_leaves_a_candidate_alone(world: World) -> None:
    begun(world)

    fail(world, "CheckTraining", "TrainingJobFailed", "it fell over", f"{EXECUTION}-another")

    assert world.record(CANDIDATE).status == "Running"
