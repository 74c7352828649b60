"""What the tests of the HTTP API share: names, and clients that answer what a test wrote down."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.stub import Stubber

from sageline.aws.http import Event
from sageline.aws.settings import LifetimeSettings, RunSettings
from sageline.json_objects import Json
from sageline.runs.context import RunContext
from sageline.runs.store import utc_now
from tests.unit.sessions import s3_client, sagemaker_client, scheduler_client, session
from tests.unit.world.world import clients_with

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient, DynamoDBServiceResource
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_stepfunctions import SFNClient

BUCKET = "sageline-data"
TABLE = "sageline-runs"


@functools.cache
def dynamodb_client() -> DynamoDBClient:
    return session().client("dynamodb")


@functools.cache
def dynamodb_resource() -> DynamoDBServiceResource:
    return session().resource("dynamodb")


@functools.cache
def stepfunctions_client() -> SFNClient:
    return session().client("stepfunctions")


@functools.cache
def lambda_client() -> LambdaClient:
    return session().client("lambda")


@functools.cache
def moto_stepfunctions() -> SFNClient:
    """Another client than the one whose answers are written down."""
    return session().client("stepfunctions")


class Context(LambdaContext):
    """The context of an invocation that has 29 s left."""

    _function_name = "sageline-manage-pipelines"
    _memory_limit_in_mb = 512
    _invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:sageline-manage-pipelines"
    _aws_request_id = "3f1b5c2e-0000-0000-0000-000000000000"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 29_000


@dataclass
class Answer:
    """What the HTTP API answered, its body parsed and its headers in lower case."""

    status: int
    body: Any  # JSON
    headers: dict[str, str]


Manage: TypeAlias = Callable[[Event], Answer]


LIFETIMES = LifetimeSettings(
    schedule_group_name="sageline",
    schedule_role_arn="arn:aws:iam::123456789012:role/schedules",
    expire_function_arn="arn:aws:lambda:us-east-1:123456789012:function:sageline-delete-endpoint",
    schedule_dead_letter_queue_arn="arn:aws:sqs:us-east-1:123456789012:schedules",
)


class Tags:
    """Tags of SageMaker's resources, by ARN."""

    def __init__(self) -> None:
        self.of: dict[str, dict[str, str]] = {}

    def list_tags(self, *, ResourceArn: str) -> Json:  # noqa: N803  # SageMaker's own names, here and below
        return {"Tags": [{"Key": key, "Value": value} for key, value in self.of.get(ResourceArn, {}).items()]}

    def add_tags(self, *, ResourceArn: str, Tags: list[dict[str, str]]) -> None:  # noqa: N803
        self.of.setdefault(ResourceArn, {}).update({tag["Key"]: tag["Value"] for tag in Tags})

    def delete_tags(self, *, ResourceArn: str, TagKeys: list[str]) -> None:  # noqa: N803
        for key in TagKeys:
            self.of.get(ResourceArn, {}).pop(key, None)


@dataclass
class Clients:
    """Clients whose answers a test writes down beforehand; each must be asked for exactly that."""

    sagemaker: SageMakerClient = field(default_factory=sagemaker_client)
    stepfunctions: SFNClient = field(default_factory=stepfunctions_client)
    lambda_: LambdaClient = field(default_factory=lambda_client)
    tags: Tags = field(default_factory=Tags)

    def __post_init__(self) -> None:
        self.sagemaker_stub = Stubber(self.sagemaker)
        self.stepfunctions_stub = Stubber(self.stepfunctions)
        self.lambda_stub = Stubber(self.lambda_)

    def context(self, clock: Callable[[], datetime] = utc_now) -> RunContext:
        """A context with these clients, and others on moto."""
        made = {"sagemaker": self.sagemaker, "stepfunctions": self.stepfunctions, "lambda_": self.lambda_}
        on_moto = {"s3": s3_client(), "dynamodb_resource": dynamodb_resource(), "scheduler": scheduler_client()}
        settings = RunSettings(bucket_name=BUCKET, runs_table_name=TABLE, stack_name="sageline")
        return RunContext(settings, clients_with(**made, **on_moto), clock)
