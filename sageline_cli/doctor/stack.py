"""A deployed stack: whether what a run goes through is there and at work. The same for AWS and the local stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline_cli.api_client import ApiClient
from sageline_cli.aws import Aws
from sageline_cli.doctor.finding import DoctorCheck, Finding
from sageline_cli.errors import CommandFailed

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionConfigurationResponseTypeDef

REQUIRED_OUTPUTS = frozenset(("ApiUrl", "BucketName", "RunsTableName", "StateMachineArn"))
_GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")
_DELETE_ONLY = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")
_DEPLOY_AGAIN = "Deploy the stack again: make bundle, then .venv/bin/sam deploy (locally: sageline local up)"


@dataclass(frozen=True)
class CloudFormationStack:
    """A stack that CloudFormation knows.

    Attributes:
        resources: physical ids by type.
    """

    name: str
    outputs: Mapping[str, str]
    resources: Mapping[str, tuple[str, ...]]

    @property
    def bucket(self) -> str | None:
        return self.outputs.get("BucketName")


def find_stack(aws: Aws, name: str) -> tuple[CloudFormationStack | None, Finding]:
    """What CloudFormation has under that name."""
    try:
        [described] = aws.cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        what = f"There is no stack {name!r} in {aws.region}: it is not deployed yet."
        return None, Finding("stack", "warning", what, "make bundle, then .venv/bin/sam deploy (README)")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    status, missing = described["StackStatus"], sorted(REQUIRED_OUTPUTS - outputs.keys())
    finding = _of_status(name, status, described.get("StackStatusReason", ""), missing)
    return CloudFormationStack(name, outputs, _resources(aws, name)), finding


def _of_status(name: str, status: str, reason: str, missing: list[str]) -> Finding:
    what = f"{name} is {status}{f': {reason}' if reason else ''}."
    if status in _DELETE_ONLY:
        return Finding("stack", "failed", what, f"aws cloudformation delete-stack --stack-name {name}, then deploy it again.")
    if status.endswith("_IN_PROGRESS"):
        return Finding("stack", "warning", what, "Wait for it to end.")
    if status not in _GOOD:
        to_do = f"aws cloudformation describe-stack-events --stack-name {name} says what failed."
        return Finding("stack", "failed", what, to_do)
    if missing:
        what = f"{what} It has no output {', '.join(missing)}: it is not Sageline's, or an older one."
        return Finding("stack", "failed", what, "Name Sageline's stack, or deploy it anew.")
    return Finding("stack", "ok", what)


def _resources(aws: Aws, name: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for page in aws.cloudformation.get_paginator("list_stack_resources").paginate(StackName=name):
        for resource in page["StackResourceSummaries"]:
            kind = resource["ResourceType"]
            found[kind] = (*found.get(kind, ()), resource.get("PhysicalResourceId", ""))
    return found


def checks(aws: Aws, stack: CloudFormationStack, api: ApiClient) -> Mapping[str, DoctorCheck]:
    """What is looked at in a stack that is there."""
    return {
        "bucket": lambda: [check_bucket(aws, stack)],
        "state machine": lambda: [check_state_machine(aws, stack)],
        "rules": lambda: [check_rules(aws, stack)],
        "functions": lambda: [check_functions(aws, stack)],
        "table": lambda: [check_table(aws, stack)],
        "api": lambda: [check_api(api)],
    }


def check_bucket(aws: Aws, stack: CloudFormationStack) -> Finding:
    bucket = str(stack.bucket)
    problems = []
    if aws.s3.get_bucket_versioning(Bucket=bucket).get("Status") != "Enabled":
        problems.append("has no versioning, by which a run knows its upload")
    if "EventBridgeConfiguration" not in aws.s3.get_bucket_notification_configuration(Bucket=bucket):
        problems.append("tells EventBridge nothing, so that an upload starts no run")
    if problems:
        return Finding("bucket", "failed", f"{bucket} {', and '.join(problems)}.", _DEPLOY_AGAIN)
    return Finding("bucket", "ok", f"{bucket} keeps versions and tells EventBridge.")


def check_state_machine(aws: Aws, stack: CloudFormationStack) -> Finding:
    arn = stack.outputs["StateMachineArn"]
    status = aws.stepfunctions.describe_state_machine(stateMachineArn=arn)["status"]
    name = arn.rpartition(":")[2]
    if status == "ACTIVE":
        return Finding("state machine", "ok", f"{name} is ACTIVE.")
    return Finding("state machine", "failed", f"{name} is {status}.", _DEPLOY_AGAIN)


def check_rules(aws: Aws, stack: CloudFormationStack) -> Finding:
    """Whether uploads start runs, and SageMaker's events wake them."""
    # The physical id of a rule on a bus of its own has that bus before a bar.
    rules = [rule.rpartition("|")[2] for rule in stack.resources.get("AWS::Events::Rule", ())]
    states = {rule: aws.events.describe_rule(Name=rule).get("State", "unknown") for rule in rules}
    problems = {rule: state for rule, state in states.items() if state != "ENABLED"}
    return _all("rules", f"{len(rules)} rules of EventBridge are enabled.", problems, "aws events enable-rule --name RULE")


def check_functions(aws: Aws, stack: CloudFormationStack) -> Finding:
    functions = stack.resources.get("AWS::Lambda::Function", ())
    found = {name: aws.lambda_.get_function_configuration(FunctionName=name) for name in functions}
    problems = {name: problem for name, function in found.items() if (problem := _of_function(function))}
    return _all("functions", f"{len(functions)} functions are ready.", problems, _DEPLOY_AGAIN)


def _of_function(function: FunctionConfigurationResponseTypeDef) -> str:
    # One that nobody has called for weeks is Inactive, and comes back with the next call.
    if function.get("State", "Active") not in ("Active", "Inactive"):
        return f"{function['State']} ({function.get('StateReason', 'no reason given')})"
    if function.get("LastUpdateStatus") == "Failed":
        return f"its last update failed ({function.get('LastUpdateStatusReason', 'no reason given')})"
    return ""


def check_table(aws: Aws, stack: CloudFormationStack) -> Finding:
    name = stack.outputs["RunsTableName"]
    status = aws.dynamodb.describe_table(TableName=name)["Table"].get("TableStatus", "unknown")
    return _all("table", f"{name} is ACTIVE.", {} if status == "ACTIVE" else {name: status}, _DEPLOY_AGAIN)


def check_api(api: ApiClient) -> Finding:
    """One signed request, which goes through API Gateway, a function and the table."""
    try:
        api.runs(1)
    except CommandFailed as error:
        return Finding("api", "failed", f"{error.message} ({error.code})", "Look at the log of the API, and of manage_pipelines.")
    return Finding("api", "ok", "The HTTP API answers.")


def _all(check: str, good: str, problems: Mapping[str, str], to_do: str) -> Finding:
    if not problems:
        return Finding(check, "ok", good)
    return Finding(check, "failed", "; ".join(f"{name}: {problem}" for name, problem in problems.items()), to_do)
