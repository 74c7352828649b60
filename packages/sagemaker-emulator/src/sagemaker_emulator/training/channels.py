"""A job's input: objects of S3 become files below ``input/data/<channel>``, with the execution role's permission."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from botocore.exceptions import ClientError

from sagemaker_emulator.datasource import Allowed, list_objects
from sagemaker_emulator.errors import JobFailed
from sagemaker_emulator.objects import Objects
from sagemaker_emulator.store import Request


def download(
    objects: Objects, allowed: Allowed, channel: Request, role_arn: str, shard: tuple[int, int]
) -> Iterator[tuple[str, Callable[[Path], None]]]:
    """The objects of one channel for one host, as (path below the channel's directory, function that fetches it there).

    ``shard`` is (index of this host, number of hosts); with ShardedByS3Key whole objects are dealt out by key.
    """
    source = channel["DataSource"]["S3DataSource"]
    found = list_objects(objects, allowed, source, role_arn)
    if source.get("S3DataDistributionType") == "ShardedByS3Key":
        found = found[shard[0] :: shard[1]]
    for item in found:
        yield item.path, _fetcher(objects, allowed, item.bucket, item.key, role_arn)


def _fetcher(objects: Objects, allowed: Allowed, bucket: str, key: str, role_arn: str) -> Callable[[Path], None]:
    def fetch(path: Path) -> None:
        if not allowed("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}"):
            raise JobFailed(
                f"ClientError: Data download failed:Failed to download s3://{bucket}/{key}: AccessDenied (403): the role "
                f'"{role_arn}" is not authorized to perform s3:GetObject on it'
            )
        if ".." in path.parts:
            raise JobFailed(f"ClientError: Data download failed:The key of s3://{bucket}/{key} can not be a file's path")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            objects.download(bucket, key, path)
        except (ClientError, OSError) as error:
            message = error.response["Error"]["Message"] if isinstance(error, ClientError) else error.strerror
            raise JobFailed(f"ClientError: Data download failed:Failed to download s3://{bucket}/{key}: {message}") from error

    return fetch
