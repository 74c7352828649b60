from __future__ import annotations

import json

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import EndpointConnectionError

from sageline_cli.api_client import ApiClient, SigV4
from sageline_cli.errors import CommandFailed, explain
from tests.unit.cli.fakes import FakeApi, run_record


def test_a_request_is_signed_for_api_gateway_over_its_body_and_query() -> None:
    credentials = Credentials("AKIDEXAMPLE", "secret", "a-session-token")
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"predictions": []})

    with ApiClient("https://api.example/stage", SigV4(credentials, "eu-west-1"), httpx.MockTransport(handle)) as api:
        api.predict("wine", ["a text"], 3)

    [request] = seen
    assert str(request.url) == "https://api.example/stage/endpoints/wine/predictions"
    assert json.loads(request.content) == {"instances": ["a text"], "top_k": 3}
    assert request.headers["x-amz-security-token"] == "a-session-token"
    assert "/eu-west-1/execute-api/aws4_request" in request.headers["authorization"]
    # Signed again as AWS would check it: same signature only if nothing that is signed was lost on the way.
    again = AWSRequest("POST", str(request.url), data=request.content)
    again.context["timestamp"] = request.headers["x-amz-date"]
    again.headers["X-Amz-Date"] = request.headers["x-amz-date"]
    again.headers["X-Amz-Security-Token"] = "a-session-token"
    signer = SigV4Auth(credentials.get_frozen_credentials(), "execute-api", "eu-west-1")
    signature = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    assert request.headers["authorization"].endswith(f"Signature={signature}")


def test_runs_are_read_page_by_page_until_there_are_enough(api: FakeApi) -> None:
    def page(request: httpx.Request) -> tuple[int, object]:
        limit = int(request.url.params["limit"])
        assert request.url.params["name"] == "wine"
        return 200, {"runs": [run_record()] * min(limit, 2), "next_token": "more"}

    api.routes["GET", "/pipelines"] = page
    assert len(api.client().runs(5, "wine")) == 5
    assert [request.url.params.get("next_token") for request in api.requests] == [None, "more", "more"]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("`GET /pipelines` lists them.", "`sageline runs` lists them."),
        ("`GET /endpoints` lists them.", "`sageline endpoints` lists them."),
        ("`GET /endpoints/wine` says more.", "`sageline endpoints` says more."),
        ("Undo it (POST /endpoints/wine/rollback).", "Undo it (sageline rollback wine)."),
        ("Stop it again (DELETE /pipelines/wine-1) to", "Stop it again (sageline stop wine-1) to"),
    ],
)
def test_what_messages_call_by_route_people_read_as_commands(api: FakeApi, said: str, shown: str) -> None:
    api.fail("GET", "/endpoints", 404, "EndpointNotFound", said)
    with pytest.raises(CommandFailed) as caught:
        api.client().endpoints()
    assert caught.value.message == shown


def test_the_last_page_ends_the_list(api: FakeApi) -> None:
    api.answer("GET", "/pipelines", {"runs": [run_record()], "next_token": None})
    assert len(api.client().runs(5)) == 1


def test_a_name_with_a_slash_stays_one_part_of_the_path(api: FakeApi) -> None:
    with pytest.raises(CommandFailed):
        api.client().run("a/b")
    assert api.requests[0].url.raw_path == b"/pipelines/a%2Fb"


def test_an_error_of_the_api_keeps_its_code_message_and_details(api: FakeApi) -> None:
    body = {"error": {"code": "InvalidRequest", "message": "Row 3 has no column `a`.", "details": {"instance": 2}}}
    api.answer("POST", "/endpoints/wine/predictions", body, 400)
    with pytest.raises(CommandFailed) as caught:
        api.client().predict("wine", [{}], 1)
    assert caught.value.to_json() == body


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (403, {"message": "Forbidden"}, "Forbidden", "execute-api:Invoke"),
        (404, {"message": "Not Found"}, "HTTP 404", "HTTP 404: Not Found"),
        (502, b"<html>bad gateway</html>", "HTTP 502", "bad gateway"),
        (200, b"[]", "HTTP 200", "not Sageline's"),
    ],
)
def test_an_answer_that_is_not_sagelines_is_explained(api: FakeApi, status: int, body: object, code: str, words: str) -> None:
    api.answer("GET", "/endpoints", body, status)
    with pytest.raises(CommandFailed) as caught:
        api.client().endpoints()
    assert caught.value.code == code
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("error", "code"), [(httpx.ReadTimeout("slow"), "Timeout"), (httpx.ConnectError("refused"), "Unreachable")]
)
def test_an_api_that_does_not_answer_is_named(error: httpx.TransportError, code: str) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        raise error

    client = ApiClient("https://api.example", SigV4(Credentials("a", "b"), "us-east-1"), httpx.MockTransport(handle))
    with pytest.raises(CommandFailed, match=r"https://api\.example") as caught:
        client.endpoints()
    assert caught.value.code == code


def test_that_the_local_stack_does_not_answer_is_not_laid_to_aws() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    client = ApiClient("http://127.0.0.1:4566/_aws", SigV4(Credentials("a", "b"), "us-east-1"), httpx.MockTransport(handle))
    with pytest.raises(CommandFailed) as api:
        client.endpoints()
    of_boto3 = explain(EndpointConnectionError(endpoint_url="http://127.0.0.1:4566/"))

    assert (api.value.code, of_boto3.code) == ("Unreachable", "EndpointConnectionError")
    for failed in (api.value, of_boto3):
        assert failed.message.startswith("The local stack does not answer at http://127.0.0.1:4566")
        assert "`sageline local up` starts it" in failed.message
    away = explain(EndpointConnectionError(endpoint_url="https://states.us-east-1.amazonaws.com/"))
    assert away.message.startswith("AWS could not be reached")
