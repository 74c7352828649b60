"""The file by which the SageMaker SDK 2 finds its default bucket without asking AWS."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from emulator_tests.test_command import KEY, exported, started
from sagemaker_emulator.aws import Place
from sagemaker_emulator.sdk_config import VARIABLE, write_config

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # the SDK's, in its own code
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK's own, on its deprecation and on what it imports
    _SDK = importlib.import_module("sagemaker")


def test_the_sdks_session_takes_its_bucket_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(write_config(tmp_path, Place("111122223333", "us-east-1"))))
    boto = boto3.Session("id", "secret", region_name="us-east-1")
    with mock_aws():  # whose STS would name another account
        bucket = _SDK.Session(boto).default_bucket()

        assert bucket == "sagemaker-us-east-1-111122223333"
        assert [found["Name"] for found in boto.client("s3").list_buckets()["Buckets"]] == [bucket]


def test_the_command_exports_the_file_where_a_server_has_the_objects(tmp_path: Path) -> None:
    with started(tmp_path, AWS_ENDPOINT_URL_S3="http://127.0.0.1:9", **KEY) as (_, lines):
        path = Path(exported(lines)[VARIABLE])

    assert path.read_text().count("sagemaker-us-east-1-000000000000") == 1


def test_with_a_folder_for_objects_there_is_no_such_file(tmp_path: Path) -> None:
    with started(tmp_path, **KEY) as (_, lines):
        assert VARIABLE not in exported(lines)
