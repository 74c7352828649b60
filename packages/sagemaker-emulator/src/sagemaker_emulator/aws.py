"""The other services that SageMaker needs: S3, IAM, Lambda, EventBridge, SNS, logs, metrics, STS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sts import STSClient

DEFAULT_ACCOUNT = "000000000000"
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 4}, max_pool_connections=32, connect_timeout=5)


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
    sns: SNSClient


def place_from_environment(environment: Mapping[str, str]) -> Place:
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
    key = environment.get("AWS_ACCESS_KEY_ID", "")
    return Place(key if re.fullmatch(r"\d{12}", key) else DEFAULT_ACCOUNT, region)


def endpoint_of(environment: Mapping[str, str], service: str) -> str | None:
    """Where a service is, by botocore's variables; None if nothing says so: it is never AWS itself."""
    return environment.get(f"AWS_ENDPOINT_URL_{service}") or environment.get("AWS_ENDPOINT_URL") or None


def connect(environment: Mapping[str, str], region: str) -> Aws:
    """Clients of what ``AWS_ENDPOINT_URL`` leads to, or a service's own variable. ValueError if one is nowhere."""
    session = _session(region)

    def at(service: str) -> str:
        if (url := endpoint_of(environment, service)) is None:
            raise ValueError(f"Neither AWS_ENDPOINT_URL nor AWS_ENDPOINT_URL_{service} is set.")
        return url

    return Aws(
        s3=connect_s3(at("S3"), region),
        iam=session.client("iam", endpoint_url=at("IAM"), config=_CONFIG),
        functions=session.client("lambda", endpoint_url=at("LAMBDA"), config=_CONFIG),
        events=session.client("events", endpoint_url=at("EVENTBRIDGE"), config=_CONFIG),
        logs=session.client("logs", endpoint_url=at("CLOUDWATCH_LOGS"), config=_CONFIG),
        cloudwatch=session.client("cloudwatch", endpoint_url=at("CLOUDWATCH"), config=_CONFIG),
        sts=session.client("sts", endpoint_url=at("STS"), config=_CONFIG),
        sns=session.client("sns", endpoint_url=at("SNS"), config=_CONFIG),
    )


def connect_s3(url: str, region: str) -> S3Client:
    """A client of S3 alone."""
    config = _CONFIG.merge(Config(s3={"addressing_style": "path"}))
    return _session(region).client("s3", endpoint_url=url, config=config)


def _session(region: str) -> boto3.session.Session:
    """With the credentials of the environment (test/test when there are none)."""
    session = boto3.session.Session(region_name=region)
    if not session.get_credentials():
        session = boto3.session.Session("test", "test", region_name=region)
    session.events.register("needs-retry", _give_up_on_the_gone)
    return session


def _give_up_on_the_gone(*, caught_exception: Exception | None, **_: object) -> None:
    """Where nobody listens, the server has ended: to try again for some 7 s would hold up the end of this service, too."""
    if isinstance(caught_exception, EndpointConnectionError):
        raise caught_exception
