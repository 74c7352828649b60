"""A function's own keys, and that MiniStack knows them before it has started the function. The first two tests guard the places
where this leans on MiniStack's inside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ministack import app
from ministack.core import lambda_runtime
from ministack.core.iam_evaluator import CredentialResolutionError, resolve_credential
from ministack.services import lambda_svc, sts

from sageline_local import function_sessions, session_keys
from sageline_local.function_credentials import function_credentials

ACCOUNT = "000000000000"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:sweep"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/SweepRole"
SECRET = "the root's"


@pytest.fixture(autouse=True)
def ministack(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A MiniStack that enforces IAM, gives keys with the stack's secrets, and has a function that it never started."""
    for module, name in (
        *((lambda_runtime, "execution_credentials"), (lambda_svc, "execution_credentials")),
        *((sts, "_gen_session_access_key"), (sts, "_gen_secret")),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))
    session_keys.install(SECRET)
    monkeypatch.setattr(app, "AUTH", True)
    monkeypatch.setattr(sts, "_sessions", {})
    lambda_svc._functions.set_scoped(
        ACCOUNT, "us-east-1", "sweep", {"config": {"FunctionArn": ARN, "FunctionName": "sweep", "Role": ROLE}}
    )
    yield
    lambda_svc._functions.pop_scoped(ACCOUNT, "us-east-1", "sweep")


def test_the_keys_are_those_that_ministack_derives() -> None:
    config = {"FunctionArn": ARN, "FunctionName": "sweep", "Role": ROLE}

    assert function_credentials(SECRET, ARN, ROLE) == lambda_runtime.execution_credentials(config)


def test_ministack_still_does_not_know_the_key_of_a_function_that_it_has_not_started() -> None:
    key = function_credentials(SECRET, ARN, ROLE)["AWS_ACCESS_KEY_ID"]

    assert isinstance(resolve_credential(key, ACCOUNT), CredentialResolutionError)


def test_a_key_that_comes_for_the_first_time_is_known() -> None:
    function_sessions.install()
    credentials = function_credentials(SECRET, ARN, ROLE)

    found = resolve_credential(credentials["AWS_ACCESS_KEY_ID"], ACCOUNT, credentials["AWS_SESSION_TOKEN"])

    assert not isinstance(found, CredentialResolutionError)
    assert found.secret_access_key == credentials["AWS_SECRET_ACCESS_KEY"]
    assert found.principal_arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/SweepRole/sweep"


def test_a_key_of_nobodys_stays_unknown() -> None:
    function_sessions.install()

    assert isinstance(resolve_credential("ASIA0000000000000000", ACCOUNT), CredentialResolutionError)
