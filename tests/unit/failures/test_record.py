from __future__ import annotations

from typing import Any

import pytest

import sageline.errors
from sageline.failures import advice as advice_module
from sageline.failures.advice import advice
from sageline.failures.failure import explain, read_cause
from sageline.failures.record import record_failure
from sageline.json_objects import Json
from sageline.runs.payloads import FailureRecorded
from sageline.runs.store import RunRecord
from sageline.runs.trigger import Upload, identify
from tests.unit.golden import golden_event
from tests.unit.world.fake_sagemaker import Refused
from tests.unit.world.world import BUCKET, EXECUTION, RUN_ID, World, logged_warnings


def fail(world: World, event: Any) -> tuple[FailureRecorded, list[str]]:
    with logged_warnings() as warnings:
        recorded = record_failure(event, run=world.run)
    return recorded, warnings


def uploaded(world: World, event: Any) -> str:
    """Put the event's object into the bucket, let the event name its version; the run id that follows."""
    key = event["trigger"]["detail"]["object"]["key"]
    version = event["trigger"]["detail"]["object"]["version-id"] = world.put(key, b"size,kind\n")
    return identify(Upload(BUCKET, key, version, world.clock()), world.s3).run_id


def test_a_failed_run_has_a_record_that_explains_itself(world: World) -> None:
    event = golden_event("record_failure/bad-dataset")
    run_id = uploaded(world, event)
    world.run.store.claim(RunRecord(run_id=run_id, name="flowers", execution_arn=EXECUTION))
    recorded, _ = fail(world, event)
    message = f"s3://{BUCKET}/datasets/flowers/data.csv: row 7 has 3 values, the header has 4."
    what_to_try = "Do what the message says, in the file or in the spec, and submit it again."
    assert recorded == {"run_id": run_id, "message": f"{message}\nWhat to try: {what_to_try}"}
    run = world.record(run_id)
    assert (run.status, run.state) == ("Failed", "PrepareData")
    assert run.error == {
        "state": "PrepareData",
        "error": "InvalidDataset",
        "message": message,
        "job": None,
        "failure_reason": None,
        "log_lines": [],
        "advice": what_to_try,
    }


def test_a_batch_that_failed_before_it_had_a_record_gets_one_that_names_its_rows(world: World) -> None:
    event = golden_event("configure_run/batch")
    recorded, _ = fail(world, {**event, "state": "ConfigureRun", "error": "States.Timeout", "cause": ""})
    run = world.record()
    assert recorded["run_id"] == RUN_ID
    assert (run.status, run.name, run.dataset_uri) == ("Failed", "flowers", f"s3://{BUCKET}/batch/flowers/rows.csv")


def test_a_run_that_failed_before_it_had_a_record_gets_one(world: World) -> None:
    event = golden_event("record_failure/before-the-run-existed")
    run_id = uploaded(world, event)
    assert fail(world, event)[0]["run_id"] == run_id
    run = world.record(run_id)
    assert (run.status, run.name, run.dataset_uri) == ("Failed", "my-flowers", f"s3://{BUCKET}/datasets/My Flowers/data.csv")


def test_a_failed_job_is_told_with_its_reason_and_log_lines(world: World) -> None:
    world.begin()
    event = golden_event("record_failure/failed-training-job")
    noted = {"message": event["cause"].splitlines()[0], "job": RUN_ID, "failure_reason": "AlgorithmError: bad"}
    world.run.store.enter(RUN_ID, "CheckTraining", failure={**noted, "log_lines": ["one", "two"]})
    recorded, _ = fail(world, event)
    error = world.record().error
    assert error is not None
    assert {key: error[key] for key in noted} == noted
    assert error["log_lines"] == ["one", "two"]
    assert recorded["message"].splitlines()[:4] == [noted["message"], "Last log lines:", "  one", "  two"]


def test_a_failure_that_the_run_went_on_after_is_not_told_as_its_end(world: World) -> None:
    world.begin()
    champions: Json = {"message": f"Transform job {RUN_ID}-champion failed", "job": f"{RUN_ID}-champion", "log_lines": ["one"]}
    world.run.store.enter(RUN_ID, "CheckEndpoint", failure=champions)
    event = golden_event("record_failure/failed-training-job")
    cause = "Looking at endpoint flowers failed: no network"
    fail(world, {**event, "state": "CheckEndpoint", "error": "ClientError", "cause": cause})
    error = world.record().error
    assert error is not None
    assert (error["message"], error["job"], error["log_lines"]) == (cause, None, [])


def test_a_step_that_timed_out_says_so(world: World) -> None:
    event = golden_event("record_failure/step-timed-out")
    run_id = uploaded(world, event)
    recorded, _ = fail(world, event)
    assert recorded["message"].startswith("States.Timeout, without any message.")
    error = world.record(run_id).error
    assert error is not None
    assert "start the run again" in error["advice"]


def test_a_quota_that_is_too_small_is_explained(world: World) -> None:
    world.begin()
    recorded, _ = fail(world, golden_event("record_failure/request"))
    assert "Service Quotas, Amazon SageMaker" in recorded["message"]


def test_what_could_not_be_undone_is_said(world: World) -> None:
    world.begin()
    recorded, _ = fail(world, golden_event("record_failure/discard-failed-too"))
    assert (
        "could not be removed (Endpoint flowers is Updating; it can be changed when that is done): look at the endpoint flowers"
        in (recorded["message"])
    )


def test_a_job_that_still_runs_is_stopped(world: World) -> None:
    world.begin()
    world.fake.jobs[RUN_ID] = {"TrainingJobName": RUN_ID, "TrainingJobStatus": "InProgress"}
    fail(world, golden_event("record_failure/request"))
    assert world.fake.jobs[RUN_ID]["TrainingJobStatus"] == "Stopping"


def test_a_job_that_cannot_be_stopped_does_not_keep_the_failure_from_being_recorded(world: World) -> None:
    world.begin()
    world.fake.refuse["DescribeTrainingJob"] = Refused("AccessDeniedException", "not authorized")
    _, warnings = fail(world, golden_event("record_failure/request"))
    assert world.record().status == "Failed"
    assert RUN_ID in warnings[0]


def test_a_run_of_another_execution_is_left_alone(world: World) -> None:
    world.begin()
    world.fake.jobs[RUN_ID] = {"TrainingJobName": RUN_ID, "TrainingJobStatus": "InProgress"}
    event = {**golden_event("record_failure/request"), "execution_arn": EXECUTION + "-two"}
    recorded, _ = fail(world, event)
    assert recorded["run_id"] == RUN_ID
    assert (world.record().status, world.fake.changes()) == ("Running", [])


def test_a_stopped_run_stays_stopped(world: World) -> None:
    world.begin()
    world.run.store.finish(RUN_ID, "Stopped")
    fail(world, golden_event("record_failure/request"))
    assert world.record().status == "Stopped"


def test_an_execution_without_a_run_still_gets_its_message(world: World) -> None:
    recorded, warnings = fail(world, golden_event("record_failure/not-a-trigger"))
    assert recorded["run_id"] == ""
    assert recorded["message"].startswith("The execution's input is neither")
    assert len(warnings) == 1


def test_an_upload_that_cannot_be_looked_at_still_gets_its_message(world: World) -> None:
    world.aws.refuse["HeadObject"] = Refused("SlowDown", "")
    recorded, _ = fail(world, golden_event("record_failure/bad-dataset"))
    assert "row 7 has 3 values" in recorded["message"]


@pytest.mark.parametrize(
    ("error", "cause", "read"),
    [
        ("InvalidSpec", '{"errorMessage": "spec: bad", "errorType": "InvalidSpec"}', ("InvalidSpec", "spec: bad")),
        ("States.TaskFailed", '{"errorMessage": "spec: bad", "errorType": "InvalidSpec"}', ("InvalidSpec", "spec: bad")),
        (
            "Sandbox.Timedout",
            '{"errorMessage": "Task timed out after 900.00 seconds"}',
            ("Sandbox.Timedout", "Task timed out after 900.00 seconds"),
        ),
        ("KeyError", '{"errorMessage": "", "errorType": "KeyError"}', ("KeyError", "KeyError, without any message.")),
        ("TrainingJobFailed", "Training job x failed", ("TrainingJobFailed", "Training job x failed")),
        ("States.Runtime", "[1]", ("States.Runtime", "[1]")),
        ("States.Timeout", "", ("States.Timeout", "States.Timeout, without any message.")),
    ],
)
def test_the_message_is_dug_out_of_the_cause(error: str, cause: str, read: tuple[str, str]) -> None:
    assert read_cause(error, cause) == read


def test_a_cause_is_no_longer_than_step_functions_takes() -> None:
    assert len(explain("x" * 40_000, (), "y")) < 32_768


def test_every_error_that_a_run_can_end_in_has_advice_of_its_own() -> None:
    not_of_a_run = {
        *("SagelineError", "AlreadyStarted", "RunNotFound", "RequestTooLarge", "TooManyRequests", "RouteNotFound"),
        *("NotAcceptable", "UnsupportedMediaType", "ScopeMissing"),
        "InvalidRouting",
        *("RolloutPending", "DamagedRecord"),
    }
    classes = {name for name, value in vars(sageline.errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    names = classes - not_of_a_run
    otherwise = advice("Unknown", "")
    assert [name for name in sorted(names) if advice(name, "") == otherwise] == []
    ends = {f"Execution{end}" for end in ("Aborted", "DoesNotExist", "Failed", "TimedOut")}
    assert set(advice_module._BY_ERROR) - ends - {"States.Timeout", "States.ServiceRestart", "Stopped"} <= names


@pytest.mark.parametrize(
    ("error", "cause", "said"),
    [
        (
            "Runtime.ExitError",
            '{"errorMessage": "RequestId: 1 Error: Runtime exited with error: signal: killed"}',
            "out of memory",
        ),
        ("Lambda.Unknown", 'Returned payload: {"errorMessage":"RequestId: 1 Error: Runtime exited with error"}', "out of memory"),
        ("Lambda.Unknown", 'Returned payload: {"errorMessage":"2026 Task timed out after 900.00 seconds"}', "15 minutes"),
    ],
)
def test_a_function_that_lambda_ended_has_advice_however_step_functions_tells_of_it(error: str, cause: str, said: str) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html"""
    assert said in advice(*read_cause(error, cause))
