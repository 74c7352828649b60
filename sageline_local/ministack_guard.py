"""The guard before MiniStack: whose keys it knows, which of its paths are open, closed, or take tokens."""

from __future__ import annotations

import re
from collections.abc import Callable

from ministack import app as ministack
from ministack.core.iam_evaluator import (
    AmbiguousAccessKeyError,
    ResolvedCredential,
    find_iam_access_key_account,
    is_root_access_key,
    resolve_credential,
)
from ministack.services import apigateway

from sageline_local import issuer
from sageline_local.environment import ACCOUNT
from sagemaker_emulator.guard.decision import Rules
from sagemaker_emulator.guard.request import Request

# What MiniStack's own JWT authorizers read of a user pool, which is public in AWS too.
_POOL = re.compile(r"/[\w-]+_\w+/\.well-known/(jwks\.json|openid-configuration)", re.ASCII)
_OPEN = ("/_ministack/health", "/_ministack/ready", *issuer.PATHS)
# Beside what AWS has, MiniStack has paths of its own that reset it, configure it, and show what was sent: all begin with an
# underscore. The HTTP API's are the only ones that are needed.
_OF_MINISTACK = re.compile(r"[/\\.\s]*_")
_HTTP_API = "/_aws/execute-api/"


def rules(root_id: str, root_secret: str) -> Rules:
    return Rules(
        secret_of=secrets_of(root_id, root_secret),
        is_open=lambda request: request.path in _OPEN or _POOL.fullmatch(request.path) is not None,
        is_closed=is_closed,
        takes_token=takes_token,
        lets_page_call=lets_page_call,
        is_s3=True,
    )


def secrets_of(root_id: str, root_secret: str) -> Callable[[str], str | None]:
    """The root's secret, and those of the users and sessions that MiniStack knows."""

    def secret_of(access_key_id: str) -> str | None:
        if access_key_id == root_id:
            return root_secret
        # MiniStack takes more than one key for the root's, and asks none of them for a signature.
        if is_root_access_key(access_key_id):
            return None
        try:
            account = find_iam_access_key_account(access_key_id) or ACCOUNT
        except AmbiguousAccessKeyError:
            return None
        found = resolve_credential(access_key_id, account)
        return str(found.secret_access_key) if isinstance(found, ResolvedCredential) else None

    return secret_of


def is_closed(request: Request) -> bool:
    path = request.decoded_path
    return bool(_OF_MINISTACK.match(path)) and path not in _OPEN and not path.startswith(_HTTP_API)


def takes_token(request: Request) -> bool:
    """Whether the request is for a route of an HTTP API with a JWT authorizer: MiniStack verifies the token then."""
    return _api_for_tokens(request, request.method) is not None


def lets_page_call(request: Request) -> bool:
    """Whether the request, or what it is a preflight of, is for such a route, and its API allows the origin by name."""
    asked = request.header("access-control-request-method") if request.method == "OPTIONS" else request.method
    api = _api_for_tokens(request, asked)
    scope = None if api is None else apigateway.find_api_scope(api)
    if scope is None:
        return False
    allowed = apigateway._apis.get_scoped(*scope, api, {}).get("corsConfiguration", {}).get("allowOrigins", [])
    return request.header("origin") in allowed


def _api_for_tokens(request: Request, method: str) -> str | None:
    """The API of a route with a JWT authorizer, as MiniStack finds it; None if the request is for anything else."""
    host = request.header("host").lower()
    found = ministack._parse_execute_api_url(host, request.decoded_path)
    # By other names below .localhost MiniStack finds other services than the path says.
    if found is None or (".localhost" in host and ministack._EXECUTE_API_RE.match(host) is None):
        return None
    api, stage, path = found
    stage, path = ministack._resolve_stage_and_path(api, stage, path)
    return api if ministack._execute_api_authorization_type(api, stage, method, path) == "JWT" else None
