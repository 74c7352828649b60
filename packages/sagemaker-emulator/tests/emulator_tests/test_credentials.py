"""The credentials of code that runs for an execution role."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from sagemaker_emulator.credentials import RoleCredentials

ROLE = "arn:aws:iam::000000000000:role/SageMaker"


class FakeSts:
    """Gives a session, or refuses to."""

    meta = SimpleNamespace(endpoint_url="http://127.0.0.1:4566")

    def __init__(self, *, refuses: bool = False) -> None:
        self._refuses = refuses
        self.asked: dict[str, object] = {}

    def assume_role(self, **request: object) -> dict[str, dict[str, str]]:
        self.asked = request
        if self._refuses:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "AssumeRole")
        return {"Credentials": {"AccessKeyId": "ASIA1", "SecretAccessKey": "secret", "SessionToken": "token"}}


def test_the_roles_credentials_and_where_to_use_them() -> None:
    sts = FakeSts()

    credentials = RoleCredentials(sts, "eu-west-1", "http://127.0.0.1:4567")  # type: ignore[arg-type]  # the one call that is made

    environment = credentials.environment(ROLE, isolated=False)

    assert sts.asked == {"RoleArn": ROLE, "RoleSessionName": "SageMaker", "DurationSeconds": 43_200}
    assert environment == {
        "AWS_ACCESS_KEY_ID": "ASIA1",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_ENDPOINT_URL_SAGEMAKER": "http://127.0.0.1:4567",
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "http://127.0.0.1:4567",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def test_without_sts_code_knows_sagemaker_and_has_no_credentials() -> None:
    environment = RoleCredentials(None, "eu-west-1", "http://127.0.0.1:4567").environment(ROLE, isolated=False)

    assert environment["AWS_ENDPOINT_URL_SAGEMAKER"] == "http://127.0.0.1:4567"
    assert not {"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"} & set(environment)


def test_it_is_known_whose_a_session_is() -> None:
    credentials = RoleCredentials(FakeSts(), "eu-west-1")  # type: ignore[arg-type]  # the one call that is made
    assert credentials.role_of("ASIA1") is None

    credentials.environment(ROLE, isolated=False)

    assert (credentials.role_of("ASIA1"), credentials.secret_of("ASIA1")) == (ROLE, "secret")


def test_an_isolated_container_has_neither_credentials_nor_addresses_and_no_session_is_asked_for() -> None:
    sts = FakeSts()
    credentials = RoleCredentials(sts, "eu-west-1", "http://127.0.0.1:4567")  # type: ignore[arg-type]  # the one call that is made

    assert credentials.environment(ROLE, isolated=True) == {
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    assert sts.asked == {}


def test_a_role_that_can_not_be_assumed_leaves_the_code_without_any(caplog: pytest.LogCaptureFixture) -> None:
    credentials = RoleCredentials(FakeSts(refuses=True), "eu-west-1")  # type: ignore[arg-type]  # the one call that is made

    environment = credentials.environment(ROLE, isolated=False)

    assert not {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} & set(environment)
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert f"{ROLE} can not be assumed" in caplog.text
