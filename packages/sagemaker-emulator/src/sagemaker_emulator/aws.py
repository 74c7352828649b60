"""The other services that SageMaker needs, all of them on MiniStack: S3, IAM, Lambda, EventBridge, logs, metrics, STS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient

DEFAULT_ACCOUNT = "000000000000"


@dataclass(frozen=True)
class Place:
    """Where this service says it is: an account and a region."""

    account: str
    region: str

    def arn(self, kind: str, name: str) -> str:
        """SageMaker writes the names in its ARNs in lower case."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{kind}/{name.lower()}"


@dataclass(frozen=True)
class Aws:
    """Clients with the root's credentials."""

    s3: S3Client
    iam: IAMClient
    functions: LambdaClient
    events: EventBridgeClient
    logs: CloudWatchLogsClient
    cloudwatch: CloudWatchClient
    sts: STSClient


def place_from_environment(environment: Mapping[str, str]) -> Place:
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
    key = environment.get("AWS_ACCESS_KEY_ID", "")
    return Place(key if re.fullmatch(r"\d{12}", key) else DEFAULT_ACCOUNT, region)


def connect(endpoint_url: str, region: str) -> Aws:
    """Clients of MiniStack at ``endpoint_url``, with the credentials of the environment (test/test when there are none)."""
    session = boto3.session.Session(region_name=region)
    if session.get_credentials() is None:
        session = boto3.session.Session("test", "test", region_name=region)
    config = Config(retries={"mode": "standard", "max_attempts": 4}, max_pool_connections=32, connect_timeout=5)
    return Aws(
        s3=session.client("s3", endpoint_url=endpoint_url, config=config.merge(Config(s3={"addressing_style": "path"}))),
        iam=session.client("iam", endpoint_url=endpoint_url, config=config),
        functions=session.client("lambda", endpoint_url=endpoint_url, config=config),
        events=session.client("events", endpoint_url=endpoint_url, config=config),
        logs=session.client("logs", endpoint_url=endpoint_url, config=config),
        cloudwatch=session.client("cloudwatch", endpoint_url=endpoint_url, config=config),
        sts=session.client("sts", endpoint_url=endpoint_url, config=config),
    )
