"""One version of one S3 object, read in ranges, so that what is uploaded meanwhile changes nothing."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, NotRequired, TypedDict

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, ParamValidationError

from sageline.aws.errors import code, is_denied, is_missing_object
from sageline.dataset.readers.source import ReadOptions
from sageline.errors import DatasetAccessDenied, DatasetNotFound, InvalidDataset
from sageline.names import split_s3_uri
from sageline.spec.encoder import EncoderSpec, ImageSpec
from sageline.spec.model import DatasetSpec

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RANGE_BYTES = 4 << 20
"""What one request asks for at most."""

_ATTEMPTS = 3


class _Version(TypedDict):
    Bucket: str
    Key: str
    VersionId: NotRequired[str]
    IfMatch: NotRequired[str]


@dataclass(frozen=True)
class DatasetObject:
    """An object at a moment: by its version, or by its ETag in a bucket without versions. ``size`` is in bytes."""

    uri: str
    version_id: str | None
    etag: str
    size: int

    def to_json(self) -> dict[str, str | int | None]:
        return asdict(self)

    def version(self) -> _Version:
        bucket, key = split_s3_uri(self.uri)
        if self.version_id is not None:
            return {"Bucket": bucket, "Key": key, "VersionId": self.version_id}
        return {"Bucket": bucket, "Key": key, "IfMatch": self.etag}


def find_object(s3: S3Client, uri: str, version_id: str | None = None) -> DatasetObject:
    """Look up the object at a URI, in the version given or the newest.

    Raises:
        DatasetNotFound: no such object, version or bucket.
        DatasetAccessDenied: it may not be read.
        InvalidDataset: it is empty.
    """
    bucket, key = split_s3_uri(uri)
    wanted: _Version = {"Bucket": bucket, "Key": key}
    if version_id is not None:
        wanted["VersionId"] = version_id
    try:
        head = s3.head_object(**wanted)
    except ClientError as error:
        if version_id is not None and is_missing_object(error):
            raise DatasetNotFound(f"{uri}: version {version_id} was deleted before the run read it; upload it again.") from error
        raise explained(error, uri) from error
    except ParamValidationError:
        raise no_such_bucket(uri) from None
    if head["ContentLength"] == 0:
        raise InvalidDataset(f"{uri}: the file is empty; upload one that has rows.")
    return DatasetObject(uri, head.get("VersionId", version_id), head["ETag"], head["ContentLength"])


def read_options(dataset: DatasetSpec, encoder: EncoderSpec | None = None) -> ReadOptions:
    """What the spec says of how the file is written, of the shape in which images are read, and which columns are left out."""
    shape = encoder.shape if isinstance(encoder, ImageSpec) else None
    ignored = {name for name, kind in dataset.kinds.items() if kind == "ignore"}
    return ReadOptions(
        dataset.encoding,
        dataset.delimiter,
        dataset.label,
        tuple(shape) if shape else None,
        left_out=frozenset(dataset.exclude) | ignored,
        learnt=None if dataset.features is None else frozenset({*dataset.features, dataset.label or ""}),
    )


def open_object(s3: S3Client, dataset: DatasetObject) -> io.BufferedReader:
    """The object's bytes as a file, fetched a few megabytes at a time.

    Many short requests, and not one long one: S3 closes a connection whose reader is busy encoding.

    Raises:
        DatasetNotFound, DatasetAccessDenied: while reading.
        InvalidDataset: while reading: the object was replaced, in a bucket without versions.
    """
    return io.BufferedReader(_ObjectReader(s3, dataset), RANGE_BYTES)


def open_range(s3: S3Client, dataset: DatasetObject, start: int, end: int) -> io.BufferedReader:
    """The object's bytes from ``start`` to before ``end`` as a file, otherwise as :func:`open_object`."""
    return io.BufferedReader(_ObjectReader(s3, dataset, start, min(end, dataset.size)), RANGE_BYTES)


class _ObjectReader(io.RawIOBase):
    def __init__(self, s3: S3Client, dataset: DatasetObject, start: int = 0, end: int | None = None) -> None:
        self._s3 = s3
        self._dataset = dataset
        self._start = start
        self._size = (dataset.size if end is None else end) - start
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # Buffer has no type before Python 3.12
        size = min(len(buffer), self._size - self._position)
        if size <= 0:
            return 0
        data = self._fetch(self._start + self._position, size)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def readall(self) -> bytes:
        """The rest. As io has it, each request would be for eight kilobytes."""
        return b"".join(iter(partial(self.read, RANGE_BYTES), b""))

    def _fetch(self, start: int, size: int) -> bytes:
        attempt = 1
        while True:
            try:
                answer = self._s3.get_object(**self._dataset.version(), Range=f"bytes={start}-{start + size - 1}")
                return answer["Body"].read()
            except ClientError as error:
                if is_missing_object(error):
                    raise DatasetNotFound(
                        f"{self._dataset.uri}: it was deleted while the run went on; upload it again."
                    ) from error
                raise explained(error, self._dataset.uri) from error
            except (HTTPClientError, BotoCoreError):
                # botocore tries a request again, but not an answer that breaks off half way.
                if attempt == _ATTEMPTS:
                    raise
                attempt += 1


def no_such_bucket(uri: str) -> DatasetNotFound:
    """For a bucket that not even boto3 asks for."""
    return DatasetNotFound(f"{uri}: {split_s3_uri(uri)[0]!r} cannot be the name of a bucket; check `dataset.uri`.")


def explained(error: ClientError, uri: str) -> Exception:
    """What an answer of S3 means for whoever has named the dataset; the error itself where it says nothing to them."""
    if is_missing_object(error):
        return DatasetNotFound(f"{uri}: there is no such object; check the bucket, the key and its spelling.")
    if is_denied(error):
        return DatasetAccessDenied(
            f"{uri}: reading it is denied. Put the dataset into this stack's bucket under datasets/<name>/, or let the roles of "
            "ConfigureRunFunction, PrepareDataFunction and the functions of shards (docs/scale.md) read it (s3:GetObject and "
            "s3:ListBucket in the bucket's policy, and "
            "for a folder s3:ListBucketVersions)."
        )
    if code(error) in {"412", "PreconditionFailed"}:
        return InvalidDataset(f"{uri}: the object was replaced while the run was reading it; start another run.")
    return error
