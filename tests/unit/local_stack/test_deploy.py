"""Deploying to MiniStack: what is prepared before, and what is told when it fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from sageline_local import deploy, sam
from sageline_local.errors import DeployFailed
from sageline_local.home import DeployedStack, Home
from tests.unit.local_stack.world import local_clients

OUTPUTS = {"ApiId": "abc", "BucketName": "bucket", "StateMachineArn": "arn:machine"}
STACK_ID = "arn:aws:cloudformation:us-east-1:000000000000:stack/sageline/1"


class Cloud:
    """Clients that answer what a test has prepared, in that order."""

    def __init__(self, stubs: ExitStack) -> None:
        self.clients = local_clients()
        self.cloudformation = stubs.enter_context(Stubber(self.clients.cloudformation))
        self.s3 = stubs.enter_context(Stubber(self.clients.s3))

    def stack(self, status: str, outputs: Mapping[str, str] = OUTPUTS) -> None:
        listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        stack = {
            "StackId": STACK_ID,
            "StackName": "sageline",
            "StackStatus": status,
            "CreationTime": datetime.now(UTC),
            "Outputs": listed,
        }
        self.cloudformation.add_response("describe_stacks", {"Stacks": [stack]})

    def no_stack(self) -> None:
        self.cloudformation.add_client_error("describe_stacks", "ValidationError", "Stack with id sageline does not exist")

    def done(self) -> bool:
        for stub in (self.cloudformation, self.s3):
            stub.assert_no_pending_responses()
        return True


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with ExitStack() as stubs:
        yield Cloud(stubs)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home whose MiniStack saves its state as soon as it may."""
    home = Home(tmp_path)
    home.make()
    ended = threading.Event()

    def save() -> None:
        while not ended.wait(0.01):
            if not (home.state / "paused").exists():
                (home.state / "saved").touch()

    saving = threading.Thread(target=save)
    saving.start()
    yield home
    ended.set()
    saving.join()


def sam_says(monkeypatch: pytest.MonkeyPatch, succeeded: bool, output: str = "") -> None:
    def run(home: Home, name: str, arguments: Sequence[str], variables: Mapping[str, str]) -> sam.Result:
        assert (home.state / "paused").exists(), "state is not saved half deployed"
        return sam.Result(succeeded, output, home.log("sam-deploy"))

    monkeypatch.setattr(sam, "run", run)


def test_a_first_deployment_answers_the_stack_and_its_outputs(cloud: Cloud, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    sam_says(monkeypatch, succeeded=True)
    cloud.s3.add_response("create_bucket", {}, {"Bucket": "sageline-artifacts"})
    cloud.no_stack()
    cloud.stack("CREATE_COMPLETE")
    cloud.stack("CREATE_COMPLETE")

    assert deploy.deploy(cloud.clients, home, Path("template.yaml"), {}, {}) == (STACK_ID, OUTPUTS)

    assert cloud.done()
    assert not (home.state / "paused").exists()


def test_a_failed_deployment_names_the_resources_and_goes_on_saving(
    cloud: Cloud, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    sam_says(monkeypatch, succeeded=False, output="Error: Failed to create/update the stack")
    cloud.s3.add_response("create_bucket", {})
    cloud.no_stack()

    def event(name: str, status: str, reason: str, at: datetime) -> dict[str, Any]:
        return {
            "StackId": STACK_ID,
            "EventId": name,
            "StackName": "sageline",
            "LogicalResourceId": name,
            "ResourceType": "AWS::IAM::Role",
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
            "Timestamp": at,
        }

    now, before = datetime.now(UTC), datetime(2020, 1, 1, tzinfo=UTC)
    events = [
        event("Later", "CREATE_FAILED", "cancelled", now),
        event("First", "CREATE_FAILED", "no such policy", now),
        event("Fine", "CREATE_COMPLETE", "", now),
        event("Old", "CREATE_FAILED", "last year", before),
    ]
    cloud.cloudformation.add_response("describe_stack_events", {"StackEvents": events})

    with pytest.raises(DeployFailed) as failed:
        deploy.deploy(cloud.clients, home, Path("template.yaml"), {}, {})

    assert failed.value.message.splitlines()[1:] == [
        "First (AWS::IAM::Role): no such policy",
        "Later (AWS::IAM::Role): cancelled",
        "Error: Failed to create/update the stack",
    ]
    assert not (home.state / "paused").exists()


def test_what_is_left_of_a_failed_deployment_is_deleted_first(cloud: Cloud, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    sam_says(monkeypatch, succeeded=False)
    cloud.s3.add_response("create_bucket", {})
    cloud.stack("ROLLBACK_COMPLETE")
    cloud.cloudformation.add_response("delete_stack", {}, {"StackName": "sageline"})
    cloud.no_stack()
    cloud.cloudformation.add_response("describe_stack_events", {"StackEvents": []})

    with pytest.raises(DeployFailed):
        deploy.deploy(cloud.clients, home, Path("template.yaml"), {}, {})

    assert cloud.done()


def test_a_template_without_the_outputs_that_the_stack_needs_is_refused(
    cloud: Cloud, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    sam_says(monkeypatch, succeeded=True)
    cloud.s3.add_response("create_bucket", {})
    cloud.no_stack()
    cloud.stack("CREATE_COMPLETE", {"BucketName": "bucket", "StateMachineArn": "arn:machine"})

    with pytest.raises(DeployFailed, match="lacks the output ApiId"):
        deploy.deploy(cloud.clients, home, Path("template.yaml"), {}, {})


@pytest.mark.parametrize(
    ("stack_id", "status", "there"),
    [
        (STACK_ID, "CREATE_COMPLETE", True),
        (STACK_ID, "UPDATE_COMPLETE", True),
        (STACK_ID, "UPDATE_IN_PROGRESS", False),
        ("arn:another", "CREATE_COMPLETE", False),
    ],
)
def test_a_deployment_is_there_if_it_is_the_same_and_whole(cloud: Cloud, stack_id: str, status: str, there: bool) -> None:
    cloud.stack(status)

    assert deploy.is_there(cloud.clients, DeployedStack("now", stack_id, OUTPUTS)) is there


def test_a_deployment_that_ministack_does_not_know_is_not_there(cloud: Cloud) -> None:
    cloud.no_stack()

    assert deploy.is_there(cloud.clients, DeployedStack("now", STACK_ID, OUTPUTS)) is False


def test_a_deployment_depends_on_the_build_and_on_the_parameters_in_any_order() -> None:
    both = deploy.fingerprint("build", {"a": "1", "b": "2"})

    assert both == deploy.fingerprint("build", {"b": "2", "a": "1"})
    assert both != deploy.fingerprint("build", {"a": "1"})
    assert both != deploy.fingerprint("other", {"a": "1", "b": "2"})
