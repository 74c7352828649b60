"""A folder in S3's place, held to what moto's S3 says."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from sagemaker_emulator.aws import Aws
from sagemaker_emulator.objects import FolderObjects, Objects, S3Objects


@pytest.fixture(params=["folder", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    """With a bucket of this test's."""
    if request.param == "folder":
        (tmp_path / "s3" / "objects").mkdir(parents=True)
        return FolderObjects(tmp_path / "s3")
    aws: Aws = request.getfixturevalue("aws")
    aws.s3.create_bucket(Bucket="objects")
    for item in aws.s3.list_objects_v2(Bucket="objects").get("Contents", []):
        aws.s3.delete_object(Bucket="objects", Key=item["Key"])
    return S3Objects(aws.s3)


def put(objects: Objects, *keys: str) -> None:
    for key in keys:
        objects.upload(io.BytesIO(key.encode()), "objects", key)


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("", ["data/a.csv", "data/deep/b.csv", "database.csv", "other.csv"]),
        ("data", ["data/a.csv", "data/deep/b.csv", "database.csv"]),
        ("data/", ["data/a.csv", "data/deep/b.csv"]),
        ("data/a.csv", ["data/a.csv"]),
        ("data/de", ["data/deep/b.csv"]),
        ("nothing/", []),
        ("/", []),
        ("//data/", []),
        ("data/../", []),
    ],
)
def test_keys_that_begin_with_a_prefix(objects: Objects, prefix: str, found: list[str]) -> None:
    put(objects, "other.csv", "data/deep/b.csv", "database.csv", "data/a.csv")

    assert objects.keys("objects", prefix) == found
    assert objects.has_keys("objects", prefix) == bool(found)


def test_an_object_tells_its_content_type(objects: Objects) -> None:
    objects.upload(io.BytesIO(b"1"), "objects", "rows.csv", "text/csv")

    assert objects.look("objects", "rows.csv") == "text/csv"


def test_what_was_put_is_read_and_fetched(objects: Objects, tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(b"rows")

    objects.upload(tmp_path / "given", "objects", "data/a.csv")
    objects.download("objects", "data/a.csv", tmp_path / "fetched")
    objects.look("objects", "data/a.csv")

    assert (objects.read("objects", "data/a.csv"), (tmp_path / "fetched").read_bytes()) == (b"rows", b"rows")


def test_a_later_object_takes_the_place_of_an_earlier_one_and_nothing_else_is_left(objects: Objects) -> None:
    put(objects, "a", "b")
    objects.upload(io.BytesIO(b"new"), "objects", "a")
    objects.delete("objects", "b")
    objects.delete("objects", "never/there")

    assert objects.keys("objects", "") == ["a"]
    assert objects.read("objects", "a") == b"new"


@pytest.mark.parametrize(
    ("code", "ask"),
    [
        ("NoSuchKey", lambda objects: objects.read("objects", "gone")),
        ("NoSuchBucket", lambda objects: objects.read("no-bucket", "a")),
        ("NoSuchBucket", lambda objects: objects.keys("no-bucket", "")),
    ],
)
def test_what_is_not_there(objects: Objects, code: str, ask: Callable[[Objects], object]) -> None:
    with pytest.raises(ClientError) as refused:
        ask(objects)

    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.parametrize("key", ["../secret", "a/../../secret", "/etc/passwd", "a//b", "", "a\0b", "."])
def test_no_key_leads_out_of_its_bucket(tmp_path: Path, key: str) -> None:
    (tmp_path / "s3" / "objects").mkdir(parents=True)
    (tmp_path / "s3" / "secret").write_text("")
    objects = FolderObjects(tmp_path / "s3")

    with pytest.raises(ClientError, match="can not be the path of a file"):
        objects.read("objects", key)
    with pytest.raises(ClientError, match="can not be the path of a file"):
        put(objects, key)


@pytest.mark.parametrize("bucket", ["..", ".", "", ".unfinished", "a/b"])
def test_no_bucket_is_another_place_than_a_folder_of_the_root(tmp_path: Path, bucket: str) -> None:
    for name in ("s3/.unfinished", "s3/a/b"):
        (tmp_path / name).mkdir(parents=True)

    with pytest.raises(ClientError, match="NoSuchBucket"):
        FolderObjects(tmp_path / "s3").keys(bucket, "")


def test_data_may_be_a_link_to_where_there_is_room_for_it(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.csv").write_bytes(b"rows")
    (tmp_path / "s3" / "objects").mkdir(parents=True)
    (tmp_path / "s3" / "objects" / "data").symlink_to(tmp_path / "elsewhere")

    assert FolderObjects(tmp_path / "s3").keys("objects", "data/") == ["data/a.csv"]
