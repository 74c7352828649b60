"""A state that waits: what it asks, what wakes it, and what it is answered."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sageline.jobs.logs import TRANSFORM_JOBS
from sageline.names import TRANSFORMS, TransformPurpose, transform_job_name
from sageline.runs.context import RunContext
from sageline.waiting.check_status import handle_change, wait_for_resource
from tests.unit.world.fake_sagemaker import ARN, Refused
from tests.unit.world.waiting import (
    ENDPOINT_CHANGED,
    JOB_ARN,
    JOB_CHANGED,
    STARTED,
    TRANSFORM_CHANGED,
    WAIT_FOR_ENDPOINT,
    WAIT_FOR_JOB,
    WAIT_FOR_TRANSFORM,
    WAIT_FOR_TUNING,
    Answers,
    log,
    run_endpoint,
    run_job,
    run_transform,
    wait,
)
from tests.unit.world.world import RUN_ID, World

# ---- the state asks ----


def test_a_running_job_is_waited_for_with_the_token_kept(world: World, watch: RunContext, answers: Answers) -> None:
    run_job(world, "InProgress")
    assert "is under way" in wait(WAIT_FOR_JOB, watch)
    assert watch.store.get_token(JOB_ARN) == (WAIT_FOR_JOB["task_token"], RUN_ID)
    assert answers.sent == []
    assert world.record().state == "CheckTraining"


def test_a_job_that_is_done_already_is_answered_at_once(world: World, watch: RunContext, answers: Answers) -> None:
    run_job(world, "Completed", TrainingTimeInSeconds=5)
    wait(WAIT_FOR_JOB, watch)
    ((operation, request),) = answers.sent
    assert (operation, request["taskToken"]) == ("SendTaskSuccess", WAIT_FOR_JOB["task_token"])
    output = json.loads(request["output"])
    assert (output["model_artifact_uri"], output["training_seconds"]) == ("s3://b/model.tar.gz", 5)
    assert world.record().details["training"] == output
    assert watch.store.get_token(JOB_ARN) is None


def test_the_token_is_kept_before_the_look_so_that_no_event_gets_lost(world: World, watch: RunContext) -> None:
    run_job(world, "InProgress")
    seen: list[object] = []
    world.fake.before["DescribeTrainingJob"] = lambda: seen.append(watch.store.get_token(JOB_ARN))
    wait(WAIT_FOR_JOB, watch)
    assert seen == [(WAIT_FOR_JOB["task_token"], RUN_ID)]


def test_an_endpoint_in_service_is_answered(world: World, watch: RunContext, answers: Answers) -> None:
    run_endpoint(world, "InService")
    wait(WAIT_FOR_ENDPOINT, watch)
    assert [(name, json.loads(request["output"])) for name, request in answers.sent] == [
        ("SendTaskSuccess", {"status": "InService"})
    ]
    assert world.record().state == "CheckEndpoint"


# ---- SageMaker tells ----


def test_the_event_wakes_the_state_that_waits(world: World, watch: RunContext, answers: Answers) -> None:
    run_job(world, "InProgress")
    wait(WAIT_FOR_JOB, watch)
    run_job(world, "Completed")
    handle_change(JOB_CHANGED, run=watch)
    assert [name for name, _ in answers.sent] == ["SendTaskSuccess"]


def test_a_second_event_finds_nobody_waiting(world: World, watch: RunContext, answers: Answers) -> None:
    run_job(world, "Completed")
    wait(WAIT_FOR_JOB, watch)
    assert handle_change(JOB_CHANGED, run=watch) == f"nobody waits for {JOB_ARN}"
    assert len(answers.sent) == 1


def test_an_event_that_comes_too_early_leaves_the_state_waiting(world: World, watch: RunContext, answers: Answers) -> None:
    run_endpoint(world, "Updating")
    wait(WAIT_FOR_ENDPOINT, watch)
    handle_change(ENDPOINT_CHANGED, run=watch)
    assert answers.sent == []
    run_endpoint(world, "InService")
    handle_change(ENDPOINT_CHANGED, run=watch)
    assert [name for name, _ in answers.sent] == ["SendTaskSuccess"]


@pytest.mark.parametrize("gone", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_token_that_is_gone_is_fine(world: World, watch: RunContext, answers: Answers, gone: str) -> None:
    answers.gone = gone
    run_job(world, "Completed")
    wait(WAIT_FOR_JOB, watch)
    assert watch.store.get_token(JOB_ARN) is None


def test_an_answer_that_step_functions_refuses_is_an_error(world: World, watch: RunContext, answers: Answers) -> None:
    watch.store.put_token(JOB_ARN, "token", RUN_ID)
    answers.gone = "AccessDeniedException"
    run_job(world, "Completed")
    with pytest.raises(ClientError, match="AccessDenied"):
        handle_change(JOB_CHANGED, run=watch)


# ---- failures ----


def test_a_failed_job_tells_reason_log_lines_and_what_to_try(world: World, watch: RunContext, answers: Answers) -> None:
    log(world, "[0]#011train-merror:0.5", "UserError: label must be in [0,1]\n")
    run_job(
        world,
        "Failed",
        FailureReason="AlgorithmError: framework error: \nTraceback\nUserError: label must be in [0,1], exit code: 1",
    )
    wait(WAIT_FOR_JOB, watch)
    ((operation, request),) = answers.sent
    assert (operation, request["error"]) == ("SendTaskFailure", "TrainingJobFailed")
    assert request["cause"].splitlines() == [
        f"Training job {RUN_ID} failed: UserError: label must be in [0,1]",
        "Last log lines:",
        "  [0]\ttrain-merror:0.5",
        "  UserError: label must be in [0,1]",
        "What to try: Read the job's last log lines; correct the data or `algorithm.hyperparameters` and start another run.",
    ]
    failure = world.record().details["failure"]
    assert failure["job"] == RUN_ID
    assert failure["failure_reason"].startswith("AlgorithmError: framework error")
    assert len(failure["log_lines"]) == 2


def test_a_job_without_capacity_advises_another_machine(world: World, watch: RunContext, answers: Answers) -> None:
    run_job(world, "Failed", FailureReason="CapacityError: Unable to provision requested ML compute capacity.")
    wait(WAIT_FOR_JOB, watch)
    assert "set another `algorithm.instance_type`" in answers.sent[0][1]["cause"]


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (WAIT_FOR_JOB, "TrainingJobFailed"),
        (WAIT_FOR_TUNING, "TuningJobFailed"),
        (WAIT_FOR_TRANSFORM, "TransformJobFailed"),
        (WAIT_FOR_ENDPOINT, "EndpointFailed"),
    ],
)
def test_what_was_deleted_meanwhile_has_failed(watch: RunContext, answers: Answers, event: Any, error: str) -> None:
    wait(event, watch)
    assert answers.sent[0][1]["error"] == error
    assert "was deleted" in answers.sent[0][1]["cause"]


def test_a_failed_endpoint_is_answered_with_its_reason(world: World, watch: RunContext, answers: Answers) -> None:
    run_endpoint(world, "Failed", FailureReason="The container did not pass the ping health check.")
    wait(WAIT_FOR_ENDPOINT, watch)
    ((operation, request),) = answers.sent
    assert (operation, request["error"]) == ("SendTaskFailure", "EndpointFailed")
    assert "flowers is Failed: The container did not pass the ping health check." in request["cause"]


@pytest.mark.parametrize(("operation", "event"), [("DescribeTrainingJob", WAIT_FOR_JOB), ("DescribeEndpoint", WAIT_FOR_ENDPOINT)])
def test_a_look_that_fails_is_an_answer_to_the_state(
    world: World, watch: RunContext, answers: Answers, operation: str, event: Any
) -> None:
    world.fake.refuse[operation] = Refused("AccessDeniedException", "not authorized to perform it")
    assert "not authorized" in wait(event, watch)
    ((name, request),) = answers.sent
    assert (name, request["error"]) == ("SendTaskFailure", "ClientError")
    assert "A permission is missing" in request["cause"]


def test_a_look_that_fails_for_an_event_is_an_error_so_that_the_event_comes_again(world: World, watch: RunContext) -> None:
    watch.store.put_token(JOB_ARN, "token", RUN_ID)
    world.fake.refuse["DescribeTrainingJob"] = Refused("ThrottlingException", "Rate exceeded")
    with pytest.raises(ClientError, match="Rate exceeded"):
        handle_change(JOB_CHANGED, run=watch)
    assert watch.store.get_token(JOB_ARN) == ("token", RUN_ID)


# ---- transform jobs ----


def test_a_transform_job_that_is_done_is_answered(world: World, watch: RunContext, answers: Answers) -> None:
    run_transform(world, "InProgress")
    assert "is under way" in wait(WAIT_FOR_TRANSFORM, watch)
    run_transform(world, "Completed", TransformStartTime=STARTED, TransformEndTime=STARTED + timedelta(minutes=2))
    handle_change(TRANSFORM_CHANGED, run=watch)
    ((operation, request),) = answers.sent
    output = json.loads(request["output"])
    assert operation == "SendTaskSuccess"
    assert output == {
        "status": "Completed",
        "transform_job_name": RUN_ID,
        "output_uri": "s3://b/out/",
        "transform_seconds": 120,
    }
    assert (world.record().state, world.record().details["transform"]) == ("RunTransform", output)


@pytest.mark.parametrize("purpose", ["evaluation", "champion"])
def test_a_transform_job_is_noted_for_what_it_is(world: World, watch: RunContext, purpose: TransformPurpose) -> None:
    name, transform = transform_job_name(RUN_ID, purpose), TRANSFORMS[purpose]
    world.fake.transforms[name] = {
        "TransformJobName": name,
        "TransformJobStatus": "Completed",
        "TransformOutput": {"S3OutputPath": "s3://b/out/"},
    }
    wait_for_resource(RUN_ID, {"kind": "transform-job", "name": name, "arn": f"{ARN}:transform-job/{name}"}, "token", run=watch)
    record = world.record()
    assert (record.state, record.details[transform.result_key]["transform_job_name"]) == (transform.state, name)
    assert "transform" not in record.details


def test_a_run_that_has_gone_on_is_not_taken_back_by_an_event_that_comes_late(world: World, watch: RunContext) -> None:
    run_job(world, "InProgress")
    wait(WAIT_FOR_JOB, watch)
    run_job(world, "Completed", TrainingTimeInSeconds=5)
    watch.store.enter(RUN_ID, "CreateModel")
    handle_change(JOB_CHANGED, run=watch)
    states = [state["state"] for state in world.record().states]
    assert (world.record().state, states) == ("CreateModel", ["ConfigureRun", "CheckTraining", "CreateModel"])


def test_a_state_is_entered_before_an_event_can_end_it(world: World, watch: RunContext, monkeypatch: pytest.MonkeyPatch) -> None:
    run_job(world, "InProgress")
    entered = []
    monkeypatch.setattr(watch.store, "put_token", lambda *_: entered.append(world.record().state))
    wait(WAIT_FOR_JOB, watch)
    assert entered == ["CheckTraining"]


def test_a_failed_transform_job_tells_what_became_of_its_records(world: World, watch: RunContext, answers: Answers) -> None:
    log(world, "started", stream=f"{RUN_ID}/i-0a1b", group=TRANSFORM_JOBS)
    log(world, "part-00000.csv: ClientError: 400", stream=f"{RUN_ID}/i-0a1b/data-log", group=TRANSFORM_JOBS)
    run_transform(world, "Failed", FailureReason="ClientError: See job logs for more information")
    wait(WAIT_FOR_TRANSFORM, watch)
    ((_, request),) = answers.sent
    assert request["error"] == "TransformJobFailed"
    assert request["cause"].splitlines()[:3] == [
        f"Transform job {RUN_ID} failed: ClientError: See job logs for more information",
        "Last log lines:",
        "  part-00000.csv: ClientError: 400",
    ]


def test_a_stopped_transform_job_is_a_named_failure(world: World, watch: RunContext, answers: Answers) -> None:
    run_transform(world, "Stopped")
    wait(WAIT_FOR_TRANSFORM, watch)
    assert answers.sent[0][1]["error"] == "TransformJobStopped"


def test_an_arn_of_something_else_is_an_answer_too(watch: RunContext, answers: Answers) -> None:
    resource = {**WAIT_FOR_JOB["resource"], "arn": f"{ARN}:processing-job/x"}
    assert "not the ARN of a job" in wait({**WAIT_FOR_JOB, "resource": resource}, watch)
    assert [name for name, _ in answers.sent] == ["SendTaskFailure"]
