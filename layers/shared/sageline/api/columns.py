"""What rows an endpoint takes. Reads an encoder and so brings numpy along: no other route needs it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.api.answers import RowsTaken
from sageline.encoder.description import EXAMPLE, describe
from sageline.errors import InvalidEncoder, ObjectMissing
from sageline.names import split_s3_uri
from sageline.runs.routing import RoutedVariant
from sageline.serving.stored import EncoderCache, read_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def describe_columns(s3: S3Client, variant: RoutedVariant | None) -> RowsTaken:
    """What :func:`sageline.encoder.description.describe` says of the variant's encoder, and an instance that it takes without a
    warning: ``example``.

    All are None without a variant, and when the encoder is gone, damaged or cannot be read; ``example`` alone when its run wrote
    none.
    """
    try:
        return _unknown() if variant is None else _describe(s3, variant)
    # ValueError: no URI, or no JSON
    except (InvalidEncoder, ObjectMissing, ClientError, ValueError):
        return _unknown()


def _unknown() -> RowsTaken:
    return {"columns": None, "column_count": None, "image_shape": None, "label": None, "example": None}


def _describe(s3: S3Client, variant: RoutedVariant) -> RowsTaken:
    encoder = EncoderCache(s3).get(variant.encoder_uri)
    return {**describe(encoder), "example": example_of_rows(s3, variant)}


def example_of_rows(s3: S3Client, variant: RoutedVariant) -> object | None:
    """The instance that the variant's run has kept; None where it kept none.

    Raises:
        ValueError: what is kept is no JSON.
    """
    bucket, prefix = split_s3_uri(variant.encoder_uri)
    example = read_object(s3, bucket, prefix + EXAMPLE)
    found: object = None if example is None else json.loads(example)
    return found
