"""Files on their way to S3."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from client_tests.fakes import FakeApi
from sageline_client import ApiError, InvalidRequest, Unreachable

CONTENT = b"a,b\n1,2\n" * 20_000
S3_URL = "https://bucket.s3.us-east-1.amazonaws.com/datasets/wines/data.csv"
GRANTED: dict[str, Any] = {  # JSON
    "upload": {
        "url": f"{S3_URL}?X-Amz-Signature=secret",
        "method": "PUT",
        "headers": {"content-length": str(len(CONTENT)), "content-md5": "nhB9", "if-none-match": "*"},
    },
    "bucket": "bucket",
    "key": "datasets/wines/data.csv",
    "expires_in_seconds": 900,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "wines.csv"
    path.write_bytes(CONTENT)
    return path


def test_a_file_is_announced_and_then_sent_with_exactly_the_headers_of_the_grant(api: FakeApi, file: Path) -> None:
    api.answer(GRANTED, 201)
    api.answer(status=200, text="")

    assert api.client().datasets.upload("wines", file, spec={"dataset": {"label": "b"}}) == GRANTED

    asked, sent = api.requests
    assert json.loads(asked.content) == {
        "name": "wines",
        "bytes": len(CONTENT),
        "md5": hashlib.md5(CONTENT).hexdigest(),  # noqa: S324  # what S3 checks
        "format": "csv",
        "spec": {"dataset": {"label": "b"}},
    }
    assert (sent.method, str(sent.url), sent.content) == ("PUT", GRANTED["upload"]["url"], CONTENT)
    assert sent.headers["content-length"] == str(len(CONTENT))
    assert sent.headers["if-none-match"] == "*"
    assert not {"authorization", "transfer-encoding"} & set(sent.headers)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("wines.csv.gz", {}, {"format": "csv.gz"}),
        ("wines.PARQUET", {}, {"format": "parquet"}),
        ("wines", {}, {}),
        ("wines.csv", {"format": "tsv"}, {"format": "tsv"}),
        ("wines.csv", {"file": "data-00.csv"}, {"file": "data-00.csv"}),
    ],
)
def test_the_format_is_what_the_files_name_says(
    api: FakeApi, tmp_path: Path, name: str, options: dict[str, Any], expected: dict[str, str]
) -> None:
    (tmp_path / name).write_bytes(CONTENT)
    api.answer(GRANTED, 201)
    api.answer(status=200, text="")

    api.client().datasets.upload("wines", tmp_path / name, **options)

    asked = json.loads(api.requests[0].content)
    assert {key: asked[key] for key in ("format", "file") if key in asked} == expected


@pytest.mark.parametrize("options", [{}, {"file": "data-00.csv"}])
def test_an_empty_file_is_not_sent(api: FakeApi, tmp_path: Path, options: dict[str, Any]) -> None:
    file = tmp_path / "wines.csv"
    file.touch()

    with pytest.raises(InvalidRequest) as caught:
        api.client().datasets.upload("wines", file, **options)

    assert caught.value.message == f"{file} is empty. A dataset has a line of column names and a row for each example."
    assert (caught.value.code, api.requests) == ("InvalidRequest", [])


def test_what_s3_refuses_is_said_with_its_code(api: FakeApi, file: Path) -> None:
    api.answer(GRANTED, 201)
    text = "<Error><Code>PreconditionFailed</Code><Message>At least one of the pre-conditions did not hold</Message></Error>"
    api.answer(status=412, text=text)

    with pytest.raises(ApiError, match="pre-conditions did not hold") as caught:
        api.client().datasets.upload("wines", file)

    assert (caught.value.code, caught.value.status) == ("PreconditionFailed", 412)


def test_a_broken_upload_is_not_sent_twice_and_its_signature_is_not_told(api: FakeApi, file: Path) -> None:
    api.answer(GRANTED, 201)
    api.fail(httpx.WriteError("reset"))

    with pytest.raises(Unreachable) as caught:
        api.client().datasets.upload("wines", file)

    assert len(api.requests) == 2
    assert S3_URL in caught.value.message
    assert "secret" not in caught.value.message
