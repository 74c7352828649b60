"""Presigned uploads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from botocore.config import Config

from sageline import clients
from sageline.api.datasets import create_upload
from sageline.errors import InvalidRequest, InvalidSpec
from tests.unit.api.fakes import BUCKET
from tests.unit.sessions import session

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(scope="module")
def presigner() -> S3Client:
    return session().client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))


def test_what_is_put_to_the_url_lands_under_the_datasets_key(s3: S3Client, presigner: S3Client) -> None:
    answer = create_upload({"name": "wines", "format": "csv.gz"}, bucket=BUCKET, s3=s3, presigner=presigner)

    upload = answer["upload"]
    assert isinstance(upload, dict)
    requests.request(upload["method"], upload["url"], headers=upload["headers"], data=b"rows", timeout=5).raise_for_status()

    assert answer["key"] == "datasets/wines/data.csv.gz"
    assert s3.get_object(Bucket=BUCKET, Key="datasets/wines/data.csv.gz")["Body"].read() == b"rows"


def test_the_url_holds_for_15_minutes_and_no_longer(s3: S3Client, presigner: S3Client) -> None:
    answer = create_upload({"name": "wines"}, bucket=BUCKET, s3=s3, presigner=presigner)
    upload = answer["upload"]
    assert isinstance(upload, dict)
    assert parse_qs(urlsplit(upload["url"]).query)["X-Amz-Expires"] == ["900"]
    assert answer["expires_in_seconds"] == 900


def test_the_url_is_signed_for_the_buckets_own_region(s3: S3Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    clients.s3_presigner.cache_clear()
    answer = create_upload({"name": "wines"}, bucket=BUCKET, s3=s3, presigner=clients.s3_presigner())
    clients.s3_presigner.cache_clear()
    assert str(answer["upload"]).find(f"https://{BUCKET}.s3.eu-west-1.amazonaws.com/") > 0
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in str(answer["upload"])


def test_a_spec_is_stored_beside_the_data_as_it_was_given(s3: S3Client, presigner: S3Client) -> None:
    spec = {"dataset": {"label": "grape"}, "algorithm": {"hyperparameters": {"num_round": 30}}}
    create_upload({"name": "wines", "spec": spec}, bucket=BUCKET, s3=s3, presigner=presigner)
    assert json.loads(s3.get_object(Bucket=BUCKET, Key="datasets/wines/spec.json")["Body"].read()) == spec


def test_without_a_spec_none_is_stored(s3: S3Client, presigner: S3Client) -> None:
    create_upload({"name": "wines"}, bucket=BUCKET, s3=s3, presigner=presigner)
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ({"format": "csv"}, InvalidRequest, "`name` is missing"),
        ({"name": "My Wines"}, InvalidRequest, '`name` is "My Wines"; use lower-case'),
        ({"name": "w" * 33}, InvalidRequest, "at most 32"),
        ({"name": "wines\n"}, InvalidRequest, "`name` is"),
        ({"name": 7}, InvalidRequest, "`name` is 7"),
        ({"name": "wines", "format": "xlsx"}, InvalidRequest, '`format` is "xlsx"; use one of csv, csv.gz, jsonl'),
        ({"name": "wines", "format": ["csv"]}, InvalidRequest, "`format` is"),
        ({"name": "wines", "fromat": "csv"}, InvalidRequest, "did you mean `format`"),
        ({"name": "wines", "spec": {"dataset": {"lable": "x"}}}, InvalidSpec, "did you mean `label`"),
        ({"name": "wines", "spec": []}, InvalidSpec, "a JSON array"),
        ({"name": "wines", "spec": {"name": "beers"}}, InvalidSpec, "`name` is 'beers'"),
        ({"name": "wines", "spec": {"dataset": {"uri": "s3://other/x.csv"}}}, InvalidSpec, "`dataset.uri` is"),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_is_stored(
    s3: S3Client, presigner: S3Client, body: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        create_upload(body, bucket=BUCKET, s3=s3, presigner=presigner)
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
