"""A run of several algorithms that ends before its time ends with its candidates."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sageline.aws.tags import tags
from sageline.deployment.discard import discard
from sageline.failures.candidates import stop_candidates
from sageline.failures.ended_execution import end_run
from sageline.failures.record import record_failure
from sageline.names import candidate_run_id
from sageline.runs.store import RunRecord, RunStatus
from tests.unit.golden import golden_event
from tests.unit.world.fake_sagemaker import Refused
from tests.unit.world.world import EXECUTION, RUN_ID, STACK, World, logged_warnings, with_clients

TREES, LINEAR = (candidate_run_id(RUN_ID, algorithm) for algorithm in ("xgboost", "linear-learner"))
OF_TREES, OF_LINEAR = (f"{EXECUTION.rpartition(':')[0]}:{run_id}" for run_id in (TREES, LINEAR))


def begin(world: World) -> None:
    """A run with two candidates, of which only the first has a record; both are under way."""
    candidates = [{"run_id": TREES, "algorithm": "xgboost"}, {"run_id": LINEAR, "algorithm": "linear-learner"}]
    world.run.store.claim(RunRecord(run_id=RUN_ID, name="flowers", execution_arn=EXECUTION, details={"candidates": candidates}))
    world.run.store.enter(RUN_ID, "TrainCandidates")
    for arn in (EXECUTION, OF_TREES, OF_LINEAR):
        world.aws.stepfunctions.run(arn)
    begin_trees(world)


def begin_trees(world: World) -> None:
    record = RunRecord(run_id=TREES, name="flowers-xgboost", execution_arn=OF_TREES, details={"candidate_of": RUN_ID})
    world.run.store.claim(record, listed=False)
    world.run.store.enter(TREES, "CheckTraining")
    world.fake.jobs[TREES] = {"TrainingJobStatus": "InProgress"}


def executions(world: World) -> list[str]:
    return [world.aws.stepfunctions.executions[arn]["status"] for arn in (OF_TREES, OF_LINEAR)]


def job(world: World) -> str:
    status: str = world.fake.jobs[TREES]["TrainingJobStatus"]
    return status


def test_executions_and_jobs_of_candidates_are_stopped_and_their_records_say_with_what(world: World) -> None:
    begin(world)

    assert stop_candidates(world.record(), run=world.run) == [TREES, LINEAR]

    assert (executions(world), job(world)) == (["ABORTED", "ABORTED"], "Stopping")
    trees = world.record(TREES)
    assert trees.status == "Stopped"
    assert trees.error
    said = f"It was stopped in the state CheckTraining with the run that it is a candidate of, {RUN_ID}."
    assert (trees.error["error"], trees.error["message"]) == ("Stopped", said)


@pytest.mark.parametrize("status", ["Succeeded", "Failed"])
def test_a_candidate_that_has_come_to_its_own_end_is_left_alone(world: World, status: RunStatus) -> None:
    begin(world)
    world.run.store.finish(TREES, status)

    assert stop_candidates(world.record(), run=world.run) == [LINEAR]

    assert (executions(world), job(world), world.record(TREES).status) == (["RUNNING", "ABORTED"], "InProgress", status)


def test_a_candidate_whose_execution_has_not_begun_is_no_error(world: World) -> None:
    begin(world)
    del world.aws.stepfunctions.executions[OF_LINEAR]

    stop_candidates(world.record(), run=world.run)

    assert world.record(TREES).status == "Stopped"


def test_done_again_it_stops_the_job_that_the_first_time_could_not(world: World) -> None:
    begin(world)
    world.fake.refuse["StopTrainingJob"] = Refused("ThrottlingException", "Rate exceeded")
    with pytest.raises(world.run.clients.sagemaker.exceptions.ClientError, match="ThrottlingException"):
        stop_candidates(world.record(), run=world.run)

    stop_candidates(world.record(), run=world.run)

    assert (executions(world), job(world)) == (["ABORTED", "ABORTED"], "Stopping")


def test_a_run_of_one_algorithm_has_none(world: World) -> None:
    world.run.store.claim(RunRecord(run_id=RUN_ID, name="flowers", execution_arn=EXECUTION))
    assert stop_candidates(world.record(), run=world.run) == []


def ended(world: World, status: str) -> list[str]:
    """The event that the run's execution has ended; the warnings."""

    class Invoked:
        @staticmethod
        def invoke(**_: object) -> None:
            """Undoes what the run has deployed."""

    request: Any = {"run_id": RUN_ID, "spec": {}, "requested_at": "2026-11-20T10:00:00Z"}
    detail = {"executionArn": EXECUTION, "status": status, "input": json.dumps(request), "error": None, "cause": None}
    with logged_warnings() as warnings:
        end_run(detail, discard_function="discard", run=with_clients(world.run, lambda_=Invoked()))
    return warnings


@pytest.mark.parametrize("status", ["ABORTED", "TIMED_OUT"])
def test_an_execution_that_is_stopped_or_takes_too_long_takes_them_along(world: World, status: str) -> None:
    begin(world)

    assert ended(world, status) == []

    assert (executions(world), job(world), world.record(TREES).status) == (["ABORTED", "ABORTED"], "Stopping", "Stopped")


def test_candidates_that_cannot_be_stopped_do_not_keep_their_run_open(world: World) -> None:
    begin(world)
    world.fake.refuse["StopTrainingJob"] = Refused("AccessDeniedException", "not authorized")

    [warning] = ended(world, "TIMED_OUT")

    assert f"The candidates of run {RUN_ID} could not be stopped" in warning
    assert world.record().status == "Failed"


def test_a_run_that_fails_takes_them_along(world: World) -> None:
    begin(world)
    trigger = golden_event("record_failure/failed-training-job")["trigger"]
    failed: Any = {"execution_arn": EXECUTION, "state": "TrainCandidates", "error": "States.Runtime", "cause": "no such field"}
    failed["trigger"] = {**trigger, "run_id": RUN_ID}

    record_failure(failed, run=world.run)

    assert world.record().status == "Failed"
    assert (executions(world), job(world), world.record(TREES).status) == (["ABORTED", "ABORTED"], "Stopping", "Stopped")


def test_models_of_candidates_go_with_what_their_run_has_deployed(world: World) -> None:
    begin(world)
    world.run.store.finish(RUN_ID, "Stopped")
    world.fake.create_model({"ModelName": TREES, "Tags": tags(STACK, TREES)})

    assert TREES in str(discard(RUN_ID, run=world.run)["discarded"])

    assert TREES not in world.fake.models
