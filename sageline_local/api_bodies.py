"""HTTP APIs with the routes, authorizers and CORS of their OpenAPI body.

MiniStack 1.5.33 ignores the body of an ``AWS::ApiGatewayV2::Api``, which SAM writes. An API gets no route from here that is open:
a body that asks for one, or for an authorizer that cannot be made, fails the deployment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ministack.services import apigateway
from ministack.services.cloudformation import provisioners

Body = Mapping[str, Any]  # OpenAPI, every function of CloudFormation evaluated

_METHODS = {name: name.upper() for name in ("get", "put", "post", "delete", "patch", "head", "options")}
_METHODS["x-amazon-apigateway-any-method"] = "ANY"
_INTEGRATION = "x-amazon-apigateway-integration"
_INTEGRATIONS = "#/components/x-amazon-apigateway-integrations/"


@dataclass(frozen=True)
class Route:
    key: str
    """Method and path: ``GET /pipelines/{id}``."""
    integration: Body
    scheme: str
    """The security scheme by which callers are authorized."""
    scopes: tuple[str, ...]
    """Of which a token needs one."""


def install() -> None:
    """Have MiniStack make what the body of an API says, whenever it makes or updates the API."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    create, update = handlers["create"], handlers["update"]

    def create_with_body(logical_id: str, props: Body, stack_name: str) -> Any:  # Any: MiniStack's
        api_id, attributes = create(logical_id, props, stack_name)
        make(api_id, props.get("Body"))
        return api_id, attributes

    def update_with_body(physical_id: str, old: Body, new: Body, *others: Any, **named: Any) -> Any:
        api_id, attributes = update(physical_id, old, new, *others, **named)
        make(api_id, new.get("Body"))
        return api_id, attributes

    handlers["create"], handlers["update"] = create_with_body, update_with_body


def make(api_id: str, body: Body | None) -> None:
    """Give an API what its body says, in the place of what it had.

    Raises:
        ValueError: the body has a route without a function or without an authorizer that can be made here.
    """
    if not body:
        return
    routes, schemes = list(routes_of(body)), body.get("components", {}).get("securitySchemes", {})
    authorizations = {name: _authorization(name, schemes.get(name, {})) for name in {route.scheme for route in routes}}
    for stored in (apigateway._routes, apigateway._integrations, apigateway._authorizers):
        stored[api_id] = {}
    authorizers = {
        name: _made(apigateway._create_authorizer(api_id, asked))["authorizerId"]
        for name, asked in authorizations.items()
        if asked is not None
    }
    for route in routes:
        integration = _made(apigateway._create_integration(api_id, _integration(route)))
        authorizer = authorizers.get(route.scheme)
        asked: dict[str, object] = {
            "routeKey": route.key,
            "target": f"integrations/{integration['integrationId']}",
            "authorizationType": "AWS_IAM" if authorizer is None else "JWT",
        }
        if authorizer is not None:
            asked |= {"authorizerId": authorizer, "authorizationScopes": list(route.scopes)}
        _made(apigateway._create_route(api_id, asked))
    apigateway._delete_cors_configuration(api_id)
    if cors := body.get("x-amazon-apigateway-cors"):
        apigateway._update_api(api_id, {"corsConfiguration": cors})


def routes_of(body: Body) -> Iterator[Route]:
    """The routes of an API's body.

    Raises:
        ValueError: one has no function, or none or several ways to authorize its callers.
    """
    integrations = body.get("components", {}).get("x-amazon-apigateway-integrations", {})
    for path, operations in body.get("paths", {}).items():
        for name, operation in operations.items():
            if name not in _METHODS:
                continue
            key = path if path == "$default" else f"{_METHODS[name]} {path}"
            integration = operation.get(_INTEGRATION, {})
            integration = integrations.get(integration.get("$ref", "").removeprefix(_INTEGRATIONS), integration)
            if integration.get("type") != "aws_proxy" or not integration.get("uri"):
                raise ValueError(f"The route {key!r} calls no function: its integration is {integration!r}.")
            asked = [pair for requirement in operation.get("security", body.get("security", [])) for pair in requirement.items()]
            if len(asked) != 1:
                raise ValueError(f"The route {key!r} needs one authorizer; it has {len(asked)}.")
            yield Route(key, integration, asked[0][0], tuple(asked[0][1]))


def _integration(route: Route) -> Body:
    return {
        "integrationType": "AWS_PROXY",
        "integrationMethod": "POST",
        "integrationUri": route.integration["uri"],
        "payloadFormatVersion": route.integration.get("payloadFormatVersion", "2.0"),
    }


def _authorization(name: str, scheme: Body) -> Body | None:
    """The JWT authorizer of a security scheme; None if it is IAM."""
    if scheme.get("x-amazon-apigateway-authtype") == "awsSigv4":
        return None
    authorizer = scheme.get("x-amazon-apigateway-authorizer", {})
    if authorizer.get("type") != "jwt":
        raise ValueError(f"The authorizer {name!r} can not be made here: it is neither IAM nor of JWTs.")
    return {
        "name": name,
        "authorizerType": "JWT",
        "identitySource": [authorizer["identitySource"]],
        "jwtConfiguration": authorizer["jwtConfiguration"],
    }


def _made(answer: tuple[int, Body, bytes]) -> Body:
    status, _, content = answer
    if status >= 400:
        raise ValueError(f"MiniStack refused a part of the API: {content.decode()}")
    made: Body = json.loads(content)
    return made
