"""Signatures of version 4, in the header or in the query: read from a request, and computed anew by botocore.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from sagemaker_emulator.guard.refusals import Reason, Refusal
from sagemaker_emulator.guard.request import Request

MAX_SKEW = timedelta(minutes=15)
_MAX_EXPIRES = 7 * 24 * 60 * 60

_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<credential>[^,\s]+), *SignedHeaders=(?P<headers>[^,\s]+), *"
    r"Signature=(?P<value>[0-9a-f]{64})"
)
_CREDENTIAL = re.compile(
    r"(?P<key>\w{1,128})/(?P<date>\d{8})/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)/aws4_request", re.ASCII
)
_VALUE = re.compile(r"[0-9a-f]{64}")
_TIMESTAMP = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_SECONDS = re.compile(r"[1-9][0-9]{0,5}")
_IN_QUERY = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature")
_OF_QUERY = frozenset(name.lower() for name in _IN_QUERY) | {"x-amz-security-token", "awsaccesskeyid"}


@dataclass(frozen=True)
class Scope:
    """Which key signed, when, and for what."""

    key: str
    timestamp: str
    region: str
    service: str

    @property
    def signed_at(self) -> datetime:
        """ValueError: there is no such time."""
        return datetime.fromisoformat(self.timestamp)

    def text(self) -> str:
        return f"{self.timestamp[:8]}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True)
class Signature:
    scope: Scope
    headers: tuple[str, ...]
    """Names of those that are signed."""
    value: str
    presigned: bool
    """It is in the query."""
    expires: int = 0
    """Seconds that a presigned request is good for."""


class Signer:
    """Computes what a key's holder would have signed."""

    def __init__(self, scope: Scope, secret: str) -> None:
        signing = _S3Signing if scope.service == "s3" else _Signing
        self._signing = signing(Credentials(scope.key, secret), scope.service, scope.region)
        self._key = _signing_key(secret, scope.timestamp[:8], scope.region, scope.service)
        self.scope = scope

    def signs(self, text: str, value: str) -> bool:
        """Whether ``value`` is the signature of a text."""
        return hmac.compare_digest(hmac.digest(self._key, text.encode(), "sha256").hex().encode(), value.encode())

    def signs_request(self, signature: Signature, request: Request, body_hash: str) -> bool:
        """Whether a request's signature is right; ``body_hash`` is what stands for its body in what is signed."""
        query = [pair for pair in request.parameters if not (signature.presigned and pair[0] == "X-Amz-Signature")]
        headers, context = {"X-Amz-Content-SHA256": body_hash}, {"timestamp": self.scope.timestamp}
        given = _Given(request.method, f"http://host{request.path}", headers, query, context)
        self._signing.signed = _headers(request, signature.headers)
        canonical = self._signing.canonical_request(given)  # type: ignore[arg-type]  # see _Given
        return self.signs(self._signing.string_to_sign(given, canonical), signature.value)  # type: ignore[arg-type]  # see _Given


@dataclass(frozen=True)
class _Given:
    """What botocore looks at of the requests that it signs, which take several times as long to make."""

    method: str
    url: str
    headers: dict[str, str]
    params: list[tuple[str, str]]
    context: dict[str, str]


class _Headers(dict[str, list[str]]):
    """What botocore looks at of the headers that it signs."""

    def get_all(self, name: str) -> list[str]:
        return self[name]


class _Signing(SigV4Auth):
    """Of the headers that were signed, rather than of those that botocore would sign."""

    signed: _Headers

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        return self.signed  # type: ignore[return-value]  # see _Headers


class _S3Signing(S3SigV4Auth):
    """As above; S3's paths are signed as they were sent."""

    signed: _Headers

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        return self.signed  # type: ignore[return-value]  # see _Headers


@lru_cache(maxsize=128)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    """What everything of a day is signed with: it takes four HMACs, which are the same for each request."""
    key = f"AWS4{secret}".encode()
    for text in (day, region, service, "aws4_request"):
        key = hmac.digest(key, text.encode(), "sha256")
    return key


def scope_of(credential: str, timestamp: str) -> Scope | None:
    """From ``KEY/DATE/REGION/SERVICE/aws4_request`` and the time, which must be of that day; None if they are not well-formed."""
    found = _CREDENTIAL.fullmatch(credential)
    if found is None or not _TIMESTAMP.fullmatch(timestamp) or not timestamp.startswith(found["date"]):
        return None
    return Scope(found["key"], timestamp, found["region"], found["service"])


def read(request: Request) -> Signature | Refusal | None:
    """The signature of a request; None if it has none."""
    in_query = [name for name, _ in request.parameters if name.lower() in _OF_QUERY]
    authorization = request.header("authorization")
    if in_query and authorization:
        return Refusal(Reason.UNCLEAR, "Only one way to authenticate is allowed: the Authorization header, or the query.")
    if in_query:
        return _of_query(request, in_query)
    if authorization.startswith("AWS"):
        return _of_header(request, authorization)
    return None


def not_now(signature: Signature, now: datetime) -> Refusal | None:
    """Refuse what was signed at another time than now, or is presigned and has expired."""
    try:
        signed_at = signature.scope.signed_at
    except ValueError:
        return Refusal(Reason.MALFORMED, f"{signature.scope.timestamp} is not a time.")
    if signature.presigned and now >= signed_at + timedelta(seconds=signature.expires):
        return Refusal(Reason.EXPIRED, "Request has expired.")
    if signed_at > now + MAX_SKEW or (not signature.presigned and signed_at < now - MAX_SKEW):
        return Refusal(
            Reason.SKEWED, f"The request was signed at {signature.scope.timestamp}, and it is {now:%Y%m%dT%H%M%SZ} here."
        )
    return None


def _of_header(request: Request, authorization: str) -> Signature | Refusal:
    found = _HEADER.fullmatch(authorization)
    scope = None if found is None else scope_of(found["credential"], request.header("x-amz-date"))
    if found is None or scope is None:
        return Refusal(
            Reason.MALFORMED,
            "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters of an AWS4-HMAC-SHA256 "
            "signature, and 'X-Amz-Date' of the same day.",
        )
    return _complete(request, Signature(scope, tuple(found["headers"].split(";")), found["value"], presigned=False))


def _of_query(request: Request, in_query: list[str]) -> Signature | Refusal:
    malformed = Refusal(
        Reason.MALFORMED, f"A presigned request has each of {', '.join(_IN_QUERY)} once, and they are well-formed."
    )
    tokens = in_query.count("X-Amz-Security-Token")
    if sorted(in_query) != sorted([*_IN_QUERY, *["X-Amz-Security-Token"] * min(tokens, 1)]):
        return malformed
    values = dict(request.parameters)
    scope = scope_of(values["X-Amz-Credential"], values["X-Amz-Date"])
    expires, value = values["X-Amz-Expires"], values["X-Amz-Signature"]
    if (
        scope is None
        or values["X-Amz-Algorithm"] != "AWS4-HMAC-SHA256"
        or not _SECONDS.fullmatch(expires)
        or int(expires) > _MAX_EXPIRES
        or not _VALUE.fullmatch(value)
    ):
        return malformed
    headers = tuple(values["X-Amz-SignedHeaders"].split(";"))
    return _complete(request, Signature(scope, headers, value, presigned=True, expires=int(expires)))


def _complete(request: Request, signature: Signature) -> Signature | Refusal:
    """Refuse a signature that leaves out what decides about the request."""
    names = {name for name, _ in request.headers}
    must = {"host"} | {name for name in names if name.startswith("x-amz-")}
    if missing := sorted(must - set(signature.headers)):
        return Refusal(
            Reason.MALFORMED, f"There were headers present in the request which were not signed: {', '.join(missing)}."
        )
    if absent := sorted(set(signature.headers) - names):
        return Refusal(Reason.MALFORMED, f"There are signed headers that the request lacks: {', '.join(absent)}.")
    return signature


def _headers(request: Request, names: tuple[str, ...]) -> _Headers:
    headers = _Headers()
    for name, value in request.headers:
        if name in names:
            headers.setdefault(name, []).append(value)
    return headers
