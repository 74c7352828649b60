"""The bucket in memory answers as moto's does: conditions, versions, ranges, pages and parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.unit.sessions import s3_client
from tests.unit.world.fake_aws import FakeAws
from tests.unit.world.world import BUCKET

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART = 5 << 20
# What three calls have in common, and the parts, are Any: the stubs know neither keywords by ** nor such dicts.


@pytest.fixture(params=["in memory", "moto"])
def s3(request: pytest.FixtureRequest) -> Iterator[S3Client]:
    client = s3_client()
    with mock_aws() if request.param == "moto" else FakeAws().behind_clients():
        if request.param == "moto":
            client.create_bucket(Bucket=BUCKET)
            client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client


@pytest.mark.slow
def test_a_write_upon_a_condition(s3: S3Client) -> None:
    first = s3.put_object(Bucket=BUCKET, Key="a", Body=b"1", IfNoneMatch="*")["ETag"]
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=BUCKET, Key="a", Body=b"2", IfNoneMatch="*")
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"2", IfMatch=first)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=BUCKET, Key="a", Body=b"3", IfMatch=first)
    assert s3.get_object(Bucket=BUCKET, Key="a")["Body"].read() == b"2"


def test_versions_stay_when_an_object_is_replaced_or_deleted(s3: S3Client) -> None:
    first, second = (s3.put_object(Bucket=BUCKET, Key="a", Body=body)["VersionId"] for body in (b"1", b"2"))
    s3.delete_object(Bucket=BUCKET, Key="a")
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=BUCKET, Key="a")
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket=BUCKET, Key="a")
    bodies = [s3.get_object(Bucket=BUCKET, Key="a", VersionId=version)["Body"].read() for version in (first, second)]
    assert bodies == [b"1", b"2"]
    s3.delete_object(Bucket=BUCKET, Key="a", VersionId=first)
    with pytest.raises(ClientError, match=r"404|NoSuchVersion"):
        s3.head_object(Bucket=BUCKET, Key="a", VersionId=first)


@pytest.mark.parametrize(("asked", "body"), [("bytes=2-4", b"234"), ("bytes=8-", b"89"), ("bytes=5-50", b"56789")])
def test_a_range_of_an_object(s3: S3Client, asked: str, body: bytes) -> None:
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"0123456789")
    found = s3.get_object(Bucket=BUCKET, Key="a", Range=asked)
    assert (found["Body"].read(), found["ContentLength"]) == (body, len(body))
    assert found["ContentRange"].endswith("/10")


def test_a_list_by_pages_and_folders(s3: S3Client) -> None:
    for key in ("b", "a/2", "a/1", "c/1/2"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 3})
    assert [[item["Key"] for item in page["Contents"]] for page in pages] == [["a/1", "a/2", "b"], ["c/1/2"]]
    found = s3.list_objects_v2(Bucket=BUCKET, Delimiter="/")
    assert [item["Prefix"] for item in found["CommonPrefixes"]] == ["a/", "c/"]
    assert [item["Key"] for item in found["Contents"]] == ["b"]


def test_an_upload_in_parts(s3: S3Client) -> None:
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="a", ContentType="text/csv")["UploadId"]
    asked: Any = {"Bucket": BUCKET, "Key": "a", "UploadId": upload}
    bodies = (b"x" * PART, b"the end")
    etags = [s3.upload_part(**asked, PartNumber=n, Body=body)["ETag"] for n, body in enumerate(bodies, start=1)]
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket=BUCKET, Key="a")
    parts: Any = [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, start=1)]
    listed = s3.list_parts(**asked)["Parts"]
    assert [(part["PartNumber"], part["ETag"], part["Size"]) for part in listed] == [(1, etags[0], PART), (2, etags[1], 7)]
    s3.complete_multipart_upload(**asked, MultipartUpload={"Parts": parts})
    found = s3.head_object(Bucket=BUCKET, Key="a")
    assert (found["ContentLength"], found["ContentType"]) == (PART + 7, "text/csv")
    assert found["ETag"].endswith('-2"')
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


def test_a_part_that_is_too_small_is_refused(s3: S3Client) -> None:
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="a")["UploadId"]
    asked: Any = {"Bucket": BUCKET, "Key": "a", "UploadId": upload}
    etags = [s3.upload_part(**asked, PartNumber=number, Body=b"small")["ETag"] for number in (1, 2)]
    parts: Any = [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, start=1)]
    with pytest.raises(ClientError, match="EntityTooSmall"):
        s3.complete_multipart_upload(**asked, MultipartUpload={"Parts": parts})


def test_a_copy_takes_what_belongs_to_the_object_along(s3: S3Client) -> None:
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"1", Metadata={"from": "here"}, Tagging="k=v")
    s3.copy_object(Bucket=BUCKET, Key="b c", CopySource={"Bucket": BUCKET, "Key": "a"}, ChecksumAlgorithm="SHA256")
    found = s3.head_object(Bucket=BUCKET, Key="b c", ChecksumMode="ENABLED")
    assert found["Metadata"] == {"from": "here"}
    assert s3.get_object_tagging(Bucket=BUCKET, Key="b c")["TagSet"] == [{"Key": "k", "Value": "v"}]


def test_another_bucket_is_none(s3: S3Client) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.get_object(Bucket="another-bucket", Key="a")
