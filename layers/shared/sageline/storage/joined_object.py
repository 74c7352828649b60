"""Joining objects to one, in S3 itself: a multipart upload whose parts are copied from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

LEAST_PART_BYTES = 5 << 20
"""Of each part of a multipart upload but the last."""

MOST_PART_BYTES = 5 << 30
"""The most that one UploadPartCopy copies."""

MOST_PARTS = 10_000
_COPIED_BYTES = 512 << 20  # by a request: it is to be answered within the seconds that a client waits
_AT_ONCE = 10  # as many connections as boto3 keeps


@dataclass(frozen=True)
class ObjectBytes:
    """An object in the same bucket, or some of it: bytes from ``start`` up to ``end``."""

    key: str
    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


def join_objects(s3: S3Client, bucket: str, pieces: Sequence[ObjectBytes], key: str, *, content_type: str) -> None:
    """Make one object of others, one after the other. It appears when it is complete; on an error, none does.

    What is copied does not come through this function: only pieces that are smaller than a part has to be do.

    Args:
        pieces: at least one of them is not empty.

    Raises:
        ValueError: they would be more than 10,000 parts.
    """
    size = sum(piece.size for piece in pieces)
    parts = list(parts_of(pieces, min(MOST_PART_BYTES, max(_COPIED_BYTES, -(-2 * size // MOST_PARTS)))))
    if len(parts) > MOST_PARTS:
        raise ValueError(f"{len(parts):,} parts, and S3 takes {MOST_PARTS:,}")
    upload_id = s3.create_multipart_upload(Bucket=bucket, Key=key, ContentType=content_type)["UploadId"]

    def store(numbered: tuple[int, tuple[ObjectBytes, ...]]) -> CompletedPartTypeDef:
        number, part = numbered
        if len(part) == 1 and part[0].size >= LEAST_PART_BYTES:
            copied = s3.upload_part_copy(
                Bucket=bucket,
                Key=key,
                UploadId=upload_id,
                PartNumber=number,
                CopySource={"Bucket": bucket, "Key": part[0].key},
                CopySourceRange=_range(part[0]),
            )
            return {"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]}
        body = b"".join(
            s3.get_object(Bucket=bucket, Key=piece.key, Range=_range(piece))["Body"].read() for piece in part if piece.size
        )
        stored = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=body)
        return {"PartNumber": number, "ETag": stored["ETag"]}

    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            stored = list(pool.map(store, enumerate(parts, start=1)))
        s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": stored})
    except BaseException:
        s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
        raise


def parts_of(pieces: Iterable[ObjectBytes], copied_bytes: int) -> Iterator[tuple[ObjectBytes, ...]]:
    """The parts of an upload, in order: one piece that is copied, or some that are read because each is too small by itself.

    A piece of more than ``copied_bytes`` is copied by several. All but the last have at least :data:`LEAST_PART_BYTES`; what is
    read has less than twice as much.
    """
    small: list[ObjectBytes] = []
    size = 0
    for piece in pieces:
        start = piece.start
        if size:
            taken = min(piece.size, LEAST_PART_BYTES - size)
            if piece.size - taken < LEAST_PART_BYTES:
                taken = piece.size  # the rest could not be copied either
            small.append(ObjectBytes(piece.key, start, start + taken))
            size += taken
            start += taken
        elif piece.size < LEAST_PART_BYTES:
            small.append(piece)
            size = piece.size
            start = piece.end
        if size >= LEAST_PART_BYTES:
            yield tuple(small)
            small, size = [], 0
        if start < piece.end:
            yield from ((copied,) for copied in _copied(ObjectBytes(piece.key, start, piece.end), copied_bytes))
    if size:
        yield tuple(small)


def _copied(piece: ObjectBytes, copied_bytes: int) -> Iterator[ObjectBytes]:
    """A piece in such as are copied by one request each, of about the same size."""
    count = -(-piece.size // max(copied_bytes, 2 * LEAST_PART_BYTES))
    bounds = [piece.start + piece.size * number // count for number in range(count + 1)]
    yield from (ObjectBytes(piece.key, start, end) for start, end in pairwise(bounds))


def _range(piece: ObjectBytes) -> str:
    return f"bytes={piece.start}-{piece.end - 1}"
