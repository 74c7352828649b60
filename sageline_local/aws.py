"""boto3 clients of MiniStack and ``sagemaker_emulator``, whatever the user's own AWS settings are."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.config import Config

from sageline_local.environment import REGION, endpoint
from sageline_local.errors import StackNotUp
from sageline_local.home import StackRecord
from sageline_local.keys import ROOT_KEY_ID, RootKey

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_stepfunctions import SFNClient

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=5, read_timeout=120, proxies={})


class LocalClients:
    """Clients of a stack, as its root user."""

    def __init__(self, record: StackRecord, key: RootKey) -> None:
        if record.ports is None:
            raise StackNotUp("The local stack has never been up: start it with `sageline local up`.")
        self._key = key
        self._endpoint = endpoint(record.ports.ministack)
        self._sagemaker_endpoint = endpoint(record.ports.sagemaker)

    @cached_property
    def _session(self) -> boto3.Session:
        nowhere = (None, None, os.devnull, None)
        core = botocore.session.Session(
            session_vars={"profile": (None, None, None, None), "config_file": nowhere, "credentials_file": nowhere}
        )
        core.set_credentials(ROOT_KEY_ID, self._key.secret)
        return boto3.Session(botocore_session=core, region_name=REGION)

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        return self._session.client("cloudformation", endpoint_url=self._endpoint, config=_CONFIG)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return self._session.client("dynamodb", endpoint_url=self._endpoint, config=_CONFIG)

    @cached_property
    def lambda_(self) -> LambdaClient:
        return self._session.client("lambda", endpoint_url=self._endpoint, config=_CONFIG)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        return self._session.client("logs", endpoint_url=self._endpoint, config=_CONFIG)

    @cached_property
    def s3(self) -> S3Client:
        return self._session.client("s3", endpoint_url=self._endpoint, config=_CONFIG)

    @cached_property
    def sagemaker(self) -> SageMakerClient:
        return self._session.client("sagemaker", endpoint_url=self._sagemaker_endpoint, config=_CONFIG)

    @cached_property
    def stepfunctions(self) -> SFNClient:
        return self._session.client("stepfunctions", endpoint_url=self._endpoint, config=_CONFIG)
