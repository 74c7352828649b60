"""``python -m moto_suite DIR [options of pytest]``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import moto
import pytest
from botocore.client import BaseClient

from emulator_tests.support import served
from moto_suite.client import Client
from moto_suite.differences import DIFFERENCES
from moto_suite.valid import ACCOUNT, Valid
from sagemaker_emulator.aws import Place
from sagemaker_emulator.objects import FolderObjects
from sagemaker_emulator.service import LocalSageMaker
from sagemaker_emulator.surroundings import alone

FILES = ("models", "endpoint", "training", "transform", "hyper_parameter_tuning_job")
# The region whose ARNs a file compares, and those of other accounts than moto's: an emulator has one of each.
REGIONS = {"test_sagemaker_hyper_parameter_tuning_job": "us-east-2"}
ACCOUNTS = {"test_add_tags_to_training_job": "000000000000", "test_delete_tags_from_training_job": "000000000000"}
CREDENTIALS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


class NoMock:
    """Stands for ``mock_aws``, as a decorator and in a ``with`` statement."""

    def __new__(cls, function: Callable[..., None] | None = None) -> Any:
        return function or super().__new__(cls)

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


class Plugin:
    """Each test has an emulator of its own."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            if item.name in DIFFERENCES:
                item.add_marker(pytest.mark.xfail(reason=": ".join(DIFFERENCES[item.name]), strict=True))

    @pytest.fixture(autouse=True)
    def emulator(self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        (tmp_path / "s3").mkdir()
        region = REGIONS.get(request.module.__name__.rpartition(".")[2], "us-east-1")
        place = Place(ACCOUNTS.get(request.node.name, ACCOUNT), region)
        surroundings = alone(FolderObjects(tmp_path / "s3"), place, tmp_path / "home", "")
        service = LocalSageMaker(tmp_path / "home", surroundings, CREDENTIALS["aws_access_key_id"])
        service.start()
        valid = Valid(tmp_path / "s3")
        make: Callable[..., BaseClient] = boto3.client
        with served(service.application()) as url:
            monkeypatch.setattr(
                boto3,
                "client",
                lambda name, region_name: Client(make(name, region_name=region_name, endpoint_url=url, **CREDENTIALS), valid),
            )
            yield
        service.stop()


def main(directory: str, options: list[str]) -> int:
    tests = Path(directory).resolve() / "tests" / "test_sagemaker"
    files = [str(tests / f"test_sagemaker_{name}.py") for name in FILES]
    if not directory or not tests.is_dir():
        sys.exit(f"No tests of moto in {tests}. git clone https://github.com/getmoto/moto, then: make test-moto MOTO=<the clone>")
    moto.mock_aws = NoMock  # type: ignore[assignment]  # before moto's tests import it
    alone_with_it = ["-c", os.devnull, "--rootdir", directory, "-p", "no:cacheprovider"]
    return pytest.main([*alone_with_it, *options, *files], [Plugin()])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
