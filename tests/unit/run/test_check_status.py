from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sageline.names import TransformPurpose, transform_job_name
from sageline.run.check_status import Watch, wait_for, wake
from sageline.run.job_logs import TRAINING_JOBS, TRANSFORM_JOBS
from tests.unit.run.fake_sagemaker import ARN, Refused
from tests.unit.run.world import RUN_ID, World, golden_event
from tests.unit.sessions import session

WAIT_FOR_JOB = golden_event("check_status/wait-for-training-job")
WAIT_FOR_TUNING = golden_event("check_status/wait-for-tuning-job")
WAIT_FOR_TRANSFORM: dict[str, Any] = {
    "run_id": RUN_ID,
    "resource": {"kind": "transform-job", "name": RUN_ID, "arn": f"{ARN}:transform-job/{RUN_ID}"},
    "task_token": "token",
}
WAIT_FOR_ENDPOINT = golden_event("check_status/wait-for-endpoint")
JOB_CHANGED = golden_event("check_status/training-job-changed")
TUNING_CHANGED = golden_event("check_status/tuning-job-changed")
TRANSFORM_CHANGED = golden_event("check_status/transform-job-changed")
ENDPOINT_CHANGED = golden_event("check_status/endpoint-changed")
TUNING = RUN_ID  # the name is short enough
STARTED = datetime(2026, 11, 20, 10, 1, tzinfo=UTC)
JOB_ARN, ENDPOINT_ARN = f"{ARN}:training-job/{RUN_ID}", f"{ARN}:endpoint/flowers"


@dataclass
class Answers:
    """What Step Functions was told; ``gone`` is the error it answers with."""

    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    gone: str | None = None

    def hook(self, model: Any, params: Any, **_: object) -> tuple[SimpleNamespace, dict[str, Any]]:
        self.sent.append((model.name, json.loads(params["body"])))
        if self.gone is None:
            return SimpleNamespace(status_code=200), {}
        return SimpleNamespace(status_code=400), {"Error": {"Code": self.gone, "Message": "gone"}, "ResponseMetadata": {}}


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def watch(world: World, answers: Answers) -> Watch:
    stepfunctions = session().client("stepfunctions")
    stepfunctions.meta.events.register("before-call.sfn", answers.hook)  # type: ignore[arg-type]  # its answer counts
    world.begin()
    return Watch(world.run.store, world.run.files, world.sagemaker, session().client("logs"), stepfunctions)


def wait(event: Any, watch: Watch) -> str:
    return wait_for(event["run_id"], event["resource"], event["task_token"], watch)


def run_job(world: World, status: str, **more: object) -> None:
    world.fake.jobs[RUN_ID] = {
        "TrainingJobName": RUN_ID,
        "TrainingJobStatus": status,
        "ModelArtifacts": {"S3ModelArtifacts": "s3://b/model.tar.gz"},
        **more,
    }


def run_endpoint(world: World, status: str, **more: object) -> None:
    world.fake.endpoints["flowers"] = {
        "EndpointName": "flowers",
        "EndpointArn": ENDPOINT_ARN,
        "EndpointStatus": status,
        "EndpointConfigName": RUN_ID,
        **more,
    }


def run_tuning(world: World, status: str, *, best: str | None = None, goal: str = "Minimize", **more: object) -> None:
    world.fake.tunings[TUNING] = {
        "HyperParameterTuningJobName": TUNING,
        "HyperParameterTuningJobStatus": status,
        "HyperParameterTuningJobConfig": {"HyperParameterTuningJobObjective": {"Type": goal, "MetricName": "validation:rmse"}},
        "TrainingJobStatusCounters": {"Completed": 2, "Stopped": 1, "RetryableError": 0, "NonRetryableError": 1},
        **more,
    }
    if best is not None:
        world.fake.tunings[TUNING]["BestTrainingJob"] = {"TrainingJobName": best, "ObjectiveStatus": "Succeeded"}


def tried(world: World, number: int, objective: float | None, status: str = "Completed", **more: object) -> str:
    """A trial of the tuning job; its name."""
    name = f"{TUNING}-{number:03}-0a1b2c3d"
    trial: dict[str, object] = {
        "TrainingJobName": name,
        "TrainingJobStatus": status,
        "TunedHyperParameters": {"max_depth": str(number), "eta": "0.1"},
        "TrainingStartTime": STARTED,
        "TrainingEndTime": STARTED + timedelta(seconds=10 + number),
        **more,
    }
    if objective is not None:
        trial["FinalHyperParameterTuningJobObjectiveMetric"] = {"MetricName": "validation:rmse", "Value": objective}
    world.fake.trials.setdefault(TUNING, []).append(trial)
    world.fake.jobs[name] = {
        "TrainingJobName": name,
        "TrainingJobStatus": status,
        "ModelArtifacts": {"S3ModelArtifacts": f"s3://b/{name}/model.tar.gz"},
        "TrainingTimeInSeconds": 10 + number,
        "FinalMetricDataList": [] if objective is None else [{"MetricName": "validation:rmse", "Value": objective}],
    }
    return name


def run_transform(world: World, status: str, **more: object) -> None:
    world.fake.transforms[RUN_ID] = {
        "TransformJobName": RUN_ID,
        "TransformJobStatus": status,
        "TransformOutput": {"S3OutputPath": "s3://b/out/"},
        **more,
    }


def log(*lines: str, stream: str = f"{RUN_ID}/algo-1-1795168800", group: str = TRAINING_JOBS) -> None:
    logs = session().client("logs")
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    events: Any = [{"timestamp": 1_795_168_800_000 + i, "message": line} for i, line in enumerate(lines)]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


# ---- the state asks ----


def test_a_running_job_is_waited_for_with_the_token_kept(world: World, watch: Watch, answers: Answers) -> None:
    run_job(world, "InProgress")
    assert "is under way" in wait(WAIT_FOR_JOB, watch)
    assert watch.store.get_token(JOB_ARN) == (WAIT_FOR_JOB["task_token"], RUN_ID)
    assert answers.sent == []
    assert world.record().state == "CheckTraining"


def test_a_job_that_is_done_already_is_answered_at_once(world: World, watch: Watch, answers: Answers) -> None:
    run_job(world, "Completed", TrainingTimeInSeconds=5)
    wait(WAIT_FOR_JOB, watch)
    ((operation, request),) = answers.sent
    assert (operation, request["taskToken"]) == ("SendTaskSuccess", WAIT_FOR_JOB["task_token"])
    output = json.loads(request["output"])
    assert (output["model_artifact_uri"], output["training_seconds"]) == ("s3://b/model.tar.gz", 5)
    assert world.record().details["training"] == output
    assert watch.store.get_token(JOB_ARN) is None


def test_the_token_is_kept_before_the_look_so_that_no_event_gets_lost(world: World, watch: Watch) -> None:
    run_job(world, "InProgress")
    seen: list[object] = []
    world.fake.before["DescribeTrainingJob"] = lambda: seen.append(watch.store.get_token(JOB_ARN))
    wait(WAIT_FOR_JOB, watch)
    assert seen == [(WAIT_FOR_JOB["task_token"], RUN_ID)]


def test_an_endpoint_in_service_is_answered(world: World, watch: Watch, answers: Answers) -> None:
    run_endpoint(world, "InService")
    wait(WAIT_FOR_ENDPOINT, watch)
    assert [(name, json.loads(request["output"])) for name, request in answers.sent] == [
        ("SendTaskSuccess", {"status": "InService"})
    ]
    assert world.record().state == "CheckEndpoint"


# ---- SageMaker tells ----


def test_the_event_wakes_the_state_that_waits(world: World, watch: Watch, answers: Answers) -> None:
    run_job(world, "InProgress")
    wait(WAIT_FOR_JOB, watch)
    run_job(world, "Completed")
    wake(JOB_CHANGED, watch)
    assert [name for name, _ in answers.sent] == ["SendTaskSuccess"]


def test_a_second_event_finds_nobody_waiting(world: World, watch: Watch, answers: Answers) -> None:
    run_job(world, "Completed")
    wait(WAIT_FOR_JOB, watch)
    assert wake(JOB_CHANGED, watch) == f"nobody waits for {JOB_ARN}"
    assert len(answers.sent) == 1


def test_an_event_that_comes_too_early_leaves_the_state_waiting(world: World, watch: Watch, answers: Answers) -> None:
    run_endpoint(world, "Updating")
    wait(WAIT_FOR_ENDPOINT, watch)
    wake(ENDPOINT_CHANGED, watch)
    assert answers.sent == []
    run_endpoint(world, "InService")
    wake(ENDPOINT_CHANGED, watch)
    assert [name for name, _ in answers.sent] == ["SendTaskSuccess"]


@pytest.mark.parametrize("gone", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_token_that_is_gone_is_fine(world: World, watch: Watch, answers: Answers, gone: str) -> None:
    answers.gone = gone
    run_job(world, "Completed")
    wait(WAIT_FOR_JOB, watch)
    assert watch.store.get_token(JOB_ARN) is None


def test_an_answer_that_step_functions_refuses_is_an_error(world: World, watch: Watch, answers: Answers) -> None:
    watch.store.put_token(JOB_ARN, "token", RUN_ID)
    answers.gone = "AccessDeniedException"
    run_job(world, "Completed")
    with pytest.raises(ClientError, match="AccessDenied"):
        wake(JOB_CHANGED, watch)


# ---- failures ----


def test_a_failed_job_tells_reason_log_lines_and_what_to_try(world: World, watch: Watch, answers: Answers) -> None:
    log("[0]#011train-merror:0.5", "UserError: label must be in [0,1]\n")
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


def test_a_job_without_capacity_advises_another_machine(world: World, watch: Watch, answers: Answers) -> None:
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
def test_what_was_deleted_meanwhile_has_failed(watch: Watch, answers: Answers, event: Any, error: str) -> None:
    wait(event, watch)
    assert answers.sent[0][1]["error"] == error
    assert "was deleted" in answers.sent[0][1]["cause"]


def test_a_failed_endpoint_is_answered_with_its_reason(world: World, watch: Watch, answers: Answers) -> None:
    run_endpoint(world, "Failed", FailureReason="The container did not pass the ping health check.")
    wait(WAIT_FOR_ENDPOINT, watch)
    ((operation, request),) = answers.sent
    assert (operation, request["error"]) == ("SendTaskFailure", "EndpointFailed")
    assert "flowers is Failed: The container did not pass the ping health check." in request["cause"]


@pytest.mark.parametrize(("operation", "event"), [("DescribeTrainingJob", WAIT_FOR_JOB), ("DescribeEndpoint", WAIT_FOR_ENDPOINT)])
def test_a_look_that_fails_is_an_answer_to_the_state(
    world: World, watch: Watch, answers: Answers, operation: str, event: Any
) -> None:
    world.fake.refuse[operation] = Refused("AccessDeniedException", "not authorized to perform it")
    assert "not authorized" in wait(event, watch)
    ((name, request),) = answers.sent
    assert (name, request["error"]) == ("SendTaskFailure", "ClientError")
    assert "A permission is missing" in request["cause"]


def test_a_look_that_fails_for_an_event_is_an_error_so_that_the_event_comes_again(world: World, watch: Watch) -> None:
    watch.store.put_token(JOB_ARN, "token", RUN_ID)
    world.fake.refuse["DescribeTrainingJob"] = Refused("ThrottlingException", "Rate exceeded")
    with pytest.raises(ClientError, match="Rate exceeded"):
        wake(JOB_CHANGED, watch)
    assert watch.store.get_token(JOB_ARN) == ("token", RUN_ID)


# ---- tuning jobs ----


def test_the_best_job_of_a_tuning_is_the_answer_and_all_trials_are_kept_best_first(
    world: World, watch: Watch, answers: Answers
) -> None:
    tried(world, 1, 3.0)
    best = tried(world, 2, 1.5, "Stopped")
    failed = tried(world, 3, None, "Failed", FailureReason="ClientError: 'k' is a required property")
    tied = tried(world, 4, 1.5)
    run_tuning(world, "Completed", best=best)
    wait(WAIT_FOR_TUNING, watch)
    ((operation, request),) = answers.sent
    output = json.loads(request["output"])
    assert operation == "SendTaskSuccess"
    assert output == {
        "status": "Completed",
        "training_job_name": best,
        "model_artifact_uri": f"s3://b/{best}/model.tar.gz",
        "training_seconds": 12,
        "billable_seconds": None,
        "metrics": {"validation:rmse": 1.5},
        "tuning": {"name": TUNING, "best": best, "jobs": 4, "counters": {"completed": 2, "stopped": 1, "failed": 1}},
    }
    trials = json.loads(world.get(f"runs/{RUN_ID}/training/trials.json"))
    assert [trial["name"] for trial in trials] == [best, tied, f"{TUNING}-001-0a1b2c3d", failed]
    assert trials[0] == {
        "name": best,
        "status": "Stopped",
        "objective": 1.5,
        "hyperparameters": {"eta": "0.1", "max_depth": "2"},
        "seconds": 12,
    }
    assert (trials[-1]["objective"], trials[-1]["reason"]) == (None, "ClientError: 'k' is a required property")
    details = world.record().details
    assert (details["trials"], details["training"]) == (trials, output)
    assert world.record().state == "CheckTraining"


def test_where_more_is_better_the_largest_objective_comes_first(world: World, watch: Watch) -> None:
    worse, best = tried(world, 1, 0.5), tried(world, 2, 0.75)
    run_tuning(world, "Completed", best=best, goal="Maximize")
    wait(WAIT_FOR_TUNING, watch)
    assert [trial["name"] for trial in world.record().details["trials"]] == [best, worse]


def test_a_record_holds_the_best_fifty_trials_and_the_file_all(world: World, watch: Watch) -> None:
    names = [tried(world, number, float(number)) for number in range(1, 61)]
    run_tuning(world, "Completed", best=names[0])
    wait(WAIT_FOR_TUNING, watch)
    assert [trial["name"] for trial in world.record().details["trials"]] == names[:50]
    assert len(json.loads(world.get(f"runs/{RUN_ID}/training/trials.json"))) == 60


def test_the_event_of_a_tuning_job_wakes_the_state_that_waits(world: World, watch: Watch, answers: Answers) -> None:
    run_tuning(world, "InProgress")
    assert "is under way" in wait(WAIT_FOR_TUNING, watch)
    assert (answers.sent, world.record().details.get("trials")) == ([], None)
    run_tuning(world, "Completed", best=tried(world, 1, 1.0))
    wake(TUNING_CHANGED, watch)
    assert [name for name, _ in answers.sent] == ["SendTaskSuccess"]


def test_a_tuning_without_a_best_job_has_failed(world: World, watch: Watch, answers: Answers) -> None:
    tried(world, 1, None)
    log("epoch 1", stream=f"{TUNING}-001-0a1b2c3d/algo-1-1795168800")
    run_tuning(world, "Completed")
    wait(WAIT_FOR_TUNING, watch)
    ((_, request),) = answers.sent
    assert request["error"] == "TuningJobFailed"
    assert "none of its training jobs has reported validation:rmse" in request["cause"]
    assert "let the script print the metric" in request["cause"]
    assert "epoch 1" in request["cause"]


def test_a_failed_tuning_tells_what_its_first_failed_job_says(world: World, watch: Watch, answers: Answers) -> None:
    for number in (1, 2):
        tried(world, number, None, "Failed", FailureReason="ClientError: Extraneous hyperparameter found: etta")
    log("etta is unknown", stream=f"{TUNING}-001-0a1b2c3d/algo-1-1795168800")
    run_tuning(world, "Failed", FailureReason="No training job succeeded after 5 attempts.")
    wait(WAIT_FOR_TUNING, watch)
    ((_, request),) = answers.sent
    assert request["error"] == "TuningJobFailed"
    assert request["cause"].splitlines() == [
        f"Tuning job {TUNING} failed: No training job succeeded after 5 attempts. Training job {TUNING}-001-0a1b2c3d says: "
        "ClientError: Extraneous hyperparameter found: etta",
        "Last log lines:",
        "  etta is unknown",
        "What to try: The algorithm knows no hyperparameter of that name: look at its spelling, or take it out of "
        "`algorithm.hyperparameters`.",
    ]
    assert len(world.record().details["trials"]) == 2


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        ("Stopped", ("TuningJobStopped", "was stopped before it was done")),
        ("Deleting", ("TuningJobFailed", "was deleted")),
        ("Failed", ("TuningJobFailed", "gives no reason")),
    ],
)
def test_a_tuning_that_ends_otherwise_is_a_named_failure(
    world: World, watch: Watch, answers: Answers, status: str, failure: tuple[str, str]
) -> None:
    run_tuning(world, status)
    wait(WAIT_FOR_TUNING, watch)
    ((_, request),) = answers.sent
    assert request["error"] == failure[0]
    assert failure[1] in request["cause"]


def test_a_best_job_without_a_model_is_a_failure(world: World, watch: Watch, answers: Answers) -> None:
    best = tried(world, 1, 1.0)
    del world.fake.jobs[best]["ModelArtifacts"]
    run_tuning(world, "Completed", best=best)
    wait(WAIT_FOR_TUNING, watch)
    assert "has left no model" in answers.sent[0][1]["cause"]


# ---- transform jobs ----


def test_a_transform_job_that_is_done_is_answered(world: World, watch: Watch, answers: Answers) -> None:
    run_transform(world, "InProgress")
    assert "is under way" in wait(WAIT_FOR_TRANSFORM, watch)
    run_transform(world, "Completed", TransformStartTime=STARTED, TransformEndTime=STARTED + timedelta(minutes=2))
    wake(TRANSFORM_CHANGED, watch)
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


@pytest.mark.parametrize(
    ("purpose", "state", "noted"),
    [
        ("evaluation", "RunEvaluationTransform", "evaluation_transform"),
        ("champion", "RunChampionTransform", "champion_transform"),
    ],
)
def test_a_transform_job_is_noted_for_what_it_is(
    world: World, watch: Watch, purpose: TransformPurpose, state: str, noted: str
) -> None:
    name = transform_job_name(RUN_ID, purpose)
    world.fake.transforms[name] = {
        "TransformJobName": name,
        "TransformJobStatus": "Completed",
        "TransformOutput": {"S3OutputPath": "s3://b/out/"},
    }
    wait_for(RUN_ID, {"kind": "transform-job", "name": name, "arn": f"{ARN}:transform-job/{name}"}, "token", watch)
    record = world.record()
    assert (record.state, record.details[noted]["transform_job_name"]) == (state, name)
    assert "transform" not in record.details


def test_a_run_that_has_gone_on_is_not_taken_back_by_an_event_that_comes_late(world: World, watch: Watch) -> None:
    run_job(world, "InProgress")
    wait(WAIT_FOR_JOB, watch)
    run_job(world, "Completed", TrainingTimeInSeconds=5)
    watch.store.enter(RUN_ID, "CreateModel")
    wake(JOB_CHANGED, watch)
    states = [state["state"] for state in world.record().states]
    assert (world.record().state, states) == ("CreateModel", ["ConfigureRun", "CheckTraining", "CreateModel"])


def test_a_state_is_entered_before_an_event_can_end_it(world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    run_job(world, "InProgress")
    entered = []
    monkeypatch.setattr(watch.store, "put_token", lambda *_: entered.append(world.record().state))
    wait(WAIT_FOR_JOB, watch)
    assert entered == ["CheckTraining"]


def test_a_failed_transform_job_tells_what_became_of_its_records(world: World, watch: Watch, answers: Answers) -> None:
    log("started", stream=f"{RUN_ID}/i-0a1b", group=TRANSFORM_JOBS)
    log("part-00000.csv: ClientError: 400", stream=f"{RUN_ID}/i-0a1b/data-log", group=TRANSFORM_JOBS)
    run_transform(world, "Failed", FailureReason="ClientError: See job logs for more information")
    wait(WAIT_FOR_TRANSFORM, watch)
    ((_, request),) = answers.sent
    assert request["error"] == "TransformJobFailed"
    assert request["cause"].splitlines()[:3] == [
        f"Transform job {RUN_ID} failed: ClientError: See job logs for more information",
        "Last log lines:",
        "  part-00000.csv: ClientError: 400",
    ]


def test_a_stopped_transform_job_is_a_named_failure(world: World, watch: Watch, answers: Answers) -> None:
    run_transform(world, "Stopped")
    wait(WAIT_FOR_TRANSFORM, watch)
    assert answers.sent[0][1]["error"] == "TransformJobStopped"


def test_an_arn_of_something_else_is_an_answer_too(watch: Watch, answers: Answers) -> None:
    resource = {**WAIT_FOR_JOB["resource"], "arn": f"{ARN}:processing-job/x"}
    assert "not the ARN of a job" in wait({**WAIT_FOR_JOB, "resource": resource}, watch)
    assert [name for name, _ in answers.sent] == ["SendTaskFailure"]
