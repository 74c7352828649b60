"""The stack's own issuer of tokens: its key, its documents, what it signs, and when the stack trusts it."""

from __future__ import annotations

import asyncio
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import jwt
import pytest
from starlette.applications import Starlette

from sageline_local import issuer, issuer_key, keys
from sageline_local.errors import TokensOfAnother
from sageline_local.home import DeployedStack, Home, StackRecord
from sageline_local.issuer import Issuer
from sageline_local.stack import LocalStack
from sageline_local.status import StackStatus


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.make()
    keys.make(home)
    return home


def verified(token: str, home: Home) -> dict[str, object]:
    """The claims of a token, verified as a client of the issuer would."""
    known = jwt.PyJWKSet.from_dict(issuer_key.public_keys(home))
    key = known[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, object] = jwt.decode(token, key, algorithms=["RS256"], audience="sageline", issuer=issuer.url(4566))
    return claims


def test_a_home_has_one_key_that_only_its_owner_may_read(home: Home) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: issuer_key.public_keys(home), range(4)))

    assert all(keys == made[0] for keys in made)
    assert stat.S_IMODE(home.issuer_key_file.stat().st_mode) == 0o600
    assert not list(home.root.glob("issuer-key.pem.*"))
    assert issuer_key.key_of(home).key_size == 2048


def test_the_key_goes_with_the_home(home: Home) -> None:
    issuer_key.key_of(home)

    home.delete()

    assert not home.issuer_key_file.exists()


def test_a_token_says_who_may_do_what_until_when(home: Home) -> None:
    claims = verified(issuer_key.token(home, 4566, ["sageline/predict", "sageline/read"], subject="app", minutes=5), home)

    assert (claims["sub"], claims["scope"]) == ("app", "sageline/predict sageline/read")
    assert int(str(claims["exp"])) - int(str(claims["iat"])) == 300


def test_a_token_of_another_home_is_not_this_ones(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    other.make()

    with pytest.raises(KeyError):
        verified(issuer_key.token(other, 4566, ["sageline/read"], subject="app", minutes=5), home)


def test_its_documents_are_what_openid_connect_asks_for_and_hold_nothing_private(home: Home) -> None:
    transport = httpx.ASGITransport(Issuer(Starlette(), home, 4566))

    async def get(path: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:4566") as http:
            return await http.get(path)

    configuration = asyncio.run(get("/_issuer/.well-known/openid-configuration")).json()
    assert configuration["issuer"] == issuer.url(4566)
    assert configuration["jwks_uri"] == f"{issuer.url(4566)}/jwks.json"
    [key] = asyncio.run(get("/_issuer/jwks.json")).json()["keys"]
    assert (key["kty"], key["alg"]) == ("RSA", "RS256")
    assert not {"d", "p", "q", "dp", "dq", "qi"} & key.keys()
    assert asyncio.run(get("/_issuer/other")).status_code == 404, "all else is the application's"


def test_a_stack_trusts_its_own_issuer_unless_another_or_none_was_chosen() -> None:
    assert issuer.parameters(4600, {"LogLevel": "DEBUG"}) == {
        "JwtIssuer": "http://127.0.0.1:4600/_issuer",
        "JwtAudience": "sageline",
        "LogLevel": "DEBUG",
    }
    other = {"JwtIssuer": "https://issuer.example", "JwtAudience": "us"}
    assert issuer.parameters(4600, other) == other
    assert issuer.parameters(4600, {"JwtIssuer": ""}) == {"JwtIssuer": "", "JwtAudience": "", "CorsOrigins": ""}


@pytest.mark.parametrize("trusted", ["https://issuer.example", ""])
def test_no_token_is_made_that_the_stack_would_not_take(home: Home, trusted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    up = StackStatus(state="up", home=str(home.root), region="us-east-1")
    monkeypatch.setattr(LocalStack, "status", lambda _: up)
    deployed = DeployedStack("now", "arn:stack", {"ApiId": "abc"})
    StackRecord(port=4566, parameters={"JwtIssuer": trusted}, deployment=deployed).save(home)

    with pytest.raises(TokensOfAnother, match="JwtIssuer"):
        LocalStack(home.root).token(["sageline/read"], subject="app", minutes=5)
