"""Tokens that are refused. The first tests guard the places where this leans on MiniStack's inside."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from ministack.services import apigateway

from sageline_local import issuer_key, token_answers
from sageline_local.home import Home

ISSUER = "http://127.0.0.1:1/issuer"
ROUTE = {"authorizationScopes": ["sageline/predict", "sageline/read"]}
AUTHORIZER = {
    "identitySource": ["$request.header.Authorization"],
    "jwtConfiguration": {"issuer": ISSUER, "audience": ["sageline"]},
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose key MiniStack has fetched already."""
    home = Home(tmp_path)
    in_two_hours = time.time() + 7200
    keys_url = f"{ISSUER}/jwks.json"
    monkeypatch.setitem(apigateway._oidc_config_cache, ISSUER, {"jwks_uri": keys_url, "expiresAt": in_two_hours})
    cached = {"jwks": issuer_key.public_keys(home), "expiresAt": in_two_hours}
    monkeypatch.setitem(apigateway._jwks_cache, keys_url, cached)
    monkeypatch.setattr(apigateway, "_validate_jwt_authorizer", apigateway._validate_jwt_authorizer)
    return home


def asked(home: Home, **claims: object) -> Any:  # Any: MiniStack's
    """What MiniStack says of a token with those claims, or those that are good."""
    given = {"iss": ISSUER, "aud": "sageline", "sub": "a", "exp": int(time.time()) + 60, "scope": "sageline/read", **claims}
    token = issuer_key.signed({name: value for name, value in given.items() if value is not None}, issuer_key.key_of(home))
    return answered(f"Bearer {token}")


def answered(authorization: str | None) -> Any:  # Any: MiniStack's
    headers = {} if authorization is None else {"authorization": authorization}
    return asyncio.run(apigateway._validate_jwt_authorizer(ROUTE, AUTHORIZER, headers, {}))


def refusal(answer: Any) -> tuple[int, str]:
    claims, _, (status, headers, _) = answer
    assert claims is None
    return status, headers["www-authenticate"]


def test_ministack_still_takes_tokens_without_an_end_and_says_nothing_of_scopes(home: Home) -> None:
    assert asked(home, exp=None)[2] is None
    assert "www-authenticate" not in asked(home, scope="other")[2][1]
    with pytest.raises(ValueError, match="invalid literal"):
        asked(home, iat="x")


@pytest.fixture
def _mended(home: Home) -> None:
    token_answers.install()


@pytest.mark.usefixtures("_mended")
def test_a_good_token_passes(home: Home) -> None:
    claims, scopes, error = asked(home)

    assert (claims["sub"], scopes, error) == ("a", ["sageline/read"], None)


@pytest.mark.usefixtures("_mended")
def test_a_token_without_a_scope_is_told_which_ones_count(home: Home) -> None:
    """As API Gateway does, down to the words."""
    scopes = "sageline/predict sageline/read"

    assert refusal(asked(home, scope="openid")) == (
        403,
        f'Bearer scope="{scopes}" error="insufficient_scope" error_description="expected scopes: [{scopes}]"',
    )


@pytest.mark.usefixtures("_mended")
@pytest.mark.parametrize(
    "claims", [{"exp": None}, {"exp": "never"}, {"exp": 1}, {"iat": "x"}, {"nbf": []}, {"aud": "other"}, {"iss": "https://other"}]
)
def test_a_token_that_is_not_good_is_told_so(home: Home, claims: dict[str, object]) -> None:
    assert refusal(asked(home, **claims)) == (401, 'Bearer scope="sageline/predict sageline/read" error="invalid_token"')


@pytest.mark.usefixtures("_mended")
@pytest.mark.parametrize("token", ["", "x", "a.b.c", "W10.W10.W10", "..", "e30.e30."])
def test_what_is_no_token_is_refused_and_no_fault(token: str) -> None:
    assert refusal(answered(f"Bearer {token}"))[0] == 401


@pytest.mark.usefixtures("_mended")
def test_without_a_token_one_is_asked_for() -> None:
    assert refusal(answered(None)) == (401, "Bearer")
