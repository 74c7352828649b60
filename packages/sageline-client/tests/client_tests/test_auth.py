"""Who asks."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest
from botocore.credentials import RefreshableCredentials

from client_tests.fakes import URL, FakeApi
from sageline_client import Sageline, SigV4

NO_ENDPOINTS: dict[str, object] = {"endpoints": []}
GATEWAY = "https://abc123.execute-api.eu-west-1.amazonaws.com"


def authorization(api: FakeApi) -> str:
    return api.requests[-1].headers["authorization"]


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.mark.usefixtures("credentials")
def test_requests_are_signed_with_the_credentials_that_boto3_would_find(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-2")
    api.answer(NO_ENDPOINTS)

    api.client(token=None).endpoints.list()

    assert "Credential=AKIDEXAMPLE/" in authorization(api)
    assert "/us-east-2/execute-api/aws4_request" in authorization(api)


@pytest.mark.usefixtures("credentials")
def test_the_region_is_that_of_the_apis_url_whatever_the_default_is(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-2")
    api.answer(NO_ENDPOINTS)

    api.client(url=GATEWAY, token=None).endpoints.list()

    assert "/eu-west-1/execute-api/aws4_request" in authorization(api)


def test_credentials_that_expire_are_renewed_while_the_client_lives(api: FakeApi) -> None:
    renewed = 0

    def renew() -> dict[str, str]:
        nonlocal renewed
        renewed += 1
        keys = {"access_key": f"AKID{renewed}", "secret_key": "s", "token": f"session-{renewed}"}
        return {**keys, "expiry_time": (datetime.now(UTC) + timedelta(seconds=1)).isoformat()}

    # They expire in a second, so botocore renews them each time that they are looked at.
    client = api.client(token=None, auth=SigV4(RefreshableCredentials.create_from_metadata(renew(), renew, "test"), "eu-west-1"))
    api.answer(NO_ENDPOINTS)

    client.endpoints.list()
    first = authorization(api)
    client.endpoints.list()

    assert "Credential=AKID1/" not in first
    assert first.partition("/")[0] != authorization(api).partition("/")[0]
    assert api.requests[-1].headers["x-amz-security-token"] == f"session-{renewed}"


def test_a_token_is_asked_for_before_every_request(api: FakeApi) -> None:
    fresh = iter(("first", "second"))
    api.answer(NO_ENDPOINTS)
    client = api.client(token=lambda: next(fresh))

    client.endpoints.list()
    client.endpoints.list()

    assert [request.headers["authorization"] for request in api.requests] == ["Bearer first", "Bearer second"]


def test_a_token_needs_no_botocore(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    api.answer(NO_ENDPOINTS)

    assert api.client(token="a-token").endpoints.list() == []
    with pytest.raises(ImportError, match=r"sageline-client\[aws\]"):
        Sageline(URL)


def test_what_is_missing_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="SAGELINE_API_URL"):
        Sageline(token="a-token")
    with pytest.raises(ValueError, match="No AWS credentials"):
        Sageline(URL)
    with pytest.raises(ValueError, match="either a token or auth"):
        Sageline(URL, token="a", auth=SigV4.__new__(SigV4))


@pytest.mark.parametrize("url", ["not a url", "api.example/prod", "s3://bucket", "https://", "https://api:port"])
def test_what_is_no_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="begins with https://"):
        Sageline(url, token="a")


@pytest.mark.usefixtures("credentials")
def test_a_region_that_nothing_says_is_asked_for() -> None:
    with pytest.raises(ValueError, match="AWS_DEFAULT_REGION"):
        Sageline(URL)


def test_the_url_is_that_of_the_environment(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGELINE_API_URL", "https://of-the-environment.example/")
    api.answer(NO_ENDPOINTS)

    api.client(url=None).endpoints.list()

    assert str(api.requests[0].url) == "https://of-the-environment.example/endpoints"
