"""What an HTTP API answers to a token that it does not take.

MiniStack 1.5.33 does not say why; API Gateway names the scopes that a route takes in ``WWW-Authenticate``. MiniStack also takes
tokens that never expire, and fails with 500 over some that are malformed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import apigateway


def install() -> None:
    """Have MiniStack refuse tokens as API Gateway does."""
    validate = apigateway._validate_jwt_authorizer

    async def validate_and_explain(
        route: Mapping[str, Any], authorizer: Mapping[str, Any], headers: Mapping[str, str], query: Mapping[str, Any]
    ) -> Any:  # Any: MiniStack's
        try:
            claims, scopes, refusal = await validate(route, authorizer, headers, query)
        except (ValueError, TypeError, AttributeError):  # claims of other types than a token's
            claims, scopes, refusal = None, None, apigateway._jwt_unauthorized()
        if refusal is None and "exp" not in claims:
            refusal = apigateway._jwt_unauthorized()
        if refusal is None:
            return claims, scopes, None
        status, others, body = refusal
        challenge = _challenge(status, route.get("authorizationScopes") or [], "authorization" in headers)
        return None, None, (status, {**others, "www-authenticate": challenge}, body)

    apigateway._validate_jwt_authorizer = validate_and_explain


def _challenge(status: int, scopes: list[str], has_token: bool) -> str:
    if status == 403:
        listed = " ".join(scopes)
        return f'Bearer scope="{listed}" error="insufficient_scope" error_description="expected scopes: [{listed}]"'
    return f'Bearer scope="{" ".join(scopes)}" error="invalid_token"' if has_token else "Bearer"
