"""The protected copy of a run's artifact: ``models/<run_id>/model.tar.gz``, where no job may write, and what models are made of.

S3 copies it, whatever its size; only where a script's code goes into it does it come through here. Made once, it stays: what
becomes of the training job's own output afterwards changes no model.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from sageline.aws.errors import is_missing_object
from sageline.errors import InvalidSpec, ModelMissing, ResourceConflict
from sageline.models.model_archive import with_code
from sageline.names import INTERMEDIATE, RunLayout, split_s3_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CopySourceTypeDef, HeadObjectOutputTypeDef, TaggingTypeDef

_SOURCE, _SOURCE_VERSION = "sageline-source", "sageline-source-version"
_COPY = TransferConfig(multipart_threshold=1 << 30, multipart_chunksize=512 << 20, max_concurrency=8)
"""S3 copies 5 GB in one request; in several at once it is done sooner, and none takes longer than a client waits."""
_UPLOAD = TransferConfig(multipart_threshold=32 << 20, multipart_chunksize=32 << 20, max_concurrency=2)
"""At most ten parts wait in memory. What is smaller than one has one checksum of it all."""


class Artifact(TypedDict):
    """As the run's record has it.

    ``bytes``: its size. ``sha256``: S3's checksum in base64, followed by ``-<parts>`` where it is one of the checksums of the
    parts; null where S3 gives none.
    """

    uri: str
    version_id: str | None
    sha256: str | None
    source_uri: str
    source_version_id: str | None
    bytes: int | None


def protect(artifact_uri: str, source: bytes | None, layout: RunLayout, s3: S3Client, *, expires: bool = False) -> Artifact:
    """Copy a training job's artifact to where no job may write, or find it copied.

    Args:
        artifact_uri: the job's ``model.tar.gz``.
        source: the ``sourcedir.tar.gz`` whose files go into it (:mod:`sageline.models.model_archive`); None for an exact copy.
        expires: whether the copy expires as the run's intermediate objects do: a candidate's, of which the run it belongs to
            makes a copy of its own.

    Raises:
        ModelMissing: there is no such artifact, nor a copy of it; or it is no ``tar.gz``, and a source was to go into it.
        ResourceConflict: the run has a copy of another artifact.
        InvalidSpec: a path of the source leads out of it.
    """
    found = _head(s3, layout.bucket, layout.model_key)
    if found is None:
        _copy(artifact_uri, source, layout, s3, {"Tagging": INTERMEDIATE} if expires else {})
        found = _head(s3, layout.bucket, layout.model_key)
    if found is None:
        raise ModelMissing(f"The model's copy {layout.uri(layout.model_key)} was deleted at this moment; start another run.")
    copied = found["Metadata"].get(_SOURCE, "")
    if copied != artifact_uri:
        raise ResourceConflict(
            f"{layout.uri(layout.model_key)} is there and is a copy of {copied or 'something else'}, not of {artifact_uri}. "
            "Start another run."
        )
    return {
        "uri": layout.uri(layout.model_key),
        "version_id": found.get("VersionId"),
        "sha256": found.get("ChecksumSHA256"),
        "source_uri": artifact_uri,
        "source_version_id": found["Metadata"].get(_SOURCE_VERSION),
        "bytes": found.get("ContentLength"),
    }


def let_original_expire(artifact: Artifact, s3: S3Client) -> None:
    """Tag the training job's own artifact, so that it expires with the run's other intermediate objects."""
    bucket, key = split_s3_uri(artifact["source_uri"])
    try:
        tags: TaggingTypeDef = {"TagSet": [{"Key": "sageline:retention", "Value": "intermediate"}]}
        s3.put_object_tagging(Bucket=bucket, Key=key, Tagging=tags)
    except ClientError as error:
        if not is_missing_object(error):
            raise


def _copy(artifact_uri: str, source: bytes | None, layout: RunLayout, s3: S3Client, tagging: Mapping[str, str]) -> None:
    """Copy the version of the artifact that is there now."""
    bucket, key = split_s3_uri(artifact_uri)
    found = _head(s3, bucket, key)
    if found is None:
        raise ModelMissing(f"The training job is done, and its model is not there: no {artifact_uri}.")
    version = found.get("VersionId", "null")
    written = {
        "ChecksumAlgorithm": "SHA256",
        "ContentType": "application/gzip",
        "Metadata": {_SOURCE: artifact_uri, _SOURCE_VERSION: version},
        **tagging,
    }
    if source is None:
        of_version: CopySourceTypeDef = {"Bucket": bucket, "Key": key, "VersionId": version}
        replaced = {**written, "MetadataDirective": "REPLACE", "TaggingDirective": "REPLACE"}
        s3.copy(of_version, layout.bucket, layout.model_key, ExtraArgs=replaced, Config=_COPY)
        return
    model = s3.get_object(Bucket=bucket, Key=key, VersionId=version)["Body"]
    try:
        body = with_code(model, source)
    except ValueError as error:
        raise InvalidSpec(f"`algorithm.script.source_dir`: {layout.uri(layout.source_key)}: {error}.") from None
    try:
        s3.upload_fileobj(body, layout.bucket, layout.model_key, ExtraArgs=written, Config=_UPLOAD)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ModelMissing(f"The training job's model {artifact_uri} is no gzip file, or not a whole one: {error}.") from None


def _head(s3: S3Client, bucket: str, key: str) -> HeadObjectOutputTypeDef | None:
    """Needs s3:ListBucket: without it S3 answers 403 for what is not there."""
    try:
        return s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    except ClientError as error:
        if is_missing_object(error):
            return None
        raise
