"""Whether a request passes: decided from its head, the body being checked as it comes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sagemaker_emulator.guard import chunks, links, signatures, uploads
from sagemaker_emulator.guard.bodies import AnyBody, BodyCheck, DeclaredBody, WholeBody
from sagemaker_emulator.guard.chunks import ChunkedBody
from sagemaker_emulator.guard.forms import FormBody
from sagemaker_emulator.guard.hosts import foreign_host, foreign_page, is_own_page, names_more
from sagemaker_emulator.guard.refusals import Reason, Refusal
from sagemaker_emulator.guard.request import Request
from sagemaker_emulator.guard.signatures import Signature, Signer

UNSIGNED = ("UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")

# What a URL's path may consist of (RFC 3986), and what SDKs leave as it is in the names of objects.
_PATH = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,;=:@/%|^`{}\[\]\"<>]*")
_QUERY = re.compile(r"[\x21\x22\x24-\x7e]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ONCE = frozenset({"host", "origin", "authorization", "content-length", "content-type", "transfer-encoding", "date"})


@dataclass(frozen=True)
class Rules:
    """What is particular to one server."""

    secret_of: Callable[[str], str | None]
    """From an access key id to its secret; None for one that is not known."""
    is_open: Callable[[Request], bool] = lambda request: request.decoded_path == "/ping"
    """Whether a request is answered without proof."""
    is_closed: Callable[[Request], bool] = lambda request: False
    """Whether a request is refused whoever sends it."""
    takes_token: Callable[[Request], bool] = lambda request: False
    """Whether the request's route has the server itself verify the token that it carries, or should."""
    lets_page_call: Callable[[Request], bool] = lambda request: False
    """Whether a page of another origin than the server's may send the request and read the answer; asked for preflights too."""
    is_s3: bool = False
    """Whether forms may upload, links may be of signature version 2, and pages of this machine may upload by presigned URLs."""

    def is_upload_of_page(self, request: Request) -> bool:
        """Whether a page of another origin uploads, as its presigned URL and the bucket let it."""
        return self.is_s3 and foreign_page(request) is not None and uploads.is_of_page(request)


def decide(request: Request, rules: Rules, now: datetime) -> Refusal | BodyCheck:
    """A refusal, or what the body still has to show."""
    refusal = _unclear(request) or foreign_host(request)
    if refusal:
        return refusal
    page = foreign_page(request)
    if page and not rules.lets_page_call(request):
        return _of_page(request, page, rules, now) or AnyBody()
    if rules.is_closed(request):
        return Refusal(Reason.CLOSED, f"{request.path} is closed.")
    if _needs_no_proof(request, rules):
        return AnyBody()
    if rules.is_s3 and links.is_link(request):
        return links.refuse(request, rules.secret_of, now) or AnyBody()
    signature = signatures.read(request)
    if isinstance(signature, Refusal):
        return signature
    if signature is not None:
        return signatures.not_now(signature, now) or _of_signed(request, signature, rules)
    if _says_at_most_a_token(request) and rules.takes_token(request):
        return AnyBody()
    if rules.is_s3 and _is_form(request):
        return FormBody(request.header("content-type"), request.path[1:], rules.secret_of, now)
    return Refusal(Reason.UNSIGNED, "Missing Authentication Token: every request to this server is signed.")


def _needs_no_proof(request: Request, rules: Rules) -> bool:
    if request.method == "OPTIONS":
        return not is_own_page(request)  # a preflight, of a page that may call
    return request.method in ("GET", "HEAD") and rules.is_open(request)


def _unclear(request: Request) -> Refusal | None:
    """Refuse what two readers may take for two things."""
    if not _PATH.fullmatch(request.path) or not _QUERY.fullmatch(request.query):
        return Refusal(Reason.UNCLEAR, "The request's target must be a path, and have no characters that URLs may not have.")
    names = [name for name, _ in request.headers]
    several = {name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ()
    twice = [name for name in several if name in _ONCE or name.startswith("x-amz-")]
    if twice:
        return Refusal(Reason.UNCLEAR, f"Headers that may be there once are there several times: {', '.join(sorted(twice))}.")
    if any("_" in name or "\x00" in value for name, value in request.headers):
        return Refusal(Reason.UNCLEAR, "Names of headers may not have underscores.")
    return None


def _of_page(request: Request, refusal: Refusal, rules: Rules, now: datetime) -> Refusal | None:
    """Refuse a page of another origin, unless it uploads to a URL that is signed for that."""
    if not rules.is_upload_of_page(request) or rules.is_closed(request):
        return refusal
    upload = uploads.as_upload(request)
    signature = signatures.read(upload)
    if not isinstance(signature, signatures.Signature) or not uploads.is_proof(signature):
        return refusal
    checked = signatures.not_now(signature, now) or _of_signed(upload, signature, rules)
    return checked if isinstance(checked, Refusal) else None


def _of_signed(request: Request, signature: Signature, rules: Rules) -> Refusal | BodyCheck:
    secret = rules.secret_of(signature.scope.key)
    if secret is None:
        return Refusal(Reason.UNKNOWN_KEY, "The security token included in the request is invalid.")
    signer = Signer(signature.scope, secret)

    def verify(body_hash: str) -> Refusal | None:
        if signer.signs_request(signature, request, body_hash):
            return None
        return Refusal(
            Reason.MISMATCH,
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method.",
        )

    declared = request.header("x-amz-content-sha256")
    if signature.scope.service == "s3":
        if signature.presigned:
            return verify("UNSIGNED-PAYLOAD") or AnyBody()
        return verify(declared) or _of_s3(declared, signer, signature)
    if not declared:
        return WholeBody(verify)
    return WholeBody(lambda body_hash: verify(body_hash) if body_hash == declared else _body_differs())


def _of_s3(declared: str, signer: Signer, signature: Signature) -> Refusal | BodyCheck:
    """By what the signed header says of the body."""
    if declared in UNSIGNED:
        return AnyBody()
    if declared in (chunks.PLAIN, chunks.WITH_TRAILER):
        return ChunkedBody(signer, signature.value, trailer=declared == chunks.WITH_TRAILER)
    if _SHA256.fullmatch(declared):
        return DeclaredBody(declared)
    return Refusal(Reason.MALFORMED, "x-amz-content-sha256 must be a SHA-256, UNSIGNED-PAYLOAD, or one of STREAMING-*.")


def _body_differs() -> Refusal:
    return Refusal(Reason.BODY, "The provided 'x-amz-content-sha256' header does not match what was computed.")


def _is_form(request: Request) -> bool:
    """Only of a bucket, and saying nothing beside the form."""
    return (
        request.method == "POST"
        and not request.query
        and request.path.count("/") == 1
        and not names_more(request)
        and not request.has("authorization")
        and request.header("content-type").startswith("multipart/form-data")
        and not _says_more(request)
    )


def _says_at_most_a_token(request: Request) -> bool:
    has_other_proof = request.has("authorization") and not request.header("authorization").startswith("Bearer ")
    return not has_other_proof and not _says_more(request)


def _says_more(request: Request) -> bool:
    """Whether headers would make it a request to another service, which nothing proves."""
    return any(name.startswith("x-amz") for name, _ in request.headers)
