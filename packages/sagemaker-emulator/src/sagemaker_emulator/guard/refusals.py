"""What a refused request is answered, in the words of the protocol that it speaks."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from enum import Enum

from sagemaker_emulator.guard.request import Request


class Reason(Enum):
    """Why: the code of the JSON protocols, that of S3 and the query protocol, and the status."""

    FOREIGN = ("AccessDeniedException", "AccessDenied", 403)
    CLOSED = ("UnknownOperationException", "MethodNotAllowed", 403)
    UNCLEAR = ("ValidationException", "InvalidRequest", 400)
    UNSIGNED = ("MissingAuthenticationTokenException", "AccessDenied", 403)
    MALFORMED = ("IncompleteSignatureException", "AuthorizationHeaderMalformed", 403)
    UNKNOWN_KEY = ("UnrecognizedClientException", "InvalidAccessKeyId", 403)
    MISMATCH = ("InvalidSignatureException", "SignatureDoesNotMatch", 403)
    SKEWED = ("InvalidSignatureException", "RequestTimeTooSkewed", 403)
    EXPIRED = ("InvalidSignatureException", "AccessDenied", 403)
    BODY = ("InvalidSignatureException", "XAmzContentSHA256Mismatch", 403)

    def __init__(self, json_code: str, xml_code: str, status: int) -> None:
        self.json_code = json_code
        self.xml_code = xml_code
        self.status = status


@dataclass(frozen=True)
class Refusal:
    reason: Reason
    message: str

    def answer(self, request: Request) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Headers and body."""
        code = self.reason.json_code if _speaks_json(request) else self.reason.xml_code
        if _speaks_json(request):
            kind, body = "application/json", json.dumps({"__type": code, "message": self.message}).encode()
        else:
            error = f"<Error><Code>{code}</Code><Message>{html.escape(self.message, quote=False)}</Message></Error>"
            form = request.header("content-type").startswith("application/x-www-form-urlencoded")
            kind, body = "application/xml", (f"<ErrorResponse>{error}</ErrorResponse>" if form else error).encode()
        headers = {"content-type": kind, "content-length": str(len(body)), "x-amzn-errortype": code}
        return [(name.encode(), value.encode()) for name, value in headers.items()], body


def _speaks_json(request: Request) -> bool:
    """Whether the client reads JSON: all but S3's and those of the query protocol, which send forms."""
    if request.has("x-amz-target") or "execute-api" in request.path:
        return True
    scope = request.header("authorization").partition("Credential=")[2].split("/")
    form = request.header("content-type").startswith("application/x-www-form-urlencoded")
    return len(scope) > 3 and scope[3] != "s3" and not form
