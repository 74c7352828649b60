"""What AWS's own SDK signs passes; what was changed on the way does not."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from emulator_tests.guard.signed import (
    BUCKET,
    ENDPOINT,
    KEY,
    SECRET,
    Change,
    Sent,
    client,
    judged,
    made,
    reason,
    sent,
    with_headers,
)
from sagemaker_emulator.guard.refusals import Reason
from sagemaker_emulator.guard.request import Request

CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("s3", "list_buckets", {}),
    ("s3", "list_objects_v2", {"Bucket": BUCKET, "Prefix": "a b/+&=é", "Delimiter": "/"}),
    ("s3", "get_object", {"Bucket": BUCKET, "Key": "a//../b c+d%2f~é"}),
    ("s3", "put_object", {"Bucket": BUCKET, "Key": "k", "Body": b"content" * 100, "Metadata": {"note": "two  spaces"}}),
    ("s3", "put_object", {"Bucket": BUCKET, "Key": "stream", "Body": io.BytesIO(b"content" * 100)}),
    ("s3", "delete_objects", {"Bucket": BUCKET, "Delete": {"Objects": [{"Key": "a"}]}}),
    ("dynamodb", "get_item", {"TableName": "t", "Key": {"id": {"S": "é"}}}),
    ("lambda", "list_functions", {}),
    ("lambda", "invoke", {"FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:f", "Payload": b"{}"}),
    ("iam", "list_roles", {}),
    ("sts", "get_caller_identity", {}),
    ("stepfunctions", "list_state_machines", {}),
    ("cloudwatch", "put_metric_data", {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1}]}),
    ("sagemaker", "list_training_jobs", {"NameContains": "é"}),
    ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "wine", "Body": b"1,2", "CustomAttributes": "a=b"}),
    ("application-autoscaling", "describe_scalable_targets", {"ServiceNamespace": "sagemaker"}),
]


def put() -> Sent:
    return sent(client("s3"), "put_object", Bucket=BUCKET, Key="datasets/wine.csv", Body=b"1,2\n" * 50, Metadata={"by": "me"})


def item() -> Sent:
    return sent(client("dynamodb"), "get_item", TableName="t", Key={"id": {"S": "1"}})


def execute_api(query: str = "") -> Request:
    """As the HTTP API's clients sign."""
    request = AWSRequest("GET", f"{ENDPOINT}/_aws/execute-api/abc/pipelines{query}")
    SigV4Auth(Credentials(KEY, SECRET), "execute-api", "us-east-1").add_auth(request)
    return as_sent(request)


class Declares(SigV4Auth):
    """Signs what it is told in place of the body's hash."""

    def __init__(self, declared: str, service: str) -> None:
        super().__init__(Credentials(KEY, SECRET), service, "us-east-1")
        self._declared = declared

    def signed(self) -> Request:
        request = AWSRequest("PUT", f"{ENDPOINT}/{BUCKET}/k", headers={"X-Amz-Content-SHA256": self._declared})
        self.add_auth(request)
        return as_sent(request)


def as_sent(request: AWSRequest) -> Request:
    return made(request.method or "", request.url or "", **dict(request.headers.items()))


@pytest.mark.slow
@pytest.mark.parametrize(("service", "operation", "arguments"), CALLS)
def test_a_request_that_boto3_signed_passes(service: str, operation: str, arguments: dict[str, Any]) -> None:
    request, body = sent(client(service), operation, **arguments)

    assert judged(request, body) is None


@pytest.mark.parametrize("query", ["", "?limit=5&next_token=a%2Bb%2F%3D", "?tag=a&tag=b&empty="])
def test_a_request_to_the_http_api_passes(query: str) -> None:
    assert judged(execute_api(query)) is None


@pytest.mark.slow
@pytest.mark.parametrize(("service", "operation", "arguments"), CALLS)
def test_a_request_that_another_secret_signed_is_refused(service: str, operation: str, arguments: dict[str, Any]) -> None:
    request, body = sent(client(service, secret="test"), operation, **arguments)

    assert reason(request, body) is Reason.MISMATCH


@pytest.mark.parametrize("key", ["000000000000", "AKIAIOSFODNN7EXAMPLE", "TEST"])
def test_a_key_that_is_not_known_is_refused(key: str) -> None:
    assert reason(*sent(client("sts", key=key), "get_caller_identity")) is Reason.UNKNOWN_KEY


@pytest.mark.parametrize(
    "change",
    [
        lambda request: replace(request, method="DELETE"),
        lambda request: replace(request, path=request.path + "x"),
        lambda request: replace(request, path="/" + request.path),
        lambda request: replace(request, query="acl"),
        lambda request: with_headers(request, host="localhost:4566"),
        lambda request: with_headers(request, host="127.0.0.1:4666"),
        lambda request: with_headers(request, x_amz_meta_by="you"),
        lambda request: with_headers(request, x_amz_content_sha256="UNSIGNED-PAYLOAD"),
        lambda request: with_headers(request, x_amz_date=f"{datetime.now(UTC) + timedelta(seconds=60):%Y%m%dT%H%M%SZ}"),
    ],
    ids=["method", "path", "slashes", "query", "host", "port", "header", "payload", "date"],
)
def test_a_request_that_was_changed_is_refused(change: Change) -> None:
    request, body = put()

    assert reason(request, body) is None
    assert reason(change(request), body) is Reason.MISMATCH


def test_a_body_that_was_changed_is_refused_where_its_hash_is_a_header_and_where_it_is_not() -> None:
    request, body = put()
    assert reason(request, body[:-1] + b"x") is Reason.BODY
    assert reason(request, body[:-1]) is Reason.BODY
    assert reason(request, b"") is Reason.BODY

    request, body = item()
    assert reason(request, body.replace(b'"1"', b'"2"')) is Reason.MISMATCH
    assert reason(with_headers(request, x_amz_target="DynamoDB_20120810.DeleteItem"), body) is Reason.MISMATCH


@pytest.mark.parametrize("name", ["x-amz-target", "x-amz-acl", "x-amz-copy-source", "x-amz-security-token"])
def test_what_decides_about_a_request_must_be_signed(name: str) -> None:
    request, body = put()

    assert reason(replace(request, headers=(*request.headers, (name, "x"))), body) is Reason.MALFORMED


def test_the_host_must_be_signed() -> None:
    request, _ = item()
    without = request.header("authorization").replace(";host;", ";")

    assert reason(with_headers(request, authorization=without)) is Reason.MALFORMED


@pytest.mark.parametrize(
    ("minutes", "expected"), [(-16, Reason.SKEWED), (-14, None), (14, None), (16, Reason.SKEWED), (60 * 24, Reason.SKEWED)]
)
def test_clocks_may_differ_by_a_quarter_of_an_hour(minutes: int, expected: Reason | None) -> None:
    request, body = item()

    assert reason(request, body, datetime.now(UTC) + timedelta(minutes=minutes)) is expected


@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3, SignedHeaders=host, Signature=" + "0" * 64,
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
        "AWS4-ECDSA-P256-SHA256 Credential=test/20260101/s3/aws4_request, SignedHeaders=host, Signature=" + "0" * 64,
        "AWS test:c2lnbmF0dXJl",
    ],
)
def test_what_is_no_signature_of_version_4_is_refused(authorization: str) -> None:
    request, _ = item()

    assert reason(with_headers(request, authorization=authorization)) is Reason.MALFORMED


@pytest.mark.parametrize("authorization", ["", "Basic dGVzdDp0ZXN0", "Bearer abc", "test"])
def test_without_a_signature_nothing_passes(authorization: str) -> None:
    request, body = item()

    assert reason(with_headers(request, authorization=authorization), body) is Reason.UNSIGNED


def test_what_stands_for_an_s3_body_must_be_known() -> None:
    assert reason(Declares("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "s3").signed()) is Reason.MALFORMED


@pytest.mark.parametrize("declared", ["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"])
@pytest.mark.parametrize(("service", "expected"), [("s3", None), ("dynamodb", Reason.BODY)])
def test_a_body_is_left_unsigned_for_s3_only(declared: str, service: str, expected: Reason | None) -> None:
    assert reason(Declares(declared, service).signed(), b"whatever") is expected
