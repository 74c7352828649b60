"""Checksums of objects that S3 copies: MiniStack 1.5.33 makes them only of objects that are put.

A model's artifact is copied, and the run's record names the checksum that S3 has made of the copy.
"""

from __future__ import annotations

from typing import Any

from ministack.services import s3

from sageline_local.object_ranges import S3Response

_ASKED, _UNDERSTOOD = "x-amz-checksum-algorithm", "x-amz-sdk-checksum-algorithm"


def understood(headers: dict[str, str]) -> dict[str, str]:
    """The headers of a copy, asking for a checksum by the header that a put uses."""
    return {**headers, _UNDERSTOOD: headers[_ASKED]} if _ASKED in headers and _UNDERSTOOD not in headers else headers


def note_checksum(upload: dict[str, Any], number: int) -> None:  # Any: MiniStack's
    """Give a copied part the checksum that its upload was begun with, if any."""
    algorithm, part = upload.get("checksum_algorithm"), upload["parts"].get(number)
    if algorithm and part and not part.get("checksums"):
        part["checksums"] = {algorithm: s3._compute_s3_checksum(algorithm, part["body"])}


def install() -> None:
    """Have MiniStack make checksums of copies."""
    copy_object, copy_part = s3._copy_object, s3._upload_part_copy

    def copy_object_with_checksum(bucket_name: str, dest_key: str, headers: dict[str, str]) -> S3Response:
        answer: S3Response = copy_object(bucket_name, dest_key, understood(headers))
        return answer

    def copy_part_with_checksum(
        bucket_name: str,
        dest_key: str,
        query_params: dict[str, Any],  # Any: MiniStack's
        headers: dict[str, str],
    ) -> S3Response:
        answer: S3Response = copy_part(bucket_name, dest_key, query_params, headers)
        upload = s3._multipart_uploads.get(s3._qp(query_params, "uploadId"))
        if answer[0] == 200 and upload is not None:
            note_checksum(upload, int(s3._qp(query_params, "partNumber", "1")))
        return answer

    s3._copy_object = copy_object_with_checksum
    s3._upload_part_copy = copy_part_with_checksum
