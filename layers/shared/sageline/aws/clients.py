"""boto3 clients, made once per process when first asked for. Only handlers call these; logic gets clients passed in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.service_resource import Table
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


@cache
def s3() -> S3Client:
    return boto3.client("s3", config=_RETRIES)


@cache
def s3_presigner() -> S3Client:
    # By default botocore presigns for us-east-1 with the old SigV2; other regions redirect such a PUT, and KMS refuses it.
    return boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))


@cache
def sagemaker() -> SageMakerClient:
    return boto3.client("sagemaker", config=_RETRIES)


@cache
def sagemaker_runtime(read_timeout_seconds: int) -> SageMakerRuntimeClient:
    # One attempt: botocore would wait for a second answer as long as for the first.
    config = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=2, read_timeout=read_timeout_seconds)
    return boto3.client("sagemaker-runtime", config=config)


@cache
def stepfunctions() -> SFNClient:
    return boto3.client("stepfunctions", config=_RETRIES)


@cache
def logs() -> CloudWatchLogsClient:
    return boto3.client("logs", config=_RETRIES)


@cache
def scheduler() -> EventBridgeSchedulerClient:
    return boto3.client("scheduler", config=_RETRIES)


@cache
def cloudwatch() -> CloudWatchClient:
    return boto3.client("cloudwatch", config=_RETRIES)


@cache
def autoscaling() -> ApplicationAutoScalingClient:
    return boto3.client("application-autoscaling", config=_RETRIES)


@cache
def service_quotas() -> ServiceQuotas:
    # A run goes on without its quotas rather than wait for them.
    config = Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=2, read_timeout=5)
    client: ServiceQuotas = boto3.client("service-quotas", config=config)
    return client


@cache
def lambda_() -> LambdaClient:
    # Called on behalf of the HTTP API, which waits for 30 s. A call that takes longer goes on, and is not made twice.
    config = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=2, read_timeout=22)
    return boto3.client("lambda", config=config)


@cache
def dynamodb() -> DynamoDBClient:
    return boto3.client("dynamodb", config=_RETRIES)


@cache
def table(name: str) -> Table:
    return boto3.resource("dynamodb", config=_RETRIES).Table(name)
