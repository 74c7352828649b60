"""The rule of this tier: no network but loopback, no credentials, no state outside the test."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import socket_allow_hosts

from tests.unit.world.fixtures import answers, watch, world

__all__ = ["answers", "watch", "world"]

# How long an example takes says nothing on a machine that does other work too.
settings.register_profile("unit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# CI says of a commit what a person's machine said of it; people's runs are where new examples are tried.
settings.register_profile("ci", settings.get_profile("unit"), derandomize=True)
# What `make check` and `make unit` use; `make coverage` tries a hundred.
settings.register_profile("few", settings.get_profile("ci"), max_examples=10)
settings.load_profile("ci" if os.environ.get("CI") else "unit")


@pytest.fixture(autouse=True)
def _no_network_and_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only loopback can be reached, and boto3 finds credentials that open nothing."""
    socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SAGEMAKER", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent/aws/config")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/aws/credentials")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "sageline")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Sageline")
