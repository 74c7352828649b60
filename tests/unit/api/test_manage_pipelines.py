"""The handler, asked with the golden events."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from functions.manage_pipelines import app
from sageline.api import routes
from sageline.api.endpoints import Endpoints
from sageline.aws.http import Event
from sageline.runs.store import RunRecord, RunStore
from tests.unit.api.fakes import BUCKET, Answer, Clients, Manage

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RUN = "wines-20261120100000-0a1b2c"


@pytest.fixture
def ask(manage: Manage, golden: Callable[[str], Event]) -> Callable[[str], Answer]:
    """Asks the handler with a golden event."""
    return lambda case: manage(golden(case))


def error_of(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body["error"]["code"]


@pytest.mark.slow
def test_a_dataset_is_answered_with_where_to_put_it(ask: Callable[[str], Answer]) -> None:
    answer = ask("post-dataset")
    assert answer.status == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.body["upload"]["method"] == "PUT"
    assert (answer.body["bucket"], answer.body["key"]) == (BUCKET, "datasets/wines/data.csv")


def test_a_dataset_may_bring_its_spec(ask: Callable[[str], Answer], s3: S3Client) -> None:
    assert ask("post-dataset-with-spec").body["key"] == "datasets/wines/data.jsonl"
    assert s3.head_object(Bucket=BUCKET, Key="datasets/wines/spec.json")["ContentType"] == "application/json"


def test_a_pipeline_is_accepted_and_shown_at_once(
    ask: Callable[[str], Answer], manage: Manage, golden: Callable[[str], Event]
) -> None:
    accepted = ask("post-pipeline")
    assert accepted.status == 202
    assert accepted.body["status"] == "Running"

    event = golden("get-pipeline")
    run_id = accepted.body["run_id"]
    shown = manage({**event, "rawPath": f"/pipelines/{run_id}", "pathParameters": {"id": run_id}})
    assert shown.status == 200
    assert shown.body["run_id"] == run_id


def test_a_part_is_answered_with_where_to_put_it(ask: Callable[[str], Answer]) -> None:
    assert (ask("post-dataset-part").status, ask("post-dataset-part").body["key"]) == (201, "datasets/wines/data-00.csv")


def test_parts_that_are_complete_start_one_run_however_often_it_is_said(
    ask: Callable[[str], Answer], manage: Manage, golden: Callable[[str], Event], s3: S3Client
) -> None:
    s3.put_object(Bucket=BUCKET, Key="datasets/parted/data-00.csv", Body=b"a,b\n1,2\n")

    accepted = ask("post-complete")

    assert (accepted.status, accepted.body["status"]) == (202, "Running")
    assert accepted.body["run_id"].startswith("parted-20261120100000-")
    assert ask("post-complete").body == accepted.body
    run_id = accepted.body["run_id"]
    shown = manage({**golden("get-pipeline"), "rawPath": f"/pipelines/{run_id}", "pathParameters": {"id": run_id}}).body
    assert shown["dataset_uri"] == f"s3://{BUCKET}/datasets/parted/"


def test_parts_that_are_complete_without_a_key_start_a_run_each_time(
    manage: Manage, golden: Callable[[str], Event], s3: S3Client
) -> None:
    s3.put_object(Bucket=BUCKET, Key="datasets/parted/train.csv", Body=b"a,b\n1,2\n")
    event = golden("post-complete")
    del event["headers"]["idempotency-key"]
    first = manage(event).body
    event["requestContext"]["requestId"] = "another"
    assert manage({**event, "body": "{}"}).body["run_id"] != first["run_id"]


def test_the_key_of_another_request_is_a_conflict_for_parts_too(
    ask: Callable[[str], Answer], manage: Manage, golden: Callable[[str], Event], s3: S3Client
) -> None:
    for name in ("parted", "others"):
        s3.put_object(Bucket=BUCKET, Key=f"datasets/{name}/data-00.csv", Body=b"a,b\n1,2\n")
    ask("post-complete")
    assert error_of(manage({**golden("post-complete"), "pathParameters": {"name": "others"}})) == (409, "ResourceConflict")


@pytest.mark.parametrize("name", ["No Name", "a" * 33, "x\n"])
def test_a_dataset_that_cannot_be_is_not_found(manage: Manage, golden: Callable[[str], Event], name: str) -> None:
    assert error_of(manage({**golden("post-complete"), "pathParameters": {"name": name}})) == (404, "DatasetNotFound")


@pytest.mark.parametrize("name", ["𮱫", "\x9b", "a§b"])
def test_a_name_of_any_characters_is_that_of_a_run_that_is_not_there(
    manage: Manage, golden: Callable[[str], Event], name: str
) -> None:
    event = {**golden("get-pipeline"), "rawPath": f"/pipelines/{name}", "pathParameters": {"id": name}}
    assert error_of(manage(event)) == (404, "RunNotFound")


def test_keys_in_the_body_of_complete_are_refused(manage: Manage, golden: Callable[[str], Event]) -> None:
    assert error_of(manage({**golden("post-complete"), "body": '{"spec": {}}'})) == (400, "InvalidRequest")


def test_the_same_key_is_the_same_run_and_another_spec_a_conflict(ask: Callable[[str], Answer]) -> None:
    first = ask("post-pipeline-with-idempotency-key")
    assert ask("post-pipeline-with-idempotency-key").body == first.body
    assert error_of(ask("post-pipeline-same-key-other-spec")) == (409, "ResourceConflict")


def test_runs_are_listed_and_shown(ask: Callable[[str], Answer], store: RunStore) -> None:
    store.claim(RunRecord(run_id=RUN, name="wines", execution_arn="arn:aws:states:us-east-1:123456789012:execution:m:e"))
    store.finish(RUN, "Succeeded")
    assert [run["run_id"] for run in ask("list-pipelines").body["runs"]] == [RUN]
    assert ask("list-pipelines-by-token").body == ask("list-pipelines").body
    assert ask("list-pipelines-of-a-name").body["next_token"] is None
    [brief] = ask("list-pipelines-without-details").body["runs"]
    assert (brief["run_id"], brief["states"], brief["details"]) == (RUN, [], {})
    assert ask("get-pipeline").body["status"] == "Succeeded"
    assert error_of(ask("delete-pipeline-ended")) == (409, "RunFinished")


def test_endpoints_are_listed_and_shown(ask: Callable[[str], Answer], put_routing: Callable[..., None]) -> None:
    put_routing("wines", **{RUN: 1})
    assert [endpoint["name"] for endpoint in ask("list-endpoints").body["endpoints"]] == ["wines"]
    shown = ask("get-endpoint").body
    assert (shown["status"], shown["columns"]) == ("Missing", None)


@pytest.fixture
def wines(clients: Clients, put_routing: Callable[..., None]) -> None:
    """An endpoint in service."""
    put_routing("wines", **{RUN: 0.5})
    clients.aws.sagemaker.run_endpoint("wines")


@pytest.mark.usefixtures("wines")
def test_traffic_is_split(ask: Callable[[str], Answer]) -> None:
    assert ask("patch-endpoint").body["variants"] == [{"name": RUN, "weight": 1.0, "model_version": RUN}]


@pytest.mark.usefixtures("wines")
def test_an_endpoint_is_given_more_time(ask: Callable[[str], Answer]) -> None:
    before = datetime.now(UTC)
    expires_at = datetime.fromisoformat(ask("patch-endpoint-time-to-live").body["expires_at"])
    assert before <= expires_at - timedelta(hours=24) <= datetime.now(UTC) + timedelta(seconds=1), "in whole seconds"


def test_traffic_that_cannot_be_split_is_refused(ask: Callable[[str], Answer], put_routing: Callable[..., None]) -> None:
    put_routing("wines", **{RUN: 0.5})
    answer = ask("patch-endpoint")
    assert error_of(answer) == (503, "EndpointNotReady")
    assert answer.headers["retry-after"] == "10"
    assert error_of(ask("patch-endpoint-unknown-variant")) == (400, "InvalidRequest")
    assert error_of(ask("patch-endpoint-all-zero")) == (400, "InvalidRequest")


@pytest.mark.parametrize(
    ("case", "status", "code"),
    [
        ("post-complete-without-parts", 404, "DatasetNotFound"),
        ("post-dataset-invalid-file", 400, "InvalidRequest"),
        ("post-dataset-invalid-name", 400, "InvalidRequest"),
        ("post-dataset-invalid-spec", 400, "InvalidSpec"),
        ("post-pipeline-without-uri", 400, "InvalidSpec"),
        ("post-pipeline-malformed-json", 400, "InvalidRequest"),
        ("post-pipeline-without-scope", 403, "ScopeMissing"),
        ("list-pipelines-limit-out-of-range", 400, "InvalidRequest"),
        ("get-pipeline-unknown", 404, "RunNotFound"),
        ("delete-pipeline-unknown", 404, "RunNotFound"),
        ("get-endpoint-unknown", 404, "EndpointNotFound"),
        ("unknown-route", 404, "RouteNotFound"),
    ],
)
def test_what_is_wrong_is_answered_by_name(ask: Callable[[str], Answer], case: str, status: int, code: str) -> None:
    assert error_of(ask(case)) == (status, code)


def test_an_unexpected_error_tells_nothing(ask: Callable[[str], Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Endpoints) -> None:
        raise KeyError("secret")

    monkeypatch.setattr(Endpoints, "list", broken)
    answer = ask("list-endpoints")
    assert error_of(answer) == (500, "InternalError")
    assert "secret" not in json.dumps(answer.body)


def test_no_body_is_ever_logged(ask: Callable[[str], Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    logged = io.StringIO()
    monkeypatch.setattr(app.logger.registered_handler, "stream", logged)
    monkeypatch.setattr(routes, "create_upload", lambda *_, **__: 1 / 0)
    ask("post-dataset-with-spec")
    ask("post-pipeline-malformed-json")
    assert "ZeroDivisionError" in logged.getvalue()
    assert "grape" not in logged.getvalue()
