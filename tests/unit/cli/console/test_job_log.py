"""The log of a training job, looked at again and again while it trains."""

from __future__ import annotations

from functools import partial
from typing import Any

import boto3
from botocore.stub import Stubber

from sageline_cli.console.job_log import JobLog, JobLogs
from tests.unit.cli.stubs import stubbed

JOB = "wine-20261120100000-abc123"
GROUP = "/aws/sagemaker/TrainingJobs"
STREAM = f"{JOB}/algo-1-1763632800"
METRICS = [
    {"Name": "validation:error", "Regex": r"validation-error:([0-9.]+)"},
    {"Name": "not:searched", "Regex": r"(a+)+$"},
]


def clients() -> tuple[Any, Any]:  # any of boto3's clients
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    return session.client("sagemaker"), session.client("logs")


def described(stub: Stubber) -> None:
    resources = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
    answer = {
        "TrainingJobName": JOB,
        "TrainingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/wine",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://b/k"},
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Training",
        "AlgorithmSpecification": {"TrainingInputMode": "File", "MetricDefinitions": METRICS},
        "ResourceConfig": resources,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "CreationTime": 1763632800,
    }
    stub.add_response("describe_training_job", answer, {"TrainingJobName": JOB})


def page(stub: Stubber, lines: list[str], token: str | None, following: str) -> None:
    asked = {"logGroupName": GROUP, "logStreamName": STREAM, "startFromHead": True} | ({"nextToken": token} if token else {})
    events = [{"timestamp": 1, "message": f"{line}\n", "ingestionTime": 1} for line in lines]
    stub.add_response("get_log_events", {"events": events, "nextForwardToken": following}, asked)


def streams(stub: Stubber, names: list[str]) -> None:
    asked = {"logGroupName": GROUP, "logStreamNamePrefix": f"{JOB}/"}
    stub.add_response("describe_log_streams", {"logStreams": [{"logStreamName": name} for name in names]}, asked)


def test_each_look_reads_what_is_new_and_the_curves_grow() -> None:
    sagemaker, logs = clients()
    log = JobLog(JOB, sagemaker, logs)
    with stubbed(sagemaker) as of_job, stubbed(logs) as of_logs:
        described(of_job)
        streams(of_logs, [f"{JOB}/algo-2-1763632800", STREAM])
        page(of_logs, ["[0]#011validation-error:0.5", "[1]#011validation-error:0.25"], None, "f/1")
        page(of_logs, [], "f/1", "f/1")
        first = log.look()
        page(of_logs, ["[2]#011validation-error:0.125"], "f/1", "f/2")
        page(of_logs, [], "f/2", "f/2")
        second = log.look()

    assert first.lines == ("[0]\tvalidation-error:0.5", "[1]\tvalidation-error:0.25")
    assert [curve.values for curve in first.curves] == [(0.5, 0.25)]
    assert second.lines[-1] == "[2]\tvalidation-error:0.125"
    assert [(curve.metric, curve.values) for curve in second.curves] == [("validation:error", (0.5, 0.25, 0.125))]


def test_a_job_that_has_not_begun_has_no_log_and_that_is_no_problem() -> None:
    sagemaker, logs = clients()
    log = JobLog(JOB, sagemaker, logs)
    with stubbed(sagemaker) as of_job, stubbed(logs) as of_logs:
        of_job.add_client_error("describe_training_job", "ValidationException", "Requested resource not found.")
        before = log.look()
        described(of_job)
        of_logs.add_client_error("describe_log_streams", "ResourceNotFoundException", "The log group does not exist.")
        meanwhile = log.look()
        streams(of_logs, [STREAM])
        page(of_logs, ["begun"], None, "f/1")
        page(of_logs, [], "f/1", "f/1")
        after = log.look()

    assert (before.lines, before.problem) == (meanwhile.lines, meanwhile.problem) == ((), "")
    assert after.lines == ("begun",)


def test_a_log_that_may_not_be_read_says_so() -> None:
    sagemaker, logs = clients()
    with stubbed(sagemaker) as of_job, stubbed(logs) as of_logs:
        described(of_job)
        of_logs.add_client_error("describe_log_streams", "AccessDeniedException", "not authorized: logs:DescribeLogStreams")
        seen = JobLog(JOB, sagemaker, logs).look()

    assert "logs:DescribeLogStreams" in seen.problem


def test_only_the_logs_that_were_looked_at_last_are_kept() -> None:
    sagemaker, logs = clients()
    made: list[str] = []
    kept = JobLogs()

    class Quiet(JobLog):
        """Reads nothing."""

        def __init__(self, job: str) -> None:
            super().__init__(job, sagemaker, logs)
            made.append(job)

        def _read(self) -> None:
            return

    jobs = [f"job-{number}" for number in range(30)]
    for job in [*jobs, "job-29", "job-0"]:
        kept.look(job, partial(Quiet, job))

    assert made == [*jobs, "job-0"]
