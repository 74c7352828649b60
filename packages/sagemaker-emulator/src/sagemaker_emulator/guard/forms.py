"""Forms that upload to S3 by a signed policy (``POST Object``): the policy's signature, its bucket and its expiry.

What else the policy says is S3's own to judge; but that it is a request to S3 at all, its bucket alone shows. https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-UsingHTTPPOST.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Field, File, MultipartDecoder, NeedData

from sagemaker_emulator.guard.refusals import Reason, Refusal
from sagemaker_emulator.guard.signatures import Signer, scope_of

_MOST_BYTES = 64 * 1024
"""Of everything before the file, which comes last."""
_OF_VERSION_4 = ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature")
_MALFORMED = Refusal(
    Reason.MALFORMED,
    "A form that uploads has the fields policy, x-amz-algorithm, x-amz-credential, x-amz-date and x-amz-signature once each, or "
    "policy, AWSAccessKeyId and signature, before the field file.",
)


class FormBody:
    """A form is held until its file begins, which is after the fields that prove it; the file then passes."""

    def __init__(self, content_type: str, bucket: str, secret_of: Callable[[str], str | None], now: datetime) -> None:
        boundary = parse_options_header(content_type)[1].get("boundary", "")
        self._decoder = MultipartDecoder(boundary.encode(), max_form_memory_size=_MOST_BYTES)
        self._bucket = bucket
        self._secret_of = secret_of
        self._now = now
        self._fields: dict[str, str] = {}
        self._name = ""
        self._bytes = 0
        self.ready = False

    def feed(self, data: bytes) -> Refusal | None:
        if self.ready:
            return None
        self._bytes += len(data)
        try:
            self._decoder.receive_data(data)
            while not self.ready and not isinstance(event := self._decoder.next_event(), NeedData):
                if isinstance(event, Field | File):
                    if event.name == "file":
                        self.ready = True
                    elif not self._begin(event):
                        return _MALFORMED
                elif isinstance(event, Data):
                    self._fields[self._name] += event.data.decode("utf-8", "replace")
        except (ValueError, RequestEntityTooLarge):
            return _MALFORMED
        if self.ready:
            return verify(self._fields, self._bucket, self._secret_of, self._now)
        return _MALFORMED if self._bytes > _MOST_BYTES else None

    def end(self) -> Refusal | None:
        return None if self.ready else _MALFORMED

    def _begin(self, event: Field | File) -> bool:
        """Whether the field is the first of its name, and not a file."""
        self._name = (event.name or "").lower()
        if isinstance(event, File) or self._name in self._fields or not isinstance(event.headers, Headers):
            return False
        self._fields[self._name] = ""
        return True


def verify(fields: Mapping[str, str], bucket: str, secret_of: Callable[[str], str | None], now: datetime) -> Refusal | None:
    """
    Args:
        fields: by their names in lower case.
        bucket: whom the form was sent to.
    """
    policy, scope = fields.get("policy", ""), scope_of(fields.get("x-amz-credential", ""), fields.get("x-amz-date", ""))
    version_2 = not any(name in fields for name in _OF_VERSION_4)
    if not version_2 and (scope is None or scope.service != "s3" or fields.get("x-amz-algorithm") != "AWS4-HMAC-SHA256"):
        return _MALFORMED
    key = fields.get("awsaccesskeyid", "") if scope is None else scope.key
    if not key:
        return _MALFORMED
    secret = secret_of(key)
    if secret is None:
        return Refusal(Reason.UNKNOWN_KEY, "The AWS access key id of the form does not exist in our records.")
    if scope is None:
        digest = hmac.new(secret.encode(), policy.encode(), hashlib.sha1).digest()
        signed = hmac.compare_digest(base64.b64encode(digest), fields.get("signature", "").encode())
    else:
        signed = Signer(scope, secret).signs(policy, fields.get("x-amz-signature", ""))
    if not signed:
        return Refusal(Reason.MISMATCH, "The signature of the form's policy does not match what was computed.")
    said = _document(policy)
    if not _is_for(said, bucket):
        return Refusal(Reason.FOREIGN, "Invalid according to Policy: it is not for the bucket that the form was sent to.")
    expires = _expiration(said)
    if expires is None:
        return Refusal(Reason.MALFORMED, "The form's policy says no time when it expires.")
    return Refusal(Reason.EXPIRED, "Invalid according to Policy: Policy expired.") if now >= expires else None


def _document(policy: str) -> Mapping[str, object]:
    """The policy's; empty if it is none."""
    try:
        document = json.loads(base64.b64decode(policy, validate=True))
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _is_for(policy: Mapping[str, object], bucket: str) -> bool:
    conditions = policy.get("conditions")
    return isinstance(conditions, list) and ({"bucket": bucket} in conditions or ["eq", "$bucket", bucket] in conditions)


def _expiration(policy: Mapping[str, object]) -> datetime | None:
    try:
        expires = datetime.fromisoformat(str(policy["expiration"]))
    except (ValueError, KeyError):
        return None
    return expires if expires.tzinfo else expires.replace(tzinfo=UTC)
