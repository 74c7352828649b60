"""Scopes of tokens: a token opens the routes of its scopes, is told which one it lacks for others, and nothing gets further."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from sageline.aws.http import HttpResponse, json_response
from sageline.aws.scopes import CHANGE, PREDICT, READ, ROUTE_SCOPES, granted, scoped
from tests.unit.template.documents import ROOT

Json = dict[str, Any]  # Any: parsed JSON


def event(route: str, jwt: object) -> Json:
    return {"routeKey": route, "requestContext": {"authorizer": {"jwt": jwt}}}


def asked(given: Json) -> tuple[int, Json]:
    """What a handler that answers everything with 200 answers when it asks for scopes."""

    @scoped(logging.getLogger())
    def handler(_event: Json, _context: None) -> HttpResponse:
        return json_response(200, {})

    answer = handler(given, None)
    return answer["statusCode"], json.loads(answer["body"])


@pytest.mark.parametrize("route", ROUTE_SCOPES)
def test_a_token_opens_the_routes_of_its_scopes_and_no_others(route: str) -> None:
    for scope in (PREDICT, READ, CHANGE):
        status, answer = asked(event(route, {"claims": {"sub": "a", "scope": f"openid {scope}"}}))

        if scope in ROUTE_SCOPES[route]:
            assert status == 200
        else:
            assert (status, answer["error"]["code"]) == (403, "ScopeMissing")
            assert answer["error"]["details"] == {"scope": " ".join(ROUTE_SCOPES[route])}
            assert all(needed in answer["error"]["message"] for needed in ROUTE_SCOPES[route])


@pytest.mark.parametrize(
    "jwt",
    [
        *(None, {}, "x", [], {"claims": None}, {"claims": "sageline/read"}, {"claims": []}, {"claims": {}}),
        # A list of scopes without the claim is not the token's.
        *({"claims": {"sub": "a"}, "scopes": [READ]}, {"claims": {"scope": ""}}, {"claims": {"scope": "sageline/readall"}}),
        *({"claims": {"scope": "sageline"}}, {"claims": {"scope": READ.upper()}}, {"claims": {"scope": {READ: True}}}),
    ],
)
def test_a_token_without_scopes_opens_nothing(jwt: object) -> None:
    assert all(asked(event(route, jwt))[0] == 403 for route in ROUTE_SCOPES)


@pytest.mark.parametrize("route", ["$default", "GET /other", "GET /endpoints/wines", "", None])
def test_a_route_that_no_scope_is_known_for_is_closed_to_all_tokens(route: str) -> None:
    status, answer = asked(event(route, {"claims": {"scope": f"{PREDICT} {READ} {CHANGE}"}}))

    assert (status, answer["error"]["code"]) == (403, "ScopeMissing")


@pytest.mark.parametrize(
    "claims",
    [
        {"scope": f"{READ} openid"},
        {"scp": f"openid {READ}"},  # Okta has an array, Entra ID a string
        {"scp": f"[{READ} openid]"},  # an array as API Gateway hands it over
        {"scp": [READ]},
        {"scope": "openid", "scp": READ},
    ],
)
def test_scopes_are_read_as_each_issuer_writes_them(claims: Json) -> None:
    assert READ in granted({"claims": claims})
    assert asked(event("GET /endpoints", {"claims": claims}))[0] == 200


@pytest.mark.parametrize(
    "given",
    [
        {"action": "smoke-test"},
        {"requestContext": None},
        {"routeKey": "GET /endpoints", "requestContext": {"authorizer": {"iam": {"userArn": "arn:aws:iam::1:user/a"}}}},
        {"routeKey": "GET /endpoints", "requestContext": {}},
    ],
)
def test_who_comes_without_a_token_is_asked_for_no_scope(given: Json) -> None:
    assert asked(given)[0] == 200


def test_every_handler_of_a_route_asks_for_scopes() -> None:
    handlers = [path.read_text() for path in (ROOT / "functions").glob("*/app.py")]
    asking = [text for text in handlers if "sageline.aws.http" in text or "HttpResponse" in text]

    assert len(asking) == 4
    assert all("@scoped(logger)\ndef handler(" in text for text in asking)
