"""The service as its own process, against a MiniStack process with IAM enforced: how the local stack runs it."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import psutil
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from emulator_tests.scripts import script_job
from emulator_tests.support import BUCKET, ENDLESS, Api, wait_until
from sageline_local.processes import MARKER

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
SECRET = "a secret of these tests"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}
# A function that makes the SageMaker call that it is told, as its own role; an event of EventBridge it writes to the bucket.
FUNCTION = f"""
import boto3, json
def handler(event, context):
    if "source" in event:
        boto3.client("s3").put_object(Bucket="{BUCKET}", Key="events/" + event["id"], Body=json.dumps(event).encode())
        return None
    try:
        getattr(boto3.client("sagemaker"), event["call"])(**event["request"])
        return "done"
    except Exception as error:
        return str(error)
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def answers(url: str) -> bool | None:
    try:
        return httpx.get(url, trust_env=False).is_success or None
    except httpx.HTTPError:
        return None


def signed_get(url: str) -> httpx.Response:
    request = AWSRequest("GET", url)
    SigV4Auth(Credentials("test", SECRET), "sagemaker", "us-east-1").add_auth(request)
    return httpx.get(url, headers=dict(request.headers.items()), trust_env=False)


@dataclass
class Stack:
    """MiniStack and, when it is started, the service."""

    home: Path
    ministack_port: int
    port: int
    service: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, name: str) -> Any:
        """A boto3 client (of any service) as the root."""
        url = self.url if name.startswith("sagemaker") else f"http://127.0.0.1:{self.ministack_port}"
        return boto3.client(
            name,  # type: ignore[call-overload]  # a name that is not a literal
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key=SECRET,
        )

    def start_service(self) -> None:
        environment = {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.ministack_port}"}
        command = [sys.executable, "-m", "sagemaker_emulator", "--port", str(self.port), "--home", str(self.home / "sagemaker")]
        command.append("--derived-keys")
        with (self.home / "service.log").open("ab") as log:
            self.service = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        wait_until(lambda: answers(f"{self.url}/ping"))

    def children(self) -> list[psutil.Process]:
        assert self.service is not None
        return psutil.Process(self.service.pid).children()

    def end_service(self, number: signal.Signals) -> int:
        assert self.service is not None
        self.service.send_signal(number)
        return self.service.wait(timeout=60)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home = tmp_path_factory.mktemp("stack")
    stack = Stack(home, free_port(), free_port())
    settings = {
        "GATEWAY_PORT": str(stack.ministack_port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "AUTH": "true",
        "S3_DATA_DIR": str(home / "s3"),
        "STATE_DIR": str(home / "state"),
        "TMPDIR": str(home),  # of functions' environments, which are left where they are
        "AWS_ENDPOINT_URL_SAGEMAKER": stack.url,
        MARKER: str(home),
    }
    with (home / "ministack.log").open("wb") as log:
        ministack = subprocess.Popen(
            [sys.executable, "-m", "sageline_local.ministack_server"],
            cwd=home,
            env={**os.environ, **CREDENTIALS, **settings, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{stack.ministack_port}/_ministack/health"))
        prepare(stack)
        stack.start_service()
        yield stack
    finally:
        for process in (stack.service, ministack):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait(timeout=60)


def prepare(stack: Stack) -> None:
    """A bucket with training data, SageMaker's role, and a function with a role of its own that EventBridge tells of jobs."""
    iam, functions, events, s3 = (stack.client(name) for name in ("iam", "lambda", "events", "s3"))
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="data/train/part-0.csv", Body=b"0,1,2\n1,5,6\n0,1,3\n1,6,5\n")
    sagemaker = {"Effect": "Allow", "Action": ["sagemaker:CreateTrainingJob"], "Resource": "*"}
    pass_role = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::000000000000:role/SageMaker"}
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    roles = {"SageMaker": ("sagemaker", [everything]), "Caller": ("lambda", [everything, sagemaker, pass_role])}
    for name, (service, statements) in roles.items():
        trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", FUNCTION)
    function = functions.create_function(
        FunctionName="caller",
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/Caller",
        Handler="app.handler",
        Code={"ZipFile": code.getvalue()},
        Timeout=30,
    )
    events.put_rule(
        Name="jobs", EventPattern=json.dumps({"source": ["aws.sagemaker"], "detail": {"TrainingJobStatus": ["Completed"]}})
    )
    events.put_targets(Rule="jobs", Targets=[{"Id": "1", "Arn": function["FunctionArn"]}])
    functions.add_permission(
        FunctionName="caller", StatementId="events", Action="lambda:InvokeFunction", Principal="events.amazonaws.com"
    )


def told(stack: Stack, job: str) -> dict[str, Any] | None:
    s3 = stack.client("s3")
    for item in s3.list_objects_v2(Bucket=BUCKET, Prefix="events/").get("Contents", []):
        event: dict[str, Any] = json.loads(s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read())
        if event["detail"]["TrainingJobName"] == job:
            return event
    return None


def call(stack: Stack, operation: str, request: dict[str, Any]) -> str:
    payload = json.dumps({"call": operation, "request": request})
    return str(json.loads(stack.client("lambda").invoke(FunctionName="caller", Payload=payload)["Payload"].read()))


def ended(client: Any, name: str) -> dict[str, Any] | None:
    job: dict[str, Any] = client.describe_training_job(TrainingJobName=name)
    return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None


WHO = f"""
import boto3, json
from botocore.exceptions import ClientError

def outcome(call, **arguments):
    try:
        call(**arguments)
        return "done"
    except ClientError as error:
        return error.response["Error"]["Code"] + ": " + error.response["Error"]["Message"]

found = {{
    "who": boto3.client("sts").get_caller_identity()["Arn"],
    "roles": outcome(boto3.client("iam").list_roles),
    "jobs": outcome(boto3.client("sagemaker").list_training_jobs),
}}
boto3.client("s3").put_object(Bucket="{BUCKET}", Key="who", Body=json.dumps(found).encode())
"""


def test_a_script_works_as_the_execution_role(stack: Stack) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        entry = tarfile.TarInfo("train.py")
        entry.size = len(WHO)
        tar.addfile(entry, io.BytesIO(WHO.encode()))
    stack.client("s3").put_object(Bucket=BUCKET, Key="sourcedir.tar.gz", Body=archive.getvalue())
    sagemaker = stack.client("sagemaker")

    sagemaker.create_training_job(**script_job("script", f"s3://{BUCKET}/sourcedir.tar.gz"))

    job = wait_until(lambda: ended(sagemaker, "script"))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    found = json.loads(stack.client("s3").get_object(Bucket=BUCKET, Key="who")["Body"].read())
    session = "arn:aws:sts::000000000000:assumed-role/SageMaker/SageMaker"
    assert found["who"] == session
    # What its role does not allow is denied, by MiniStack and by this service.
    assert found["roles"].startswith("AccessDenied: ")
    assert found["jobs"].startswith(
        f"AccessDeniedException: User: {session} is not authorized to perform: sagemaker:ListTrainingJobs"
    )


def test_a_signature_of_another_secret_is_refused_and_so_is_none(stack: Stack) -> None:
    session = boto3.Session("test", "test", region_name="us-east-1")
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        session.client("sagemaker", endpoint_url=stack.url).list_models()
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        session.client("sagemaker-runtime", endpoint_url=stack.url).invoke_endpoint(EndpointName="e", Body=b"1")

    assert httpx.post(stack.url, headers={"x-amz-target": "SageMaker.ListModels"}, trust_env=False).status_code == 403


def test_a_function_trains_as_its_own_role_and_boto3_deploys_and_invokes(stack: Stack) -> None:
    denied = call(stack, "describe_training_job", {"TrainingJobName": "trained"})
    assert "assumed-role/Caller/caller is not authorized to perform: sagemaker:DescribeTrainingJob" in denied

    assert call(stack, "create_training_job", Api.training_job("trained")) == "done"

    sagemaker = stack.client("sagemaker")
    job = wait_until(lambda: ended(sagemaker, "trained"))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    event = wait_until(lambda: told(stack, "trained"))
    assert event["resources"] == [job["TrainingJobArn"]]
    artifact = job["ModelArtifacts"]["S3ModelArtifacts"]
    body = stack.client("s3").get_object(Bucket=BUCKET, Key=artifact.removeprefix(f"s3://{BUCKET}/"))["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert archive.getnames() == ["xgboost-model"]

    sagemaker.create_model(**Api.model("model", artifact))
    sagemaker.create_endpoint_config(EndpointConfigName="config", ProductionVariants=[Api.serverless("v1", "model")])
    sagemaker.create_endpoint(EndpointName="endpoint", EndpointConfigName="config")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="endpoint", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    answer = stack.client("sagemaker-runtime").invoke_endpoint(EndpointName="endpoint", Body=b"5,6\n1,2", ContentType="text/csv")
    assert answer["InvokedProductionVariant"] == "v1"
    high, low = (float(line) for line in answer["Body"].read().decode().splitlines())
    assert high > low


def test_a_killed_service_leaves_no_process_and_comes_back_with_a_report(stack: Stack) -> None:
    sagemaker = stack.client("sagemaker")
    sagemaker.create_training_job(**Api.training_job("killed", HyperParameters=ENDLESS))
    wait_until(lambda: sagemaker.describe_training_job(TrainingJobName="killed")["SecondaryStatus"] == "Training" or None)
    # The job, whose process may begin a moment after its status says so, and the variant of the test before.
    children = wait_until(lambda: found if len(found := stack.children()) == 2 else None)

    stack.end_service(signal.SIGKILL)

    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    stack.start_service()
    assert sagemaker.describe_training_job(TrainingJobName="killed")["TrainingJobStatus"] == "Failed"
    report = signed_get(f"{stack.url}/_emulator/restart-report").json()
    assert report == {
        "failed_training_jobs": ["killed"],
        "failed_tuning_jobs": [],
        "failed_transform_jobs": [],
        "endpoints": {"endpoint": "is being started again"},
    }
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName="endpoint")["EndpointStatus"] == "InService" or None)


def test_sigterm_ends_the_service_and_its_children_in_order(stack: Stack) -> None:
    children = stack.children()
    assert children

    status = stack.end_service(signal.SIGTERM)

    assert status == 0
    assert not any(child.is_running() for child in children)
    assert "Traceback" not in (stack.home / "service.log").read_text()
