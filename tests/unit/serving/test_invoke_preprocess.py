"""The handler, asked with the golden events; and what importing it costs."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.invoke_preprocess import app
from sageline.aws.clients import CLIENTS
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import ObjectMissing
from sageline.formats.recordio import CONTENT_TYPE
from sageline.names import RunLayout
from tests.contract import complaint
from tests.unit.api.api_page import examples
from tests.unit.encoder.encoders import table, words_of_texts
from tests.unit.golden import golden_event
from tests.unit.serving.fakes import BUCKET, CLASSES, NEW, SageMaker, encoder, put_encoder, put_routing, variant

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROW = b"13.2,1,0,1050\n"
ROWS = ROW + b",0,1,520\n"
ANSWER = b"0.7,0.2,0.1\n"


class Context(LambdaContext):
    _function_name = "sageline-invoke-preprocess"
    _memory_limit_in_mb = 1024
    _invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:sageline-invoke-preprocess"
    _aws_request_id = "3f1b5c2e-0000-0000-0000-000000000000"


def golden(case: str) -> Any:  # an event is JSON
    return golden_event(f"invoke_preprocess/{case}")


@pytest.fixture
def ask(s3: S3Client, sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Asks the handler with a golden event, while endpoint ``wines`` serves a table with three columns."""
    columns = {"alcohol": "number", "colour": "category", "proline": "number"}
    features = table({"alcohol": None, "colour": ["red", "white"], "proline": None})
    put_routing(s3, variant(NEW, 1))
    put_encoder(s3, NEW, FittedEncoder("classification", columns, "grape", CLASSES, features))
    monkeypatch.setenv("BUCKET_NAME", BUCKET)
    monkeypatch.setenv("STACK_NAME", "wine-shop")
    monkeypatch.setitem(vars(CLIENTS), "s3", s3)
    monkeypatch.setitem(vars(CLIENTS), "sagemaker", sagemaker.client)
    monkeypatch.setattr(app, "sagemaker_runtime", lambda seconds: sagemaker.runtime)
    monkeypatch.setattr("time.sleep", lambda _: None)
    app.predictor.cache_clear()

    def call(case: str) -> dict[str, Any]:
        event = golden(case)
        answer: dict[str, Any] = dict(app.handler(event, Context()))
        if "requestContext" in event:  # whatever it answers is as the OpenAPI document says
            http = event["requestContext"]["http"]
            assert complaint(http["method"], http["path"], answer["statusCode"], answer["headers"], answer["body"]) is None
        return answer

    yield call
    app.predictor.cache_clear()


def emitted(name: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:  # JSON
    """The metrics of that name that were written to the log."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return [line for line in lines if name in line]


def body_of(answer: dict[str, Any]) -> Any:  # JSON
    return json.loads(answer["body"])


@pytest.mark.parametrize(
    ("case", "request_body"),
    [
        ("predict-objects", ROWS),
        ("predict-arrays", ROW),
        ("predict-for-session", ROW),
        ("predict-base64-body", ROW),
        ("predict-csv", ROWS),
        ("predict-csv-without-header", ROWS),
        ("predict-json-lines", ROWS),
        ("predict-probabilities", ROWS),
    ],
)
def test_rows_are_predicted(ask: Callable[[str], dict[str, Any]], sagemaker: SageMaker, case: str, request_body: bytes) -> None:
    rows = request_body.count(b"\n")
    sagemaker.answers(NEW, request_body, ANSWER * rows)
    answer = ask(case)
    assert answer["statusCode"] == 200
    assert [prediction["label"] for prediction in body_of(answer)["predictions"]] == ["merlot"] * rows
    assert "warnings" not in body_of(answer)
    assert (body_of(answer)["variant"], body_of(answer)["model_version"]) == (NEW, NEW)


@pytest.mark.parametrize(
    ("case", "request_body", "warning"),
    [
        ("missing-column", ROW + b"12,1,0,\n", "instances[1]: column 'proline' is absent and taken for missing."),
        ("extra-column", ROW, "instances[0]: unknown column 'vintage' is ignored."),
    ],
)
def test_columns_too_few_or_too_many_come_with_a_warning(
    ask: Callable[[str], dict[str, Any]], sagemaker: SageMaker, case: str, request_body: bytes, warning: str
) -> None:
    rows = request_body.count(b"\n")
    sagemaker.answers(NEW, request_body, ANSWER * rows)
    answer = ask(case)
    assert answer["statusCode"] == 200
    assert len(body_of(answer)["predictions"]) == rows
    assert body_of(answer)["warnings"] == [warning]


def test_options_come_in_the_query_string(ask: Callable[[str], dict[str, Any]], sagemaker: SageMaker) -> None:
    sagemaker.answers(NEW, ROWS, ANSWER * 2)
    predictions = body_of(ask("predict-csv"))["predictions"]
    assert [[item["label"] for item in prediction["top"]] for prediction in predictions] == [["merlot", "pinot"]] * 2


def test_every_class_is_told_if_asked_for(ask: Callable[[str], dict[str, Any]], sagemaker: SageMaker) -> None:
    sagemaker.answers(NEW, ROWS, ANSWER * 2)
    predictions = body_of(ask("predict-probabilities"))["predictions"]
    assert [item["probabilities"] for item in predictions] == [{"merlot": 0.7, "pinot": 0.2, "riesling": 0.1}] * 2


def test_csv_is_answered_with_what_json_says_besides_in_headers(
    ask: Callable[[str], dict[str, Any]], sagemaker: SageMaker
) -> None:
    sagemaker.answers(NEW, b"13.2,1,0,\n,0,1,\n", ANSWER * 2)
    answer = ask("answer-csv")
    assert answer["body"].splitlines() == [
        "label,probability,probability_merlot,probability_pinot,probability_riesling",
        *["merlot,0.7,0.7,0.2,0.1"] * 2,
    ]
    assert answer["headers"] == {
        "content-type": "text/csv; charset=utf-8; header=present",
        "sageline-variant": NEW,
        "sageline-model-version": NEW,
        "sageline-warnings": "[\"line 2 and 1 more: column 'proline' is absent and taken for missing.\"]",
    }


def test_json_lines_are_answered_under_the_name_that_was_asked_for(
    ask: Callable[[str], dict[str, Any]], sagemaker: SageMaker
) -> None:
    sagemaker.answers(NEW, ROWS, ANSWER * 2)
    answer = ask("answer-json-lines")
    assert answer["headers"]["content-type"] == "application/x-ndjson"
    top = {"label": "merlot", "probability": 0.7}
    assert [json.loads(line) for line in answer["body"].splitlines()] == [{**top, "top": [top]}] * 2


def test_an_error_is_json_whatever_the_client_accepts(ask: Callable[[str], dict[str, Any]], sagemaker: SageMaker) -> None:
    sagemaker.refuses(NEW, b"13.2,1,0,\n,0,1,\n", "ThrottlingException")
    answer = ask("answer-csv")
    assert (answer["statusCode"], answer["headers"]["content-type"]) == (429, "application/json")
    assert body_of(answer)["error"]["code"] == "TooManyRequests"


def test_texts_are_predicted(s3: S3Client, ask: Callable[[str], dict[str, Any]], sagemaker: SageMaker) -> None:
    words = words_of_texts(["bucket", "table"])
    fitted = FittedEncoder("classification", {"post": "text"}, "service", ["dynamodb", "s3"], words)
    put_encoder(s3, NEW, fitted)
    routed = variant(NEW, 1)
    put_routing(s3, type(routed)(**{**vars(routed), "content_type": CONTENT_TYPE}), endpoint="aws-docs")
    texts = fitted.block_from_instances(["Creates a new bucket.", "Puts an item into a table."])
    request = {
        "EndpointName": "aws-docs",
        "ContentType": CONTENT_TYPE,
        "Accept": "text/csv",
        "Body": fitted.request_body(fitted.encode(texts)),
    }
    sagemaker.will_answer(request, b"0.1\n0.8\n")
    answer = body_of(ask("predict-texts"))
    assert [prediction["label"] for prediction in answer["predictions"]] == ["dynamodb", "s3"]


@pytest.mark.parametrize(
    ("case", "status", "code", "words"),
    [
        ("malformed-json", 400, "InvalidRequest", "line 2, column 14"),
        ("no-body", 400, "InvalidRequest", "no body"),
        ("unknown-key", 400, "InvalidRequest", "did you mean `instances`"),
        ("instances-missing", 400, "InvalidRequest", "`instances` is missing"),
        ("instances-not-a-list", 400, "InvalidRequest", "a JSON object"),
        ("instances-empty", 400, "InvalidRequest", "empty"),
        ("top-k-out-of-range", 400, "InvalidRequest", "`top_k` is 100"),
        ("no-known-column", 400, "InvalidRequest", "instances[1]: none of the model's columns is there"),
        ("predict-image-of-a-table", 400, "InvalidRequest", "instances[0]: none of the model's columns is there"),
        ("strict-extra-column", 400, "InvalidRequest", "unknown column 'vintage'"),
        ("duplicate-key", 400, "InvalidRequest", "`alcohol` occurs twice"),
        ("unknown-endpoint", 404, "EndpointNotFound", "'no-such-endpoint'"),
        ("predict-without-scope", 403, "ScopeMissing", "lacks the scope `sageline/predict`"),
        ("csv-bad-value", 400, "InvalidRequest", "line 3, column 'alcohol': 'strong' is not a number"),
        ("csv-header-or-row", 400, "InvalidRequest", "Line 1 may be a header or a row"),
        ("json-lines-malformed", 400, "InvalidRequest", "Expecting value at line 2, column 13"),
        ("unknown-option", 400, "InvalidRequest", "Unknown key `topk` in the query string; did you mean `top_k`?"),
        ("unsupported-content-type", 415, "UnsupportedMediaType", "send application/json, text/csv, application/jsonlines"),
        ("not-acceptable", 406, "NotAcceptable", "ask for application/json, text/csv, application/jsonlines"),
    ],
)
def test_what_is_wrong_is_answered_by_name(
    ask: Callable[[str], dict[str, Any]], case: str, status: int, code: str, words: str
) -> None:
    answer = ask(case)
    assert (answer["statusCode"], body_of(answer)["error"]["code"]) == (status, code)
    assert words in body_of(answer)["error"]["message"]


@pytest.mark.parametrize(
    ("key", "code", "words"),
    [
        ("endpoints/wines/routing.json", "InvalidRouting", "damaged"),
        (f"runs/{NEW}/encoder/encoder.json", "InvalidEncoder", "encoder.json is damaged"),
    ],
)
def test_what_is_damaged_is_said_with_what_to_do(
    ask: Callable[[str], dict[str, Any]], s3: S3Client, key: str, code: str, words: str
) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"{")

    answer = ask("predict-objects")

    error = body_of(answer)["error"]
    assert (answer["statusCode"], error["code"]) == (500, code)
    assert words in error["message"]
    assert error["message"].endswith(("deploy the endpoint's last run again.", "train the model again."))


def test_the_state_machines_smoke_test_gets_a_states_result(
    ask: Callable[[str], dict[str, Any]], s3: S3Client, sagemaker: SageMaker
) -> None:
    row = {"features": {"alcohol": "13.2", "colour": "red", "proline": "1050"}, "label": "merlot"}
    s3.put_object(Bucket=BUCKET, Key=f"{RunLayout(BUCKET, NEW).test_raw_prefix}part-00000.jsonl", Body=json.dumps(row).encode())
    sagemaker.answers(NEW, ROW, ANSWER)
    assert ask("smoke-test") == {"rows": 1, "variant": NEW}


def test_a_smoke_test_that_fails_fails_the_state(ask: Callable[[str], dict[str, Any]]) -> None:
    with pytest.raises(ObjectMissing):
        ask("smoke-test")


def test_no_instance_is_ever_logged(
    ask: Callable[[str], dict[str, Any]], sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = io.StringIO()
    monkeypatch.setattr(app.logger.registered_handler, "stream", logged)
    for case in ("predict-for-session", "extra-column"):
        sagemaker.answers(NEW, ROW, ANSWER)
        ask(case)
    sagemaker.answers(NEW, ROWS, ANSWER * 2)
    ask("predict-csv")
    ask("strict-extra-column")
    ask("csv-bad-value")
    assert '"instances":1' in logged.getvalue()
    assert "vintage" not in logged.getvalue()
    assert "colour" not in logged.getvalue()
    assert "13.2" not in logged.getvalue()
    assert "strong" not in logged.getvalue()
    assert "customer-42" not in logged.getvalue()


def test_instances_are_counted_for_each_endpoint(
    ask: Callable[[str], dict[str, Any]], sagemaker: SageMaker, capsys: pytest.CaptureFixture[str]
) -> None:
    sagemaker.answers(NEW, ROWS, ANSWER * 2)
    ask("predict-objects")
    [metric] = emitted("Instances", capsys)
    assert (metric["Endpoint"], metric["Instances"]) == ("wines", [2.0])


def test_an_answer_counts_as_no_error_in_the_metric_that_the_stacks_alarm_watches(
    ask: Callable[[str], dict[str, Any]], sagemaker: SageMaker, capsys: pytest.CaptureFixture[str]
) -> None:
    sagemaker.answers(NEW, ROW, ANSWER)
    ask("predict-arrays")
    [metric] = emitted("PredictionErrors", capsys)
    [declared] = metric["_aws"]["CloudWatchMetrics"]
    assert metric["PredictionErrors"] == [0.0]
    assert (declared["Namespace"], sorted(declared["Dimensions"][0])) == ("Sageline", ["service", "stack"])
    assert (metric["service"], metric["stack"]) == ("sageline", "wine-shop")


def test_a_callers_mistake_counts_as_no_error(ask: Callable[[str], dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    ask("no-known-column")
    [metric] = emitted("PredictionErrors", capsys)
    assert metric["PredictionErrors"] == [0.0]


def test_an_error_of_ours_counts_as_one(
    ask: Callable[[str], dict[str, Any]], s3: S3Client, capsys: pytest.CaptureFixture[str]
) -> None:
    s3.put_object(Bucket=BUCKET, Key="endpoints/wines/routing.json", Body=b"{")
    ask("predict-objects")
    [metric] = emitted("PredictionErrors", capsys)
    assert metric["PredictionErrors"] == [1.0]


def test_the_documented_request_gets_the_documented_answer(
    ask: Callable[[str], dict[str, Any]], s3: S3Client, sagemaker: SageMaker
) -> None:
    example = examples()["POST /endpoints/{name}/predictions"]
    put_encoder(s3, NEW, encoder())
    sagemaker.answers(NEW, b"13.2,1,0\n,0,1\n", b"0.91,0.06,0.03\n0.11,0.05,0.84\n")
    event: Any = example.event
    answer = app.handler(event, Context())
    assert answer["statusCode"] == example.status
    assert body_of(dict(answer)) == example.answer


@pytest.mark.slow
def test_nothing_heavy_is_imported_on_the_way_to_a_prediction() -> None:
    script = "import sys, functions.invoke_preprocess.app; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy = {"pydantic", "pydantic_core", "scipy", "sklearn", "pandas", "xgboost", "aws_lambda_powertools.event_handler"}
    heavy |= {"pyarrow", "python_calamine"}  # which only the functions that read datasets have
    assert heavy & set(done.stdout.split()) == set()
    assert "sageline.spec.model" not in done.stdout.split()
    parts = {".".join(name.split(".")[:2]) for name in done.stdout.split()}
    assert {"sageline.report", "sageline.evaluation"} & parts == set()
