"""What the doctor says of a deployed stack."""

from __future__ import annotations

from typing import Any

import pytest

from sageline_cli.doctor import stack
from sageline_cli.doctor.finding import Finding
from sageline_cli.doctor.stack import CloudFormationStack
from tests.unit.cli.fakes import FakeApi
from tests.unit.cli.stubs import aws, stubbed

MACHINE = "arn:aws:states:eu-west-1:111122223333:stateMachine:Pipeline"
OUTPUTS = {"ApiUrl": "https://api", "BucketName": "the-bucket", "RunsTableName": "runs", "StateMachineArn": MACHINE}
DEPLOYED = CloudFormationStack(
    "sageline",
    OUTPUTS,
    {"AWS::Events::Rule": ("sageline-upload", "sageline-job"), "AWS::Lambda::Function": ("prepare", "evaluate")},
)


def find(status: str, outputs: dict[str, str] = OUTPUTS) -> tuple[CloudFormationStack | None, Finding]:
    described = {
        "StackName": "sageline",
        "CreationTime": "2026-11-20",
        "StackStatus": status,
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
    }
    times = {"LastUpdatedTimestamp": "2026-11-20", "ResourceStatus": "CREATE_COMPLETE"}
    resources = [
        {"LogicalResourceId": name, "PhysicalResourceId": f"sageline-{name}", "ResourceType": "AWS::Lambda::Function", **times}
        for name in ("A", "B")
    ]
    with stubbed(aws().cloudformation) as cloudformation:
        cloudformation.add_response("describe_stacks", {"Stacks": [described]}, {"StackName": "sageline"})
        cloudformation.add_response("list_stack_resources", {"StackResourceSummaries": resources})
        return stack.find_stack(aws(), "sageline")


def test_a_stack_that_is_not_there_is_no_failure_before_it_is_deployed() -> None:
    with stubbed(aws().cloudformation) as cloudformation:
        cloudformation.add_client_error("describe_stacks", "ValidationError", "Stack with id sageline does not exist")

        deployed, finding = stack.find_stack(aws(), "sageline")

    assert deployed is None
    assert finding.state == "warning"
    assert "no stack 'sageline' in eu-west-1" in finding.what
    assert "sam deploy" in finding.to_do


def test_a_stack_that_is_there_is_known_with_its_outputs_and_resources() -> None:
    deployed, finding = find("CREATE_COMPLETE")

    assert finding.state == "ok"
    assert deployed == CloudFormationStack("sageline", OUTPUTS, {"AWS::Lambda::Function": ("sageline-A", "sageline-B")})


@pytest.mark.parametrize(
    ("status", "state", "to_do"),
    [
        ("UPDATE_COMPLETE", "ok", ""),
        ("UPDATE_IN_PROGRESS", "warning", "Wait"),
        ("ROLLBACK_COMPLETE", "failed", "delete-stack --stack-name sageline"),
        ("UPDATE_ROLLBACK_FAILED", "failed", "describe-stack-events"),
    ],
)
def test_the_status_of_a_stack_says_what_to_do(status: str, state: str, to_do: str) -> None:
    _, finding = find(status)

    assert finding.state == state
    assert to_do in finding.to_do


def test_a_stack_of_something_else_fails() -> None:
    _, finding = find("CREATE_COMPLETE", {"ApiUrl": "https://api"})

    assert finding.state == "failed"
    assert "no output BucketName, RunsTableName, StateMachineArn" in finding.what


@pytest.mark.parametrize(
    ("versioning", "notification", "words"),
    [
        ("Enabled", {"EventBridgeConfiguration": {}}, None),
        ("Suspended", {"EventBridgeConfiguration": {}}, "no versioning"),
        ("Enabled", {}, "starts no run"),
    ],
)
def test_a_bucket_keeps_versions_and_tells_eventbridge(versioning: str, notification: dict[str, Any], words: str | None) -> None:
    with stubbed(aws().s3) as s3:
        s3.add_response("get_bucket_versioning", {"Status": versioning}, {"Bucket": "the-bucket"})
        s3.add_response("get_bucket_notification_configuration", notification, {"Bucket": "the-bucket"})

        finding = stack.check_bucket(aws(), DEPLOYED)

    assert finding.state == ("failed" if words else "ok")
    assert (words or "keeps versions") in finding.what


@pytest.mark.parametrize(("second", "state"), [("ENABLED", "ok"), ("DISABLED", "failed")])
def test_a_rule_that_is_disabled_is_named(second: str, state: str) -> None:
    with stubbed(aws().events) as events:
        events.add_response("describe_rule", {"State": "ENABLED"}, {"Name": "sageline-upload"})
        events.add_response("describe_rule", {"State": second}, {"Name": "sageline-job"})

        finding = stack.check_rules(aws(), DEPLOYED)

    assert finding.state == state
    assert ("sageline-job: DISABLED" in finding.what) == (state == "failed")


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ({"State": "Active", "LastUpdateStatus": "Successful"}, None),
        ({"State": "Inactive", "StateReasonCode": "Idle"}, None),
        ({"State": "Failed", "StateReason": "no layer"}, "prepare: Failed (no layer)"),
        ({"State": "Active", "LastUpdateStatus": "Failed", "LastUpdateStatusReason": "no key"}, "update failed (no key)"),
    ],
)
def test_a_function_that_does_not_come_up_is_named_with_its_reason(function: dict[str, str], words: str | None) -> None:
    with stubbed(aws().lambda_) as lambda_:
        lambda_.add_response("get_function_configuration", function, {"FunctionName": "prepare"})
        lambda_.add_response("get_function_configuration", {"State": "Active"}, {"FunctionName": "evaluate"})

        finding = stack.check_functions(aws(), DEPLOYED)

    assert finding.state == ("failed" if words else "ok")
    assert (words or "2 functions are ready") in finding.what


@pytest.mark.parametrize(("status", "state"), [("ACTIVE", "ok"), ("DELETING", "failed")])
def test_state_machine_and_table_are_active(status: str, state: str) -> None:
    machine = {
        **{"stateMachineArn": MACHINE, "name": "Pipeline", "definition": "{}", "roleArn": "arn:aws:iam::111122223333:role/r"},
        **{"type": "STANDARD", "creationDate": "2026-11-20", "status": status},
    }
    with stubbed(aws().stepfunctions) as stepfunctions, stubbed(aws().dynamodb) as dynamodb:
        stepfunctions.add_response("describe_state_machine", machine, {"stateMachineArn": MACHINE})
        dynamodb.add_response("describe_table", {"Table": {"TableStatus": status}}, {"TableName": "runs"})

        found = [stack.check_state_machine(aws(), DEPLOYED), stack.check_table(aws(), DEPLOYED)]

    assert [finding.state for finding in found] == [state, state]


def test_the_api_is_asked_as_a_command_would_ask_it() -> None:
    api = FakeApi()
    api.answer("GET", "/pipelines", {"runs": []})
    assert stack.check_api(api.client()).state == "ok"

    api.answer("GET", "/pipelines", {"message": "Forbidden"}, 403)
    finding = stack.check_api(api.client())
    assert finding.state == "failed"
    assert "execute-api:Invoke" in finding.what
