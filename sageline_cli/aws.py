"""boto3 clients of the account that a stack is in, or of the local stack, that answer soon or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.config import Config

from sageline_local.status import StackStatus

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

    from sageline.aws.clients import ServiceQuotas

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=3, read_timeout=8)
_INVOKE_CONFIG = Config(retries={"mode": "standard", "max_attempts": 1}, connect_timeout=5, read_timeout=65)
"""A model may take 60 s to answer, and is not asked twice."""


class Aws:
    """Clients, each made when it is first asked for.

    Args:
        endpoint_url, sagemaker_url: where the services are that are not AWS's own; None for AWS.
    """

    def __init__(self, session: boto3.Session, endpoint_url: str | None = None, sagemaker_url: str | None = None) -> None:
        self.session = session
        # A proxy of the user's, if there is one, is for what is not on this machine.
        self._config = _CONFIG if endpoint_url is None else _CONFIG.merge(Config(proxies={}))
        self._invoke_config = _INVOKE_CONFIG if endpoint_url is None else _INVOKE_CONFIG.merge(Config(proxies={}))
        self._endpoint_url = endpoint_url
        self._sagemaker_url = sagemaker_url

    @classmethod
    def of_account(cls, environment: Mapping[str, str]) -> Aws:
        """Region and credentials are found as the AWS CLI finds them."""
        # boto3 itself reads AWS_DEFAULT_REGION only.
        return cls(boto3.Session(region_name=environment.get("AWS_REGION")))

    @classmethod
    def of_local_stack(cls, status: StackStatus) -> Aws:
        """A stack that is up; nothing of the user's AWS configuration is read."""
        nowhere = (None, None, os.devnull, None)
        core = botocore.session.Session(
            session_vars={"profile": (None, None, None, None), "config_file": nowhere, "credentials_file": nowhere}
        )
        core.set_credentials(status.environment["AWS_ACCESS_KEY_ID"], status.environment["AWS_SECRET_ACCESS_KEY"])
        session = boto3.Session(botocore_session=core, region_name=status.region)
        return cls(session, status.endpoint_url, status.sagemaker_url)

    @property
    def region(self) -> str | None:
        """None: none is set."""
        return self.session.region_name

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        return self.session.client("cloudformation", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return self.session.client("dynamodb", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def events(self) -> EventBridgeClient:
        return self.session.client("events", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def iam(self) -> IAMClient:
        return self.session.client("iam", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def lambda_(self) -> LambdaClient:
        return self.session.client("lambda", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def s3(self) -> S3Client:
        return self.session.client("s3", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def sagemaker(self) -> SageMakerClient:
        return self.session.client("sagemaker", endpoint_url=self._sagemaker_url, config=self._config)

    @cached_property
    def sagemaker_runtime(self) -> SageMakerRuntimeClient:
        return self.session.client("sagemaker-runtime", endpoint_url=self._sagemaker_url, config=self._invoke_config)

    @cached_property
    def service_quotas(self) -> ServiceQuotas:
        client: ServiceQuotas = self.session.client("service-quotas", endpoint_url=self._endpoint_url, config=self._config)
        return client

    @cached_property
    def stepfunctions(self) -> SFNClient:
        return self.session.client("stepfunctions", endpoint_url=self._endpoint_url, config=self._config)

    @cached_property
    def sts(self) -> STSClient:
        return self.session.client("sts", endpoint_url=self._endpoint_url, config=self._config)
