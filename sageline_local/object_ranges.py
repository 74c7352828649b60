"""Ranges of S3 objects: MiniStack 1.5.33 answers with all of a version, and reads all of an object's file for a part of it.

A run reads its dataset in ranges of the version that was uploaded, so that it never reads a file twice over, and never two
uploads mixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeAlias

from ministack.services import s3

S3Response: TypeAlias = tuple[int, dict[str, str], Any]
"""Status, headers and body, as MiniStack's handlers answer; Any: bytes, a file of them, or an error as text."""

_reads_a_part: ContextVar[bool] = ContextVar("whether the GET that is being answered is for a range", default=False)


class BodyOnDisk:
    """An object's bytes in a file, of which only the slices that are taken are read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __len__(self) -> int:
        return self._path.stat().st_size

    def __getitem__(self, part: slice) -> bytes:
        start, stop, _ = part.indices(len(self))
        with self._path.open("rb") as file:
            file.seek(start)
            return file.read(max(0, stop - start))


def cut_out(answer: S3Response, headers: Mapping[str, str], name: tuple[str, str]) -> S3Response:
    """The part of a whole object that the request's ``Range`` asks for; any other answer as it is.

    Args:
        name: the bucket and the key, for the error if the object has no such part.
    """
    status, answered, body = answer
    if "range" not in headers or status != 200 or not isinstance(body, bytes | BodyOnDisk):
        return answer
    wanted = s3._parse_range(headers["range"], len(body))
    if wanted is None:
        refused = {"Content-Type": "application/xml", "Content-Range": f"bytes */{len(body)}"}
        return 416, refused, s3._xml_body(s3._range_error_xml(*name))
    start, end = wanted
    part = body[start : end + 1]
    # A checksum is of the whole object, and botocore would check the part against it.
    kept = {name: value for name, value in answered.items() if not name.lower().startswith("x-amz-checksum-")}
    return 206, {**kept, "Content-Length": str(len(part)), "Content-Range": f"bytes {start}-{end}/{len(body)}"}, part


def install() -> None:
    """Have MiniStack honour ranges of versions, and read no more of a file than the range."""
    get_object, version_body, read_body = s3._get_object, s3._version_body, s3._read_body

    def get_object_range(
        bucket_name: str,
        key: str,
        headers: dict[str, str],
        query_params: dict[str, Any] | None = None,  # Any: MiniStack's
    ) -> S3Response:
        before = _reads_a_part.set("range" in headers)
        try:
            return cut_out(get_object(bucket_name, key, headers, query_params), headers, (bucket_name, key))
        finally:
            _reads_a_part.reset(before)

    def version_on_disk(bucket: Any, bucket_name: str, key: str, version: Any) -> Any:  # Any: MiniStack's
        path = None if version.get("data") is not None else s3._version_disk_path(bucket_name, key, version["version_id"])
        return _on_disk(path) or version_body(bucket, bucket_name, key, version)

    def object_on_disk(bucket_name: str, key: str, record: Any) -> Any:  # Any: MiniStack's
        path = None if record.get("body") is not None else s3._object_disk_path(bucket_name, key)
        return _on_disk(path) or read_body(bucket_name, key, record)

    s3._get_object = get_object_range
    s3._version_body = version_on_disk
    s3._read_body = object_on_disk


def _on_disk(path: str | None) -> BodyOnDisk | None:
    """What is in a file of MiniStack's, where a part of it is asked for."""
    if path is None or not (_reads_a_part.get() and s3.S3_PERSIST and Path(path).is_file()):
        return None
    return BodyOnDisk(Path(path))
