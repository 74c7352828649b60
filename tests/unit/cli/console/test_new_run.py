"""A file on its way to the bucket, what is said of it before a run, and the run's start."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx
import pytest
from botocore.config import Config

from sageline.names import starts_a_run
from sageline_cli.connection import Connection
from sageline_cli.watching import WatchingClients
from tests.unit.cli.console.asked import Page
from tests.unit.cli.console.conftest import BUCKET_ORIGIN, body_of, put, tags_of
from tests.unit.cli.fakes import BUCKET, RUN_ID, FakeApi, run_record
from tests.unit.world.fake_aws import FakeAws

JSON = {"accept": "application/json"}
PART = 16 << 20
KEY = "datasets/wine/console-20261120100000-abc123.csv"
EVIL = "<img src=x onerror=alert(1)>"


def column(name: str, kind: str | None = "number", **changes: object) -> dict[str, object]:
    about = {"name": name, "examples": ["1", EVIL], "missing": 0.25, "distinct": 3, "is_estimate": False}
    return {**about, "kind": kind, "reason": "every value is a number", **changes}


def document(**changes: object) -> dict[str, object]:
    """What the API says of a dataset."""
    return {
        "source": f"s3://{BUCKET}/{KEY}",
        "rows": 2000,
        "is_sample": True,
        "label": {"name": "grape", "reason": "the last column", "distinct": 2, "classes": {EVIL: 1000, "{{7*7}}": 1000}},
        "task": "classification",
        "algorithms": [{"algorithm": "xgboost", "trials": None}, {"algorithm": "linear-learner", "trials": None}],
        "refused_algorithms": {"knn": "it reads images"},
        "column_count": 4,
        "left_out": 1,
        "columns": [column("alcohol"), column(EVIL), column("id", None, reason="it numbers the rows")],
        "more_columns": 0,
        "reasons": {"task": "2 different values"},
        "mistakes": [],
        "warnings": [f"Column {EVIL} tells the label."],
        "notes": [],
        **changes,
    }


@pytest.fixture
def inspected(api: FakeApi) -> list[Mapping[str, object]]:
    """What the API was asked to inspect."""
    asked: list[Mapping[str, object]] = []

    def answer(request: httpx.Request) -> tuple[int, object]:
        asked.append(json.loads(request.content))
        return 200, document()

    api.routes["POST", "/datasets/inspect"] = answer
    api.answer("GET", "/pipelines", {"runs": [], "next_token": None})
    return asked


def begin(page: Page, size: int, file: str = "Wine list.CSV", name: str = "wine") -> dict[str, Any]:  # Any: JSON
    answer = page.post("new/uploads", data={"file": file, "name": name, "bytes": str(size)}, headers=JSON)
    assert answer.status_code == 200, answer.text
    begun: dict[str, Any] = answer.json()
    return begun


def fields(begun: Mapping[str, Any]) -> dict[str, str]:
    return {"key": begun["key"], "upload_id": begun["upload_id"]}


def test_a_file_goes_in_parts_to_a_key_that_starts_no_run(page: Page, account: FakeAws, connection: Connection) -> None:
    body = b"x" * (PART + 3)
    begun = begin(page, len(body))
    assert (begun["part_bytes"], begun["parts"]) == (PART, 2)
    assert begun["key"].startswith("datasets/wine/")
    assert not starts_a_run(begun["key"].rpartition("/")[2])

    for number in (1, 2):
        url = urlsplit(page.post("new/uploads/part", data={**fields(begun), "part": str(number)}, headers=JSON).json()["url"])
        query = parse_qs(url.query)
        assert f"{url.scheme}://{url.netloc}" == BUCKET_ORIGIN
        assert (query["partNumber"], query["uploadId"]) == ([str(number)], [begun["upload_id"]])
        assert query["X-Amz-SignedHeaders"] == ["host"]
        connection.s3.upload_part(
            Bucket=BUCKET,
            Key=begun["key"],
            UploadId=begun["upload_id"],
            PartNumber=number,
            Body=body[(number - 1) * PART :][:PART],
        )
    sent = {**fields(begun), "bytes": str(len(body)), "file": "Wine list.csv"}
    done = page.post("new/uploads/complete", data=sent, headers=JSON)

    assert body_of(account, begun["key"]) == body
    assert done.json()["next"].endswith(f"/new/review?key={begun['key'].replace('/', '%2F')}&file=Wine+list.csv")
    again = page.post("new/uploads/complete", data=sent, headers=JSON)
    assert again.json() == done.json()


def test_an_object_that_would_not_be_the_file_is_not_made(page: Page, account: FakeAws, connection: Connection) -> None:
    begun = begin(page, 10)
    connection.s3.upload_part(Bucket=BUCKET, Key=begun["key"], UploadId=begun["upload_id"], PartNumber=1, Body=b"12345")

    answer = page.post("new/uploads/complete", data={**fields(begun), "bytes": "10"}, headers=JSON)

    assert answer.status_code == 409
    assert "5 of the file's 10 bytes" in answer.json()["error"]["message"]
    assert begun["key"] not in account.s3.objects


def test_a_cancelled_upload_leaves_nothing(page: Page, account: FakeAws) -> None:
    begun = begin(page, 10)

    assert page.post("new/uploads/abort", data=fields(begun)).status_code == 204
    assert page.post("new/uploads/abort", data=fields(begun)).status_code == 204

    assert (account.s3.uploads, account.s3.objects) == ({}, {})


@pytest.mark.parametrize(
    ("file", "name", "size", "said"),
    [
        ("wine.docx", "wine", "10", "has no known format"),
        ("wine.csv", "Wine list", "10", "is no name"),
        ("wine.csv", "", "10", "is no name"),
        ("wine.csv", "wine", "0", "The file is empty"),
        ("wine.csv", "wine", "-5", "The file is empty"),
        ("wine.csv", "wine", str(6 << 40), "5 TiB"),
    ],
)
def test_what_cannot_be_uploaded_is_said_before_anything_is_sent(
    *, page: Page, account: FakeAws, file: str, name: str, size: str, said: str
) -> None:
    answer = page.post("new/uploads", data={"file": file, "name": name, "bytes": size}, headers=JSON)

    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]
    assert account.s3.uploads == {}


@pytest.mark.parametrize(
    "key", ["datasets/wine/data.csv", "models/x/model.tar.gz", "datasets/wine/console-1.csv", "", f"{KEY}/.."]
)
def test_only_what_a_page_has_uploaded_can_be_touched(page: Page, account: FakeAws, key: str) -> None:
    put(account, "datasets/wine/data.csv", b"1")

    for path in ("discard", "start", "uploads/part", "uploads/complete", "uploads/abort"):
        answer = page.post(f"new/{path}", data={"key": key, "upload_id": "u", "part": "1", "bytes": "1"}, headers=JSON)
        assert answer.status_code == 404, path
    assert page.get("new/review", params={"key": key}).status_code == 404
    assert body_of(account, "datasets/wine/data.csv") == b"1"


def test_a_file_that_is_not_wanted_is_deleted(page: Page, account: FakeAws) -> None:
    put(account, KEY, b"1")

    answer = page.post("new/discard", data={"key": KEY})

    assert answer.headers["hx-redirect"].endswith("/new")
    assert account.s3.newest(KEY) is None


def test_what_was_found_is_shown_with_its_cost_before_anything_starts(page: Page, inspected: list[object]) -> None:
    html = page.get("new/inspection", params={"key": KEY}).text

    assert inspected == [{"uri": f"s3://{BUCKET}/{KEY}"}]
    assert "Predicts <strong>grape</strong> (classification)" in html
    assert "xgboost, linear-learner" in html
    assert "it numbers the rows" in html
    # Two training jobs of an hour on ml.m5.xlarge, and two transform jobs on ml.m5.large: twice what one algorithm costs.
    assert "At most <strong>$0.69, and the endpoint by its use</strong>" in html
    assert "With one of its algorithms alone: up to $0.345" in html


def test_labels_and_names_of_columns_are_shown_as_texts(page: Page, inspected: list[object]) -> None:
    html = page.get("new/inspection", params={"key": KEY, f"as.{EVIL}": "text", "label": EVIL}).text

    assert tags_of(html, "img") == []
    assert 'name="as.&lt;img src=x onerror=alert(1)&gt;"' in html
    assert "{{7*7}} (1,000)" in html


def test_a_correction_that_is_refused_can_be_taken_back(page: Page, api: FakeApi) -> None:
    api.fail("POST", "/datasets/inspect", 400, "InvalidDataset", "There is no column to learn from.")
    api.answer("GET", "/pipelines", {"runs": [], "next_token": None})

    html = page.get("new/inspection", params={"key": KEY, "as.alcohol": "ignore"}).text

    assert "There is no column to learn from." in html
    assert 'name="as.alcohol"' in html
    assert '<option value="ignore" selected>left out</option>' in html


def test_a_correction_is_inspected_anew_and_kept_in_the_address(page: Page, inspected: list[Mapping[str, object]]) -> None:
    said = {
        "key": KEY,
        "label": "alcohol",
        "task": "regression",
        "algorithm": "xgboost",
        "preset": "best",
        "as.id": "category",
        "as.alcohol": "ignore",
        "as.x": "no-such-kind",
        "deploy": "no",
    }

    answer = page.get("new/inspection", params=said, headers={"hx-request": "true", "hx-trigger": "corrections"})

    assert inspected[-1]["spec"] == {
        "dataset": {"label": "alcohol", "kinds": {"id": "category"}},
        "algorithm": {"name": "xgboost"},
        "task": "regression",
        "deployment": None,
    }
    address = answer.headers["hx-push-url"]
    assert parse_qs(urlsplit(address).query)["as.id"] == ["category"]
    # Who comes back to the address sees the same again.
    shown = page.get(f"http://127.0.0.1:8300{address}").text
    found = re.search(r'hx-get="([^"]*)"', shown)
    assert found is not None
    page.get(f"http://127.0.0.1:8300{unescape(found[1])}")
    assert inspected[-1] == inspected[-2]


def test_data_that_cannot_be_used_say_why_and_take_a_correction(page: Page, api: FakeApi, inspected: list[object]) -> None:
    api.fail("POST", "/datasets/inspect", 400, "InvalidDataset", "Two columns may be the label: 'a' and 'b'.")

    html = page.get("new/inspection", params={"key": KEY}).text

    assert "Two columns may be the label" in html
    assert '<input id="label" name="label"' in html
    assert re.search(r'id="start-run"\s+disabled', html)


def test_what_is_wrong_is_said_of_the_dropped_file_and_the_form(page: Page, api: FakeApi, inspected: list[object]) -> None:
    problem = f"s3://{BUCKET}/{KEY} has '1.2' in 'year': say in dataset.kinds that it is a category."
    api.fail("POST", "/datasets/inspect", 400, "InvalidDataset", problem)

    html = unescape(page.get("new/inspection", params={"key": KEY, "file": "Wine list.csv"}).text)

    assert "Wine list.csv has '1.2' in 'year'" in html
    assert "On this page dataset.kinds is “Taken for”" in html
    assert f"s3://{BUCKET}" not in html

    page.get("new/inspection", params={"key": KEY, "column": "year", "kind": "category"})
    asked = [json.loads(request.content) for request in api.requests if request.url.path == "/datasets/inspect"]
    assert asked[-1]["spec"]["dataset"]["kinds"] == {"year": "category"}


def test_mistakes_keep_a_run_from_starting(page: Page, api: FakeApi, inspected: list[object]) -> None:
    api.answer("POST", "/datasets/inspect", document(mistakes=["In 'alcohol', 1 value is no number."]))

    html = page.get("new/inspection", params={"key": KEY}).text

    assert "1 value is no number" in html
    assert re.search(r'id="start-run"\s+disabled', html)


def test_a_run_starts_once_for_each_page_however_often_it_is_clicked(page: Page, api: FakeApi) -> None:
    api.answer("POST", "/pipelines", {"run_id": RUN_ID, "status": "Running"}, 202)

    for _ in range(2):
        answer = page.post("new/start", data={"key": KEY, "once": "abc", "label": "grape", "as.id": "ignore"})
        assert answer.headers["hx-redirect"].endswith(f"/runs/{RUN_ID}")

    assert {request.headers["idempotency-key"] for request in api.requests} == {"console-abc"}
    assert json.loads(api.requests[0].content)["spec"] == {
        "name": "wine",
        "dataset": {"label": "grape", "kinds": {"id": "ignore"}, "uri": f"s3://{BUCKET}/{KEY}"},
    }


def test_who_comes_back_is_told_of_the_run_that_was_started(page: Page, api: FakeApi, inspected: list[object]) -> None:
    api.answer("GET", "/pipelines", {"runs": [run_record(dataset_uri=f"s3://{BUCKET}/{KEY}")], "next_token": None})

    html = page.get("new/inspection", params={"key": KEY}).text

    assert "A run was started of this file already" in html
    assert "Start another run" in html
    assert 'id="discard"' not in html, "the run reads the file"


def test_an_endpoint_whose_traffic_a_run_would_take_over_is_named_before(
    page: Page, api: FakeApi, inspected: list[object]
) -> None:
    said = "is there already: a model that is good enough takes the place"
    assert said not in page.get("new/inspection", params={"key": KEY}).text

    api.answer("GET", "/endpoints/wine", {"name": "wine"})

    assert said in page.get("new/inspection", params={"key": KEY}).text
    assert said not in page.get("new/inspection", params={"key": KEY, "deploy": "no"}).text


def test_a_form_that_is_too_large_is_not_read(page: Page) -> None:
    answer = page.post("new/start", content=b"x" * (2 << 20))

    assert answer.status_code == 400
    assert "The form has more than" in answer.text


@pytest.mark.parametrize(
    ("region", "host"),
    [("us-east-1", "data-bucket.s3.amazonaws.com"), ("eu-central-1", "data-bucket.s3.eu-central-1.amazonaws.com")],
)
def test_a_part_goes_straight_to_the_buckets_region(region: str, host: str) -> None:
    """A browser follows no redirect after a preflight."""
    session = boto3.Session("testing", "testing", "a-session-token", region_name=region)

    url = WatchingClients(session, Config()).s3_presigner.generate_presigned_url(
        "upload_part", Params={"Bucket": "data-bucket", "Key": KEY, "UploadId": "u", "PartNumber": 1}
    )

    assert urlsplit(url).netloc == host
    assert "X-Amz-SignedHeaders=host&" in url
    assert "checksum" not in url
