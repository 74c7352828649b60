"""Uploading a dataset, which starts a run: ``datasets/<name>/data.<ext>`` in the stack's bucket."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from sageline.formats.other_formats import advice_on_name
from sageline.names import dataset_key, dataset_spec_key
from sageline.runs.trigger import Upload as Trigger
from sageline.runs.trigger import identify
from sageline_cli.errors import CommandFailed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

SUFFIXES = {".csv": "csv", ".csv.gz": "csv.gz", ".jsonl": "jsonl", ".ndjson": "jsonl", ".npz": "npz", ".zip": "zip"}
"""What a dataset's file may be called, and the format that the name says."""

_MARK = "sageline-upload"
"""Metadata of an uploaded object, by which its version is found again."""

_TRANSFER = TransferConfig(multipart_threshold=32 << 20, multipart_chunksize=16 << 20)


@dataclass(frozen=True)
class UploadedDataset:
    """A dataset in the bucket, and the run that it starts."""

    run_id: str
    bucket: str
    key: str
    version_id: str
    bytes: int
    removed_old_spec: bool
    """A spec.json of an earlier submit was there, and this submit came without one."""


def format_of(path: Path) -> str | None:
    """The format that the file's name says, or None."""
    return SUFFIXES.get(suffix_of(path))


def suffix_of(path: Path) -> str:
    """The end of the file's name that says its format, in lower case: ``.csv.gz``; empty if there is none."""
    found = re.search(r"\.[a-z]+(\.gz)?$", path.name.lower())
    return found[0] if found else ""


def unknown_format(path: Path) -> str:
    """What to do with a file whose name says no format that is read."""
    known = ", ".join(SUFFIXES)
    if advice := advice_on_name(path.name):
        return f"{path} is of a format that is not read; {advice}. What is read: {known}."
    return f"{path} has no known format; name it {known}."


def upload(
    s3: S3Client, bucket: str, path: Path, name: str, *, spec: bytes | None, advance: Callable[[int], None]
) -> UploadedDataset:
    """Put the spec and then the data: the data's arrival is what starts the run, and by then the spec must be there.

    Without a spec, one that is left from an earlier submit is deleted (the bucket keeps its versions): a submit means what its
    command line says. ``advance`` is told the bytes sent, from other threads too.
    """
    data_format = format_of(path)
    if data_format is None:
        raise ValueError(f"not a dataset by its name: {path}")
    removed = False
    if spec is None:
        removed = _delete_if_there(s3, bucket, dataset_spec_key(name))
    else:
        s3.put_object(Bucket=bucket, Key=dataset_spec_key(name), Body=spec, ContentType="application/json")
    key = dataset_key(name, data_format)
    mark = uuid.uuid4().hex
    s3.upload_file(str(path), bucket, key, Callback=advance, Config=_TRANSFER, ExtraArgs={"Metadata": {_MARK: mark}})
    head = _find_version(s3, bucket, key, mark)
    version = head["VersionId"]
    run_id = identify(Trigger(bucket, key, version, head["LastModified"]), s3).run_id
    return UploadedDataset(run_id, bucket, key, version, head["ContentLength"], removed)


def _find_version(s3: S3Client, bucket: str, key: str, mark: str) -> HeadObjectOutputTypeDef:
    """What S3 says of the version that was uploaded with the mark: the newest, unless another upload came right after it."""
    newest = s3.head_object(Bucket=bucket, Key=key)
    if newest["Metadata"].get(_MARK) == mark:
        return newest
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
        for version in page.get("Versions", []):
            head = s3.head_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
            if head["Metadata"].get(_MARK) == mark:
                return head
    raise CommandFailed(f"s3://{bucket}/{key} has been deleted since it was uploaded.", "UploadNotFound")


def _delete_if_there(s3: S3Client, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        # Without s3:ListBucket, S3 answers 403 for what is not there.
        if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound", "403"):
            return False
        raise
    s3.delete_object(Bucket=bucket, Key=key)
    return True
