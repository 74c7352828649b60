"""Which scope a caller's token needs for which route of the HTTP API for tokens.

API Gateway verifies the token, and that it has one of Sageline's scopes (template.yaml). To one that lacks the scope of the route
it would say no more than ``Forbidden``; so the function looks, and names the scope. What an event has of a token:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
Imports nothing heavy: it is on the prediction path.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sageline.aws.http import ErrorLog, HttpResponse, error_response
from sageline.errors import ScopeMissing

EventT = TypeVar("EventT", bound=Mapping[str, Any])  # Any: parsed JSON
ContextT = TypeVar("ContextT")
AnswerT = TypeVar("AnswerT")

PREDICT, READ, CHANGE = "sageline/predict", "sageline/read", "sageline/change"

SCOPES: Mapping[str, str] = {
    PREDICT: "Send rows to endpoints and get predictions.",
    READ: "Look at datasets, runs and endpoints.",
    CHANGE: "Upload datasets; start and stop runs; change and delete endpoints.",
}
"""What each is for."""

ROUTE_SCOPES: Mapping[str, tuple[str, ...]] = {
    "POST /datasets": (CHANGE,),
    "POST /datasets/inspect": (READ,),
    "POST /datasets/{name}/complete": (CHANGE,),
    "POST /pipelines": (CHANGE,),
    "GET /pipelines": (READ,),
    "GET /pipelines/{id}": (READ,),
    "DELETE /pipelines/{id}": (CHANGE,),
    "GET /endpoints": (READ,),
    "GET /endpoints/{name}": (READ,),
    "GET /endpoints/{name}/schema": (READ, PREDICT),
    "PATCH /endpoints/{name}": (CHANGE,),
    "DELETE /endpoints/{name}": (CHANGE,),
    "POST /endpoints/{name}/predictions": (PREDICT,),
    "POST /endpoints/{name}/batch": (CHANGE,),
    "POST /endpoints/{name}/promote": (CHANGE,),
    "POST /endpoints/{name}/rollback": (CHANGE,),
    "GET /openapi.json": (READ, PREDICT, CHANGE),
}
"""The scopes of which a route needs one, by the route's key. None includes another: a token that is to do several things has
several."""


def scoped(
    log: ErrorLog,
) -> Callable[[Callable[[EventT, ContextT], AnswerT]], Callable[[EventT, ContextT], AnswerT | HttpResponse]]:
    """The handler, for events whose token has the scope of their route, or that come without a token: signed with IAM, or from
    the state machine. Any other is answered with 403 and does not reach it."""

    def decorate(handler: Callable[[EventT, ContextT], AnswerT]) -> Callable[[EventT, ContextT], AnswerT | HttpResponse]:
        @functools.wraps(handler)
        def asking(event: EventT, context: ContextT) -> AnswerT | HttpResponse:
            try:
                require_scope(event)
            except ScopeMissing as error:
                return error_response(error, log)
            return handler(event, context)

        return asking

    return decorate


def require_scope(event: Mapping[str, Any]) -> None:
    """
    Raises:
        ScopeMissing: the event's token lacks its route's scope, or the route is none of :data:`ROUTE_SCOPES`.
    """
    authorizer = (event.get("requestContext") or {}).get("authorizer") or {}
    if "jwt" not in authorizer:
        return
    route = str(event.get("routeKey"))
    needed = ROUTE_SCOPES.get(route)
    if needed is None:
        raise ScopeMissing(f"No token opens the route {route}.", route=route)
    if granted(authorizer["jwt"]).isdisjoint(needed):
        wanted = " or ".join(f"`{scope}`" for scope in needed)
        raise ScopeMissing(
            f"The token lacks the scope {wanted}, which {route} needs; ask its issuer for one that has it.",
            scope=" ".join(needed),
        )


def granted(token: object) -> frozenset[str]:
    """The scopes of a token, as ``requestContext.authorizer.jwt`` of an event has it: those of its claims ``scope`` and ``scp``,
    of which API Gateway makes strings, and of an array ``[a b]``."""
    claims = token.get("claims") if isinstance(token, Mapping) else None
    if not isinstance(claims, Mapping):
        return frozenset()
    return frozenset(scope for name in ("scope", "scp") for scope in _listed(claims.get(name)))


def _listed(claim: object) -> list[str]:
    if isinstance(claim, list):
        return [item for item in claim if isinstance(item, str)]
    if not isinstance(claim, str):
        return []
    return (claim[1:-1] if claim.startswith("[") and claim.endswith("]") else claim).split()
