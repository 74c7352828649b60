"""The command against MiniStack as it comes: S3, IAM, STS, logs and EventBridge there, with its own keys."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from emulator_tests import beside
from emulator_tests.scripts import put_source, script_job
from emulator_tests.support import ACCOUNT, BUCKET, Json, add_role, wait_until
from sagemaker_emulator.aws import Aws, connect

pytestmark = pytest.mark.slow
# What a script finds that runs as its execution role.
PROGRAM = f"""
    import boto3, json
    from botocore.exceptions import ClientError

    def outcome(call):
        try:
            call()
            return "done"
        except ClientError as error:
            return error.response["Error"]["Message"]

    sagemaker = boto3.client("sagemaker")
    found = {{"models": outcome(sagemaker.list_models), "jobs": outcome(sagemaker.list_training_jobs)}}
    boto3.client("s3").put_object(Bucket="{BUCKET}", Key="found", Body=json.dumps(found).encode())
    print("score=1")
"""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Aws, Any]]:
    """MiniStack's clients, and a client of the emulator beside it."""
    with beside.servers(tmp_path_factory.mktemp("beside"), sys.executable) as (ministack, emulator):
        session = boto3.Session("test", "test", region_name="us-east-1")
        yield connect({"AWS_ENDPOINT_URL": ministack}, "us-east-1"), session.client("sagemaker", endpoint_url=emulator)


def ended(sagemaker: Any, name: str) -> Json | None:
    job: Json = sagemaker.describe_training_job(TrainingJobName=name)
    return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None


def test_a_script_works_as_its_execution_role_and_its_logs_are_there(servers: tuple[Aws, Any]) -> None:
    aws, sagemaker = servers
    aws.s3.create_bucket(Bucket=BUCKET)
    aws.s3.put_object(Bucket=BUCKET, Key="data/train/part-0.csv", Body=b"0,1,2\n")
    allowed = {"Effect": "Allow", "Action": ["s3:*", "sagemaker:ListModels"], "Resource": "*"}
    role = add_role(aws, "SageMaker", allowed)
    source = put_source(aws, "beside", {"train.py": PROGRAM})

    sagemaker.create_training_job(**script_job("beside", source))

    job = wait_until(lambda: ended(sagemaker, "beside"), 120)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    found = json.loads(aws.s3.get_object(Bucket=BUCKET, Key="found")["Body"].read())
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/SageMaker/SageMaker"
    assert found["models"] == "done"
    assert found["jobs"].startswith(f"User: {session} is not authorized to perform: sagemaker:ListTrainingJobs")
    assert role == job["RoleArn"]
    [stream] = aws.logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")["logStreams"]
    assert stream["logStreamName"].startswith("beside/algo-1-")


def test_a_role_that_is_not_there_is_refused(servers: tuple[Aws, Any]) -> None:
    _, sagemaker = servers
    request = script_job("no-role", f"s3://{BUCKET}/none") | {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/None"}

    with pytest.raises(sagemaker.exceptions.ClientError, match="Could not assume role"):
        sagemaker.create_training_job(**request)
