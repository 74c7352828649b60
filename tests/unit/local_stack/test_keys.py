"""The root user's key of a stack, and those that come from it."""

from __future__ import annotations

import asyncio
import re
import stat
from collections.abc import Iterator

import pytest
from ministack.core import lambda_runtime
from ministack.services import lambda_svc, sts

from sageline_local import keys, session_keys
from sageline_local.home import Home
from sagemaker_emulator.callers import function_access_key
from sagemaker_emulator.guard.keys import derived_secret, derived_token, root_of, secrets_of

FUNCTION = {
    "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:start-training",
    "FunctionName": "start-training",
    "Role": "arn:aws:iam::000000000000:role/StartTrainingRole",
}


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    home.make()
    return home


@pytest.fixture
def ministack(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """MiniStack's inside, which is put back as it was."""
    monkeypatch.setattr("ministack.app.AUTH", True)
    for module in (lambda_runtime, lambda_svc):
        monkeypatch.setattr(module, "execution_credentials", lambda_runtime.execution_credentials)
    for name in ("_gen_session_access_key", "_gen_secret"):
        monkeypatch.setattr(sts, name, getattr(sts, name))
    before = dict(sts._sessions)
    yield
    sts._sessions.clear()
    sts._sessions.update(before)


def test_a_home_has_one_secret_that_only_its_owner_may_read(home: Home) -> None:
    assert keys.read(home) is None

    made = keys.make(home)

    assert len(made.secret) == 40
    assert keys.make(home) == keys.read(home) == made
    assert stat.S_IMODE(home.secret_file.stat().st_mode) == 0o600


def test_a_secret_that_others_may_read_is_closed_again(home: Home) -> None:
    keys.make(home)
    home.secret_file.chmod(0o644)

    keys.make(home)

    assert stat.S_IMODE(home.secret_file.stat().st_mode) == 0o600


def test_two_homes_have_two_secrets(home: Home, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Home(tmp_path_factory.mktemp("other"))
    other.make()

    assert keys.make(home) != keys.make(other)


def test_deleting_a_stack_deletes_its_secret(home: Home) -> None:
    keys.make(home)
    home.delete()

    assert not home.root.exists()


def test_the_secret_does_not_show_where_a_key_is_printed(home: Home) -> None:
    key = keys.make(home)

    assert key.secret not in repr(key)


def test_a_functions_secret_and_token_come_from_the_roots_and_not_from_its_arns(ministack: None) -> None:
    computable = lambda_runtime.execution_credentials(FUNCTION)
    session_keys.install("root secret")

    given = lambda_runtime.execution_credentials(FUNCTION)

    key = function_access_key(FUNCTION["FunctionArn"], FUNCTION["Role"])
    assert given == {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": derived_secret("root secret", key),
        "AWS_SESSION_TOKEN": derived_token("root secret", key),
    }
    assert given.keys() == computable.keys()
    assert given["AWS_ACCESS_KEY_ID"] == computable["AWS_ACCESS_KEY_ID"]
    assert not set(given.values()) & {computable["AWS_SECRET_ACCESS_KEY"], computable["AWS_SESSION_TOKEN"]}
    assert lambda_svc.execution_credentials(FUNCTION) == given
    assert sts._sessions[key]["SecretAccessKey"] == given["AWS_SECRET_ACCESS_KEY"]
    assert sts._sessions[key]["Arn"] == "arn:aws:sts::000000000000:assumed-role/StartTrainingRole/start-training"


def test_the_secret_of_a_role_that_is_assumed_comes_from_the_roots_too(ministack: None) -> None:
    session_keys.install("root secret")
    parameters = {"Action": ["GetSessionToken"], "Version": ["2011-06-15"]}

    _, _, answer = asyncio.run(sts.handle_request("POST", "/", {}, b"", parameters))

    found = dict(re.findall(r"<(AccessKeyId|SecretAccessKey)>([^<]+)<", answer.decode()))
    assert found["SecretAccessKey"] == derived_secret("root secret", found["AccessKeyId"])
    assert secrets_of("test", "root secret")(found["AccessKeyId"]) == found["SecretAccessKey"], "known to every server"


def test_ministack_still_takes_functions_keys_from_where_they_are_changed() -> None:
    assert lambda_svc.execution_credentials is lambda_runtime.execution_credentials
    assert callable(lambda_runtime._account_region_from_function_config)


def test_each_key_has_a_secret_of_its_own_and_each_root_others() -> None:
    secret_of, other = secrets_of("test", "one"), secrets_of("test", "two")

    assert (secret_of("test"), other("test")) == ("one", "two")
    assert len({secret_of("ASIA0123456789ABCDEF"), secret_of("ASIA0123456789ABCDE0"), other("ASIA0123456789ABCDEF")}) == 3
    for unknown in ("", "TEST", "000000000000", "AKIA0123456789ABCDEF", "ASIA0123456789abcdef"):
        assert secret_of(unknown) is None


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_a_server_does_not_start_without_a_secret(missing: str) -> None:
    environment = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret"}
    assert root_of(environment) == ("test", "secret")

    with pytest.raises(ValueError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set"):
        root_of({**environment, missing: ""})
