"""``CheckpointConfig``: a directory of the container that is restored from S3 and kept in step with it while the job runs."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from local.sagemaker.datasource import Allowed
from local.sagemaker.training.failures import JobFailed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DEFAULT_PATH = "/opt/ml/checkpoints"
CONTAINER_ROOT = "/opt/ml/"
_SYNC_SECONDS = 5.0


class Checkpoints:
    """The checkpoints of one host of a job; ``config`` is the request's CheckpointConfig."""

    def __init__(self, s3: S3Client, allowed: Allowed, config: Mapping[str, str], root: Path) -> None:
        self._s3 = s3
        self._allowed = allowed
        self._bucket, _, prefix = config["S3Uri"].removeprefix("s3://").partition("/")
        self._prefix = f"{prefix.rstrip('/')}/" if prefix else ""
        self.directory = root / config.get("LocalPath", DEFAULT_PATH).removeprefix(CONTAINER_ROOT)
        # What is in S3 already: size and time of change of each file.
        self._known: dict[Path, tuple[int, int]] = {}

    def restore(self) -> None:
        """Fetch what an earlier job left; raises JobFailed."""
        self.directory.mkdir(parents=True, exist_ok=True)
        where = f"s3://{self._bucket}/{self._prefix}"
        if not self._allowed("s3:ListBucket", f"arn:aws:s3:::{self._bucket}", {"s3:prefix": self._prefix}):
            raise JobFailed(f"ClientError: Data download failed:Failed to list the checkpoints in {where}: Access Denied")
        try:
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
            for key in [item["Key"] for page in pages for item in page.get("Contents", []) if not item["Key"].endswith("/")]:
                self._fetch(key)
        except ClientError as error:
            message = error.response["Error"]["Message"]
            raise JobFailed(
                f"ClientError: Data download failed:Failed to download checkpoints from {where}: {message}"
            ) from error

    def sync(self) -> None:
        """Put every file that is new or has changed; raises JobFailed."""
        for path in sorted(self.directory.rglob("*")):
            if not path.is_file() or self._known.get(path) == (state := _state(path)):
                continue
            key = f"{self._prefix}{path.relative_to(self.directory)}"
            if not self._allowed("s3:PutObject", f"arn:aws:s3:::{self._bucket}/{key}"):
                raise JobFailed("ClientError: Checkpoint upload failed:AccessDenied (403): Access Denied")
            try:
                self._s3.upload_file(str(path), self._bucket, key)
            except (S3UploadFailedError, OSError) as error:
                raise JobFailed(f"ClientError: Checkpoint upload failed:{error}") from error
            self._known[path] = state

    def _fetch(self, key: str) -> None:
        if not self._allowed("s3:GetObject", f"arn:aws:s3:::{self._bucket}/{key}"):
            raise JobFailed(f"ClientError: Data download failed:Failed to download s3://{self._bucket}/{key}: Access Denied")
        path = self.directory / key.removeprefix(self._prefix)
        if ".." in path.parts:
            raise JobFailed(f"ClientError: Data download failed:The key of s3://{self._bucket}/{key} can not be a file's path")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._s3.download_file(self._bucket, key, str(path))
        self._known[path] = _state(path)


@contextmanager
def kept_in_step(checkpoints: list[Checkpoints]) -> Iterator[None]:
    """Sync every few seconds, and at the end, be it a failure; what fails meanwhile is tried again at the end."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(_SYNC_SECONDS):
            for each in checkpoints:
                try:
                    each.sync()
                except JobFailed:
                    return

    syncing = threading.Thread(target=run, name="checkpoints", daemon=True)
    if checkpoints:
        syncing.start()
    try:
        yield
    except JobFailed:
        with contextlib.suppress(JobFailed):  # the first failure is the reason
            _finish(checkpoints, syncing, ended)
        raise
    _finish(checkpoints, syncing, ended)


def _finish(checkpoints: list[Checkpoints], syncing: threading.Thread, ended: threading.Event) -> None:
    ended.set()
    for each in checkpoints:
        syncing.join()
        each.sync()


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns
