"""Uploading a dataset, which starts a run: to ``datasets/<name>/`` in the stack's bucket, one file or parts and ``_READY``."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from sageline.formats.other_formats import advice_on_name
from sageline.names import (
    DATA_FORMATS,
    DATA_FORMATS_NAMED,
    dataset_folder,
    dataset_key,
    dataset_spec_key,
    ready_key,
    side_of_name,
)
from sageline.runs.trigger import Upload as Trigger
from sageline.runs.trigger import identify
from sageline_cli.errors import CommandFailed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

SUFFIXES = {f".{name}": name for name in DATA_FORMATS} | {
    f".{name.replace('jsonl', 'ndjson')}": name for name in DATA_FORMATS if name.startswith("jsonl")
}
"""What a dataset's file may be called, and the format that the name says."""

_MARK = "sageline-upload"
"""Metadata of an uploaded object, by which its version is found again."""

_AT_A_TIME = 8  # parts that are uploaded
_TRANSFER = TransferConfig(multipart_threshold=32 << 20, multipart_chunksize=16 << 20)


@dataclass(frozen=True)
class UploadedDataset:
    """A dataset in the bucket, and the run that it starts; ``key`` is of the object that starts it."""

    run_id: str
    bucket: str
    key: str
    version_id: str
    bytes: int
    removed_old_spec: bool
    """A spec.json of an earlier submit was there, and this submit came without one."""
    removed_parts: tuple[str, ...] = ()
    """Names of parts that an earlier submit had left."""


def format_of(path: Path) -> str | None:
    """The format that the file's name says, or None."""
    return SUFFIXES.get(suffix_of(path))


def suffix_of(path: PurePath) -> str:
    """The end of the file's name that says its format, in lower case: ``.csv.gz``; empty if there is none."""
    found = re.search(r"\.[a-z]+(\.(gz|zst))?$", path.name.lower())
    return found[0] if found else ""


def unknown_format(path: PurePath) -> str:
    """What to do with a file whose name says no format that is read."""
    if advice := advice_on_name(path.name):
        return f"{path} is of a format that is not read; {advice}. What is read: {DATA_FORMATS_NAMED}."
    return f"{path} has no known format; name it {DATA_FORMATS_NAMED}."


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
    removed = _put_spec(s3, bucket, name, spec)
    key = dataset_key(name, data_format)
    mark = uuid.uuid4().hex
    s3.upload_file(str(path), bucket, key, Callback=advance, Config=_TRANSFER, ExtraArgs={"Metadata": {_MARK: mark}})
    version, run_id, size = _started(s3, bucket, key, mark)
    return UploadedDataset(run_id, bucket, key, version, size, removed)


def upload_parts(
    s3: S3Client,
    bucket: str,
    parts: Sequence[tuple[Path, str]],
    name: str,
    *,
    spec: bytes | None,
    advance: Callable[[int], None],
) -> UploadedDataset:
    """Put the spec, then the parts, several at a time, and at last ``_READY``, which starts the run.

    Parts that an earlier submit has left, and that are not among these, are deleted first (the bucket keeps their versions): a
    run reads all that is there.
    """
    removed = _put_spec(s3, bucket, name, spec)
    folder = dataset_folder(name)
    removed_parts = _delete_other_parts(s3, bucket, folder, {file_name for _, file_name in parts})

    def put(part: tuple[Path, str]) -> None:
        s3.upload_file(str(part[0]), bucket, folder + part[1], Callback=advance, Config=_TRANSFER)

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        waiting = [pool.submit(put, part) for part in parts]
        try:
            for one in as_completed(waiting):
                one.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    mark = uuid.uuid4().hex
    s3.put_object(Bucket=bucket, Key=ready_key(name), Body=b"", Metadata={_MARK: mark})
    version, run_id, _ = _started(s3, bucket, ready_key(name), mark)
    size = sum(path.stat().st_size for path, _ in parts)
    return UploadedDataset(run_id, bucket, ready_key(name), version, size, removed, removed_parts)


def _put_spec(s3: S3Client, bucket: str, name: str, spec: bytes | None) -> bool:
    """Put the spec, or delete the one that an earlier submit has left; whether there was one to delete."""
    if spec is None:
        return _delete_if_there(s3, bucket, dataset_spec_key(name))
    s3.put_object(Bucket=bucket, Key=dataset_spec_key(name), Body=spec, ContentType="application/json")
    return False


def _delete_other_parts(s3: S3Client, bucket: str, folder: str, kept: Collection[str]) -> tuple[str, ...]:
    deleted = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder, Delimiter="/"):
        for item in page.get("Contents", []):
            file_name = item["Key"].removeprefix(folder)
            if side_of_name(file_name) and file_name not in kept:
                s3.delete_object(Bucket=bucket, Key=item["Key"])
                deleted.append(file_name)
    return tuple(deleted)


def _started(s3: S3Client, bucket: str, key: str, mark: str) -> tuple[str, str, int]:
    """The version that was uploaded with the mark, the run that it starts, and its length."""
    head = _find_version(s3, bucket, key, mark)
    version = head["VersionId"]
    run_id = identify(Trigger(bucket, key, version, head["LastModified"]), s3).run_id
    return version, run_id, head["ContentLength"]


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
