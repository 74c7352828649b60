"""The service in this process, over moto's S3, IAM and CloudWatch Logs; children are real processes on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import RLock
from typing import ParamSpec, TypeVar

import boto3
import httpx
import pytest
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

from emulator_tests.support import (
    ACCOUNT,
    BUCKET,
    FAST_ENGINE,
    FAST_IMAGE,
    ROOT_ID,
    Api,
    FakeEventBridge,
    FakeLambda,
    add_role,
    put_model,
    served,
)
from sagemaker_emulator.aws import Aws, Place
from sagemaker_emulator.children import code_roots
from sagemaker_emulator.engines import ENGINES
from sagemaker_emulator.service import LocalSageMaker
from sagemaker_emulator.surroundings import at_endpoint

TESTS = Path(__file__).resolve().parents[1]
"""Where a job's process finds :data:`FAST_ENGINE`."""
CODE_ROOTS = code_roots()
P = ParamSpec("P")
R = TypeVar("R")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test of the running service waits for jobs and endpoints: none of them is quick."""
    for item in items:
        if isinstance(item, pytest.Function) and "start" in item.fixturenames:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """Moto's S3, IAM and Logs with training data and SageMaker's role; Lambda and EventBridge are fakes that remember."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(BotocoreStubber, "process_request", one_at_a_time(BotocoreStubber.process_request))
        session = boto3.session.Session("test", "test", region_name="us-east-1")
        clients = Aws(
            s3=session.client("s3"),
            iam=session.client("iam"),
            functions=FakeLambda(),  # type: ignore[arg-type]  # the calls that the service makes, nothing else
            events=FakeEventBridge(),  # type: ignore[arg-type]  # the calls that the service makes, nothing else
            logs=session.client("logs"),
            cloudwatch=session.client("cloudwatch"),
            sts=session.client("sts"),
            sns=session.client("sns"),
        )
        clients.s3.create_bucket(Bucket=BUCKET)
        clients.s3.put_object(Bucket=BUCKET, Key="data/train/part-0.csv", Body=b"0,1,2\n1,5,6\n0,1,3\n1,6,5\n")
        add_role(clients, "SageMaker", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
        yield clients


def one_at_a_time(call: Callable[P, R]) -> Callable[P, R]:
    """The service asks moto in several threads while a test does, and moto's tables are not made for that."""
    lock = RLock()

    def wait_and_call(*args: P.args, **kwargs: P.kwargs) -> R:
        with lock:
            return call(*args, **kwargs)

    return wait_and_call


@pytest.fixture(scope="module")
def start(aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Api]]:
    """Starts the service; called again, it stops it and starts it on the same state."""
    home = tmp_path_factory.mktemp("home")
    running: list[ExitStack] = []
    patch = pytest.MonkeyPatch()
    patch.setattr("sagemaker_emulator.engines.ENGINES", (*ENGINES, FAST_ENGINE))
    patch.setattr("sagemaker_emulator.children.code_roots", lambda: (*CODE_ROOTS, TESTS))

    def stop() -> None:
        while running:
            running.pop().close()

    def begin() -> Api:
        stop()
        service = LocalSageMaker(home, at_endpoint(aws, Place(ACCOUNT, "us-east-1")), ROOT_ID)
        service.start()
        stack = ExitStack()
        running.append(stack)
        stack.callback(service.stop)
        url = stack.enter_context(served(service.application()))
        return Api(stack.enter_context(httpx.Client(base_url=url, timeout=60, trust_env=False)), home)

    yield begin
    stop()
    patch.undo()


@pytest.fixture(scope="module")
def api(start: Callable[[], Api]) -> Api:
    """One service for all tests of a file: they tell their resources apart by name."""
    return start()


@pytest.fixture(scope="module")
def model(api: Api, aws: Aws) -> str:
    """Name of a model of the tests' own engine."""
    api.ok("CreateModel", **api.model("model", put_model(aws, "model", "good"), FAST_IMAGE))
    return "model"
