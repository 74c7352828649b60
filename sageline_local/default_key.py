"""The key that S3 encrypts with when a write says ``aws:kms`` and names none: the account's own, ``alias/aws/s3``.

MiniStack 1.5.33 refuses such a write. The SageMaker Python SDK uploads a training script that way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import s3

KEY = "alias/aws/s3"
_ENCRYPTION = "x-amz-server-side-encryption"
_KEY_ID = "x-amz-server-side-encryption-aws-kms-key-id"


def with_default_key(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a write, with a key for ``aws:kms``."""
    named = headers.get(_ENCRYPTION) == "aws:kms" and not headers.get(_KEY_ID)
    return {**headers, _KEY_ID: KEY} if named else dict(headers)


def install() -> None:
    """Have MiniStack encrypt with the account's own key."""
    resolve = s3._resolve_sse_write_headers

    def resolve_with_default_key(headers: dict[str, str], bucket_name: str) -> Any:  # Any: MiniStack's
        return resolve(with_default_key(headers), bucket_name)

    s3._resolve_sse_write_headers = resolve_with_default_key
