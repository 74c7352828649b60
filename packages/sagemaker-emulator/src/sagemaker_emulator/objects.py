"""S3, as far as the service itself uses it: in a server that speaks S3, or in a folder."""

from __future__ import annotations

import mimetypes
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Of no bucket's name: those begin with a letter or a digit.
_UNFINISHED = ".unfinished"


class Objects(Protocol):
    """Objects by bucket and key. What S3 refuses is botocore's ClientError with S3's code; a disk's troubles are OSError."""

    def keys(self, bucket: str, prefix: str) -> list[str]:
        """The keys that begin with a prefix, in order; without those that stand for folders."""

    def has_keys(self, bucket: str, prefix: str) -> bool:
        """Whether :meth:`keys` would find any, without listing all."""

    def look(self, bucket: str, key: str) -> str | None:
        """The object's Content-Type, where there is one; raises ClientError if the object is not there."""

    def read(self, bucket: str, key: str) -> bytes: ...

    def download(self, bucket: str, key: str, path: Path) -> None: ...

    def upload(self, source: Path | BinaryIO, bucket: str, key: str, content_type: str | None = None) -> None:
        """Put a file. Also raises boto3's S3UploadFailedError."""

    def delete(self, bucket: str, key: str) -> None: ...


class S3Objects:
    """In a server."""

    def __init__(self, s3: S3Client) -> None:
        self._s3 = s3

    def keys(self, bucket: str, prefix: str) -> list[str]:
        return sorted(self._listed(bucket, prefix))

    def has_keys(self, bucket: str, prefix: str) -> bool:
        return next(self._listed(bucket, prefix), None) is not None

    def _listed(self, bucket: str, prefix: str) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return (item["Key"] for page in pages for item in page.get("Contents", []) if not item["Key"].endswith("/"))

    def look(self, bucket: str, key: str) -> str | None:
        return self._s3.head_object(Bucket=bucket, Key=key).get("ContentType")

    def read(self, bucket: str, key: str) -> bytes:
        return self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def download(self, bucket: str, key: str, path: Path) -> None:
        self._s3.download_file(bucket, key, str(path))

    def upload(self, source: Path | BinaryIO, bucket: str, key: str, content_type: str | None = None) -> None:
        more = {"ContentType": content_type} if content_type else None
        if isinstance(source, Path):
            self._s3.upload_file(str(source), bucket, key, ExtraArgs=more)
        else:
            self._s3.upload_fileobj(source, bucket, key, ExtraArgs=more)

    def delete(self, bucket: str, key: str) -> None:
        self._s3.delete_object(Bucket=bucket, Key=key)


class FolderObjects:
    """In a folder: ``s3://bucket/key`` is the file ``bucket/key`` in it, and a bucket is a folder that is there."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def keys(self, bucket: str, prefix: str) -> list[str]:
        return sorted(self._listed(bucket, prefix))

    def has_keys(self, bucket: str, prefix: str) -> bool:
        return next(self._listed(bucket, prefix), None) is not None

    def _listed(self, bucket: str, prefix: str) -> Iterator[str]:
        directory, folders = self._bucket(bucket, "ListObjectsV2"), prefix.split("/")[:-1]
        if not _is_path(folders):
            return iter(())
        found = (path.relative_to(directory).as_posix() for path in _files(directory.joinpath(*folders)))
        return (key for key in found if key.startswith(prefix))

    def look(self, bucket: str, key: str) -> str | None:
        return mimetypes.guess_type(self._existing(bucket, key, "HeadObject"))[0]

    def read(self, bucket: str, key: str) -> bytes:
        return self._existing(bucket, key, "GetObject").read_bytes()

    def download(self, bucket: str, key: str, path: Path) -> None:
        shutil.copyfile(self._existing(bucket, key, "GetObject"), path)

    def upload(self, source: Path | BinaryIO, bucket: str, key: str, content_type: str | None = None) -> None:
        target = self._path(bucket, key, "PutObject")
        # Whoever looks meanwhile finds the old object or the new one, whole.
        unfinished = self._root / _UNFINISHED / uuid.uuid4().hex
        unfinished.parent.mkdir(exist_ok=True)
        try:
            if isinstance(source, Path):
                shutil.copyfile(source, unfinished)
            else:
                with unfinished.open("wb") as file:
                    shutil.copyfileobj(source, file)
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)

    def delete(self, bucket: str, key: str) -> None:
        self._path(bucket, key, "DeleteObject").unlink(missing_ok=True)

    def _bucket(self, bucket: str, operation: str) -> Path:
        if not bucket[:1].isalnum() or "/" in bucket or not (self._root / bucket).is_dir():
            raise _refused("NoSuchBucket", f"The specified bucket does not exist: there is no folder {bucket}.", operation)
        return self._root / bucket

    def _path(self, bucket: str, key: str, operation: str) -> Path:
        directory = self._bucket(bucket, operation)
        if not _is_path(key.split("/")):
            raise _refused("InvalidKey", f"The key {key!r} can not be the path of a file.", operation)
        return directory / key

    def _existing(self, bucket: str, key: str, operation: str) -> Path:
        path = self._path(bucket, key, operation)
        if not path.is_file():
            raise _refused("NoSuchKey", f"The specified key does not exist: there is no file {bucket}/{key}.", operation)
        return path


def _is_path(names: list[str]) -> bool:
    """Whether they lead to a place below where they start."""
    return not any(name in ("", ".", "..") or "\0" in name for name in names)


def _files(folder: Path) -> Iterator[Path]:
    # Data is often a link to a place with more room.
    for directory, _, names in os.walk(folder, followlinks=True):
        for name in names:
            yield Path(directory, name)


def _refused(code: str, message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)
