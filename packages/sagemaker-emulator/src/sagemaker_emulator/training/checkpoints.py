"""``CheckpointConfig``: a directory of the container that is restored from S3 and kept in step with it while the job runs."""

from __future__ import annotations

import contextlib
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError

from sagemaker_emulator.datasource import Allowed
from sagemaker_emulator.errors import JobFailed
from sagemaker_emulator.objects import Objects
from sagemaker_emulator.own_files import is_own_directory, open_own

DEFAULT_PATH = "/opt/ml/checkpoints"
CONTAINER_ROOT = "/opt/ml/"
_SYNC_SECONDS = 5.0
# The suffix of files that SageMaker leaves alone [source: sagemaker-xgboost-container, checkpointing.py].
_UNFINISHED = ".sagemaker-ignore"

# A file's size in bytes and its time of change in nanoseconds.
_State: TypeAlias = tuple[int, int]


class Checkpoints:
    """The checkpoints of one host of a job; ``config`` is the request's CheckpointConfig."""

    def __init__(self, objects: Objects, allowed: Allowed, config: Mapping[str, str], root: Path) -> None:
        self._objects = objects
        self._allowed = allowed
        self._bucket, _, prefix = config["S3Uri"].removeprefix("s3://").partition("/")
        self._prefix = f"{prefix.rstrip('/')}/" if prefix else ""
        self._root = root
        self.directory = root / config.get("LocalPath", DEFAULT_PATH).removeprefix(CONTAINER_ROOT)
        # What is in S3 already.
        self._known: dict[Path, _State] = {}

    def restore(self) -> None:
        """Fetch what an earlier job left; raises JobFailed."""
        self.directory.mkdir(parents=True, exist_ok=True)
        where = f"s3://{self._bucket}/{self._prefix}"
        if not self._allowed("s3:ListBucket", f"arn:aws:s3:::{self._bucket}", {"s3:prefix": self._prefix}):
            raise JobFailed(f"ClientError: Data download failed:Failed to list the checkpoints in {where}: Access Denied")
        try:
            for key in self._objects.keys(self._bucket, self._prefix):
                self._fetch(key)
        except ClientError as error:
            message = error.response["Error"]["Message"]
            raise JobFailed(
                f"ClientError: Data download failed:Failed to download checkpoints from {where}: {message}"
            ) from error

    def sync(self) -> None:
        """Put every file that is new or has changed, then delete those that are gone; raises JobFailed."""
        # Not through a link that the program has put there.
        for path in sorted(self.directory.rglob("*")) if is_own_directory(self._root, self.directory) else ():
            state = _state(path)
            if state is not None and self._known.get(path) != state and path.suffix != _UNFINISHED:
                self._put(path, state)
        for path in [path for path in self._known if _state(path) is None]:
            self._delete(path)

    def _put(self, path: Path, state: _State) -> None:
        key = self._permitted("s3:PutObject", path)
        file = open_own(self._root, path)
        if file is None:
            return  # the container has deleted it in the meantime
        try:
            with file:
                self._objects.upload(file, self._bucket, key)
        except (S3UploadFailedError, ClientError, OSError) as error:
            raise JobFailed(f"ClientError: Checkpoint upload failed:{error}") from error
        self._known[path] = state

    def _delete(self, path: Path) -> None:
        key = self._permitted("s3:DeleteObject", path)
        try:
            self._objects.delete(self._bucket, key)
        except ClientError as error:
            raise JobFailed(f"ClientError: Checkpoint upload failed:{error}") from error
        del self._known[path]

    def _permitted(self, action: str, path: Path) -> str:
        """The key of a file; raises JobFailed where the job's role may not do that with it."""
        key = f"{self._prefix}{path.relative_to(self.directory)}"
        if not self._allowed(action, f"arn:aws:s3:::{self._bucket}/{key}"):
            raise JobFailed("ClientError: Checkpoint upload failed:AccessDenied (403): Access Denied")
        return key

    def _fetch(self, key: str) -> None:
        if not self._allowed("s3:GetObject", f"arn:aws:s3:::{self._bucket}/{key}"):
            raise JobFailed(f"ClientError: Data download failed:Failed to download s3://{self._bucket}/{key}: Access Denied")
        path = self.directory / key.removeprefix(self._prefix)
        if ".." in path.parts:
            raise JobFailed(f"ClientError: Data download failed:The key of s3://{self._bucket}/{key} can not be a file's path")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._objects.download(self._bucket, key, path)
        if (state := _state(path)) is not None:
            self._known[path] = state


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


def _state(path: Path) -> _State | None:
    """None where there is no file, or no longer; a link is none."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None
