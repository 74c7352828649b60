"""JSON Schema of the rows that an endpoint takes. Reads an encoder, and what its run has written of the dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.api.columns import example_of_rows
from sageline.encoder.schema.row_schema import row_schema as schema_of
from sageline.json_objects import Document, Json
from sageline.names import RunLayout, split_s3_uri
from sageline.runs.routing import RoutedVariant
from sageline.serving.stored import EncoderCache, read_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def row_schema(s3: S3Client, endpoint: str, variant: RoutedVariant) -> Json:
    """The schema of an instance for an endpoint, by the encoder of this variant.

    Raises:
        ObjectMissing: the encoder is not there any more.
        InvalidEncoder: it is damaged.
    """
    encoder = EncoderCache(s3).get(variant.encoder_uri)
    try:
        example = example_of_rows(s3, variant)
    except ValueError:  # no JSON
        example = None
    schema = schema_of(encoder, _seen(s3, variant), example)
    return {
        "$schema": schema.pop("$schema"),
        "title": endpoint,
        "description": f"An item of `instances`, as {variant.model_version} takes it: the variant with the most traffic.",
        **schema,
    }


def _seen(s3: S3Client, variant: RoutedVariant) -> Mapping[str, Document]:
    """What the profile of the run's dataset says of its columns; nothing where it is gone, or not readable."""
    bucket, prefix = split_s3_uri(variant.encoder_uri)
    key = RunLayout(bucket, prefix.split("/")[1]).profile_key
    try:
        document = read_object(s3, bucket, key)
        columns = json.loads(document or "{}").get("columns", {})
    except (ValueError, AttributeError, ClientError):
        return {}
    return {name: about for name, about in columns.items() if isinstance(about, dict)} if isinstance(columns, dict) else {}
