"""The protected copy of a run's artifact: ``models/<run_id>/model.tar.gz``, where no job may write, and what models are made of.

S3 copies it, whatever its size; only where a script's code goes before it, its first megabytes come through here. Made once, it
stays: what becomes of the training job's own output afterwards changes no model.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypedDict

from botocore.exceptions import ClientError

from sageline.errors import ModelMissing, ResourceConflict
from sageline.names import RunLayout, split_s3_uri
from sageline.run.aws_errors import is_missing_object

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, CopySourceTypeDef, HeadObjectOutputTypeDef, TaggingTypeDef

_SOURCE, _SOURCE_VERSION = "sageline-source", "sageline-source-version"
_WHOLE_BYTES = 32 << 20
"""What is smaller goes through here whole where code goes before it: then S3 has one checksum of it all."""
_FIRST_BYTES = 8 << 20
"""Of a larger one so much does: each part of an object but the last must have 5 MB."""
_PART_BYTES = 512 << 20
_ONE_COPY_BYTES = 1 << 30
"""S3 copies 5 GB in one request; in several at once it is done sooner, and none takes longer than a client waits."""
_COPIES_AT_ONCE = 8


class Artifact(TypedDict):
    """As the run's record has it.

    ``sha256``: of S3, in base64, and with ``-<parts>`` where it is that of the checksums of the parts; null where S3 gives none.
    """

    uri: str
    version_id: str | None
    sha256: str | None
    source_uri: str
    source_version_id: str | None


def protect(artifact_uri: str, code: bytes, layout: RunLayout, s3: S3Client) -> Artifact:
    """Copy a training job's artifact to where no job may write, or find it copied.

    Args:
        artifact_uri: the job's ``model.tar.gz``.
        code: what goes before its bytes (:mod:`sageline.run.model_archive`); empty for nothing.

    Raises:
        ModelMissing: there is no such artifact, nor a copy of it.
        ResourceConflict: the run has a copy of another artifact.
    """
    copy = _Copy(s3, layout, artifact_uri)
    found = _head(s3, layout.bucket, layout.model_key)
    if found is None:
        copy.make(code)
        found = _head(s3, layout.bucket, layout.model_key)
    if found is None:
        raise ModelMissing(f"The model's copy {layout.uri(layout.model_key)} was deleted at this moment; start another run.")
    source = found["Metadata"].get(_SOURCE, "")
    if source != artifact_uri:
        raise ResourceConflict(
            f"{layout.uri(layout.model_key)} is there and is a copy of {source or 'something else'}, not of {artifact_uri}. "
            "Start another run."
        )
    return {
        "uri": layout.uri(layout.model_key),
        "version_id": found.get("VersionId"),
        "sha256": found.get("ChecksumSHA256"),
        "source_uri": artifact_uri,
        "source_version_id": found["Metadata"].get(_SOURCE_VERSION),
    }


def let_original_expire(artifact: Artifact, s3: S3Client) -> None:
    """The training job's own artifact goes when the run's other intermediate objects go."""
    bucket, key = split_s3_uri(artifact["source_uri"])
    try:
        tags: TaggingTypeDef = {"TagSet": [{"Key": "sageline:retention", "Value": "intermediate"}]}
        s3.put_object_tagging(Bucket=bucket, Key=key, Tagging=tags)
    except ClientError as error:
        if not is_missing_object(error):
            raise


class _Copy:
    """One artifact that is being copied: the version of it that is there now."""

    def __init__(self, s3: S3Client, layout: RunLayout, artifact_uri: str) -> None:
        self._s3 = s3
        self._layout = layout
        self._uri = artifact_uri
        self._bucket, self._key = split_s3_uri(artifact_uri)

    def make(self, code: bytes) -> None:
        found = _head(self._s3, self._bucket, self._key)
        if found is None:
            raise ModelMissing(f"The training job is done, and its model is not there: no {self._uri}.")
        version = found.get("VersionId", "null")
        metadata = {_SOURCE: self._uri, _SOURCE_VERSION: version}
        source: CopySourceTypeDef = {"Bucket": self._bucket, "Key": self._key, "VersionId": version}
        size, target = found["ContentLength"], self._layout
        if code and size <= _WHOLE_BYTES:
            self._s3.put_object(
                Bucket=target.bucket,
                Key=target.model_key,
                Body=code + self._first(version, size),
                ChecksumAlgorithm="SHA256",
                ContentType="application/gzip",
                Metadata=metadata,
            )
        elif not code and size <= _ONE_COPY_BYTES:
            self._s3.copy_object(
                Bucket=target.bucket,
                Key=target.model_key,
                CopySource=source,
                ChecksumAlgorithm="SHA256",
                ContentType="application/gzip",
                Metadata=metadata,
                MetadataDirective="REPLACE",
                TaggingDirective="REPLACE",
            )
        else:
            first = code + self._first(version, _FIRST_BYTES) if code else b""
            self._in_parts(first, _FIRST_BYTES if code else 0, size, source, metadata)

    def _first(self, version: str, size: int) -> bytes:
        """The first bytes of the artifact."""
        answer = self._s3.get_object(Bucket=self._bucket, Key=self._key, VersionId=version, Range=f"bytes=0-{size - 1}")
        return answer["Body"].read()

    def _in_parts(self, first: bytes, begin: int, size: int, source: CopySourceTypeDef, metadata: dict[str, str]) -> None:
        """Put ``first`` as a part, if there is any, and have S3 copy what comes from byte ``begin`` on."""
        s3, target = self._s3, self._layout
        upload_id = s3.create_multipart_upload(
            Bucket=target.bucket,
            Key=target.model_key,
            ChecksumAlgorithm="SHA256",
            ContentType="application/gzip",
            Metadata=metadata,
        )["UploadId"]

        def copied(number: int, start: int) -> CompletedPartTypeDef:
            end = min(start + _PART_BYTES, size) - 1
            answer = s3.upload_part_copy(
                Bucket=target.bucket,
                Key=target.model_key,
                UploadId=upload_id,
                PartNumber=number,
                CopySource=source,
                CopySourceRange=f"bytes={start}-{end}",
            )["CopyPartResult"]
            return _part(number, answer.get("ETag", ""), answer.get("ChecksumSHA256"))

        try:
            parts: list[CompletedPartTypeDef] = []
            if first:
                put = s3.upload_part(
                    Bucket=target.bucket,
                    Key=target.model_key,
                    UploadId=upload_id,
                    PartNumber=1,
                    Body=first,
                    ChecksumAlgorithm="SHA256",
                )
                parts.append(_part(1, put["ETag"], put.get("ChecksumSHA256")))
            starts = range(begin, size, _PART_BYTES)
            with ThreadPoolExecutor(_COPIES_AT_ONCE) as pool:
                parts += pool.map(copied, range(len(parts) + 1, len(parts) + 1 + len(starts)), starts)
            s3.complete_multipart_upload(
                Bucket=target.bucket, Key=target.model_key, UploadId=upload_id, MultipartUpload={"Parts": parts}
            )
        except BaseException:
            s3.abort_multipart_upload(Bucket=target.bucket, Key=target.model_key, UploadId=upload_id)
            raise


def _part(number: int, etag: str, checksum: str | None) -> CompletedPartTypeDef:
    part: CompletedPartTypeDef = {"PartNumber": number, "ETag": etag}
    if checksum is not None:
        part["ChecksumSHA256"] = checksum
    return part


def _head(s3: S3Client, bucket: str, key: str) -> HeadObjectOutputTypeDef | None:
    """Needs s3:ListBucket: without it S3 answers 403 for what is not there."""
    try:
        return s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    except ClientError as error:
        if is_missing_object(error):
            return None
        raise
