"""The objects of an S3DataSource: below a prefix, or named by a manifest; listed with the execution role's permission."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from botocore.exceptions import ClientError

from sagemaker_emulator.errors import JobFailed, invalid
from sagemaker_emulator.objects import Objects
from sagemaker_emulator.store import Request

_FAILED = "ClientError: Data download failed:"


class Allowed(Protocol):
    """Whether the execution role may; ``context`` has condition keys."""

    def __call__(self, action: str, resource_arn: str, context: Mapping[str, str] | None = None, /) -> bool: ...


@dataclass(frozen=True)
class InputObject:
    """An object, and its path below the prefix of the data source."""

    bucket: str
    key: str
    path: str


def check_objects(objects: Objects, allowed: Allowed, source: Request, role_arn: str, region: str) -> None:
    """At the request for a job: raise ValidationException when there is nothing below a prefix, or the role may not look.

    A manifest is looked into by the job only.
    """
    if source["S3DataType"] != "S3Prefix":
        return
    bucket, _, prefix = source["S3Uri"].removeprefix("s3://").partition("/")
    try:
        if _may_list(allowed, bucket, prefix) and objects.has_keys(bucket, prefix):
            return
    except ClientError:  # no such bucket, or S3 itself refuses
        pass
    raise invalid(_none_found(bucket, prefix, role_arn, f"the selected region ({region})"))


def list_objects(objects: Objects, allowed: Allowed, source: Request, role_arn: str) -> list[InputObject]:
    """The objects of a data source in order; raises :class:`JobFailed` when there are none or the role may not read them."""
    bucket, _, key = source["S3Uri"].removeprefix("s3://").partition("/")
    if source["S3DataType"] == "ManifestFile":
        return _of_manifest(objects, allowed, bucket, key)
    return [InputObject(bucket, found, _relative(found, key)) for found in _keys(objects, allowed, bucket, key, role_arn)]


def _keys(objects: Objects, allowed: Allowed, bucket: str, prefix: str, role_arn: str) -> list[str]:
    advice = _none_found(bucket, prefix, role_arn, "the selected region")
    if not _may_list(allowed, bucket, prefix):
        raise JobFailed(f"{_FAILED}{advice} Error message from S3: Access Denied")
    try:
        keys = objects.keys(bucket, prefix)
    except ClientError as error:
        message = error.response["Error"]["Message"]
        raise JobFailed(f"{_FAILED}{advice} Error message from S3: {message}") from error
    if not keys:
        raise JobFailed(f"{_FAILED}{advice}")
    return keys


def _may_list(allowed: Allowed, bucket: str, prefix: str) -> bool:
    return allowed("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": prefix})


def _none_found(bucket: str, prefix: str, role_arn: str, region: str) -> str:
    return (
        f'No S3 objects found under S3 URL "s3://{bucket}/{prefix}" given in input data source. Please ensure that the bucket '
        f'exists in {region}, that objects exist under that S3 prefix, and that the role "{role_arn}" has "s3:ListBucket" '
        f'permissions on bucket "{bucket}".'
    )


def _relative(key: str, prefix: str) -> str:
    """The key's part below the prefix; a prefix that cuts a name in two keeps the whole name."""
    folder = prefix if prefix.endswith("/") or not prefix else prefix.rpartition("/")[0]
    if key.startswith(f"{prefix}/"):
        folder = prefix
    return key[len(folder) :].lstrip("/")


def _of_manifest(objects: Objects, allowed: Allowed, bucket: str, key: str) -> list[InputObject]:
    """``[{"prefix": "s3://bucket/folder/"}, "a.csv", …]``: the objects are the prefix followed by each name."""
    uri = f"s3://{bucket}/{key}"
    if not allowed("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}"):
        raise JobFailed(f"{_FAILED}Failed to download manifest {uri}: AccessDenied (403)")
    try:
        manifest = json.loads(objects.read(bucket, key))
        start = manifest[0]["prefix"]
        names = [str(name) for name in manifest[1:]]
    except ClientError as error:
        raise JobFailed(f"{_FAILED}Failed to download manifest {uri}: {error.response['Error']['Message']}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise JobFailed(
            f"{_FAILED}The manifest {uri} is not valid: it must be a JSON array that begins with "
            '{"prefix": "s3://bucket/prefix"} and goes on with the names of objects below it.'
        ) from error
    if not names:
        raise JobFailed(f"{_FAILED}The manifest {uri} names no objects.")
    data_bucket, _, prefix = str(start).removeprefix("s3://").partition("/")
    return [InputObject(data_bucket, prefix + name, name.lstrip("/")) for name in names]
