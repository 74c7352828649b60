"""boto3 clients, each made when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient, DynamoDBServiceResource
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_stepfunctions import SFNClient


class ServiceQuotas(Protocol):
    """The part of boto3's client for Service Quotas that is needed here."""

    def list_service_quotas(self, **request: str | int) -> Mapping[str, Any]: ...  # Any: the answer as botocore parses it


# AWS answers these in a second or two. botocore would wait for 60 s, all the time that most functions have; so a second answer is
# asked for within the 29 s of the HTTP API's functions, and several within 60 s. What takes long has a client of its own below.
_RETRIES = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=12)


class Clients:
    """Each client is made once, and not before an event needs it: a client costs a cold start tens of milliseconds."""

    @cached_property
    def s3(self) -> S3Client:
        return boto3.client("s3", config=_RETRIES)

    @cached_property
    def s3_presigner(self) -> S3Client:
        # By default botocore presigns for us-east-1 with the old SigV2; other regions redirect such a PUT, and KMS refuses it.
        return boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))

    @cached_property
    def sagemaker(self) -> SageMakerClient:
        return boto3.client("sagemaker", config=_RETRIES)

    @cached_property
    def stepfunctions(self) -> SFNClient:
        return boto3.client("stepfunctions", config=_RETRIES)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        return boto3.client("logs", config=_RETRIES)

    @cached_property
    def scheduler(self) -> EventBridgeSchedulerClient:
        return boto3.client("scheduler", config=_RETRIES)

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        return boto3.client("cloudwatch", config=_RETRIES)

    @cached_property
    def autoscaling(self) -> ApplicationAutoScalingClient:
        return boto3.client("application-autoscaling", config=_RETRIES)

    @cached_property
    def service_quotas(self) -> ServiceQuotas:
        # A run goes on without its quotas rather than wait for them.
        config = Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=2, read_timeout=5)
        client: ServiceQuotas = boto3.client("service-quotas", config=config)
        return client

    @cached_property
    def lambda_(self) -> LambdaClient:
        # Called on behalf of the HTTP API, which waits for 30 s. A call that takes longer goes on, and is not made twice.
        config = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=2, read_timeout=22)
        return boto3.client("lambda", config=config)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return boto3.client("dynamodb", config=_RETRIES)

    @cached_property
    def dynamodb_resource(self) -> DynamoDBServiceResource:
        return boto3.resource("dynamodb", config=_RETRIES)


CLIENTS = Clients()
"""Those of this process, which Lambda keeps between events."""


def sagemaker_runtime(read_timeout_seconds: int) -> SageMakerRuntimeClient:
    """A new client for predictions. It asks once: botocore would wait for a second answer as long as for the first."""
    config = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=2, read_timeout=read_timeout_seconds)
    return boto3.client("sagemaker-runtime", config=config)
