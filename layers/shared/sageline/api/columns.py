"""What rows an endpoint takes. Reads an encoder and so brings numpy along: no other route needs it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sageline.encoder.description import EXAMPLE, describe
from sageline.errors import InvalidEncoder, ObjectMissing
from sageline.names import split_s3_uri
from sageline.routing import RoutedVariant
from sageline.serving.stored import EncoderCache, read_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_UNKNOWN = dict.fromkeys(("columns", "column_count", "image_shape", "label", "example"))


def describe_columns(s3: S3Client, variant: RoutedVariant) -> dict[str, object]:
    """What :func:`sageline.encoder.description.describe` says of the variant's encoder, and an instance that it takes without a
    warning: ``example``.

    All are None when the encoder is gone or damaged; ``example`` alone when its run wrote none.
    """
    try:
        encoder = EncoderCache(s3).get(variant.encoder_uri)
    except (InvalidEncoder, ObjectMissing):
        return {**_UNKNOWN}
    bucket, prefix = split_s3_uri(variant.encoder_uri)
    example = read_object(s3, bucket, prefix + EXAMPLE)
    return {**describe(encoder), "example": None if example is None else json.loads(example)}
