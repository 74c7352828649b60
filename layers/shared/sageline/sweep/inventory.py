"""What a stack has in SageMaker, found by the tags."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.aws.errors import is_not_found
from sageline.aws.tags import RUN_TAG, STACK_TAG

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


@dataclass(frozen=True)
class TaggedResource:
    """Something that a run has made. ``run_id`` is that of the run that made it first; empty if no tag says so."""

    name: str
    arn: str
    made_at: datetime
    run_id: str


def endpoints(sagemaker: SageMakerClient, stack_name: str) -> list[TaggedResource]:
    """The stack's endpoints."""
    pages = sagemaker.get_paginator("list_endpoints").paginate()
    found = [(item["EndpointName"], item["EndpointArn"], item["CreationTime"]) for page in pages for item in page["Endpoints"]]
    return list(_ours(sagemaker, stack_name, found))


def configs(sagemaker: SageMakerClient, stack_name: str) -> list[TaggedResource]:
    """The stack's endpoint configs."""
    pages = sagemaker.get_paginator("list_endpoint_configs").paginate()
    found = [
        (item["EndpointConfigName"], item["EndpointConfigArn"], item["CreationTime"])
        for page in pages
        for item in page["EndpointConfigs"]
    ]
    return list(_ours(sagemaker, stack_name, found))


def models(sagemaker: SageMakerClient, stack_name: str) -> list[TaggedResource]:
    """The stack's models."""
    pages = sagemaker.get_paginator("list_models").paginate()
    found = [(item["ModelName"], item["ModelArn"], item["CreationTime"]) for page in pages for item in page["Models"]]
    return list(_ours(sagemaker, stack_name, found))


def _ours(sagemaker: SageMakerClient, stack_name: str, found: list[tuple[str, str, datetime]]) -> Iterator[TaggedResource]:
    for name, arn, made_at in found:
        try:
            tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
        except ClientError as error:
            if is_not_found(error):
                continue  # deleted since
            raise
        if tags.get(STACK_TAG) == stack_name:
            yield TaggedResource(name, arn, made_at, tags.get(RUN_TAG, ""))
