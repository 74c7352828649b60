"""A script in an isolated job, beside everything that the stack runs and has on its disk."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from sageline_local.aws import LocalClients
from sageline_local.home import Home, StackRecord
from sageline_local.stack import LocalStack
from sagemaker_emulator.isolation.machine import reported

pytestmark = pytest.mark.stack

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
# Writes down which servers and files it finds, and what it has of credentials.
CURIOUS = """
import json, os, pathlib, socket

def reached(port):
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
        return True
    except OSError:
        return False

import boto3
found = {
    "ports": [port for port in json.loads(os.environ["TRY_PORTS"]) if reached(port)],
    "files": [path for path in json.loads(os.environ["TRY_FILES"]) if os.path.exists(path)],
    "credentials": boto3.Session().get_credentials() is not None,
    "named": [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")],
}
(pathlib.Path(os.environ["SM_MODEL_DIR"]) / "found.json").write_text(json.dumps(found))
"""


@pytest.fixture(scope="module")
def role(stack: LocalStack, clients: LocalClients) -> Iterator[str]:
    """An execution role for the bucket."""
    variables, bucket = stack.environment(), stack.status().bucket
    iam = boto3.client(
        "iam",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        region_name=variables["AWS_REGION"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
    )
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName="Curious", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    granted = {"Effect": "Allow", "Action": "s3:*", "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/curious/*"]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [granted]})
    iam.put_role_policy(RoleName="Curious", PolicyName="bucket", PolicyDocument=policy)
    yield arn
    iam.delete_role_policy(RoleName="Curious", PolicyName="bucket")
    iam.delete_role(RoleName="Curious")


def test_an_isolated_script_finds_neither_the_stack_nor_its_files(stack: LocalStack, clients: LocalClients, role: str) -> None:
    home, bucket = Home(stack.home), stack.status().bucket
    ports = StackRecord.load(home).ports
    assert ports is not None
    abilities = reported(home.sagemaker)
    assert abilities is not None
    clients.s3.put_object(Bucket=bucket, Key="curious/code/sourcedir.tar.gz", Body=archive("train.py", CURIOUS))
    code = f"s3://{bucket}/curious/code/"
    files = (home.record_file, home.objects, home.sagemaker / "sagemaker.db", home.log("sagemaker"))

    clients.sagemaker.create_training_job(
        TrainingJobName="curious",
        RoleArn=role,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": "/opt/ml/input/data/code/sourcedir.tar.gz",
        },
        InputDataConfig=[
            {"ChannelName": "code", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": code}}},
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/curious/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 300},
        Environment={
            "TRY_PORTS": json.dumps([ports.ministack, ports.sagemaker, ports.autoscaling]),
            "TRY_FILES": json.dumps([str(path.resolve()) for path in files]),
        },
        EnableNetworkIsolation=True,
    )

    found = found_by(clients, bucket)
    assert (found["credentials"], found["named"]) == (False, [])
    if abilities.network:
        assert found["ports"] == []
    if abilities.files:
        assert found["files"] == []
    assert stack.status().limits == ([abilities.missing] if abilities.missing else [])


def archive(name: str, text: str) -> bytes:
    buffer, content = io.BytesIO(), text.encode()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def found_by(clients: LocalClients, bucket: str) -> dict[str, Any]:
    """What the script has written down."""
    deadline = time.monotonic() + 60
    while (job := clients.sagemaker.describe_training_job(TrainingJobName="curious"))["TrainingJobStatus"] == "InProgress":
        assert time.monotonic() < deadline, job
        time.sleep(0.2)
    assert job["TrainingJobStatus"] == "Completed", job
    body = clients.s3.get_object(Bucket=bucket, Key="curious/output/curious/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        file = tar.extractfile("found.json")
        assert file is not None
        found: dict[str, Any] = json.loads(file.read())
    return found
