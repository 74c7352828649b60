"""What the caller may do: simulated by IAM where that may be asked, else tried with calls that only read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from botocore.exceptions import ClientError

from sageline.aws.errors import code, is_denied
from sageline_cli.aws import Aws
from sageline_cli.doctor.account import CallerIdentity
from sageline_cli.doctor.finding import Finding, FindingState

Purpose: TypeAlias = Literal["use", "deploy"]

_PURPOSES: Mapping[Purpose, str] = {"use": "To use a stack", "deploy": "To deploy it (`sam deploy`)"}
_NOT_SIMULATED = {"NoSuchEntity", "NoSuchEntityException", "InvalidInput", "ValidationError", "InvalidClientTokenId"}
"""IAM does not know the caller as a user or role of the account, or takes the ARN for none."""


@dataclass(frozen=True)
class Need:
    """Actions on a resource. Its ARN has ``{partition}``, ``{region}``, ``{account}``, ``{stack}``, ``{bucket}`` to fill in."""

    purpose: Purpose
    actions: tuple[str, ...]
    resource: str = "*"


NEEDS: tuple[Need, ...] = (
    Need("use", ("cloudformation:DescribeStacks",), "arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/*"),
    Need("use", ("execute-api:Invoke",), "arn:{partition}:execute-api:{region}:{account}:*"),
    Need("use", ("s3:ListBucket",), "arn:{partition}:s3:::{bucket}"),
    Need("use", ("s3:DeleteObject", "s3:GetObject", "s3:PutObject"), "arn:{partition}:s3:::{bucket}/datasets/*"),
    Need("use", ("s3:PutObject", "s3:PutObjectTagging"), "arn:{partition}:s3:::{bucket}/batch/*"),
    Need("use", ("s3:GetObject",), "arn:{partition}:s3:::{bucket}/runs/*"),
    Need(
        "deploy",
        (
            "cloudformation:CreateChangeSet",
            "cloudformation:DescribeChangeSet",
            "cloudformation:DescribeStackEvents",
            "cloudformation:ExecuteChangeSet",
        ),
        "arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/*",
    ),
    Need(
        "deploy",
        (
            "s3:CreateBucket",
            "s3:PutBucketNotification",
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
        ),
        "arn:{partition}:s3:::{bucket}",
    ),
    Need("deploy", ("s3:PutObject",), "arn:{partition}:s3:::aws-sam-cli-managed-default-samclisourcebucket-*/*"),
    Need(
        "deploy",
        (
            *("iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRole", "iam:GetRole", "iam:PassRole", "iam:PutRolePolicy"),
            "iam:TagRole",
        ),
        "arn:{partition}:iam::{account}:role/{stack}-*",
    ),
    Need("deploy", ("iam:CreatePolicy", "iam:CreatePolicyVersion"), "arn:{partition}:iam::{account}:policy/{stack}-*"),
    Need(
        "deploy",
        ("lambda:AddPermission", "lambda:CreateFunction", "lambda:GetFunction", "lambda:PutFunctionEventInvokeConfig"),
        "arn:{partition}:lambda:{region}:{account}:function:{stack}-*",
    ),
    Need("deploy", ("lambda:PublishLayerVersion",), "arn:{partition}:lambda:{region}:{account}:layer:*"),
    Need(
        "deploy",
        (
            "dynamodb:CreateTable",
            "dynamodb:DescribeTable",
            "dynamodb:UpdateContinuousBackups",
            "dynamodb:UpdateTimeToLive",
        ),
        "arn:{partition}:dynamodb:{region}:{account}:table/{stack}-*",
    ),
    Need("deploy", ("states:CreateStateMachine",), "arn:{partition}:states:{region}:{account}:stateMachine:*"),
    Need("deploy", ("events:PutRule", "events:PutTargets"), "arn:{partition}:events:{region}:{account}:rule/{stack}-*"),
    Need("deploy", ("apigateway:POST",), "arn:{partition}:apigateway:{region}::/apis"),
    Need("deploy", ("sns:CreateTopic", "sns:SetTopicAttributes"), "arn:{partition}:sns:{region}:{account}:{stack}-*"),
    Need("deploy", ("sqs:CreateQueue", "sqs:SetQueueAttributes"), "arn:{partition}:sqs:{region}:{account}:{stack}-*"),
    Need("deploy", ("scheduler:CreateScheduleGroup",), "arn:{partition}:scheduler:{region}:{account}:schedule-group/*"),
    Need("deploy", ("cloudwatch:PutMetricAlarm",), "arn:{partition}:cloudwatch:{region}:{account}:alarm:{stack}-*"),
    Need("deploy", ("logs:CreateLogGroup", "logs:PutRetentionPolicy"), "arn:{partition}:logs:{region}:{account}:log-group:*"),
    Need("deploy", ("logs:CreateLogDelivery",)),
)
"""What the commands ask of AWS, and what CloudFormation does in the caller's name; not every action, but one of each kind."""


def check_permissions(aws: Aws, caller: CallerIdentity, stack: str, bucket: str | None) -> list[Finding]:
    """What the caller may do with a stack of that name.

    Args:
        bucket: the stack's; None: the stack is not there yet.
    """
    if caller.arn.endswith(":root"):
        return [Finding("permissions", "ok", "The account's root user may do everything (a role of its own would be safer).")]
    partition = caller.arn.split(":")[1]
    names = {
        **{"partition": partition, "region": str(aws.region), "account": caller.account, "stack": stack},
        "bucket": bucket or f"{stack.lower()}-databucket-*",
    }
    try:
        source = _policy_source(aws, caller.arn)
        if source is not None:
            refused = _simulate(aws, source, names)
            return [_of_purpose(purpose, refused[purpose], deployed=bucket is not None) for purpose in _PURPOSES]
    except ClientError as error:
        if not (is_denied(error) or code(error) in _NOT_SIMULATED):
            raise
    return [_tried(aws)]


def _policy_source(aws: Aws, arn: str) -> str | None:
    """The user or role whose policies count; None for a federated user, whose IAM knows none."""
    assumed = re.fullmatch(r"arn:[^:]+:sts::\d+:assumed-role/([^/]+)/.+", arn)
    if assumed:
        # The session's ARN leaves out the role's path.
        return aws.iam.get_role(RoleName=assumed[1])["Role"]["Arn"]
    return arn if re.fullmatch(r"arn:[^:]+:iam::\d+:user/.+", arn) else None


def _simulate(aws: Aws, source: str, names: Mapping[str, str]) -> dict[Purpose, list[str]]:
    """The actions that are refused, with their resources."""
    refused: dict[Purpose, list[str]] = {purpose: [] for purpose in _PURPOSES}
    for need in NEEDS:
        resource = need.resource.format_map(names)
        answer = aws.iam.simulate_principal_policy(
            PolicySourceArn=source, ActionNames=need.actions, ResourceArns=[resource], MaxItems=100
        )
        refused[need.purpose] += [
            f"{result['EvalActionName']} on {resource}"
            for result in answer["EvaluationResults"]
            if result["EvalDecision"] != "allowed"
        ]
    return refused


def _of_purpose(purpose: Purpose, refused: list[str], *, deployed: bool) -> Finding:
    how = "as iam:SimulatePrincipalPolicy says; policies of a session or an endpoint are not in that"
    if not refused:
        return Finding("permissions", "ok", f"{_PURPOSES[purpose]} you have the permissions ({how}).")
    # Who uses a stack that is there need not be who deploys it.
    state: FindingState = "warning" if deployed and purpose == "deploy" else "failed"
    what = f"{_PURPOSES[purpose]} you lack: {'; '.join(refused)} ({how})."
    return Finding("permissions", state, what, "Have these allowed to your user or role.")


def _tried(aws: Aws) -> Finding:
    tries: Mapping[str, Callable[[], object]] = {
        "cloudformation:ListStacks": aws.cloudformation.list_stacks,
        "s3:ListAllMyBuckets": aws.s3.list_buckets,
        "lambda:ListFunctions": lambda: aws.lambda_.list_functions(MaxItems=1),
        "states:ListStateMachines": lambda: aws.stepfunctions.list_state_machines(maxResults=1),
        "dynamodb:ListTables": lambda: aws.dynamodb.list_tables(Limit=1),
        "events:ListRules": lambda: aws.events.list_rules(Limit=1),
        "iam:ListRoles": lambda: aws.iam.list_roles(MaxItems=1),
    }
    refused = _refused(tries.items())
    how = "iam:SimulatePrincipalPolicy may not be asked, so calls that only read were tried"
    if refused:
        to_do = "If `sam deploy` is refused too, have the actions that it names allowed to your user or role."
        return Finding("permissions", "warning", f"Refused: {', '.join(refused)} ({how}).", to_do)
    what = f"You may read in each service ({how}); whether you may write, only `sam deploy` tells."
    return Finding("permissions", "unknown", what)


def _refused(tries: Iterable[tuple[str, Callable[[], object]]]) -> list[str]:
    refused = []
    for action, attempt in tries:
        try:
            attempt()
        except ClientError as error:
            if not (is_denied(error) or code(error) == "AuthorizationError"):
                raise
            refused.append(action)
    return refused
