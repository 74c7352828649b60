"""A file of a page on its way to S3: its parts go from the browser to the bucket, each by a presigned URL."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.names import DATA_FORMAT_PATTERN, NAME_MAX_LENGTH, dataset_folder, is_name
from sageline.runs.store import utc_now
from sageline_cli.connection import Connection
from sageline_cli.errors import CommandFailed
from sageline_cli.upload import SUFFIXES, suffix_of, unknown_format

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

_PART_BYTES = 16 << 20
_MOST_PARTS = 10_000  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
_MOST_BYTES = 5 << 40
_URL_SECONDS = 3600  # a part of 16 MiB over a line that is slow, and tried again
_KEY = re.compile(rf"datasets/(?P<name>[^/]+)/console-\d{{14}}-[0-9a-f]{{6}}\.({DATA_FORMAT_PATTERN})")


@dataclass(frozen=True)
class PartialUpload:
    """A multipart upload that has begun."""

    key: str
    upload_id: str


@dataclass(frozen=True)
class BegunUpload:
    """What the page is told: so many parts, all but the last of ``part_bytes``."""

    upload: PartialUpload
    part_bytes: int
    parts: int


class Uploads:
    """The uploads of the console's pages. Nothing is kept here: a page says which upload it means."""

    def __init__(self, connection: Connection, clock: Callable[[], datetime] = utc_now) -> None:
        self._s3, self._bucket = connection.s3, connection.bucket
        self._presigner = connection.watching.s3_presigner
        self._clock = clock

    def begin(self, file_name: str, name: str, size: int) -> BegunUpload:
        """A new object below ``datasets/<name>/``, of a name that starts no run.

        Raises:
            CommandFailed: the file is of no known format, empty or too large, or ``name`` is none.
        """
        data_format = SUFFIXES.get(suffix_of(PurePath(file_name)))
        if data_format is None:
            raise CommandFailed(unknown_format(PurePath(file_name)), "InvalidUpload")
        if not is_name(name):
            raise CommandFailed(
                f"{name[:80]!r} is no name: use lower-case letters, digits and single hyphens, at most {NAME_MAX_LENGTH}.",
                "InvalidUpload",
            )
        if not 0 < size <= _MOST_BYTES:
            raise CommandFailed("The file is empty." if size <= 0 else "S3 takes files of up to 5 TiB.", "InvalidUpload")
        key = f"{dataset_folder(name)}console-{self._clock():%Y%m%d%H%M%S}-{secrets.token_hex(3)}.{data_format}"
        begun = self._s3.create_multipart_upload(Bucket=self._bucket, Key=key)
        part_bytes = max(_PART_BYTES, -(-size // _MOST_PARTS))
        return BegunUpload(PartialUpload(key, begun["UploadId"]), part_bytes, -(-size // part_bytes))

    def part_url(self, upload: PartialUpload, part: int) -> str:
        """Where to PUT a part, from 1 on."""
        params = {"Bucket": self._bucket, "Key": _checked(upload.key), "UploadId": upload.upload_id, "PartNumber": part}
        return self._presigner.generate_presigned_url("upload_part", Params=params, ExpiresIn=_URL_SECONDS)

    def complete(self, upload: PartialUpload, size: int) -> str:
        """Make the object of its parts; its URI. Asking again after an answer that got lost changes nothing.

        Raises:
            CommandFailed: parts are missing, so that the object would not be the file; the upload was cancelled.
        """
        try:
            self._complete(upload, size)
        except self._s3.exceptions.NoSuchUpload:
            if not self._is_there(upload.key, size):
                raise CommandFailed("The upload is not there any more: it was cancelled.", "UploadNotFound") from None
        return self.uri(upload.key)

    def _complete(self, upload: PartialUpload, size: int) -> None:
        key = _checked(upload.key)
        parts: list[CompletedPartTypeDef] = []
        there = 0
        for page in self._s3.get_paginator("list_parts").paginate(Bucket=self._bucket, Key=key, UploadId=upload.upload_id):
            for part in page.get("Parts", []):
                parts.append({"PartNumber": part["PartNumber"], "ETag": part["ETag"]})
                there += part["Size"]
        if there != size:
            raise CommandFailed(
                f"S3 has {there:,} of the file's {size:,} bytes. Was it changed meanwhile? Upload it again.", "IncompleteUpload"
            )
        self._s3.complete_multipart_upload(
            Bucket=self._bucket, Key=key, UploadId=upload.upload_id, MultipartUpload={"Parts": parts}
        )

    def _is_there(self, key: str, size: int) -> bool:
        try:
            return self._s3.head_object(Bucket=self._bucket, Key=key)["ContentLength"] == size
        except ClientError:
            return False

    def abort(self, upload: PartialUpload) -> None:
        """Let the parts go. One that has ended already is left as it is."""
        try:
            self._s3.abort_multipart_upload(Bucket=self._bucket, Key=_checked(upload.key), UploadId=upload.upload_id)
        except self._s3.exceptions.NoSuchUpload:
            return

    def discard(self, key: str) -> None:
        """Delete an uploaded file that no run is to be made of."""
        self._s3.delete_object(Bucket=self._bucket, Key=_checked(key))

    def uri(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"


def name_of(key: str) -> str:
    """The dataset's name in the key of an upload.

    Raises:
        CommandFailed: it is not the key of one.
    """
    found = _KEY.fullmatch(key)
    if found is None or not is_name(found["name"]):
        raise CommandFailed(f"{key[:200]!r} is no file that was uploaded here.", "UploadNotFound")
    return found["name"]


def _checked(key: str) -> str:
    """Only what a page has uploaded is touched by what a page says."""
    name_of(key)
    return key
