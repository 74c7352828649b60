"""What of MiniStack is open, closed, and to whom. The last tests guard the places where this leans on MiniStack's inside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ministack import app as ministack
from ministack.services import apigateway, iam, sts

from emulator_tests.guard.signed import made, reason, with_headers
from sageline_local.ministack_guard import is_closed, lets_page_call, rules, secrets_of, takes_token
from sagemaker_emulator.guard.refusals import Reason

HERE = "http://127.0.0.1:4566"
RULES = rules("test", "root secret")


@pytest.fixture
def session() -> Iterator[str]:
    """A session of STS."""
    key = "ASIAAAAAAAAAAAAAAAAA"
    sts.register_session(key, {"Arn": "arn:aws:sts::000000000000:assumed-role/R/s", "SecretAccessKey": "of the session"})
    yield key
    sts._sessions.pop(key)


@pytest.mark.parametrize(
    "path",
    [
        *("/_ministack/reset", "/_ministack/config", "/_ministack/lambda-code/f", "/_ministack/cfn-response/t"),
        *("/_ministack/ses/messages", "/_ministack/rds/iam-auth", "/_ministack/eks-auth/x", "/_ministack/sqs/messages"),
        *("/_localstack/health", "/_localstack/x", "/_aws/lambda-url/x/y", "/_aws/sqs/messages", "/_alb/x", "/_"),
        *("//_ministack/reset", "/%5fministack/reset", "/%5Fministack%2Freset", "/./_ministack/reset"),
        *("/%20_ministack/reset", "/_MINISTACK/reset", "/_ministack/health/", "/_ministack//health"),
    ],
)
def test_ministacks_own_paths_are_closed(path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert reason(made(method, HERE + path), rules=RULES) is Reason.CLOSED


@pytest.mark.parametrize("path", ["/", "/bucket/_SUCCESS", "/_aws/execute-api/abc/pipelines", "/2015-03-31/functions", "/health"])
def test_what_aws_has_is_not_closed_and_needs_proof(path: str) -> None:
    assert not is_closed(made("GET", HERE + path))
    assert reason(made("GET", HERE + path), rules=RULES) is Reason.UNSIGNED


@pytest.mark.parametrize(
    "path",
    [
        *("/_ministack/health", "/_ministack/ready", "/us-east-1_aB3/.well-known/jwks.json"),
        *("/_issuer/jwks.json", "/_issuer/.well-known/openid-configuration"),
    ],
)
def test_health_and_issuers_public_keys_may_be_looked_at_by_all(path: str) -> None:
    assert reason(made("GET", HERE + path), rules=RULES) is None
    assert reason(made("POST", HERE + path), rules=RULES) in (Reason.UNSIGNED, Reason.CLOSED)
    assert reason(made("GET", HERE + path, host="evil.example"), rules=RULES) is Reason.FOREIGN


def test_of_the_keys_that_ministack_takes_for_the_roots_one_has_a_secret() -> None:
    secret_of = secrets_of("test", "root secret")

    assert secret_of("test") == "root secret"
    assert [secret_of(key) for key in ("", "000000000000", "123456789012", "AKIAUNKNOWN")] == [None] * 4


def test_sessions_and_users_have_the_secrets_that_ministack_gave_them(session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secret_of = secrets_of("test", "root secret")
    record = {"AccessKeyId": "AKIAOFAUSER", "SecretAccessKey": "of the user", "Status": "Active", "UserName": "u"}
    iam._access_keys.set_scoped("000000000000", None, "AKIAOFAUSER", record)

    assert secret_of(session) == "of the session"
    assert secret_of("AKIAOFAUSER") == "of the user"

    record["Status"] = "Inactive"
    assert secret_of("AKIAOFAUSER") is None


@pytest.mark.parametrize(("authorization", "passes"), [("JWT", True), ("AWS_IAM", False), ("NONE", False), (None, False)])
def test_a_token_counts_on_routes_with_a_jwt_authorizer(
    authorization: str | None, passes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def authorization_type(*route: str) -> str | None:
        asked.append(route)
        return authorization

    monkeypatch.setattr(ministack, "_execute_api_authorization_type", authorization_type)
    monkeypatch.setattr(ministack, "_resolve_stage_and_path", lambda api, stage, path: ("$default", f"/{stage}{path}"))
    request = made("GET", f"{HERE}/_aws/execute-api/5aa290aa/pipelines/p", authorization="Bearer abc.def.ghi")

    assert takes_token(request) is passes
    assert asked == [("5aa290aa", "$default", "GET", "/pipelines/p")]
    assert (reason(request, rules=RULES) is None) is passes
    assert not takes_token(made("GET", f"{HERE}/bucket/key", authorization="Bearer abc.def.ghi"))
    assert not takes_token(with_headers(request, host="d111111abcdef8.cloudfront.localhost:4566"))


@pytest.fixture
def api() -> Iterator[str]:
    """An API with a route for tokens and one for signatures, that lets one page in."""
    api = "5aa290aa"
    apigateway._apis[api] = {"apiId": api, "corsConfiguration": {"allowOrigins": ["https://app.example"]}}
    apigateway._stages[api] = {"$default": {}}
    apigateway._routes[api] = {
        "1": {"routeKey": "GET /jwt", "authorizationType": "JWT"},
        "2": {"routeKey": "GET /iam", "authorizationType": "AWS_IAM"},
    }
    yield api
    apigateway.reset()


def test_pages_are_let_in_where_an_api_names_them_on_routes_for_tokens(api: str) -> None:
    def may_call(method: str, path: str, origin: str = "https://app.example", **headers: str) -> bool:
        return lets_page_call(made(method, f"{HERE}/_aws/execute-api/{path}", origin=origin, **headers))

    def may_ask(asked: str, path: str, origin: str = "https://app.example") -> bool:
        request = made("OPTIONS", f"{HERE}/_aws/execute-api/{path}", origin=origin)
        return lets_page_call(with_headers(request, **{"access-control-request-method": asked}))

    assert may_call("GET", f"{api}/jwt")
    assert may_ask("GET", f"{api}/jwt")
    assert not any(may_call("GET", f"{api}/jwt", origin) for origin in ("https://evil.example", "null", "", "*"))
    assert not may_call("GET", f"{api}/iam")
    assert not may_ask("GET", f"{api}/iam")
    assert not may_ask("POST", f"{api}/jwt")
    assert not may_call("OPTIONS", f"{api}/jwt")
    assert not may_call("GET", "other/jwt")
    assert not lets_page_call(made("GET", f"{HERE}/bucket/key", origin="https://app.example"))


def test_ministack_still_finds_an_apis_route_as_it_is_asked_here() -> None:
    found = ministack._parse_execute_api_url("127.0.0.1:4566", "/_aws/execute-api/5aa290aa/pipelines/p")

    assert found == ("5aa290aa", "pipelines", "/p")
    assert ministack._resolve_stage_and_path("none", "pipelines", "/p") == ("pipelines", "/p")
    assert ministack._execute_api_authorization_type("none", "$default", "GET", "/p") is None


def test_ministack_has_no_other_paths_of_its_own_than_those_that_are_looked_for() -> None:
    assert set(ministack._HEALTH_PATHS) == {"/_ministack/health", "/_localstack/health", "/health"}
    assert ministack._ALB_PATH_PREFIX == "/_alb/"
