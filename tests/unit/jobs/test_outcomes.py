from __future__ import annotations

from typing import Any

import pytest

from sageline.errors import EndpointFailed, TrainingJobFailed, TrainingJobStopped
from sageline.jobs.outcomes import endpoint_outcome, short_reason, training_outcome
from tests.unit.world.world import RUN_ID


def job(status: str, **more: object) -> Any:  # a part of what Describe answers
    return {"TrainingJobName": RUN_ID, "TrainingJobStatus": status, **more}


def endpoint(status: str, config: str = RUN_ID, **more: object) -> Any:
    return {"EndpointName": "flowers", "EndpointStatus": status, "EndpointConfigName": config, **more}


@pytest.mark.parametrize("status", ["InProgress", "Stopping"])
def test_a_running_job_has_no_outcome_yet(status: str) -> None:
    assert training_outcome(job(status)) is None


def test_a_completed_job_gives_its_artifact_seconds_and_finite_metrics() -> None:
    metrics = [{"MetricName": "validation:merror", "Value": 0.125}, {"MetricName": "train:auc", "Value": float("nan")}]
    metrics.append({"MetricName": "ObjectiveMetric", "Value": 0.125})
    outcome = training_outcome(
        job(
            "Completed",
            ModelArtifacts={"S3ModelArtifacts": "s3://b/model.tar.gz"},
            TrainingTimeInSeconds=61,
            BillableTimeInSeconds=60,
            FinalMetricDataList=metrics,
        )
    )
    assert outcome == {
        "status": "Completed",
        "training_job_name": RUN_ID,
        "model_artifact_uri": "s3://b/model.tar.gz",
        "training_seconds": 61,
        "billable_seconds": 60,
        "metrics": {"validation:merror": 0.125},
    }


def test_a_failed_job_says_what_went_wrong_without_the_traceback() -> None:
    traceback = "Traceback (most recent call last):\n  File x\nUserError: label must be in [0,1], exit code: 1"
    reason = f"AlgorithmError: framework error: \n{traceback}"
    outcome = training_outcome(job("Failed", FailureReason=reason))
    assert isinstance(outcome, TrainingJobFailed)
    assert outcome.message == f"Training job {RUN_ID} failed: UserError: label must be in [0,1]"


@pytest.mark.parametrize(
    ("secondary", "words"),
    [
        ("MaxRuntimeExceeded", r"after its maximum runtime of 60 s \(`algorithm\.max_runtime_seconds`\)"),
        ("MaxWaitTimeExceeded", "no spot capacity for it within 3660 s"),
        ("Stopped", "was stopped before it was done"),
    ],
)
def test_a_stopped_job_says_what_stopped_it(secondary: str, words: str) -> None:
    stopping = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 3660}
    outcome = training_outcome(job("Stopped", SecondaryStatus=secondary, StoppingCondition=stopping))
    assert isinstance(outcome, TrainingJobStopped)
    with pytest.raises(TrainingJobStopped, match=words):
        raise outcome


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack"])
def test_an_endpoint_that_is_changing_has_no_outcome_yet(status: str) -> None:
    assert endpoint_outcome(endpoint(status), RUN_ID) is None


def test_an_endpoint_that_serves_the_new_config_is_done() -> None:
    assert endpoint_outcome(endpoint("InService"), RUN_ID) == {"status": "InService"}


@pytest.mark.parametrize(
    ("description", "words"),
    [
        (endpoint("InService", "old", FailureReason="no /ping"), "could not be updated and went back to old: no /ping"),
        (endpoint("Failed", FailureReason="no /ping"), "flowers is Failed: no /ping"),
        (endpoint("OutOfService"), "flowers is OutOfService: SageMaker gives no reason"),
        (endpoint("UpdateRollbackFailed", FailureReason="both"), "flowers is UpdateRollbackFailed: both"),
        (endpoint("Deleting"), "was deleted while it was being deployed to"),
    ],
)
def test_an_endpoint_that_does_not_serve_the_new_config_says_why(description: Any, words: str) -> None:
    outcome = endpoint_outcome(description, RUN_ID)
    assert isinstance(outcome, EndpointFailed)
    assert words in outcome.message


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "ValueError: no such column"\n'
            'Command "/usr/bin/python3 train.py --epochs 5", exit code: 1',
            "the script ended with exit code 1: ValueError: no such column",
        ),
        (
            'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "Traceback (most recent call last):\n'
            '  File "train.py", line 3, in <module>\nKeyError: \'x\'"\nCommand "/usr/bin/python3 train.py", exit code: 1',
            "the script ended with exit code 1: KeyError: 'x'",
        ),
        (
            'AlgorithmError: ExecuteUserScriptError:\nExitCode 3\nErrorMessage ""\nCommand "python3 train.py", exit code: 3',
            "the script ended with exit code 3, and said nothing on stderr.",
        ),
        (
            'AlgorithmError: ExecuteUserScriptError:\nExitCode 137\nErrorMessage "Killed"\n'
            'ExtraInfo "SIGKILL, perhaps out of memory"\nCommand "python3 train.py", exit code: 137',
            "the script ended with exit code 137: Killed SIGKILL, perhaps out of memory",
        ),
        (
            "ClientError: Unable to initialize the algorithm. Failed to validate input. (caused by ValidationError)\n\n"
            "Caused by: 'k' is a required property\n\nFailed validating 'required' in schema:\n    {...}",
            "'k' is a required property",
        ),
        (
            "AlgorithmError: u'abc' is not valid under any of the given schemas\n\nFailed validating u'oneOf' in schema[...]",
            "AlgorithmError: u'abc' is not valid under any of the given schemas",
        ),
    ],
)
def test_of_a_long_reason_the_line_that_says_it_is_told(reason: str, said: str) -> None:
    assert short_reason(reason) == said


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("", "SageMaker gives no reason."),
        ("AlgorithmError: , exit code: 137", "the program ended with exit code 137 and gave no reason."),
        ("ClientError: Data download failed: no objects", "ClientError: Data download failed: no objects"),
    ],
)
def test_a_reason_without_a_traceback_is_kept_whole(reason: str, said: str) -> None:
    assert short_reason(reason) == said
