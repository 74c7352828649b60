"""What a job finds when it comes to its data, which was there when it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from sagemaker_emulator.datasource import check_objects, list_objects
from sagemaker_emulator.errors import JobFailed, ServiceError
from sagemaker_emulator.objects import FolderObjects

ROLE = "arn:aws:iam::000000000000:role/any"


def source(uri: str, kind: str = "S3Prefix") -> dict[str, str]:
    return {"S3DataType": kind, "S3Uri": uri}


def everything(_action: str, _resource_arn: str, _context: Mapping[str, str] | None = None, /) -> bool:
    return True


def nothing(_action: str, _resource_arn: str, _context: Mapping[str, str] | None = None, /) -> bool:
    return False


@pytest.fixture
def objects(tmp_path: Path) -> FolderObjects:
    (tmp_path / "bucket" / "data").mkdir(parents=True)
    (tmp_path / "bucket" / "data" / "rows.csv").write_text("1,2")
    return FolderObjects(tmp_path)


def test_what_is_gone_by_then_fails_the_job(objects: FolderObjects) -> None:
    with pytest.raises(JobFailed) as failed:
        list_objects(objects, everything, source("s3://bucket/gone/"), ROLE)

    assert failed.value.reason.startswith(
        'ClientError: Data download failed:No S3 objects found under S3 URL "s3://bucket/gone/"'
    )


def test_what_the_role_may_not_list_any_more_fails_the_job(objects: FolderObjects) -> None:
    with pytest.raises(JobFailed) as failed:
        list_objects(objects, nothing, source("s3://bucket/data/"), ROLE)

    assert failed.value.reason.endswith('permissions on bucket "bucket". Error message from S3: Access Denied')


@pytest.mark.parametrize("uri", ["s3://bucket/gone/", "s3://no-bucket/data/"])
def test_a_request_for_what_is_not_there_is_refused(objects: FolderObjects, uri: str) -> None:
    with pytest.raises(ServiceError, match=f'No S3 objects found under S3 URL "{uri}"'):
        check_objects(objects, everything, source(uri), ROLE, "us-east-1")


def test_a_request_for_what_is_there_is_taken(objects: FolderObjects) -> None:
    check_objects(objects, everything, source("s3://bucket/data"), ROLE, "us-east-1")
    check_objects(objects, everything, source("s3://bucket/data/manifest", "ManifestFile"), ROLE, "us-east-1")

    assert list_objects(objects, everything, source("s3://bucket/data"), ROLE)
