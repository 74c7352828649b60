"""The bundle on MiniStack: the real ``sam deploy``."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from sageline_local import sam
from sageline_local.aws import LocalClients
from sageline_local.errors import DeployFailed
from sageline_local.home import DeployedStack, Home

STACK_NAME = "sageline"
ARTIFACTS_BUCKET = "sageline-artifacts"
_FAILED = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}
"""Stacks in these states can only be deleted."""
_GOOD = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"}
_SNAPSHOT_SECONDS = 10.0


def fingerprint(build_id: str, parameters: Mapping[str, str]) -> str:
    """Of everything that a deployment depends on."""
    return hashlib.sha256(json.dumps([build_id, dict(sorted(parameters.items()))]).encode()).hexdigest()[:20]


def is_there(clients: LocalClients, deployment: DeployedStack) -> bool:
    """Whether MiniStack still has what was deployed."""
    found = _describe(clients)
    return found is not None and found[0] == deployment.stack_id and found[1] in _GOOD


def deploy(
    clients: LocalClients, home: Home, template: Path, parameters: Mapping[str, str], tools: Mapping[str, str]
) -> tuple[str, dict[str, str]]:
    """Deploy a built template.

    Returns:
        The stack's id and its outputs.

    Raises:
        DeployFailed: with the resources that failed and why, and what SAM said.
    """
    with _snapshots_paused(home):
        _prepare(clients)
        began = time.time()
        result = sam.run(home, "deploy", sam.deploy_arguments(template, STACK_NAME, ARTIFACTS_BUCKET, parameters), tools)
        if not result.succeeded:
            reasons = [*_failed_resources(clients, began), result.explanation()]
            raise DeployFailed(f"`sam deploy` failed (all of its output: {result.log}):\n" + "\n".join(reasons))
        outputs = _outputs(clients)
    described = _describe(clients)
    if described is None:
        raise DeployFailed("MiniStack has no stack after `sam deploy`. Try `sageline local down`, then `up` again.")
    return described[0], outputs


def function_names(clients: LocalClients) -> dict[str, str]:
    """The deployed functions' names by their logical ids."""
    resources = clients.cloudformation.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in resources
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }


def api_url(endpoint_url: str, outputs: Mapping[str, str]) -> str:
    """Base URL of the HTTP API on MiniStack's own port, of its stage ``$default``: needs no DNS."""
    return f"{endpoint_url}/_aws/execute-api/{outputs['ApiId']}"


def jwt_api_url(endpoint_url: str, outputs: Mapping[str, str]) -> str:
    """The same of the HTTP API for tokens; empty if the stack has none."""
    return f"{endpoint_url}/_aws/execute-api/{outputs['JwtApiId']}" if "JwtApiId" in outputs else ""


@contextmanager
def _snapshots_paused(home: Home) -> Iterator[None]:
    """MiniStack's state is not saved half deployed; the whole is before this returns."""
    paused, saved = home.state / "paused", home.state / "saved"
    paused.touch()
    try:
        yield
        before = _modified(saved)
    finally:
        paused.unlink(missing_ok=True)
    deadline = time.monotonic() + _SNAPSHOT_SECONDS
    while _modified(saved) == before:
        if time.monotonic() > deadline:
            raise DeployFailed(f"MiniStack did not save its state; see {home.log('ministack')}.")
        time.sleep(0.05)


def _modified(file: Path) -> int | None:
    return file.stat().st_mtime_ns if file.exists() else None


def _prepare(clients: LocalClients) -> None:
    """The bucket that SAM uploads to; and nothing of a deployment that failed."""
    clients.s3.create_bucket(Bucket=ARTIFACTS_BUCKET)
    found = _describe(clients)
    if found is not None and found[1] in _FAILED:
        clients.cloudformation.delete_stack(StackName=STACK_NAME)
        try:
            clients.cloudformation.get_waiter("stack_delete_complete").wait(
                StackName=STACK_NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
            )
        except WaiterError as error:
            raise DeployFailed(
                f"A deployment that failed ({found[1]}) could not be deleted: {error}. "
                "`sageline local down --delete` and `up` start from nothing."
            ) from error


def _describe(clients: LocalClients) -> tuple[str, str] | None:
    """The stack's id and status; None if there is none."""
    try:
        [stack] = clients.cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    return stack["StackId"], stack["StackStatus"]


def _outputs(clients: LocalClients) -> dict[str, str]:
    [stack] = clients.cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    missing = {"ApiId", "BucketName", "StateMachineArn"} - outputs.keys()
    if missing:
        raise DeployFailed(f"The deployed stack lacks the output {', '.join(sorted(missing))}: see the end of template.yaml.")
    return outputs


def _failed_resources(clients: LocalClients, since: float) -> list[str]:
    """One line for each resource that failed, the first cause first."""
    try:
        events = clients.cloudformation.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
    except (BotoCoreError, ClientError):
        return []
    return [
        f"{event.get('LogicalResourceId')} ({event.get('ResourceType')}): {event.get('ResourceStatusReason', '')}"
        for event in reversed(events)
        if event.get("ResourceStatus", "").endswith("_FAILED") and event["Timestamp"].timestamp() >= since - 1
    ]
