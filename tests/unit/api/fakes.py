"""What the tests of the HTTP API share: names, and an account in memory with its clients."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.response import StreamingBody

from sageline.aws.http import Event
from sageline.aws.settings import LifetimeSettings, RunSettings
from sageline.json_objects import Json
from sageline.runs.context import RunContext
from sageline.runs.store import utc_now
from tests.unit.sessions import sagemaker_client, session, stepfunctions_client
from tests.unit.world.fake_aws import FakeAws
from tests.unit.world.world import clients_with, fake_clients

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_stepfunctions import SFNClient

BUCKET = "sageline-data"
TABLE = "sageline-runs"
RUN = "wines-20261120100000-0a1b2c"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:sageline-pipeline:upload-1"


@functools.cache
def dynamodb_client() -> DynamoDBClient:
    return session().client("dynamodb")


@functools.cache
def lambda_client() -> LambdaClient:
    return session().client("lambda")


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


class FakeLambda:
    """Function ``sageline-delete-endpoint``, which undoes what a run has deployed. ``fails`` is what it fails with."""

    def __init__(self) -> None:
        self.undone: list[str] = []
        self.fails: dict[str, str] | None = None

    def invoke(self, request: Json) -> Json:
        asked = json.loads(request["Payload"])
        assert (request["FunctionName"], asked["action"]) == ("sageline-delete-endpoint", "discard")
        self.undone.append(asked["run_id"])
        payload = json.dumps(self.fails or {"discarded": []}).encode()
        answer = {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(payload), len(payload))}
        return answer | ({"FunctionError": "Unhandled"} if self.fails else {})


@dataclass
class Clients:
    """An account, and clients of it."""

    functions: FakeLambda = field(default_factory=FakeLambda)
    sagemaker: SageMakerClient = field(default_factory=sagemaker_client)
    stepfunctions: SFNClient = field(default_factory=stepfunctions_client)
    lambda_: LambdaClient = field(default_factory=lambda_client)

    def __post_init__(self) -> None:
        self.aws = FakeAws(more={"lambda": self.functions})

    def context(self, clock: Callable[[], datetime] = utc_now) -> RunContext:
        """A context with these clients, and others of the account."""
        settings = RunSettings(bucket_name=BUCKET, runs_table_name=TABLE, stack_name="sageline")
        made = {"sagemaker": self.sagemaker, "stepfunctions": self.stepfunctions, "lambda_": self.lambda_}
        return RunContext(settings, clients_with(**vars(fake_clients()) | made), clock)


class Claim(Protocol):
    """Makes the record of a run, by default RUN, whose execution is EXECUTION."""

    def __call__(self, run_id: str = RUN, created_at: str = ...) -> None: ...


def stored_weights(s3: S3Client) -> dict[str, float]:
    """The weights in the routing of endpoint ``wines``."""
    routing = json.loads(s3.get_object(Bucket=BUCKET, Key="endpoints/wines/routing.json")["Body"].read())
    return {variant["name"]: variant["weight"] for variant in routing["variants"]}
