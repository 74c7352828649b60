"""A stack for the commands to talk to: the fake HTTP API, and an account in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from click.testing import CliRunner

from sageline_cli.connection import Connection
from sageline_cli.watching import WatchingClients
from tests.unit.cli.fakes import BUCKET, FakeApi
from tests.unit.world.fake_aws import FakeAws
from tests.unit.world.fake_s3 import FakeBucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def account() -> FakeAws:
    return FakeAws(s3=FakeBucket(name=BUCKET))


# Making a client takes longer than most of the tests.
@pytest.fixture(scope="session")
def clients() -> tuple[S3Client, SFNClient]:
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    return session.client("s3"), session.client("stepfunctions")


@pytest.fixture
def connection(
    api: FakeApi, account: FakeAws, clients: tuple[S3Client, SFNClient], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Connection]:
    """A stack that is up, which every command finds."""
    s3, stepfunctions = clients
    with account.behind_clients():
        watching = WatchingClients(boto3.Session("testing", "testing", region_name="us-east-1"), Config())
        connection = Connection(api.client(), s3, stepfunctions, BUCKET, watching)
        for commands in ("submit", "runs", "endpoints", "traffic", "batch"):
            monkeypatch.setattr(f"sageline_cli.{commands}.connect", lambda stack: connection)
        yield connection


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner(mix_stderr=False)
