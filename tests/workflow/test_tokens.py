"""The HTTP API for tokens, with real RS256 keys: what a token opens, which ones are refused everywhere, whose pages may call."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import jwt
import pytest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sageline.aws.scopes import CHANGE, PREDICT, READ, ROUTE_SCOPES, SCOPES
from sageline_cli.api_client import SigV4
from sageline_local import issuer_key
from sageline_local.home import Home
from sageline_local.stack import LocalStack
from tests.workflow.conftest import PAGE
from tests.workflow.test_runs import QUICK
from tests.workflow.workbench import Workbench, flowers

pytestmark = pytest.mark.stack

ALL = f"{PREDICT} {READ} {CHANGE}"


class Tokens:
    """Makes tokens of the stack's issuer, good ones and others."""

    def __init__(self, stack: LocalStack) -> None:
        self._key = issuer_key.key_of(Home(stack.home))
        self._issuer = stack.status().endpoint_url + "/_issuer"

    def claims(self, **change: object) -> dict[str, object]:
        """Those of a token that opens every route, with changes; None leaves a claim out."""
        now = int(time.time())
        given = {"iss": self._issuer, "aud": "sageline", "sub": "test", "scope": ALL, "iat": now, "exp": now + 600, **change}
        return {name: value for name, value in given.items() if value is not None}

    def signed(self, **change: object) -> str:
        return issuer_key.signed(self.claims(**change), self._key)

    def refused(self) -> dict[str, str]:
        """Tokens that open nothing, by what is wrong with them."""
        now, good = int(time.time()), self.signed()
        head, payload, signature = good.split(".")
        kid = jwt.get_unverified_header(good)["kid"]
        other = generate_private_key(public_exponent=65537, key_size=2048)
        by_secret = f"{encoded({'alg': 'HS256', 'kid': kid})}.{payload}"
        public = self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return {
            "expired": self.signed(exp=now - 1, iat=now - 600),
            "never expires": self.signed(exp=None),
            "not yet": self.signed(nbf=now + 600),
            "another issuer": self.signed(iss="https://issuer.example"),
            "another audience": self.signed(aud="others"),
            "no audience": self.signed(aud=None),
            "another client": self.signed(aud=None, client_id="others"),
            "another key": jwt.encode(self.claims(), other, "RS256", {"kid": kid}),
            "an unknown key": jwt.encode(self.claims(), other, "RS256", {"kid": "0"}),
            "no key named": jwt.encode(self.claims(), self._key, "RS256"),
            "another payload": f"{head}.{encoded(self.claims(sub='root'))}.{signature}",
            "another signature": f"{head}.{payload}.{signature[:-8]}AAAAAAAA",
            "no signature": f"{head}.{payload}.",
            "no algorithm": f"{encoded({'alg': 'none', 'kid': kid})}.{payload}.",
            "the public key as a secret": f"{by_secret}.{base64url(hmac.digest(public, by_secret.encode(), 'sha256'))}",
            "no token": "abc",
        }


def encoded(part: object) -> str:
    return base64url(json.dumps(part).encode())


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def tokens(stack: LocalStack) -> Tokens:
    return Tokens(stack)


@pytest.fixture(scope="module")
def api(stack: LocalStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.environment()["SAGELINE_JWT_API_URL"], timeout=60, trust_env=False) as client:
        yield client


def ask(api: httpx.Client, route: str, token: str | None, **headers: str) -> httpx.Response:
    """A request of a route; of names there is nothing."""
    method, path = route.replace("{name}", "no-such").replace("{id}", "no-such-20261120100000-0a1b2c").split(" ")
    bearer = {} if token is None else {"authorization": f"Bearer {token}"}
    return api.request(method, path, headers={**bearer, **headers}, content=b"{}" if method == "POST" else None)


def test_a_token_predicts_reads_and_changes_what_its_scopes_are_for(
    stack: LocalStack, workbench: Workbench, api: httpx.Client
) -> None:
    run = workbench.wait(workbench.submit("tokens", flowers(), QUICK).run_id)
    assert run["status"] == "Succeeded", run["error"]
    predict, read, change = (stack.token([scope], subject="test", minutes=5) for scope in (PREDICT, READ, CHANGE))
    rows = {"instances": [{"length": 5.1, "width": 1.5, "ground": "wet"}]}

    def asked(method: str, path: str, token: str, body: object = None) -> httpx.Response:
        return api.request(method, path, json=body, headers={"authorization": f"Bearer {token}"})

    predicted = asked("POST", "/endpoints/tokens/predictions", predict, rows)
    assert predicted.status_code == 200
    assert predicted.json()["predictions"] == workbench.connection.api.predict("tokens", rows["instances"], 1)["predictions"]
    assert asked("GET", "/endpoints/tokens", read).json()["name"] == "tokens"
    assert asked("DELETE", "/endpoints/tokens", read).json()["error"]["details"] == {"scope": CHANGE}
    assert asked("DELETE", "/endpoints/tokens", predict).status_code == 403
    assert asked("PATCH", "/endpoints/tokens", change, {"ttl_hours": 2}).status_code == 200
    assert asked("DELETE", "/endpoints/tokens", change).json()["endpoint"] == "tokens"


@pytest.mark.parametrize("route", [route for route, scopes in ROUTE_SCOPES.items() if {*scopes} != {*SCOPES}])
def test_a_token_without_the_routes_scope_is_told_which_one_it_lacks(api: httpx.Client, tokens: Tokens, route: str) -> None:
    others = " ".join({*SCOPES} - {*ROUTE_SCOPES[route]})
    for claims in ({"scope": others}, {"scope": None, "scp": others.split()}, {"scope": f"openid {others}"}):
        answer = ask(api, route, tokens.signed(**claims))

        assert answer.status_code == 403, claims
        assert answer.json()["error"]["code"] == "ScopeMissing"
        assert answer.json()["error"]["details"] == {"scope": " ".join(ROUTE_SCOPES[route])}
    for scope in (None, "", "openid email", ROUTE_SCOPES[route][0].removeprefix("sageline/")):
        answer = ask(api, route, tokens.signed(scope=scope))

        assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"}), "API Gateway's own"
        assert f'scope="{ALL}" error="insufficient_scope"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("route", ROUTE_SCOPES)
def test_the_routes_own_scope_opens_it_as_each_issuer_writes_it(api: httpx.Client, tokens: Tokens, route: str) -> None:
    needed = ROUTE_SCOPES[route][0]
    for claims in ({"scope": needed}, {"scope": None, "scp": [needed, "openid"]}, {"aud": None, "client_id": "sageline"}):
        answer = ask(api, route, tokens.signed(**claims))

        assert answer.status_code in (200, 400, 404), f"of what is asked for, and not of the token: {answer.text}"


@pytest.mark.parametrize("route", ROUTE_SCOPES)
def test_a_token_that_is_not_good_opens_no_route(api: httpx.Client, tokens: Tokens, route: str) -> None:
    for what, token in tokens.refused().items():
        answer = ask(api, route, token)

        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"}), what
        assert answer.headers["www-authenticate"].startswith("Bearer ")
    without = ask(api, route, None)
    assert (without.status_code, without.headers["www-authenticate"]) == (401, "Bearer")


def test_a_token_of_another_stack_opens_nothing(api: httpx.Client, stack: LocalStack, tmp_path: Path) -> None:
    other = Home(tmp_path)
    port = int(stack.status().endpoint_url.rpartition(":")[2])

    assert ask(api, "GET /pipelines", issuer_key.token(other, port, [READ], subject="test", minutes=5)).status_code == 401


def test_neither_api_takes_the_others_proof(stack: LocalStack, api: httpx.Client, tokens: Tokens) -> None:
    variables = stack.environment()
    signature = SigV4(Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]), "us-east-1")
    for route in ROUTE_SCOPES:
        method, path = route.replace("{name}", "no-such").replace("{id}", "no-such-20261120100000-0a1b2c").split(" ")

        with_token = httpx.request(
            method, variables["SAGELINE_API_URL"] + path, headers={"authorization": f"Bearer {tokens.signed()}"}, timeout=60
        )
        assert with_token.status_code == 403, route
        assert api.request(method, path, auth=signature).status_code == 401, route


def test_pages_of_named_origins_may_ask_and_call_and_others_may_not(stack: LocalStack, api: httpx.Client, tokens: Tokens) -> None:
    def preflight(url: str, origin: str) -> httpx.Response:
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
        return httpx.options(f"{url}/endpoints/no-such/predictions", headers={"origin": origin, **asked})

    url, token = str(api.base_url).rstrip("/"), tokens.signed()

    answer = preflight(url, PAGE)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert {"authorization", "content-type", "accept", "idempotency-key"} == set(
        answer.headers["access-control-allow-headers"].split(",")
    )
    assert "access-control-allow-credentials" not in answer.headers
    called = ask(api, "POST /endpoints/{name}/predictions", token, origin=PAGE)
    assert called.headers["access-control-allow-origin"] == PAGE
    assert {"retry-after", "sageline-variant", "sageline-warnings"} <= set(
        called.headers["access-control-expose-headers"].split(",")
    )
    assert ask(api, "GET /pipelines", None, origin=PAGE).status_code == 401, "a preflight opens nothing"

    for origin in ("https://evil.example", PAGE.replace("https", "http"), f"{PAGE}.evil.example", "null"):
        for refused in (preflight(url, origin), ask(api, "GET /pipelines", token, origin=origin)):
            assert refused.status_code == 403
            assert not [name for name in refused.headers if name.startswith("access-control")]
    assert preflight(stack.status().api_url, PAGE).status_code == 403, "the API for signatures lets no page in"
