"""Presigned uploads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from botocore.config import Config
from moto import mock_aws

from sageline.api.answers import UploadAnswer, UploadTarget
from sageline.api.datasets import create_upload
from sageline.aws.clients import Clients
from sageline.aws.settings import RunSettings
from sageline.errors import InvalidRequest, InvalidSpec, RequestTooLarge, ResourceConflict
from sageline.runs.context import RunContext
from tests.unit.api.fakes import BUCKET
from tests.unit.sessions import s3_client, session
from tests.unit.world.world import clients_with

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def s3() -> Iterator[S3Client]:
    """In moto, which answers what is put to a URL, too."""
    with mock_aws():
        client = s3_client()
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture(scope="module")
def presigner() -> S3Client:
    return session().client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))


def ask_for_upload(s3: S3Client, presigner: S3Client, data: bytes = b"rows", **body: object) -> UploadAnswer:
    """An answer about a file with these bytes."""
    asked = {"name": "wines", "bytes": len(data), "md5": hashlib.md5(data, usedforsecurity=False).hexdigest()} | body
    settings = RunSettings(bucket_name=BUCKET, runs_table_name="unused", stack_name="unused")
    return create_upload(asked, max_bytes=1000, run=RunContext(settings, clients_with(s3=s3, s3_presigner=presigner)))


def signed(upload: UploadTarget) -> list[str]:
    """The headers that S3 checks against what they were when the URL was made."""
    [names] = parse_qs(urlsplit(str(upload["url"])).query)["X-Amz-SignedHeaders"]
    return names.split(";")


@pytest.mark.slow
def test_what_is_put_to_the_url_lands_under_the_datasets_key(s3: S3Client, presigner: S3Client) -> None:
    answer = ask_for_upload(s3, presigner, format="csv.gz")
    upload = answer["upload"]
    requests.request(upload["method"], upload["url"], headers=upload["headers"], data=b"rows", timeout=5).raise_for_status()

    assert answer["key"] == "datasets/wines/data.csv.gz"
    assert s3.get_object(Bucket=BUCKET, Key="datasets/wines/data.csv.gz")["Body"].read() == b"rows"


def test_the_url_holds_for_15_minutes_and_no_longer(s3: S3Client, presigner: S3Client) -> None:
    answer = ask_for_upload(s3, presigner)
    assert parse_qs(urlsplit(answer["upload"]["url"]).query)["X-Amz-Expires"] == ["900"]
    assert answer["expires_in_seconds"] == 900


def test_the_url_is_signed_for_the_buckets_own_region(s3: S3Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    answer = ask_for_upload(s3, Clients().s3_presigner)
    assert str(answer["upload"]).find(f"https://{BUCKET}.s3.eu-west-1.amazonaws.com/") > 0
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in str(answer["upload"])


def test_a_spec_is_stored_beside_the_data_as_it_was_given(s3: S3Client, presigner: S3Client) -> None:
    spec = {"dataset": {"label": "grape"}, "algorithm": {"name": "xgboost", "hyperparameters": {"num_round": 30}}}
    ask_for_upload(s3, presigner, spec=spec)
    assert json.loads(s3.get_object(Bucket=BUCKET, Key="datasets/wines/spec.json")["Body"].read()) == spec


def test_without_a_spec_none_is_stored(s3: S3Client, presigner: S3Client) -> None:
    ask_for_upload(s3, presigner)
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def test_the_url_is_for_a_file_of_this_length_and_sum_where_there_is_none(s3: S3Client, presigner: S3Client) -> None:
    upload = ask_for_upload(s3, presigner)["upload"]
    assert upload["headers"] == {"content-length": "4", "content-md5": "3zR6NzuPkqoK492SCl7C9g==", "if-none-match": "*"}
    assert signed(upload) == ["content-length", "content-md5", "host", "if-none-match"]


def test_the_url_is_for_the_place_of_the_file_that_is_there(s3: S3Client, presigner: S3Client) -> None:
    etag = s3.put_object(Bucket=BUCKET, Key="datasets/wines/data.csv", Body=b"older")["ETag"]
    upload = ask_for_upload(s3, presigner)["upload"]
    assert upload["headers"]["if-match"] == etag
    assert signed(upload) == ["content-length", "content-md5", "host", "if-match"]


def test_the_very_file_that_is_there_gets_no_url_that_would_work_again_and_again(s3: S3Client, presigner: S3Client) -> None:
    s3.put_object(Bucket=BUCKET, Key="datasets/wines/data.csv", Body=b"rows")
    with pytest.raises(ResourceConflict, match="is this very file already"):
        ask_for_upload(s3, presigner, spec={"dataset": {"label": "grape"}})
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1


def test_a_file_larger_than_the_stack_takes_gets_no_url(s3: S3Client, presigner: S3Client) -> None:
    with pytest.raises(RequestTooLarge, match="has 1,001 bytes; an upload by URL may have 1,000") as refused:
        ask_for_upload(s3, presigner, b"x" * 1001)
    assert refused.value.details == {"max_bytes": 1000}
    assert ask_for_upload(s3, presigner, b"x" * 1000)


@pytest.mark.parametrize("file", ["data-00.csv", "train.csv.gz", "test_1.jsonl", "data.csv"])
def test_a_part_gets_a_url_of_its_own(s3: S3Client, presigner: S3Client, file: str) -> None:
    answer = ask_for_upload(s3, presigner, file=file)
    assert answer["key"] == f"datasets/wines/{file}"
    assert f"/datasets/wines/{file}?" in answer["upload"]["url"]


def test_the_spec_of_a_part_may_name_the_folder(s3: S3Client, presigner: S3Client) -> None:
    folder = {"dataset": {"uri": f"s3://{BUCKET}/datasets/wines/"}}
    assert ask_for_upload(s3, presigner, file="data-00.csv", spec=folder)
    with pytest.raises(InvalidSpec, match="the upload will be"):
        ask_for_upload(s3, presigner, file="data.csv", spec=folder)


def test_a_part_that_is_there_already_need_not_be_put_again(s3: S3Client, presigner: S3Client) -> None:
    s3.put_object(Bucket=BUCKET, Key="datasets/wines/data-00.csv", Body=b"rows")
    with pytest.raises(ResourceConflict, match=r"need not be uploaded again; POST /datasets/wines/complete starts a run"):
        ask_for_upload(s3, presigner, file="data-00.csv")


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ({"file": "rows.csv"}, InvalidRequest, '`file` is "rows.csv"; use a name that begins with data, train or test'),
        ({"file": "../data-0.csv"}, InvalidRequest, "`file` is"),
        ({"file": "data-0.csv/"}, InvalidRequest, "`file` is"),
        ({"file": "data 0.csv"}, InvalidRequest, "`file` is"),
        ({"file": "data-0.csv\n"}, InvalidRequest, "`file` is"),
        ({"file": 7}, InvalidRequest, "`file` is 7"),
        ({"file": "data-" + "0" * 200 + ".csv"}, InvalidRequest, "at most 200"),
        ({"file": "data-0.txt"}, InvalidRequest, "its extension is none of csv, csv.gz, csv.zst, tsv,"),
        ({"file": "data.00.csv"}, InvalidRequest, "only a dataset of one file is named data"),
        ({"file": "data-0.jsonl", "format": "csv"}, InvalidRequest, '`format` is "csv", and `file` says jsonl'),
        ({"name": None}, InvalidRequest, "`name` is null"),
        ({"bytes": 0}, InvalidRequest, "`bytes` is 0: the file is empty"),
        ({"bytes": -1}, InvalidRequest, "`bytes` is -1; give the length"),
        ({"bytes": "4"}, InvalidRequest, '`bytes` is "4"'),
        ({"bytes": True}, InvalidRequest, "`bytes` is true"),
        ({"bytes": 4.0}, InvalidRequest, "`bytes` is 4.0"),
        ({"bytes": 10**400}, RequestTooLarge, "bytes; an upload by URL"),
        ({"md5": "3zR6NzuPkqoK492SCl7C9g=="}, InvalidRequest, "32 hexadecimal digits"),
        ({"md5": "0" * 32 + "\n"}, InvalidRequest, "32 hexadecimal digits"),
        ({"name": "My Wines"}, InvalidRequest, '`name` is "My Wines"; use lower-case'),
        ({"name": "w" * 33}, InvalidRequest, "at most 32"),
        ({"name": "wines\n"}, InvalidRequest, "`name` is"),
        ({"name": 7}, InvalidRequest, "`name` is 7"),
        ({"name": "wines", "format": "xls"}, InvalidRequest, '`format` is "xls"; use one of csv, csv.gz, csv.zst'),
        ({"name": "wines", "format": ["csv"]}, InvalidRequest, "`format` is"),
        ({"name": "wines", "fromat": "csv"}, InvalidRequest, "did you mean `format`"),
        ({"name": "wines", "spec": {"dataset": {"lable": "x"}}}, InvalidSpec, "did you mean `label`"),
        ({"name": "wines", "spec": []}, InvalidSpec, "a JSON array"),
        ({"name": "wines", "spec": {"name": "beers"}}, InvalidSpec, "`name` is 'beers'"),
        ({"name": "wines", "spec": {"dataset": {"uri": "s3://other/x.csv"}}}, InvalidSpec, "`dataset.uri` is"),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_is_stored(
    s3: S3Client, presigner: S3Client, body: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ask_for_upload(s3, presigner, **body)
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
