"""The stack's own issuer of tokens, which its HTTP API for tokens trusts unless another one is given as ``JwtIssuer``.

It is a part of MiniStack's server: two documents, as OpenID Connect has them (https://openid.net/specs/openid-connect-discovery-1_0.html).
It signs nothing there: tokens are made by ``sageline local token``, by whoever may read the key.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from sageline.aws.scopes import CHANGE, PREDICT, READ
from sageline_local.environment import endpoint
from sageline_local.home import Home

AUDIENCE = "sageline"
_PATH = "/_issuer"
_CONFIGURATION = f"{_PATH}/.well-known/openid-configuration"
_KEYS = f"{_PATH}/jwks.json"
PATHS = (_CONFIGURATION, _KEYS)
"""What anybody may look at."""


def url(port: int) -> str:
    """The issuer of the stack whose MiniStack is on that port."""
    return endpoint(port) + _PATH


def parameters(port: int, chosen: Mapping[str, str]) -> Mapping[str, str]:
    """The template's parameters, with this issuer unless another one, or none, was chosen."""
    if "JwtIssuer" not in chosen:
        return {"JwtIssuer": url(port), "JwtAudience": AUDIENCE, **chosen}
    # A parameter that is not given keeps its last value, which the template refuses without an issuer.
    return chosen if chosen["JwtIssuer"] else {"JwtAudience": "", "CorsOrigins": "", **chosen}


def document(path: str, home: Home, port: int) -> Mapping[str, object]:
    """What the issuer says under one of :data:`PATHS`."""
    if path == _KEYS:
        from sageline_local import issuer_key  # noqa: PLC0415  # imports cryptography, which no start waits for

        return issuer_key.public_keys(home)
    return {
        "issuer": url(port),
        "jwks_uri": endpoint(port) + _KEYS,
        "scopes_supported": [PREDICT, READ, CHANGE],
        "response_types_supported": ["token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


class Issuer:
    """Answers requests for :data:`PATHS` before an application, as ASGI middleware."""

    def __init__(self, app: ASGIApp, home: Home, port: int) -> None:
        self._app = app
        self._home = home
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in PATHS:
            await JSONResponse(document(scope["path"], self._home, self._port))(scope, receive, send)
        else:
            await self._app(scope, receive, send)
