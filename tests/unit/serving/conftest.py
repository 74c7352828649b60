"""A bucket in moto, and a predictor that asks a SageMaker whose answers a test writes down."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from sageline.runs.routing_store import RoutingStore
from sageline.serving.predict import Predictor
from sageline.serving.stored import EncoderCache, RoutingCache
from tests.unit.serving.fakes import BUCKET, SageMaker
from tests.unit.sessions import s3_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def s3() -> Iterator[S3Client]:
    with mock_aws():
        client = s3_client()
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def sagemaker() -> Iterator[SageMaker]:
    made = SageMaker()
    with made.stub, made.runtime_stub:
        yield made
        made.stub.assert_no_pending_responses()
        made.runtime_stub.assert_no_pending_responses()


@pytest.fixture
def predictor(s3: S3Client, sagemaker: SageMaker) -> Predictor:
    sessions = count()
    return Predictor(
        routing=RoutingCache(RoutingStore(s3, BUCKET), clock=lambda: 0.0),
        encoders=EncoderCache(s3),
        runtime=sagemaker.runtime,
        sagemaker=lambda: sagemaker.client,
        new_session=lambda: f"random-{next(sessions)}",
    )
