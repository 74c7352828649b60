"""A bucket, and a predictor that asks an endpoint whose answers a test says."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING

import pytest

from sageline.runs.routing_store import RoutingStore
from sageline.serving.predict import Predictor
from sageline.serving.stored import EncoderCache, RoutingCache
from tests.unit.serving.fakes import BUCKET, NEW, OLD, SageMaker, encoder, put_encoder, put_routing, variant
from tests.unit.sessions import s3_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def sagemaker() -> Iterator[SageMaker]:
    made = SageMaker()
    with made.aws.behind_clients():
        yield made
        made.check_asked()


@pytest.fixture
def s3(sagemaker: SageMaker) -> S3Client:
    """Of the same account."""
    return s3_client()


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


@pytest.fixture
def one_variant(s3: S3Client) -> None:
    put_routing(s3, variant(NEW, 1))
    put_encoder(s3, NEW, encoder())


@pytest.fixture
def two_variants(s3: S3Client) -> None:
    """In the middle of an update: the old variant has all the traffic. Each has another order of columns."""
    put_routing(s3, variant(OLD, 1), variant(NEW, 0))
    put_encoder(s3, OLD, encoder(colours=("white", "red")))
    put_encoder(s3, NEW, encoder())
