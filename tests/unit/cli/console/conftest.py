"""The console as a browser asks it, with a fake of the HTTP API and an account in memory behind it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from sageline_cli.connection import Connection
from sageline_cli.console.app import create_app
from sageline_cli.console.guard import Address
from sageline_cli.console.stack import StackAccess
from tests.unit.cli.console.asked import Page
from tests.unit.cli.fakes import BUCKET
from tests.unit.world.fake_aws import FakeAws

ADDRESS = Address(8300, "the-token")
BUCKET_ORIGIN = "https://sageline-bucket.s3.amazonaws.com"


@pytest.fixture
def connect(connection: Connection) -> Callable[[], Connection]:
    return lambda: connection


@pytest.fixture
def page(connect: Callable[[], Connection]) -> Page:
    app = create_app(StackAccess("sageline", connect), ADDRESS, BUCKET_ORIGIN)
    return Page(app, ADDRESS.url)


def tags_of(html: str, tag: str) -> list[str]:
    """All elements of a kind, as they begin: ``<img src=x>``. What is escaped is none."""
    return re.findall(rf"<{tag}\b[^>]*>", html)


def put(account: FakeAws, key: str, body: bytes) -> None:
    account.s3.put_object({"Bucket": BUCKET, "Key": key, "Body": body})


def body_of(account: FakeAws, key: str) -> bytes | None:
    """What is under a key; None: nothing."""
    found = account.s3.newest(key)
    return None if found is None else found.body
