from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError
from botocore.stub import Stubber

from sageline.errors import InvalidSpec
from sageline_cli.connection import connect, connect_to_local, local_home
from sageline_cli.errors import CommandFailed, explain
from sageline_local.errors import StackNotUp
from sageline_local.stack import LocalStack
from sageline_local.status import StackStatus

OUTPUTS = {"ApiUrl": "https://api.example", "BucketName": "the-bucket"}


def describe(monkeypatch: pytest.MonkeyPatch, outputs: dict[str, str] | None) -> None:
    """CloudFormation has one stack, with these outputs; or none."""
    create = boto3.Session.client

    def client(session: boto3.Session, service: str, **options: Any) -> Any:  # any of boto3's clients
        made = create(session, service, **options)  # type: ignore[call-overload] # the stubs know literal names only
        if service == "cloudformation":
            stub = Stubber(made)
            if outputs is None:
                stub.add_client_error("describe_stacks", "ValidationError", "Stack with id nope does not exist")
            else:
                described = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
                stack = {"StackName": "s", "CreationTime": "2026-11-20", "StackStatus": "CREATE_COMPLETE", "Outputs": described}
                stub.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "prod"})
            stub.activate()
        return made

    monkeypatch.setattr(boto3.Session, "client", client)


def test_a_deployed_stack_is_found_by_its_name_in_the_region_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    describe(monkeypatch, OUTPUTS)
    connection = connect("prod", {"AWS_REGION": "eu-west-1"})
    assert connection.bucket == "the-bucket"
    assert connection.s3.meta.region_name == "eu-west-1"


def test_a_stack_that_is_not_there_is_named_with_its_region(monkeypatch: pytest.MonkeyPatch) -> None:
    describe(monkeypatch, None)
    with pytest.raises(CommandFailed, match="no stack 'nope' in eu-west-1"):
        connect("nope", {"AWS_REGION": "eu-west-1"})


def test_a_stack_of_something_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    describe(monkeypatch, {"ApiUrl": "x"})
    with pytest.raises(CommandFailed, match=r"'prod' \(CREATE_COMPLETE\) has no output BucketName"):
        connect("prod", {"AWS_REGION": "eu-west-1"})


def test_a_local_stack_that_is_not_up_says_how_to_start_it(tmp_path: Path) -> None:
    with pytest.raises(StackNotUp, match="sageline local up"):
        connect(None, {"SAGELINE_HOME": str(tmp_path / "none")})


def test_the_local_stack_is_reached_whatever_the_users_aws_settings_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = StackStatus(
        state="up",
        home=str(tmp_path),
        region="us-east-1",
        endpoint_url="http://127.0.0.1:4599",
        api_url="http://127.0.0.1:4599/_aws/execute-api/abc/$default",
        bucket="local-bucket",
        environment={"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"},
    )
    monkeypatch.setattr(LocalStack, "status", lambda self: status)
    monkeypatch.setenv("AWS_PROFILE", "a-profile-that-is-not-there")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://somewhere.example")

    connection = connect_to_local({})

    assert connection.bucket == "local-bucket"
    assert connection.s3.meta.endpoint_url == "http://127.0.0.1:4599"
    assert connection.s3.meta.region_name == "us-east-1"


def test_the_home_of_the_local_stack_is_chosen_by_the_environment() -> None:
    assert local_home({}) == local_home({"SAGELINE_HOME": ""}) == Path(".local")
    assert local_home({"SAGELINE_HOME": "/somewhere"}) == Path("/somewhere")


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "AWS's words"}}, "PutObject")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (NoCredentialsError(), "NoCredentials", "AWS_PROFILE"),
        (NoRegionError(), "NoRegion", "AWS_REGION"),
        (client_error("ExpiredToken"), "ExpiredToken", "sign in again"),
        (client_error("AccessDenied"), "AccessDenied", "refused PutObject: your role or user lacks the permission"),
        (client_error("SlowDown"), "SlowDown", "AWS refused PutObject (SlowDown): AWS's words"),
        (InvalidSpec("unknown key"), "InvalidSpec", "unknown key"),
        (OSError("disk full"), "OSError", "disk full"),
    ],
)
def test_errors_of_libraries_become_sentences(error: Exception, code: str, words: str) -> None:
    failure = explain(error)
    assert failure.code == code
    assert words in failure.message
