"""Routing and encoders, read from S3 and kept in memory between predictions."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.encoder.decision import DECISION, Decision
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import InvalidEncoder, ObjectMissing
from sageline.names import split_s3_uri
from sageline.runs.routing import Routing
from sageline.runs.routing_store import RoutingStore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ENCODER_FILES = ("encoder.json", "encoder.npz")


def read_object(s3: S3Client, bucket: str, key: str) -> bytes | None:
    """An object's bytes, or None when there is none. Needs s3:ListBucket: without it S3 answers 403 for what is not there."""
    try:
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise


class RoutingCache:
    """Who answers for each endpoint; what was read is believed for some seconds."""

    def __init__(self, stored: RoutingStore, clock: Callable[[], float] = time.monotonic, seconds: float = 5.0) -> None:
        self._stored = stored
        self._clock = clock
        self._seconds = seconds
        self._kept: dict[str, tuple[float, Routing]] = {}

    def get(self, endpoint: str, *, fresh: bool = False) -> Routing:
        """The routing of an endpoint; ``fresh`` reads it again, however lately it was read.

        Raises:
            EndpointNotFound: there is no routing of that name.
            InvalidRouting: the document is damaged.
        """
        now = self._clock()
        kept = self._kept.get(endpoint)
        if kept is not None and not fresh and now < kept[0]:
            return kept[1]
        self._kept.pop(endpoint, None)
        routing = self._stored.get(endpoint).intact()
        self._kept[endpoint] = (now + self._seconds, routing)
        return routing


class EncoderCache:
    """The encoders last used. An encoder never changes under its URI, so what was read stays true."""

    def __init__(self, s3: S3Client, size: int = 8) -> None:
        self._s3 = s3
        self._size = size
        self._kept: OrderedDict[str, FittedEncoder] = OrderedDict()

    def get(self, uri: str) -> FittedEncoder:
        """The encoder saved below a URI (``s3://bucket/runs/<run_id>/encoder/``), with the decision beside it if there is one.

        Raises:
            ObjectMissing: it, or a part of it, is not there any more.
            InvalidEncoder: it is damaged.
        """
        encoder = self._kept.get(uri)
        if encoder is None:
            encoder = self._kept[uri] = self._load(uri)
        self._kept.move_to_end(uri)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return encoder

    def _load(self, uri: str) -> FittedEncoder:
        bucket, prefix = split_s3_uri(uri)
        found = {name: read_object(self._s3, bucket, prefix + name) for name in _ENCODER_FILES}
        files = {name: content for name, content in found.items() if content is not None}
        if gone := [name for name in _ENCODER_FILES if name not in files]:
            raise ObjectMissing(
                f"{uri}: {' and '.join(gone)} of the model's encoder, by which it reads rows, was deleted. Submit the dataset "
                "again, roll the endpoint back, or bring the object back: the bucket keeps deleted ones' versions."
            )
        decision = read_object(self._s3, bucket, prefix + DECISION)
        try:
            encoder = FittedEncoder.load(files)
            return encoder if decision is None else replace(encoder, decision=Decision.load(decision, encoder.classes))
        except InvalidEncoder as error:
            raise InvalidEncoder(f"{uri}: {error.message}") from None
