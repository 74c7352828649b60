"""Inspections by the HTTP API: which datasets, what of them, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from functions.inspect_dataset import app
from sageline.api.inspection import inspect_dataset
from sageline.aws.clients import CLIENTS
from sageline.json_objects import Json
from sageline.runs.documents import RunFiles
from sageline_local.golden_events import GoldenEvent, golden_events
from tests.golden import check
from tests.unit.api.api_page import examples, shape
from tests.unit.api.fakes import BUCKET, TABLE, Answer, Clients, Context
from tests.unit.golden import NAMES, golden_event

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FLOWERS = b"size,colour,kind\n" + b"".join(b"%d.5,red,rose\n%d.5,blue,iris\n" % (i % 7, i % 5) for i in range(40))
URI = f"s3://{BUCKET}/datasets/flowers/data.csv"

Ask = Callable[..., Answer]


@pytest.fixture
def ask(s3: S3Client, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Asks the function with a golden event and, where one is given, another body."""
    for name, value in {"BUCKET_NAME": BUCKET, "RUNS_TABLE_NAME": TABLE, "STACK_NAME": "sageline"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setitem(vars(CLIENTS), "s3", s3)

    def call(case: str = "inspect", body: Json | None = None) -> Answer:
        event: Any = golden_event(f"inspect_dataset/{case}")  # JSON
        if body is not None:
            event["body"] = json.dumps(body)
        answer = app.handler(event, Context())
        return Answer(answer["statusCode"], json.loads(answer["body"]), answer["headers"])

    return call


@pytest.fixture
def put(s3: S3Client) -> Callable[[str, bytes], None]:
    def put(key: str, body: bytes) -> None:
        s3.put_object(Bucket=BUCKET, Key=f"datasets/{key}", Body=body)

    return put


Put = Callable[[str, bytes], None]


def test_what_is_in_the_bucket_is_inspected_as_the_spec_says(ask: Ask, put: Put) -> None:
    put("flowers/rows.csv", FLOWERS)

    answer = ask("inspect")

    assert answer.status == 200
    assert answer.body["label"]["classes"] == {"rose": 40, "iris": 40}
    assert [column["kind"] for column in answer.body["columns"]] == ["number", "category"]
    assert (answer.body["rows"], answer.body["is_sample"]) == (80, False)


def test_rows_that_are_some_of_a_large_file_are_called_a_sample(ask: Ask, put: Put) -> None:
    put("flowers/rows.csv", FLOWERS + b"1.5,red,rose\n" * 700_000)

    answer = ask("inspect").body

    assert 80 < answer["rows"] < 700_080
    assert answer["is_sample"] is True


def test_by_name_it_is_the_upload_with_the_spec_beside_it(ask: Ask, put: Put) -> None:
    put("flowers/data.csv", FLOWERS)
    put("flowers/spec.json", b'{"dataset": {"label": "colour"}}')

    assert ask(body={"name": "flowers"}).body["label"]["name"] == "colour"
    assert ask(body={"name": "flowers"}).body["source"] == URI
    assert ask(body={"name": "flowers", "spec": {"dataset": {"label": "size"}}}).body["label"]["name"] == "size"
    assert ask(body={"uri": URI}).body["label"]["name"] == "kind"


def test_by_name_it_is_the_parts_in_the_folder_where_there_is_no_single_file(ask: Ask, put: Put) -> None:
    put("flowers/data-00.csv", FLOWERS)
    put("flowers/data-01.csv", FLOWERS.replace(b"red", b"pink"))

    answer = ask(body={"name": "flowers", "spec": {"dataset": {"label": "kind"}}})

    assert (answer.status, answer.body["rows"]) == (200, 160)
    assert answer.body["source"] == f"s3://{BUCKET}/datasets/flowers/"


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        ({}, (400, "InvalidRequest"), "Give either the `uri` of the data or the `name`"),
        ({"uri": URI, "name": "flowers"}, (400, "InvalidRequest"), "Give either"),
        ({"url": URI}, (400, "InvalidRequest"), "did you mean `uri`?"),
        ({"uri": f"s3://{BUCKET}/runs/x/data/train.csv"}, (400, "InvalidRequest"), f"an object below s3://{BUCKET}/datasets/"),
        ({"uri": f"s3://{BUCKET}/datasets/"}, (400, "InvalidRequest"), "an object below"),
        ({"uri": f"s3://{BUCKET}/datasets/../runs/x.csv"}, (400, "InvalidRequest"), "an object below"),
        ({"uri": f"s3://{BUCKET}/datasets/{'k' * 2000}.csv"}, (400, "InvalidRequest"), "an object below"),
        ({"uri": 7}, (400, "InvalidRequest"), "`uri` is 7"),
        ({"name": "../runs"}, (400, "InvalidRequest"), "is no dataset's name"),
        ({"name": "roses"}, (404, "DatasetNotFound"), "datasets/roses/ has no data"),
        ({"uri": f"s3://{BUCKET}/datasets/roses/data.csv"}, (404, "DatasetNotFound"), "there is no such object"),
        ({"uri": f"s3://{BUCKET}/datasets/flowers/data.docx"}, (400, "InvalidDataset"), "is not a format that can be read"),
        ({"uri": URI, "spec": {"datasets": {}}}, (400, "InvalidSpec"), "datasets"),
        ({"uri": URI, "spec": {"dataset": {"label": "kinds"}}}, (400, "InvalidSpec"), "Did you mean 'kind'?"),
        (
            {"uri": URI, "spec": {"algorithm": {"name": "xgboost", "hyperparameters": {"eta": 7}}}},
            (400, "InvalidHyperparameter"),
            "eta",
        ),
    ],
)
def test_what_cannot_be_inspected_is_refused(ask: Ask, put: Put, body: Json, error: tuple[int, str], message: str) -> None:
    put("flowers/data.csv", FLOWERS)

    answer = ask(body=body)

    assert (answer.status, answer.body["error"]["code"]) == error
    assert message in answer.body["error"]["message"]


def without_choices(document: Json) -> Json:
    """What is chosen for the data, and why, is another matter than how it is told."""
    algorithms = [{**each, "hyperparameters": {}, "options": {}} for each in document["algorithms"]]
    return {**document, "reasons": None, "algorithms": algorithms}


def test_the_answer_is_as_docs_api_md_describes_it(ask: Ask, put: Put) -> None:
    example = examples()["POST /datasets/inspect"]
    rows = [f"A{i},{'' if i % 20 == 0 else i % 77}.5,it fits me {i} and is nice,{'yes' if i % 4 else 'no'}" for i in range(100)]
    put("shop/data.csv", "\n".join(["order_id,price,review,returned", *rows]).replace(",.5,", ",,").encode())

    answer = ask(body=json.loads(example.event["body"]))

    assert answer.status == example.status
    shown, documented = [shape(without_choices(document)) for document in (answer.body, example.answer)]
    assert shown == documented


def test_what_a_run_refuses_is_refused_with_its_words(ask: Ask, put: Put) -> None:
    put("flowers/data.csv", b"kind,kind\na,b\n")
    answer = ask(body={"uri": URI})
    assert (answer.status, answer.body["error"]["code"]) == (400, "InvalidDataset")
    assert answer.body["error"]["message"].startswith(f"{URI}: header (line 1")


def test_what_takes_too_long_to_read_is_told_from_fewer_rows(put: Put, s3: S3Client) -> None:
    put("flowers/data.csv", b"size,colour,kind\n" + b"1.5,red,rose\n2.5,blue,iris\n" * 200_000)

    slow, quick = [inspect_dataset({"name": "flowers"}, RunFiles(s3, BUCKET), clock) for clock in (count(step=7).__next__, int)]

    assert 0 < slow["rows"] < quick["rows"] == 400_000
    assert f"from {slow['rows']:,} rows, because there was no time for more" in slow["notes"][-1]
    assert quick["notes"] == []


@pytest.mark.parametrize("event", [event for event in golden_events() if event.function == "inspect_dataset"], ids=str)
def test_a_golden_event_has_its_answer(ask: Ask, put: Put, event: GoldenEvent) -> None:
    put("flowers/rows.csv", FLOWERS)
    put("flowers/data.csv", FLOWERS)
    answer = ask(event.case)
    check(event, {"statusCode": answer.status, "headers": answer.headers, "body": json.dumps(answer.body)}, NAMES)


def test_nothing_is_written(ask: Ask, put: Put, s3: S3Client) -> None:
    put("flowers/data.csv", FLOWERS)
    ask(body={"name": "flowers"})
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["datasets/flowers/data.csv"]


def test_no_value_of_the_data_is_logged(ask: Ask, put: Put, caplog: pytest.LogCaptureFixture) -> None:
    put("flowers/data.csv", FLOWERS)
    ask(body={"name": "flowers"})
    logged = "".join(str(vars(record)) for record in caplog.records)
    assert "Dataset inspected" in logged
    assert "rose" not in logged


def test_what_a_budget_leaves_is_told_at_the_prices_of_the_stack(ask: Ask, put: Put, s3: S3Client) -> None:
    put("flowers/data.csv", FLOWERS)
    asked: Json = {"uri": URI, "spec": {"budget_usd": 0.2}}
    assert [each["algorithm"] for each in ask(body=asked).body["algorithms"]] == ["xgboost"]

    s3.put_object(Bucket=BUCKET, Key="prices.json", Body=b'{"instances": {"ml.m5.xlarge": 0.01, "ml.m5.large": 0.01}}')

    answer = ask(body=asked).body
    assert [each["algorithm"] for each in answer["algorithms"]] == ["xgboost", "linear-learner"]
    assert not any(reason.startswith("left out: `budget_usd`") for reason in answer["reasons"].values())


def test_a_budget_that_allows_no_training_job_is_refused(ask: Ask, put: Put) -> None:
    put("flowers/data.csv", FLOWERS)

    answer = ask(body={"uri": URI, "spec": {"budget_usd": 0.01}})

    assert (answer.status, answer.body["error"]["code"]) == (400, "BudgetExceeded")
