"""Where commands go: a stack in AWS by its name, or else the local stack."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import botocore.session
import httpx
from botocore.config import Config
from botocore.exceptions import ClientError, NoCredentialsError

from sageline_cli.api_client import ApiClient, SigV4
from sageline_cli.errors import CommandFailed
from sageline_cli.watching import WatchingClients
from sageline_local.stack import LocalStack

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 4}, connect_timeout=5, read_timeout=60)


@dataclass(frozen=True)
class Connection:
    """A stack that is there: clients of its HTTP API, of S3 and Step Functions, its bucket, and what watches its jobs."""

    api: ApiClient
    s3: S3Client
    stepfunctions: SFNClient
    bucket: str
    watching: WatchingClients

    @property
    def is_local(self) -> bool:
        """Whether it is the local stack, which costs nothing."""
        return self.watching.is_local


def connect(stack: str | None, environment: Mapping[str, str] = os.environ) -> Connection:
    """The deployed stack of that name, or the local stack if there is none.

    Raises:
        CommandFailed, StackNotUp: the stack is not there, or not up.
    """
    return connect_to_aws(stack, environment) if stack else connect_to_local(environment)


def connect_to_aws(stack: str, environment: Mapping[str, str]) -> Connection:
    """A stack that ``sam deploy`` made; region and credentials are found as the AWS CLI finds them."""
    # boto3 itself reads AWS_DEFAULT_REGION only.
    session = boto3.Session(region_name=environment.get("AWS_REGION"))
    outputs = stack_outputs(session.client("cloudformation", config=_CONFIG), stack)
    s3, stepfunctions = session.client("s3", config=_CONFIG), session.client("stepfunctions", config=_CONFIG)
    watching = WatchingClients(session, _CONFIG)
    return Connection(api_client(session, outputs["ApiUrl"]), s3, stepfunctions, outputs["BucketName"], watching)


def stack_outputs(cloudformation: CloudFormationClient, stack: str) -> dict[str, str]:
    """The outputs of a stack of Sageline's, ``ApiUrl`` and ``BucketName`` among them.

    Raises:
        CommandFailed: there is no such stack, or it is not Sageline's.
    """
    try:
        [described] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise CommandFailed(
            f"There is no stack {stack!r} in {cloudformation.meta.region_name}; `aws cloudformation list-stacks` lists what "
            "there is, AWS_REGION and AWS_PROFILE say where to look.",
            "StackNotFound",
        ) from None
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    missing = {"ApiUrl", "BucketName"} - outputs.keys()
    if missing:
        raise CommandFailed(
            f"The stack {stack!r} ({described['StackStatus']}) has no output {', '.join(sorted(missing))}: "
            "it is not Sageline's, or its deployment has not finished.",
            "StackNotReady",
        )
    return outputs


def connect_to_local(environment: Mapping[str, str]) -> Connection:
    """The local stack of ``SAGELINE_HOME``, with credentials of its own: nothing of the user's AWS configuration is read.

    Raises:
        StackNotUp: it is not up; says how to start it.
    """
    status = LocalStack(local_home(environment)).require_up()
    core = botocore.session.Session(
        session_vars={"profile": (None, None, None, None), "config_file": (None, None, os.devnull, None)}
    )
    core.set_credentials(status.environment["AWS_ACCESS_KEY_ID"], status.environment["AWS_SECRET_ACCESS_KEY"])
    session = boto3.Session(botocore_session=core, region_name=status.region)
    # A proxy of the user's, if there is one, is for what is not on this machine.
    config = _CONFIG.merge(Config(proxies={}))
    s3 = session.client("s3", endpoint_url=status.endpoint_url, config=config)
    stepfunctions = session.client("stepfunctions", endpoint_url=status.endpoint_url, config=config)
    watching = WatchingClients(session, config, status.endpoint_url, status.sagemaker_url)
    return Connection(api_client(session, status.api_url, httpx.HTTPTransport()), s3, stepfunctions, status.bucket, watching)


def local_home(environment: Mapping[str, str]) -> Path:
    """Where the local stack keeps its state and log files."""
    return Path(environment.get("SAGELINE_HOME") or ".local")


def api_client(session: boto3.Session, url: str, transport: httpx.BaseTransport | None = None) -> ApiClient:
    """A client of the HTTP API at that URL, which signs with the session's credentials.

    Raises:
        NoCredentialsError: it has none.
    """
    credentials = session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    return ApiClient(url, SigV4(credentials, session.region_name), transport)
