"""Ranges of a version of an S3 object, which MiniStack 1.5.33 ignores: it answers with all of it.

A run reads its dataset in ranges of the version that was uploaded, so that it never reads a file twice over, and never two
uploads mixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from ministack.services import s3

S3Response: TypeAlias = tuple[int, dict[str, str], Any]
"""Status, headers and body, as MiniStack's handlers answer; Any: bytes, or an error as text."""


def cut_out(answer: S3Response, headers: Mapping[str, str]) -> S3Response:
    """The part of a whole object that the request's ``Range`` asks for; any other answer as it is."""
    status, answered, body = answer
    wanted = s3._parse_range(headers.get("range", ""), len(body)) if status == 200 and isinstance(body, bytes) else None
    if wanted is None:
        return answer
    start, end = wanted
    part = body[start : end + 1]
    # A checksum is of the whole object, and botocore would check the part against it.
    kept = {name: value for name, value in answered.items() if not name.lower().startswith("x-amz-checksum-")}
    return 206, {**kept, "Content-Length": str(len(part)), "Content-Range": f"bytes {start}-{end}/{len(body)}"}, part


def install() -> None:
    """Have MiniStack honour ranges of versions."""
    get_object = s3._get_object

    def get_object_range(
        bucket_name: str,
        key: str,
        headers: dict[str, str],
        query_params: dict[str, Any] | None = None,  # Any: MiniStack's
    ) -> S3Response:
        return cut_out(get_object(bucket_name, key, headers, query_params), headers)

    s3._get_object = get_object_range
