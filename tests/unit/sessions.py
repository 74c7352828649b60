"""boto3 for tests, made once: making a session and a client from scratch reads megabytes of service models."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import boto3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_scheduler import EventBridgeSchedulerClient
    from mypy_boto3_stepfunctions import SFNClient


@functools.cache
def session() -> boto3.Session:
    """Credentials that open nothing."""
    return boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1")


@functools.cache
def s3_client() -> S3Client:
    return session().client("s3")


@functools.cache
def sagemaker_client() -> SageMakerClient:
    return session().client("sagemaker")


@functools.cache
def scheduler_client() -> EventBridgeSchedulerClient:
    return session().client("scheduler")


@functools.cache
def stepfunctions_client() -> SFNClient:
    return session().client("stepfunctions")
