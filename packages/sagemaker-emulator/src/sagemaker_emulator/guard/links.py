"""Presigned links to S3 of signature version 2, which boto3 and the AWS CLI make for us-east-1 unless told otherwise.

Such a signature covers neither the host nor all of the query, as one of version 4 does, so a link may name nothing more in them.
https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from botocore.auth import HmacV1Auth
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from sagemaker_emulator.guard.hosts import names_more
from sagemaker_emulator.guard.refusals import Reason, Refusal
from sagemaker_emulator.guard.request import Request

_OWN = frozenset({"AWSAccessKeyId", "Expires", "Signature"})
_HEADERS = frozenset({"content-md5", "content-type"})
# They are not signed, and choose what is listed only.
_LISTING = frozenset(
    {"list-type", "prefix", "delimiter", "marker", "max-keys", "continuation-token", "start-after", "encoding-type"}
)
_SECONDS = re.compile(r"[0-9]{1,12}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def is_link(request: Request) -> bool:
    return any(name.lower() == "awsaccesskeyid" for name, _ in request.parameters)


def refuse(request: Request, secret_of: Callable[[str], str | None], now: datetime) -> Refusal | None:
    """Unless the link is signed, and has not expired."""
    values = dict(request.parameters)
    if not _is_clear(request, values):
        return Refusal(
            Reason.MALFORMED,
            "A link of signature version 2 has AWSAccessKeyId, Expires and Signature, and nothing that they do not cover.",
        )
    if int(values["Expires"]) <= now.timestamp():
        return Refusal(Reason.EXPIRED, "Request has expired.")
    secret = secret_of(values["AWSAccessKeyId"])
    if secret is None:
        return Refusal(Reason.UNKNOWN_KEY, "The AWS access key id of the link does not exist in our records.")
    headers = HTTPHeaders()
    for name, value in (*request.headers, *request.parameters):
        if name.startswith("x-amz-") or name in _HEADERS:
            headers.add_header(name, value)
    signing = _Signing(Credentials(values["AWSAccessKeyId"], secret), values["Expires"])
    target = urlsplit(f"http://host{request.path}?{request.query}")
    text = signing.canonical_string(request.method, target, headers)  # type: ignore[arg-type]  # it asks for all of a name
    if hmac.compare_digest(signing.sign_string(text).encode(), values["Signature"].encode()):
        return None
    return Refusal(Reason.MISMATCH, "The request signature we calculated does not match the signature you provided.")


class _Signing(HmacV1Auth):
    """With the link's expiry where other requests have their date."""

    def __init__(self, credentials: Credentials, expires: str) -> None:
        super().__init__(credentials)
        self._expires = expires

    def _get_date(self) -> str:
        return self._expires


def _is_clear(request: Request, values: dict[str, str]) -> bool:
    """Whether everything that decides about the request is signed, and can be read in one way."""
    names = [name for name, _ in request.parameters]
    signed = {*_OWN, *_HEADERS, *_LISTING, *HmacV1Auth.QSAOfInterest}
    hoisted = {name for name in names if name.startswith("x-amz-")} | (_HEADERS & set(names))
    return (
        not names_more(request)
        and len(names) == len(set(names))
        and set(names) >= _OWN
        and set(names) - hoisted <= signed
        and not any(request.has(name) for name in (*hoisted, "authorization"))
        and "+" not in request.query
        and not any(_CONTROL.search(value) for value in values.values())
        and _SECONDS.fullmatch(values["Expires"]) is not None
    )
