"""Uploads of datasets, by a presigned URL."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sageline.errors import InvalidRequest, InvalidSpec
from sageline.http import check_keys
from sageline.names import NAME_MAX_LENGTH, NAME_PATTERN, dataset_key, dataset_spec_key
from sageline.spec.model import Spec, validate_spec

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FORMATS = ("csv", "csv.gz", "jsonl", "npz")
UPLOAD_SECONDS = 900


def create_upload(body: Mapping[str, object], *, bucket: str, s3: S3Client, presigner: S3Client) -> dict[str, object]:
    """A URL to put a dataset to, which starts a run; a spec that comes along is stored beside it first.

    ``body``: ``{"name", "format": "csv", "spec": {…}}``, the last two may be left out. ``presigner`` is a client that signs
    for the bucket's own region.

    Raises:
        InvalidRequest: a key is unknown or missing, the name or format cannot be used.
        InvalidSpec: the spec is wrong, or is the spec of another dataset.
    """
    check_keys(body, known=("name", "format", "spec"), required=("name",))
    name, data_format = _name(body["name"]), _format(body.get("format", "csv"))
    key = dataset_key(name, data_format)
    if body.get("spec") is not None:
        spec = _spec_of(body["spec"], name, f"s3://{bucket}/{key}")
        document = json.dumps(spec.model_dump(exclude_unset=True), indent=2).encode()
        s3.put_object(Bucket=bucket, Key=dataset_spec_key(name), Body=document, ContentType="application/json")
    url = presigner.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=UPLOAD_SECONDS)
    upload = {"url": url, "method": "PUT", "headers": {}}
    return {"upload": upload, "bucket": bucket, "key": key, "expires_in_seconds": UPLOAD_SECONDS}


def _name(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(NAME_PATTERN, value) or len(value) > NAME_MAX_LENGTH:
        raise InvalidRequest(
            f"`name` is {json.dumps(value)}; use lower-case letters, digits and single hyphens, starting and ending with a "
            f"letter or digit, at most {NAME_MAX_LENGTH} characters.",
            key="name",
        )
    return value


def _format(value: object) -> str:
    if not isinstance(value, str) or value not in FORMATS:
        raise InvalidRequest(f"`format` is {json.dumps(value)}; use one of {', '.join(FORMATS)}.", key="format")
    return value


def _spec_of(value: object, name: str, uri: str) -> Spec:
    spec = validate_spec(value, "spec")
    if spec.name not in (None, name):
        raise InvalidSpec(f"spec: `name` is {spec.name!r}, and the dataset's name is {name!r}; leave it out.")
    if spec.dataset.uri not in (None, uri):
        raise InvalidSpec(f"spec: `dataset.uri` is {spec.dataset.uri!r}, and the upload will be {uri!r}; leave it out.")
    return spec
