"""What functions share as managed policies: who has one may do it and who has not may not, in MiniStack and in SageMaker."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import boto3
import pytest
from botocore.exceptions import ClientError

from sageline_local.invoke import deployed_functions
from sageline_local.stack import LocalStack

pytestmark = pytest.mark.stack

Call = Callable[[boto3.Session, Mapping[str, str]], object]
"""Asks for what is there, or for what is not, with a role's credentials and the stack's names and addresses."""


def list_the_bucket(role: boto3.Session, stack: Mapping[str, str]) -> object:
    return role.client("s3", endpoint_url=stack["AWS_ENDPOINT_URL"]).list_objects_v2(Bucket=stack["BUCKET_NAME"])


def read_a_record(role: boto3.Session, stack: Mapping[str, str]) -> object:
    table = role.client("dynamodb", endpoint_url=stack["AWS_ENDPOINT_URL"])
    return table.get_item(TableName=stack["RUNS_TABLE_NAME"], Key={"pk": {"S": "none"}, "sk": {"S": "none"}})


def answer_a_token(role: boto3.Session, stack: Mapping[str, str]) -> object:
    return role.client("stepfunctions", endpoint_url=stack["AWS_ENDPOINT_URL"]).send_task_success(taskToken="none", output="{}")


def describe_a_job(role: boto3.Session, stack: Mapping[str, str]) -> object:
    sagemaker = role.client("sagemaker", endpoint_url=stack["AWS_ENDPOINT_URL_SAGEMAKER"])
    return sagemaker.describe_transform_job(TransformJobName="none")


def describe_a_model(role: boto3.Session, stack: Mapping[str, str]) -> object:
    return role.client("sagemaker", endpoint_url=stack["AWS_ENDPOINT_URL_SAGEMAKER"]).describe_model(ModelName="none")


def move_a_schedule(role: boto3.Session, stack: Mapping[str, str]) -> object:
    scheduler = role.client("scheduler", endpoint_url=stack["AWS_ENDPOINT_URL"])
    return scheduler.delete_schedule(GroupName=stack["SCHEDULE_GROUP_NAME"], Name="none")


@pytest.mark.parametrize(
    ("call", "having", "lacking"),
    [
        (list_the_bucket, "prepare_data", "check_status"),  # RunAccessPolicy
        (read_a_record, "prepare_data", "invoke_preprocess"),  # RunAccessPolicy
        (answer_a_token, "start_transform", "prepare_data"),  # TaskTokensPolicy
        (describe_a_job, "record_failure", "prepare_data"),  # EndRunsPolicy
        (describe_a_model, "sweep", "record_failure"),  # ChangeEndpointsPolicy
        (move_a_schedule, "manage_pipelines", "prepare_data"),  # EndpointLifetimesPolicy
    ],
)
def test_who_has_a_shared_policy_may_and_who_lacks_it_may_not(stack: LocalStack, call: Call, having: str, lacking: str) -> None:
    assert not is_denied(stack, call, having)
    assert is_denied(stack, call, lacking)


def is_denied(stack: LocalStack, call: Call, function: str) -> bool:
    """Whether a function's role may not make a call."""
    environment = stack.require_up().environment
    # The one function that is told all names.
    names = deployed_functions.find(stack.clients(), "manage_pipelines", environment).variables
    role = deployed_functions.find(stack.clients(), function, environment).variables
    session = boto3.Session(
        role["AWS_ACCESS_KEY_ID"], role["AWS_SECRET_ACCESS_KEY"], role["AWS_SESSION_TOKEN"], role["AWS_REGION"]
    )
    try:
        call(session, names)
    except ClientError as error:
        return error.response["Error"]["Code"].startswith("AccessDenied")
    return False
