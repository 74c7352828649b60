"""Creating, describing and listing models: the emulator beside moto's server, ``python -m tests.benchmarks.control_plane``.

Both are asked by boto3's client, one call after the other. The emulator checks each request against botocore's model of the
service, its signature and its caller, and keeps what was made on disk; moto's server does none of these.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import EndpointConnectionError
from rich.console import Console

from sagemaker_emulator.testing import running
from tests.benchmarks.report import terminal_table
from tests.benchmarks.results import SAGELINE, Result
from tests.benchmarks.rounds import speeds_by_round
from tests.benchmarks.sizes import FULL, Sizes
from tests.ports import free_port

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

MOTO = "moto's server"

_ROLE = "arn:aws:iam::000000000000:role/any"
_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
_READY_SECONDS = 30
_NOTE = (
    "By boto3, which takes most of the time, one call after the other; `ListModels` in pages of 100. The emulator checks the "
    "request against botocore's model, its signature and its caller, and stores to disk; moto's server does not."
)


def run(sizes: Sizes) -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as directory, running(Path(directory)) as emulator, _moto() as moto:
        clients = {SAGELINE: emulator.sagemaker, MOTO: moto}
        for verb, work in (("create", _create), ("describe", _describe), ("list", _list)):
            calls = sizes.control_calls if verb != "list" else max(sizes.control_calls // 10, 1)
            contestants = {name: work(client, calls) for name, client in clients.items()}
            yield Result(
                job=f"control_plane_{verb}",
                title=f"SageMaker's control plane: {verb} models, {calls} calls",
                unit="calls/s",
                samples=speeds_by_round(contestants, sizes.rounds, calls),
                note=_NOTE,
            )


def _create(client: SageMakerClient, calls: int) -> Callable[[], None]:
    rounds = iter(range(1000))

    def work() -> None:
        number = next(rounds)
        for call in range(calls):
            client.create_model(
                ModelName=f"model-{number}-{call}",
                ExecutionRoleArn=_ROLE,
                PrimaryContainer={"Image": _IMAGE, "Mode": "SingleModel"},
            )

    return work


def _describe(client: SageMakerClient, calls: int) -> Callable[[], None]:
    def work() -> None:
        for call in range(calls):
            client.describe_model(ModelName=f"model-0-{call}")

    return work


def _list(client: SageMakerClient, calls: int) -> Callable[[], None]:
    def work() -> None:
        for _ in range(calls):
            client.list_models(MaxResults=100)

    return work


@contextmanager
def _moto() -> Iterator[SageMakerClient]:
    """A client of moto's server, which ends with the block."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            session = boto3.Session("test", "test", region_name="us-east-1")
            client = session.client("sagemaker", endpoint_url=f"http://127.0.0.1:{port}")
            deadline = time.monotonic() + _READY_SECONDS
            while not _answers(client):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("moto's server did not start.")
                time.sleep(0.1)
            yield client
        finally:
            process.terminate()


def _answers(client: SageMakerClient) -> bool:
    try:
        client.list_models()
    except EndpointConnectionError:
        return False
    return True


if __name__ == "__main__":
    Console(width=150).print(terminal_table(list(run(FULL))))
