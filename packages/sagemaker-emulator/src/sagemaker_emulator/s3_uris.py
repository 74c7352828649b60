"""URIs of S3: what their service model lets through, and SageMaker cannot use."""

from __future__ import annotations

import re

from sagemaker_emulator.errors import invalid

# Also the names that buckets of us-east-1 could have before 2018: of 255 characters, with capitals and underscores.
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]", re.ASCII)


def check_uri(what: str, uri: str) -> None:
    """Raise ValidationException unless it is ``s3://bucket`` or ``s3://bucket/key``; ``what`` names the member that has it."""
    scheme, separator, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not separator:
        raise _malformed(what, uri, "")
    if bucket == "s3:" and key.startswith("/"):
        raise _malformed(what, uri, " s3:// stands there twice;")
    if not _BUCKET.fullmatch(bucket):
        raise _malformed(what, uri, f" '{bucket}' is no name of a bucket;")


def _malformed(what: str, uri: str, why: str) -> Exception:
    return invalid(f"The S3 URI '{uri}' of {what} is not valid:{why} it must look like s3://bucket/prefix.")
