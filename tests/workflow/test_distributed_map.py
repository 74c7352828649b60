"""Distributed Maps on the local stack: a state machine, a role and a function of the test's own."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from sageline_local.aws import LocalClients
from sageline_local.stack import LocalStack
from tests.workflow.workbench import until

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda.type_defs import FunctionCodeTypeDef
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_stepfunctions.type_defs import DescribeExecutionOutputTypeDef

pytestmark = pytest.mark.stack

NAME = "distributed-map"
ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:{NAME}"
FUNCTION = """
import os, time

def handler(event, context):
    began = time.time()
    if event["shard"] == event["broken"]:
        raise ValueError("row 7")
    time.sleep(event["seconds"])
    return {"shard": event["shard"], "process": os.getpid(), "began": began, "ended": time.time()}
"""
DEFINITION = {
    "QueryLanguage": "JSONata",
    "StartAt": "Configure",
    "States": {
        "Configure": {
            "Type": "Pass",
            "Assign": {
                "shards": "{% $states.input.shards %}",
                "workers": "{% $states.input.workers %}",
                "broken": "{% $states.input.broken %}",
                "seconds": "{% $states.input.seconds %}",
            },
            "Next": "FitShards",
        },
        "FitShards": {
            "Type": "Map",
            "Label": "FitShards",
            "Items": "{% [0..$shards-1] %}",
            "MaxConcurrency": "{% $workers %}",
            "ItemSelector": {
                "shard": "{% $states.context.Map.Item.Value %}",
                "broken": "{% $broken %}",
                "seconds": "{% $seconds %}",
            },
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "FitShard",
                "States": {
                    "FitShard": {
                        "Type": "Task",
                        "Resource": "arn:aws:states:::lambda:invoke",
                        "Arguments": {"FunctionName": NAME, "Payload": "{% $states.input %}"},
                        "Output": "{% $states.result.Payload %}",
                        "Retry": [{"ErrorEquals": ["Lambda.ServiceException"], "IntervalSeconds": 1, "MaxAttempts": 3}],
                        "End": True,
                    }
                },
            },
            "Catch": [{"ErrorEquals": ["States.ALL"], "Output": "{% $states.errorOutput %}", "Next": "Failed"}],
            "Assign": {"fitted": "{% $states.result %}"},
            "Next": "Merge",
        },
        "Merge": {"Type": "Succeed", "Output": "{% $fitted %}"},
        "Failed": {"Type": "Succeed"},
    },
}


class Machine:
    """The state machine; its executions are of ``shards`` children, of which ``broken`` fails."""

    def __init__(self, client: SFNClient) -> None:
        self._client = client

    def start(self, *, shards: int = 20, workers: int = 2, seconds: float = 0, broken: int = -1) -> str:
        given = {"shards": shards, "workers": workers, "seconds": seconds, "broken": broken}
        return self._client.start_execution(stateMachineArn=MACHINE, input=json.dumps(given))["executionArn"]

    def stop(self, execution: str) -> None:
        self._client.stop_execution(executionArn=execution, error="Stopped")

    def output(self, execution: str) -> Any:  # JSON
        until(lambda: self.described(execution) if self.described(execution)["status"] != "RUNNING" else None)
        ended = self.described(execution)
        assert ended["status"] == "SUCCEEDED", ended
        return json.loads(ended["output"])

    def children(self, execution: str, status: str | None = None) -> list[str]:
        """The ARNs of those that were started, or that have come to a status."""
        found = []
        for run in self._client.list_map_runs(executionArn=execution)["mapRuns"]:
            found += self._client.list_executions(mapRunArn=run["mapRunArn"])["executions"]
        return sorted(child["executionArn"] for child in found if status in {None, child["status"]})

    def described(self, execution: str) -> DescribeExecutionOutputTypeDef:
        return self._client.describe_execution(executionArn=execution)


@pytest.fixture(scope="module")
def iam(stack: LocalStack) -> IAMClient:
    environment = stack.environment()
    return boto3.client(
        "iam",
        region_name=environment["AWS_REGION"],
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def allow(iam: IAMClient, *actions: str) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [*actions], "Resource": "*"}]}
    iam.put_role_policy(RoleName=NAME, PolicyName=NAME, PolicyDocument=json.dumps(document))


@pytest.fixture(scope="module")
def machine(clients: LocalClients, iam: IAMClient) -> Iterator[Machine]:
    services = {"Service": ["states.amazonaws.com", "lambda.amazonaws.com"]}
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": services}]}
    iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(trust))
    allow(iam, "states:StartExecution", "lambda:InvokeFunction")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("app.py", FUNCTION)
    packed: FunctionCodeTypeDef = {"ZipFile": archive.getvalue()}
    clients.lambda_.create_function(
        FunctionName=NAME, Runtime="python3.13", Role=ROLE, Handler="app.handler", Code=packed, Timeout=60
    )
    clients.stepfunctions.create_state_machine(name=NAME, definition=json.dumps(DEFINITION), roleArn=ROLE)
    yield Machine(clients.stepfunctions)
    clients.stepfunctions.delete_state_machine(stateMachineArn=MACHINE)
    clients.lambda_.delete_function(FunctionName=NAME)
    iam.delete_role_policy(RoleName=NAME, PolicyName=NAME)
    iam.delete_role(RoleName=NAME)


def test_twenty_items_run_two_at_once_each_in_a_process_of_its_own(machine: Machine) -> None:
    outputs = machine.output(machine.start(seconds=0.3))

    assert [output["shard"] for output in outputs] == [*range(20)]
    at_once = [sum(other["began"] <= output["began"] < other["ended"] for other in outputs) for output in outputs]
    assert max(at_once) == 2
    assert len({output["process"] for output in outputs}) == 2


def test_an_item_that_fails_ends_the_map_for_the_catch(machine: Machine) -> None:
    execution = machine.start(broken=3, seconds=0.1)

    assert machine.output(execution) == {
        "Error": "States.ExceedToleratedFailureThreshold",
        "Cause": "The specified tolerated failure threshold was exceeded",
    }
    assert len(machine.children(execution)) < 8
    [failed] = machine.children(execution, "FAILED")
    assert machine.described(failed)["error"] == "ValueError"
    assert json.loads(machine.described(failed)["cause"])["errorMessage"] == "row 7"


def test_a_stop_in_the_middle_stops_the_children_and_starts_no_more(machine: Machine) -> None:
    execution = machine.start(seconds=1)
    until(lambda: machine.children(execution, "SUCCEEDED") or None)

    machine.stop(execution)

    until(lambda: None if machine.children(execution, "RUNNING") else True)
    assert machine.described(execution)["status"] == "ABORTED"
    assert machine.children(execution, "ABORTED")
    started = machine.children(execution)
    # Lambda does not know of the stop: the functions that were called go on to their end, and nothing comes of them.
    assert len(machine.output(machine.start(shards=2, seconds=2))) == 2
    assert machine.children(execution) == started


def test_a_role_that_may_not_start_executions_runs_no_map(machine: Machine, iam: IAMClient) -> None:
    allow(iam, "lambda:InvokeFunction")
    try:
        caught = machine.output(machine.start())
    finally:
        allow(iam, "states:StartExecution", "lambda:InvokeFunction")

    assert caught["Error"] == "States.Permissions"
    assert f"states:StartExecution on resource: {MACHINE}" in caught["Cause"]
