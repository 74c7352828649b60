"""Presigned links and forms, of both versions of signatures that boto3 makes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator_tests.guard.signed import BUCKET, Change, client, judged, made, reason, with_headers
from sagemaker_emulator.guard.refusals import Reason
from sagemaker_emulator.guard.request import Request

VERSIONS = {"version 4": {"signature_version": "s3v4"}, "version 2": {"signature_version": "s3"}}
BOUNDARY = "----boundary"

version = pytest.mark.parametrize("config", VERSIONS.values(), ids=VERSIONS)


def later() -> datetime:
    """When what was made now has expired."""
    return datetime.now(UTC) + timedelta(minutes=61)


def link(config: Mapping[str, str], operation: str = "get_object", secret: str | None = None, **parameters: Any) -> Request:
    made_by = client("s3", **config) if secret is None else client("s3", secret=secret, **config)
    named = {"Bucket": BUCKET, "Key": "results/a b+c é.csv", **parameters}
    method = {"get_object": "GET", "put_object": "PUT"}[operation]
    return made(method, made_by.generate_presigned_url(operation, Params=named, ExpiresIn=3600))


def form(config: Mapping[str, str], secret: str | None = None) -> tuple[str, dict[str, str]]:
    made_by = client("s3", **config) if secret is None else client("s3", secret=secret, **config)
    post = made_by.generate_presigned_post(BUCKET, "datasets/wine.csv", Conditions=[["content-length-range", 0, 100]])
    return post["url"], post["fields"]


def posted(url: str, fields: Mapping[str, str] | list[tuple[str, str]]) -> tuple[Request, bytes]:
    pairs = fields if isinstance(fields, list) else list(fields.items())
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in pairs]
    file = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n1,2\n\r\n--{BOUNDARY}--\r\n'
    request = made("POST", url)
    return with_headers(request, content_type=f"multipart/form-data; boundary={BOUNDARY}"), ("".join(parts) + file).encode()


@version
def test_a_link_passes_until_it_expires(config: Mapping[str, str]) -> None:
    assert judged(link(config)) is None
    assert judged(link(config, "put_object"), b"any content") is None
    assert judged(link(config, ResponseContentDisposition='attachment; filename="a b.csv"')) is None

    assert reason(link(config), now=later()) is Reason.EXPIRED


def test_a_link_of_boto3s_own_choice_passes() -> None:
    assert judged(link({})) is None


@version
@pytest.mark.parametrize(
    "change",
    [
        lambda request: replace(request, method="DELETE"),
        lambda request: replace(request, path=request.path.replace("results", "secrets")),
        lambda request: replace(request, query=request.query.replace("Signature=", "Signature=0", 1)),
        lambda request: replace(request, query=request.query + "&versionId=1"),
        lambda request: replace(request, query=request.query + "&Action=CreateUser"),
        lambda request: replace(request, query=request.query.replace("Expires=", "Expires=9", 1)),
        lambda request: with_headers(request, x_amz_target="DynamoDB_20120810.DeleteTable"),
        lambda request: with_headers(request, x_amz_acl="public-read"),
    ],
)
def test_a_link_that_was_changed_is_refused(config: Mapping[str, str], change: Change) -> None:
    assert reason(change(link(config))) in (Reason.MISMATCH, Reason.MALFORMED)


@version
def test_a_link_of_another_secret_is_refused(config: Mapping[str, str]) -> None:
    assert reason(link(config, secret="test")) is Reason.MISMATCH


def test_a_link_is_good_for_the_host_that_it_was_made_for() -> None:
    moved = with_headers(link(VERSIONS["version 4"]), host="127.0.0.1:4666")

    assert reason(moved) is Reason.MISMATCH


def test_a_link_of_version_2_says_nothing_that_it_does_not_cover() -> None:
    request = link(VERSIONS["version 2"], "put_object")

    for query in ("&x-amz-acl=public-read", "&Signature=x", "&content-type=a%0Ab"):
        assert reason(replace(request, query=request.query + query)) in (Reason.MISMATCH, Reason.MALFORMED)


@version
def test_a_form_with_a_signed_policy_passes_until_the_policy_expires(config: Mapping[str, str]) -> None:
    request, body = posted(*form(config))

    assert judged(request, body) is None
    assert reason(request, body, later()) is Reason.EXPIRED


@version
def test_a_form_is_refused_with_another_secret_or_policy(config: Mapping[str, str]) -> None:
    assert reason(*posted(*form(config, secret="test"))) is Reason.MISMATCH

    url, fields = form(config)
    policy = json.loads(base64.b64decode(fields["policy"]))
    wider = base64.b64encode(json.dumps({**policy, "conditions": []}).encode()).decode()
    assert reason(*posted(url, {**fields, "policy": wider})) is Reason.MISMATCH


@version
def test_a_form_without_proof_or_with_two_is_refused(config: Mapping[str, str]) -> None:
    url, fields = form(config)

    for name in fields:
        if name != "key":
            assert reason(*posted(url, {kept: value for kept, value in fields.items() if kept != name})) in (
                Reason.MALFORMED,
                Reason.MISMATCH,
            )
    assert reason(*posted(url, [*fields.items(), ("Policy", "x")])) is Reason.MALFORMED
    assert reason(*posted(url, {"key": "datasets/wine.csv"})) is Reason.MALFORMED


@pytest.mark.parametrize(
    "change",
    [
        lambda request: replace(request, query="Action=CreateUser"),
        lambda request: replace(request, path=f"/{BUCKET}/key"),
        lambda request: replace(request, method="PUT"),
        lambda request: with_headers(request, content_type="application/x-www-form-urlencoded"),
    ],
)
def test_a_form_uploads_to_a_bucket_and_does_nothing_else(change: Change) -> None:
    request, body = posted(*form(VERSIONS["version 4"]))

    assert reason(change(request), body) is Reason.UNSIGNED
    assert reason(with_headers(request, x_amz_target="DynamoDB_20120810.DeleteTable"), body) is Reason.UNSIGNED


@pytest.mark.parametrize("spoil", [lambda body: b"", lambda body: body[:200], lambda body: b"x" * 100_000])
def test_what_is_no_form_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    request, body = posted(*form(VERSIONS["version 4"]))

    assert reason(request, spoil(body)) is Reason.MALFORMED


@version
@pytest.mark.parametrize("path", ["/clusters", "/another-bucket", f"/{BUCKET}/datasets"])
def test_a_form_passes_to_its_own_bucket_only(config: Mapping[str, str], path: str) -> None:
    """MiniStack takes some paths for other services, which no form is a proof for."""
    url, fields = form(config)

    assert reason(*posted(url, fields)) is None
    assert reason(*posted(url.replace(f"/{BUCKET}", path), fields)) in (Reason.FOREIGN, Reason.UNSIGNED)


@pytest.mark.parametrize(
    "host", ["iam.localhost", "lambda.us-east-1.localhost:4566", "abc.execute-api.localhost", "b.s3.localhost"]
)
def test_what_does_not_sign_its_host_passes_to_no_host_that_names_a_service_or_a_bucket(host: str) -> None:
    for config in VERSIONS.values():
        request, body = posted(*form(config))
        assert reason(with_headers(request, host=host), body) is Reason.UNSIGNED
        assert reason(with_headers(link(config), host=host)) in (Reason.MALFORMED, Reason.MISMATCH)
