"""Writing one S3 object of any size with bounded memory and no disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired, TypedDict

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef


class _Options(TypedDict):
    Tagging: NotRequired[str]
    ContentType: NotRequired[str]


class ObjectWriter:
    """Puts an object that fits one part in one request; a larger one goes by a multipart upload.

    The object appears when it is complete, by :meth:`close`. :meth:`abort` gives up what is not.

    Args:
        part_bytes: of a part; at least the 5 MB that S3 asks for.
        tagging: the object's tags, URL-encoded.
    """

    def __init__(
        self, s3: S3Client, bucket: str, key: str, part_bytes: int, *, tagging: str | None = None, content_type: str | None = None
    ) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._key = key
        self._part_bytes = part_bytes
        self._options: _Options = {}
        if tagging is not None:
            self._options["Tagging"] = tagging
        if content_type is not None:
            self._options["ContentType"] = content_type
        self._pending = bytearray()
        self._upload_id: str | None = None
        self._stored: list[CompletedPartTypeDef] = []
        self._is_open = True

    def write(self, data: bytes) -> None:
        self._pending += data
        if len(self._pending) >= self._part_bytes:
            self._flush()

    def close(self) -> None:
        """Complete the object; done twice, the second time does nothing."""
        if not self._is_open:
            return
        if self._upload_id is None:
            self._s3.put_object(Bucket=self._bucket, Key=self._key, Body=bytes(self._pending), **self._options)
        else:
            if self._pending:
                self._flush()
            self._s3.complete_multipart_upload(
                Bucket=self._bucket, Key=self._key, UploadId=self._upload_id, MultipartUpload={"Parts": self._stored}
            )
        self._is_open = False
        self._pending.clear()

    def abort(self) -> None:
        upload_id, is_open = self._upload_id, self._is_open
        self._upload_id, self._is_open = None, False
        self._pending.clear()
        if upload_id is not None and is_open:
            self._s3.abort_multipart_upload(Bucket=self._bucket, Key=self._key, UploadId=upload_id)

    def _flush(self) -> None:
        if self._upload_id is None:
            upload = self._s3.create_multipart_upload(Bucket=self._bucket, Key=self._key, **self._options)
            self._upload_id = upload["UploadId"]
        number = len(self._stored) + 1
        answer = self._s3.upload_part(
            Bucket=self._bucket, Key=self._key, UploadId=self._upload_id, PartNumber=number, Body=bytes(self._pending)
        )
        self._stored.append({"PartNumber": number, "ETag": answer["ETag"]})
        self._pending.clear()
