from __future__ import annotations

from pathlib import Path

import pytest

from sageline.names import run_id
from sageline_cli.connection import Connection
from sageline_cli.upload import format_of, upload
from tests.unit.cli.fakes import BUCKET
from tests.unit.world.fake_aws import FakeAws


@pytest.mark.parametrize(
    ("name", "data_format"),
    [
        ("data.csv", "csv"),
        ("Data.CSV", "csv"),
        ("my.data.csv.gz", "csv.gz"),
        ("data.jsonl", "jsonl"),
        ("data.ndjson", "jsonl"),
        ("data.gz", None),
        ("data.xls", None),
        ("data.xlsx", "xlsx"),
        ("data.NDJSON.zst", "jsonl.zst"),
        ("csv", None),
    ],
)
def test_a_files_name_says_its_format(name: str, data_format: str | None) -> None:
    assert format_of(Path("folder.csv") / name) == data_format


def write(path: Path, text: str = "a,b\n1,2\n") -> Path:
    path.write_text(text)
    return path


def test_an_upload_puts_the_spec_before_the_data_and_knows_the_run_it_starts(
    connection: Connection, account: FakeAws, tmp_path: Path
) -> None:
    sent: list[int] = []

    uploaded = upload(connection.s3, BUCKET, write(tmp_path / "x.csv"), "wine", spec=b"{}", advance=sent.append)

    assert list(account.s3.objects) == ["datasets/wine/spec.json", "datasets/wine/data.csv"]
    head = connection.s3.head_object(Bucket=BUCKET, Key="datasets/wine/data.csv")
    assert uploaded.run_id == run_id("wine", head["LastModified"], "datasets/wine/data.csv", head["VersionId"])
    assert (uploaded.bytes, sum(sent), uploaded.removed_old_spec) == (8, 8, False)


def test_without_a_spec_the_one_of_an_earlier_upload_does_not_apply(connection: Connection, tmp_path: Path) -> None:
    data = write(tmp_path / "x.csv")
    upload(connection.s3, BUCKET, data, "wine", spec=b"{}", advance=lambda sent: None)
    upload(connection.s3, BUCKET, data, "other", spec=b"{}", advance=lambda sent: None)

    assert upload(connection.s3, BUCKET, data, "wine", spec=None, advance=lambda sent: None).removed_old_spec
    assert not upload(connection.s3, BUCKET, data, "wine", spec=None, advance=lambda sent: None).removed_old_spec

    keys = [item["Key"] for item in connection.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert keys == ["datasets/other/data.csv", "datasets/other/spec.json", "datasets/wine/data.csv"]


def test_the_same_file_again_is_another_run(connection: Connection, tmp_path: Path) -> None:
    data = write(tmp_path / "x.csv")
    first, second = (upload(connection.s3, BUCKET, data, "wine", spec=None, advance=lambda sent: None) for _ in range(2))
    assert first.run_id != second.run_id
    assert first.key == second.key


@pytest.mark.slow
def test_a_large_file_goes_in_parts(connection: Connection, tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate(33 << 20)
    uploaded = upload(connection.s3, BUCKET, large, "wine", spec=None, advance=lambda sent: None)
    assert uploaded.bytes == 33 << 20
    assert connection.s3.head_object(Bucket=BUCKET, Key=uploaded.key)["ETag"].endswith('-3"')


def test_another_upload_right_after_this_one_does_not_take_its_run(
    connection: Connection, account: FakeAws, tmp_path: Path
) -> None:
    another = {"Bucket": BUCKET, "Key": "datasets/wine/data.csv", "Body": b"c,d\n3,4\n5,6\n"}
    account.before["HeadObject"] = lambda: account.s3.put_object(another)
    data = write(tmp_path / "x.csv")

    uploaded = upload(connection.s3, BUCKET, data, "wine", spec=b"{}", advance=lambda sent: None)

    mine = connection.s3.get_object(Bucket=BUCKET, Key="datasets/wine/data.csv", VersionId=uploaded.version_id)
    assert mine["Body"].read() == data.read_bytes()
    assert uploaded.run_id == run_id("wine", mine["LastModified"], "datasets/wine/data.csv", uploaded.version_id)
