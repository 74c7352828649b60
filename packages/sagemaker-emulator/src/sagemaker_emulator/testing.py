"""A fixture for pytest: a running emulator, which ends when the tests do. Installed with the package."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

_REGION = "us-east-1"
_END_SECONDS = 60
# What a process needs to run at all: nothing of anybody's AWS settings.
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH")


@dataclass(frozen=True)
class Emulator:
    """A running emulator with S3 in a folder."""

    url: str
    s3: Path
    """``s3://bucket/key`` is the file ``s3 / "bucket" / "key"``; a bucket is a folder."""
    home: Path
    """Its state: ``logs`` has what jobs and endpoints have written, ``output.log`` its own lines."""
    environment: Mapping[str, str]
    """The variables by which boto3, the AWS CLI and the SageMaker SDK find it, for other processes."""

    @cached_property
    def sagemaker(self) -> SageMakerClient:
        return self._session.client("sagemaker", endpoint_url=self.url)

    @cached_property
    def runtime(self) -> SageMakerRuntimeClient:
        return self._session.client("sagemaker-runtime", endpoint_url=self.url)

    @cached_property
    def _session(self) -> Session:
        # pytest loads this module whatever the tests are about, and boto3 takes a while to import.
        from boto3.session import Session  # noqa: PLC0415
        from botocore.session import Session as Core  # noqa: PLC0415

        key, secret = self.environment["AWS_ACCESS_KEY_ID"], self.environment["AWS_SECRET_ACCESS_KEY"]
        # AWS_PROFILE is for AWS: nothing of that profile matters here, and not whether there is one.
        core = Core(session_vars={"profile": (None, None, None, None)})
        return Session(key, secret, region_name=_REGION, botocore_session=core)


@pytest.fixture(scope="session")
def sagemaker_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator for all tests: they tell their jobs and endpoints apart by name."""
    with running(tmp_path_factory.mktemp("sagemaker-emulator")) as emulator:
        yield emulator


@contextmanager
def running(directory: Path) -> Iterator[Emulator]:
    """An emulator with its state in ``home`` and its objects in ``s3``, both below a directory; it ends with the block.

    Raises:
        RuntimeError: it did not start; with what it said.
    """
    home, s3 = directory / "home", directory / "s3"
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "sagemaker_emulator", "--port", "0", "--home", str(home), "--s3", str(s3)]
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | {"AWS_DEFAULT_REGION": _REGION}
    log = home / "output.log"
    with (
        log.open("ab") as errors,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            variables = _exported(process)
            if "AWS_ENDPOINT_URL_SAGEMAKER" not in variables:
                raise RuntimeError(f"The emulator did not start: {log.read_text()}")
            yield Emulator(variables["AWS_ENDPOINT_URL_SAGEMAKER"], s3, home, variables)
        finally:
            process.terminate()
            try:
                process.communicate(timeout=_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _exported(process: subprocess.Popen[str]) -> dict[str, str]:
    """The variables that the command prints when it is ready; empty when it ends before."""
    variables: dict[str, str] = {}
    for line in process.stdout or ():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and line.strip().startswith("export "):
            variables[name] = value
        if name == "AWS_SECRET_ACCESS_KEY":
            break
    return variables
