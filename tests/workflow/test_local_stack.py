"""The local stack itself: what stops, what stays, what a kill costs, and who may call."""

from __future__ import annotations

import http.client
import io
import json
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sageline_local import deploy, processes
from sageline_local.errors import PortInUse
from sageline_local.stack import LocalStack
from tests.notes import Notes
from tests.ports import free_port

pytestmark = pytest.mark.stack

# Keeps a function busy for longer than any of these tests takes.
SLEEPER = "import time\ndef handler(event, context):\n    time.sleep(300)\n"


@pytest.fixture(scope="module")
def free_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A stack that a test may stop and kill as it likes; the next one begins with ``up``."""
    stack = LocalStack(tmp_path_factory.mktemp("free-stack"), free_port())
    yield stack
    stack.down(delete=True)


def kill(stack: LocalStack, *names: str) -> None:
    """``kill -9`` servers, and wait until they are gone."""
    killed = [psutil.Process(pid) for name, pid in stack.status().pids.items() if name in names]
    for process in killed:
        process.kill()
    wait_for(lambda: not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in killed))


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def start_execution(stack: LocalStack) -> str:
    """An execution whose first function never answers; returns its ARN once that function runs."""
    clients = stack.clients()
    name = deploy.function_names(clients)["ConfigureRunFunction"]
    clients.lambda_.update_function_code(FunctionName=name, ZipFile=zipped(SLEEPER))
    arn = clients.stepfunctions.start_execution(
        stateMachineArn=stack.status().outputs["StateMachineArn"], input=json.dumps({"run_id": "sleepy-20260101000000-000000"})
    )["executionArn"]
    wait_for(lambda: any("ConfigureRunFunction" in " ".join(process.cmdline()) for process in of_stack(stack)))
    return arn


def zipped(source: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("app.py", source)
    return buffer.getvalue()


def of_stack(stack: LocalStack) -> list[psutil.Process]:
    return processes.leftovers(stack.home)


def answer(url: str, credentials: Credentials | None = None) -> tuple[int, dict[str, object]]:
    """Status and body; signed if there are credentials."""
    request = AWSRequest(method="GET", url=url)
    if credentials is not None:
        SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(request)
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    connection.request("GET", parts.path, headers=dict(request.headers.items()))
    response = connection.getresponse()
    status, body = response.status, json.loads(response.read() or b"{}")
    connection.close()
    return status, body


def test_a_stack_that_is_up_is_left_alone_quickly(free_stack: LocalStack) -> None:
    free_stack.up()
    before = free_stack.status().pids
    told = Notes()

    began = time.monotonic()
    free_stack.up(told)

    assert told.notes == ["The local stack was up already."]
    assert free_stack.status().pids == before
    assert time.monotonic() - began < 5


def test_everything_listens_on_the_loopback_interface_only(free_stack: LocalStack) -> None:
    free_stack.up()

    opened = [connection for process in of_stack(free_stack) for connection in process.net_connections("inet")]

    listening = {(c.laddr.ip, c.laddr.port) for c in opened if c.type == socket.SOCK_DGRAM or c.status == psutil.CONN_LISTEN}
    status = free_stack.status()
    urls = (status.endpoint_url, status.sagemaker_url, status.autoscaling_url)
    assert listening == {("127.0.0.1", urlsplit(url).port) for url in urls}


def test_the_api_refuses_whoever_does_not_sign_or_is_not_known(free_stack: LocalStack) -> None:
    url = f"{free_stack.up().api_url}/pipelines"

    secret = free_stack.environment()["AWS_SECRET_ACCESS_KEY"]

    assert answer(url)[0] == 403
    assert answer(url, Credentials("AKIAUNKNOWNUNKNOWN12", secret))[0] == 403
    assert answer(url, Credentials("test", "test"))[0] == 403
    assert answer(url, Credentials("test", secret)) == (200, {"runs": [], "next_token": None})


def test_functions_have_the_layer_and_no_more_rights_than_the_template_grants(free_stack: LocalStack) -> None:
    free_stack.up()
    clients = free_stack.clients()
    name = deploy.function_names(clients)["CreateModelFunction"]
    source = (
        "import boto3, numpy, os, sageline\n"
        "def handler(event, context):\n"
        "    who = boto3.client('sts').get_caller_identity()['Arn']\n"
        "    try:\n"
        "        boto3.client('s3').list_buckets()\n"
        "        listed = 'allowed'\n"
        "    except Exception as error:\n"
        "        listed = type(error).__name__\n"
        "    found = {'layer': sageline.__file__, 'numpy': numpy.__file__, 'who': who, 'listed': listed}\n"
        "    return {**found, 'environment': dict(os.environ)}\n"
    )
    clients.lambda_.update_function_code(FunctionName=name, ZipFile=zipped(source))

    told = json.loads(clients.lambda_.invoke(FunctionName=name)["Payload"].read())

    layers = str(free_stack.home / "ministack" / "tmp" / "layers")
    assert told["layer"].startswith(layers)
    assert told["numpy"].startswith(layers)
    assert ":assumed-role/sageline-CreateModelFunctionRole-" in told["who"]
    assert told["listed"] == "AccessDenied"
    assert free_stack.environment()["AWS_SECRET_ACCESS_KEY"] not in told["environment"].values()
    [layer] = clients.lambda_.get_function_configuration(FunctionName=name)["Layers"]
    assert 5_000_000 < layer["CodeSize"] < 25_000_000, "zipped"


def test_down_leaves_no_process_and_up_has_everything_again(free_stack: LocalStack) -> None:
    before = free_stack.up()
    free_stack.clients().s3.put_object(Bucket=before.bucket, Key="datasets/kept/spec.json", Body=b"{}")
    arn = start_execution(free_stack)

    assert free_stack.down() is True

    assert of_stack(free_stack) == []
    assert free_stack.status().state == "down"
    told = Notes()
    began = time.monotonic()
    status = free_stack.up(told)
    assert time.monotonic() - began < 30
    assert status.outputs == before.outputs
    assert free_stack.clients().s3.get_object(Bucket=before.bucket, Key="datasets/kept/spec.json")["Body"].read() == b"{}"
    assert free_stack.clients().stepfunctions.describe_execution(executionArn=arn)["status"] == "FAILED"
    assert any("was interrupted in the state ConfigureRun" in note for note in told.notes)


@pytest.mark.parametrize(
    "names",
    [
        ("ministack", "autoscaling", "sagemaker"),
        *(pytest.param((name,), marks=pytest.mark.full) for name in ("ministack", "sagemaker")),
    ],
)
def test_a_killed_stack_comes_up_again_and_says_what_was_lost(free_stack: LocalStack, names: tuple[str, ...]) -> None:
    before = free_stack.up()
    key = f"datasets/{'-'.join(names)}/spec.json"
    free_stack.clients().s3.put_object(Bucket=before.bucket, Key=key, Body=b"{}")
    arn = start_execution(free_stack)
    saved = free_stack.home / "ministack/state/saved"
    started = time.time()
    wait_for(lambda: saved.stat().st_mtime > started)

    kill(free_stack, *names)

    assert free_stack.status().state == ("down" if len(names) == 3 else "half-dead")
    told = Notes()
    after = free_stack.up(told)
    assert (after.state, after.outputs) == ("up", before.outputs)
    assert len([note for note in told.notes if "had ended without" in note]) == len(names)
    assert any("MiniStack was killed" in note for note in told.notes) == ("ministack" in names)
    clients = free_stack.clients()
    assert clients.s3.get_object(Bucket=before.bucket, Key=key)["Body"].read() == b"{}"
    status = clients.stepfunctions.describe_execution(executionArn=arn)["status"]
    assert status == ("FAILED" if "ministack" in names else "RUNNING")
    assert (
        not [process for process in of_stack(free_stack) if "ConfigureRunFunction" in " ".join(process.cmdline())]
        or status == "RUNNING"
    )
    if status == "RUNNING":
        clients.stepfunctions.stop_execution(executionArn=arn)


@pytest.mark.full
def test_a_kill_during_the_first_deployment_is_made_good_by_the_next_up(tmp_path: Path) -> None:
    stack = LocalStack(tmp_path / "home")
    sageline = Path(sys.executable).parent / "sageline"
    command = [str(sageline), "local", "up", "--home", str(stack.home), "--port", str(free_port())]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as up:
        try:
            wait_for((stack.home / "ministack/state/paused").exists, 120)
            up.kill()
            kill(stack, "ministack", "sagemaker")

            assert stack.up().state == "up"
        finally:
            up.kill()
            stack.down(delete=True)
    assert of_stack(stack) == []


@pytest.mark.full
def test_two_stacks_run_side_by_side_and_know_nothing_of_each_other(stack: LocalStack, free_stack: LocalStack) -> None:
    first, second = stack.status(), free_stack.up()
    assert len({first.endpoint_url, first.sagemaker_url, second.endpoint_url, second.sagemaker_url}) == 4

    free_stack.clients().s3.put_object(Bucket=second.bucket, Key="datasets/only-here/spec.json", Body=b"{}")
    listed = stack.clients().s3.list_objects_v2(Bucket=first.bucket, Prefix="datasets/only-here/")
    free_stack.down()

    assert listed["KeyCount"] == 0
    assert stack.status().state == "up"


def test_a_port_that_is_in_use_is_refused_with_what_to_do(stack: LocalStack, tmp_path: Path) -> None:
    port = urlsplit(stack.status().endpoint_url).port

    with pytest.raises(PortInUse, match=rf"Port {port} is in use by .*--port"):
        LocalStack(tmp_path, port).up()
