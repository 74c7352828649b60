"""Uploads of datasets, by a presigned URL that takes one file, once.

What S3 checks is signed into the URL: the file's length and MD5 sum, and that what is there is what was there when the URL was
made (nothing, or the file that is replaced). So a URL that somebody else gets hold of brings no other file, and none twice.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from sageline.api.answers import UploadAnswer, UploadTarget
from sageline.api.requests import CompletionBody, UploadBody
from sageline.api.start import RequestKey, read_request_key
from sageline.aws.errors import is_missing_object
from sageline.aws.http import Event, check_keys, dataset_name, read_json_object, shortened
from sageline.errors import DatasetNotFound, InvalidRequest, InvalidSpec, RequestTooLarge, ResourceConflict
from sageline.json_objects import Json
from sageline.names import (
    DATA_FORMATS,
    NAME_MAX_LENGTH,
    SIDES,
    dataset_folder,
    dataset_spec_key,
    format_of_name,
    is_name,
    side_of_name,
    starts_a_run,
)
from sageline.runs.context import RunContext
from sageline.spec.model import Spec, validate_spec

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

UPLOAD_SECONDS = 900
_FILE_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")


def create_upload(body: Mapping[str, object], *, max_bytes: int, run: RunContext) -> UploadAnswer:
    """A URL to put a dataset to, which starts a run; a spec that comes along is stored beside it first.

    ``body`` is an :class:`UploadBody`. A ``file`` is one of several parts, which starts nothing; without one the file is
    all of the dataset.

    Raises:
        InvalidRequest: a key is unknown or missing, the name, format, length or sum cannot be used.
        InvalidSpec: the spec is wrong, or is the spec of another dataset.
        RequestTooLarge: the file has more than ``max_bytes``.
        ResourceConflict: this very file is there already, so that putting it there again would change nothing.
    """
    s3, bucket = run.clients.s3, run.settings.bucket_name
    check_keys(body, known=UploadBody.__annotations__, required=UploadBody.__required_keys__)
    name = _name(body["name"])
    size, md5 = _bytes(body["bytes"], max_bytes), _md5(body["md5"])
    file = _file(body)
    key = dataset_folder(name) + file
    data_uri = f"s3://{bucket}/{key if starts_a_run(file) else dataset_folder(name)}"
    spec = None if body.get("spec") is None else _spec_of(body["spec"], name, data_uri)
    there = _etag(s3, bucket, key)
    if there is not None and there.strip('"') == md5.hex():
        otherwise = (
            "Start another run of it by POST /pipelines, with this URI as `dataset.uri` of the spec."
            if starts_a_run(file)
            else f"It need not be uploaded again; POST /datasets/{name}/complete starts a run of all parts."
        )
        raise ResourceConflict(f"s3://{bucket}/{key} is this very file already. {otherwise}")
    if spec is not None:
        document = json.dumps(spec.model_dump(exclude_unset=True), indent=2).encode()
        s3.put_object(Bucket=bucket, Key=dataset_spec_key(name), Body=document, ContentType="application/json")
    # Any: what differs from file to file is a parameter of PutObject and a header at once.
    signed: dict[str, Any] = {"ContentLength": size, "ContentMD5": base64.b64encode(md5).decode()}
    signed |= {"IfNoneMatch": "*"} if there is None else {"IfMatch": there}
    request = {"Bucket": bucket, "Key": key, **signed}
    url = run.clients.s3_presigner.generate_presigned_url("put_object", request, ExpiresIn=UPLOAD_SECONDS)
    headers = {_HEADERS[parameter]: str(value) for parameter, value in signed.items()}
    upload: UploadTarget = {"url": url, "method": "PUT", "headers": headers}
    return {"upload": upload, "bucket": bucket, "key": key, "expires_in_seconds": UPLOAD_SECONDS}


_HEADERS = {
    "ContentLength": "content-length",
    "ContentMD5": "content-md5",
    "IfNoneMatch": "if-none-match",
    "IfMatch": "if-match",
}


@dataclass(frozen=True)
class PartsStart:
    """A run of all parts in a dataset's folder: a :class:`sageline.api.start.Startable`."""

    name: str
    bucket: str
    request_key: RequestKey

    @property
    def compared(self) -> Json:
        return self.trigger

    @property
    def trigger(self) -> Json:
        return {"dataset": {"name": self.name, "uri": f"s3://{self.bucket}/{dataset_folder(self.name)}"}}


def read_completion(event: Event, run: RunContext) -> PartsStart:
    """The request that says that all parts of a dataset are there; it needs no body.

    Raises:
        DatasetNotFound: no part is there, or nothing can have the name.
        InvalidRequest: a body with keys, an unusable ``Idempotency-Key``.
    """
    name, bucket = dataset_name(event), run.settings.bucket_name
    if event.get("body"):
        check_keys(read_json_object(event), known=CompletionBody.__annotations__)
    start = PartsStart(name, bucket, read_request_key(event))
    folder = dataset_folder(name)
    if not any(run.clients.s3.list_objects_v2(Bucket=bucket, Prefix=folder + side, MaxKeys=1)["KeyCount"] for side in SIDES):
        raise DatasetNotFound(
            f"s3://{bucket}/{folder} has no parts; upload each of them, by POST /datasets with a `file` such as data-00.csv."
        )
    return start


def _etag(s3: S3Client, bucket: str, key: str) -> str | None:
    """The ETag of the object at a key; None if there is none. For a file that was put in one piece it is the MD5 sum."""
    try:
        return s3.head_object(Bucket=bucket, Key=key)["ETag"]
    except ClientError as error:
        if is_missing_object(error):
            return None
        raise


def _name(value: object) -> str:
    if not isinstance(value, str) or not is_name(value):
        raise InvalidRequest(
            f"`name` is {shortened(json.dumps(value))}; use lower-case letters, digits and single hyphens, starting and ending "
            f"with a letter or digit, at most {NAME_MAX_LENGTH} characters.",
            key="name",
        )
    return value


def _bytes(value: object, most: int) -> int:
    if value == 0 and not isinstance(value, bool):
        raise InvalidRequest(
            "`bytes` is 0: the file is empty. A dataset has a line of column names and a row for each example.", key="bytes"
        )
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidRequest(
            f"`bytes` is {shortened(json.dumps(value))}; give the length of the file in bytes, a whole number.", key="bytes"
        )
    if value > most:
        raise RequestTooLarge(
            f"The file has {shortened(f'{value:,}')} bytes; an upload by URL may have {most:,}, as the stack's parameter "
            "MaxUploadMegabytes says. Compress it (csv.gz), or put it into the bucket with credentials (`sageline submit`).",
            max_bytes=most,
        )
    return value


def _md5(value: object) -> bytes:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-fA-F]{32}", value):
        raise InvalidRequest(
            f"`md5` is {shortened(json.dumps(value))}; give the file's MD5 sum, 32 hexadecimal digits as `md5sum` prints them.",
            key="md5",
        )
    return bytes.fromhex(value)


def _format(value: object) -> str:
    if not isinstance(value, str) or value not in DATA_FORMATS:
        raise InvalidRequest(f"`format` is {shortened(json.dumps(value))}; use one of {', '.join(DATA_FORMATS)}.", key="format")
    return value


def _file(body: Mapping[str, object]) -> str:
    """The name of the file in the dataset's folder."""
    value = body.get("file")
    if value is None:
        return f"data.{_format(body.get('format', 'csv'))}"
    if not isinstance(value, str) or not _FILE_NAME.fullmatch(value) or side_of_name(value) is None:
        raise InvalidRequest(
            f"`file` is {shortened(json.dumps(value))}; use a name that begins with data, train or test, such as data-00.csv, of "
            "at most 200 letters, digits, dots, hyphens and underscores.",
            key="file",
        )
    found = format_of_name(value)
    if found is None:
        raise InvalidRequest(
            f"`file` is {shortened(json.dumps(value))}; its extension is none of {', '.join(DATA_FORMATS)}.", key="file"
        )
    if body.get("format", found) != found:
        raise InvalidRequest(
            f"`format` is {shortened(json.dumps(body['format']))}, and `file` says {found}; leave `format` out.",
            key="format",
        )
    if value.startswith("data.") and not starts_a_run(value):
        raise InvalidRequest(
            f"`file` is {shortened(json.dumps(value))}; only a dataset of one file is named data.<format>. Name a part data-….",
            key="file",
        )
    return value


def _spec_of(value: object, name: str, uri: str) -> Spec:
    spec = validate_spec(value, "spec")
    if spec.name not in (None, name):
        raise InvalidSpec(f"spec: `name` is {spec.name!r}, and the dataset's name is {name!r}; leave it out.")
    if spec.dataset.uri not in (None, uri):
        raise InvalidSpec(f"spec: `dataset.uri` is {spec.dataset.uri!r}, and the upload will be {uri!r}; leave it out.")
    return spec
