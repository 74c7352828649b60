"""Requests of foreign pages, to foreign names, to closed paths, and those that two readers may understand in two ways."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator_tests.guard.signed import SECRET, Change, client, made, reason, sent, with_headers
from sagemaker_emulator.guard.decision import Rules
from sagemaker_emulator.guard.refusals import Reason


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:4566", "127.0.0.1", "127.9.8.7:80", "localhost:4566", "LOCALHOST:4566", "[::1]:4566", "bucket.s3.localhost:4566",
     "5aa290aa.execute-api.localhost"],
)  # fmt: skip
def test_requests_for_the_loopback_pass(host: str) -> None:
    assert reason(*sent(client("sts", endpoint=f"http://{host}"), "get_caller_identity")) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "host",
    ["evil.example:4566", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "localhost.localstack.cloud:4566",
     "notlocalhost", "0.0.0.0:4566", "192.168.1.2:4566", "[::2]:4566", "[::ffff:192.168.1.2]",
     ".localhost", "", "127.1", "2130706433", "127.0.0.1:4566, evil.example", "127.0.0.1:evil", "user@127.0.0.1"],
)  # fmt: skip
def test_requests_for_another_name_are_refused_though_they_are_signed(host: str) -> None:
    request, body = sent(client("sts"), "get_caller_identity")

    assert reason(with_headers(request, host=host), body) is Reason.FOREIGN


@pytest.mark.parametrize(
    "origin",
    ["null", "https://evil.example", "http://127.0.0.1:8000", "http://localhost:4566", "https://127.0.0.1:4566", "http://127.0.0.1",
     "", "file://"],
)  # fmt: skip
def test_requests_of_pages_of_another_origin_are_refused_though_they_are_signed(origin: str) -> None:
    request, body = sent(client("sts"), "get_caller_identity")

    assert reason(with_headers(request, origin=origin), body) is Reason.FOREIGN
    assert reason(made("GET", "http://127.0.0.1:4566/ping", origin=origin)) is Reason.FOREIGN


def test_a_page_of_the_servers_own_may_send_what_is_signed() -> None:
    request, body = sent(client("sts"), "get_caller_identity")

    assert reason(with_headers(request, origin="http://127.0.0.1:4566"), body) is None


def test_a_preflight_is_refused() -> None:
    asks = {"access-control-request-method": "PUT"}

    assert reason(made("OPTIONS", "http://127.0.0.1:4566/", origin="https://evil.example", **asks)) is Reason.FOREIGN
    assert reason(made("OPTIONS", "http://127.0.0.1:4566/", **asks)) is Reason.UNSIGNED


def test_only_looking_at_an_open_path_needs_no_proof() -> None:
    assert reason(made("GET", "http://127.0.0.1:4566/ping")) is None
    for method, path in (("POST", "/ping"), ("GET", "/ping/"), ("GET", "//ping"), ("GET", "/pong")):
        assert reason(made(method, f"http://127.0.0.1:4566{path}")) is Reason.UNSIGNED


def test_a_closed_path_is_closed_for_the_root_too() -> None:
    rules = Rules(lambda key: SECRET, is_closed=lambda request: request.decoded_path.startswith("/_"))
    request, body = sent(client("s3"), "get_object", Bucket="data-bucket", Key="k")

    for path in ("/_ministack/reset", "/%5fministack/reset"):
        assert reason(replace(request, path=path), body, rules=rules) is Reason.CLOSED


def test_a_page_that_may_call_a_route_asks_before_and_still_needs_proof() -> None:
    rules = Rules(
        lambda key: SECRET,
        takes_token=lambda request: request.path == "/api/open",
        lets_page_call=lambda request: request.path == "/api/open" and request.header("origin") == "https://app.example",
    )

    def asked(method: str, path: str, origin: str, **headers: str) -> Reason | None:
        return reason(made(method, f"http://127.0.0.1:4566{path}", origin=origin, **headers), rules=rules)

    assert asked("OPTIONS", "/api/open", "https://app.example") is None
    assert asked("OPTIONS", "/api/open", "https://evil.example") is Reason.FOREIGN
    assert asked("OPTIONS", "/api/closed", "https://app.example") is Reason.FOREIGN
    assert asked("GET", "/api/open", "https://app.example", authorization="Bearer abc") is None
    assert asked("GET", "/api/open", "https://app.example", authorization="Basic abc") is Reason.UNSIGNED
    assert asked("GET", "/api/closed", "https://app.example", authorization="Bearer abc") is Reason.FOREIGN
    assert asked("GET", "/api/open", "null", authorization="Bearer abc") is Reason.FOREIGN
    assert asked("GET", "/api/open", "https://app.example", host="app.example", authorization="Bearer abc") is Reason.FOREIGN
    assert reason(made("OPTIONS", "http://127.0.0.1:4566/"), rules=rules) is Reason.UNSIGNED, "no page, no preflight"


def test_a_token_counts_only_where_the_route_takes_tokens() -> None:
    rules = Rules(lambda key: SECRET, takes_token=lambda request: request.path == "/api/open")

    def asked(path: str, authorization: str) -> Reason | None:
        return reason(made("GET", f"http://127.0.0.1:4566{path}", authorization=authorization), rules=rules)

    assert asked("/api/open", "Bearer abc") is None
    assert asked("/api/closed", "Bearer abc") is Reason.UNSIGNED
    elsewhere = {"authorization": "Bearer abc", "x-amz-target": "DynamoDB_20120810.ListTables"}
    assert reason(made("POST", "http://127.0.0.1:4566/api/open", **elsewhere), rules=rules) is Reason.UNSIGNED
    assert asked("/api/open", "Basic abc") is Reason.UNSIGNED
    assert reason(made("GET", "http://127.0.0.1:4566/api/open"), rules=rules) is None, "the server says what it misses"
    assert asked("/api/open?X-Amz-Credential=test/20260101/us-east-1/s3/aws4_request", "Bearer abc") is Reason.UNCLEAR


@pytest.mark.parametrize(
    "change",
    [
        lambda request: replace(request, headers=(*request.headers, ("host", "127.0.0.1:4566"))),
        lambda request: replace(request, headers=(*request.headers, ("x-amz-target", "IAM.CreateUser"))),
        lambda request: replace(request, headers=(*request.headers, ("authorization", "Bearer abc"))),
        lambda request: replace(request, headers=(*request.headers, ("content-type", "text/plain"))),
        lambda request: replace(request, headers=(*request.headers, ("x_amz_target", "IAM.CreateUser"))),
        lambda request: replace(request, path="http://127.0.0.1:4566/"),
        lambda request: replace(request, path="*"),
        lambda request: replace(request, path="/#/_ministack/reset"),
        lambda request: replace(request, path="/\\_ministack/reset"),
        lambda request: replace(request, query="a#b"),
        lambda request: replace(request, query="X-Amz-Signature=" + "0" * 64),
        lambda request: replace(request, query="AWSAccessKeyId=test"),
        lambda request: replace(request, query="x-amz-credential=test"),
    ],
)
def test_what_may_be_understood_in_two_ways_is_refused(change: Change) -> None:
    request, body = sent(client("sagemaker"), "list_models")

    assert reason(request, body) is None
    assert reason(change(request), body) in (Reason.UNCLEAR, Reason.MALFORMED)
