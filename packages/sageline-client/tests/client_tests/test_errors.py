"""What an application can tell of a request that failed."""

from __future__ import annotations

import pytest

from client_tests.fakes import FakeApi
from sageline_client import (
    ApiError,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    NotReady,
    RequestTooLarge,
    ServerError,
    TooManyRequests,
    Unauthorized,
)
from sageline_client.auth import SigV4

KINDS: dict[int, type[ApiError]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    406: InvalidRequest,
    409: Conflict,
    413: RequestTooLarge,
    415: InvalidRequest,
    429: TooManyRequests,
    500: ServerError,
    502: ServerError,
    503: NotReady,
}


@pytest.mark.parametrize(("status", "kind"), KINDS.items())
def test_an_error_has_the_apis_words_in_an_exception_to_catch(api: FakeApi, status: int, kind: type[ApiError]) -> None:
    api.refuse(status, "SomeCode", "What is wrong and what to do.", retry_after=3, key="top_k")

    with pytest.raises(ApiError) as caught:
        api.impatient().endpoints.list()

    error = caught.value
    assert type(error) is kind
    assert (str(error), error.code, error.status) == ("What is wrong and what to do.", "SomeCode", status)
    assert (error.details, error.retry_after) == ({"key": "top_k"}, 3)


@pytest.mark.parametrize(
    "header",
    ['Bearer scope="sageline/change" error="insufficient_scope"', 'Bearer error="insufficient_scope", scope="sageline/change"'],
)
def test_the_scope_that_a_token_lacks_is_named(api: FakeApi, header: str) -> None:
    api.answer({"message": "Forbidden"}, 403, headers={"www-authenticate": header})

    with pytest.raises(Forbidden, match="needs one of the scopes sageline/change") as caught:
        api.impatient().endpoints.delete("wines")

    assert caught.value.scope == "sageline/change"


def test_the_scope_may_be_named_by_sageline_itself(api: FakeApi) -> None:
    api.refuse(403, "InsufficientScope", "The token lacks the scope sageline/change.", scope="sageline/change")

    with pytest.raises(Forbidden, match=r"^The token lacks") as caught:
        api.impatient().endpoints.delete("wines")

    assert caught.value.scope == "sageline/change"


def test_a_scope_that_is_not_named_is_not_made_up(api: FakeApi) -> None:
    api.answer({"message": "Forbidden"}, 403)

    with pytest.raises(Forbidden, match="the scope that this route asks for") as caught:
        api.impatient().endpoints.delete("wines")

    assert caught.value.scope is None


def test_a_token_that_is_not_taken_is_told_from_one_that_may_not(api: FakeApi) -> None:
    challenge = 'Bearer scope="" error="invalid_token" error_description="the token has expired"'
    api.answer({"message": "Unauthorized"}, 401, headers={"www-authenticate": challenge})

    with pytest.raises(Unauthorized, match="the token has expired"):
        api.impatient().endpoints.list()


def test_a_caller_with_credentials_is_told_of_the_permission(api: FakeApi) -> None:
    from botocore.credentials import Credentials  # noqa: PLC0415  # the extra

    api.answer({"message": "Forbidden"}, 403)

    with pytest.raises(Forbidden, match="execute-api:Invoke"):
        api.client(token=None, auth=SigV4(Credentials("AKIDEXAMPLE", "secret"), "us-east-1")).endpoints.list()


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (413, '{"message": "Request Too Long"}', "RequestTooLarge", "send fewer rows"),
        (404, '{"message": "Not Found"}', "HTTP 404", "HTTP 404: Not Found"),
        (502, "<html>bad gateway</html>", "HTTP 502", "bad gateway"),
        (302, "", "HTTP 302", "not Sageline's"),
        (200, "[]", "HTTP 200", "not Sageline's"),
        (200, "<html>a proxy</html>", "HTTP 200", "a proxy"),
    ],
)
def test_an_answer_that_is_not_sagelines_is_explained(api: FakeApi, status: int, body: str, code: str, words: str) -> None:
    api.answer(status=status, text=body)

    with pytest.raises(ApiError) as caught:
        api.impatient().runs.get("wines-1")

    assert caught.value.code == code
    assert words in caught.value.message


def test_a_gateway_that_gave_up_waiting_is_asked_again_later(api: FakeApi) -> None:
    api.answer({"message": "Service Unavailable"}, 503)

    with pytest.raises(NotReady) as caught:
        api.impatient().endpoints.list()

    assert caught.value.retry_after == 10
