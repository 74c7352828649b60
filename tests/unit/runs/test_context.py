"""The context makes what a use case asks for, and no more."""

from __future__ import annotations

from sageline.aws.clients import Clients
from sageline.runs.context import RunContext
from tests.unit.world.world import SETTINGS


def test_a_client_is_made_when_it_is_first_needed() -> None:
    run = RunContext(SETTINGS, Clients())
    assert vars(run.clients) == {}
    assert run.stack_name == SETTINGS.stack_name
    assert run.files.bucket == SETTINGS.bucket_name
    assert vars(run.clients).keys() == {"s3"}
    assert run.routings is run.routings
    assert run.region == "us-east-1"
    assert vars(run.clients).keys() == {"s3", "sagemaker"}
