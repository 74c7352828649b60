"""No network, and no credentials of anybody's. Time passes only where a test says so."""

from __future__ import annotations

import os

import pytest
from pytest_socket import disable_socket

from client_tests.fakes import Clock, FakeApi


@pytest.fixture(autouse=True)
def _no_network_and_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    disable_socket(allow_unix_socket=True)
    for name in [name for name in os.environ if name.startswith(("AWS_", "SAGELINE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.sleep", clock.sleep)
    monkeypatch.setattr("time.monotonic", clock.now)
    return clock
