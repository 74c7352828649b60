"""The routes of the deployed HTTP API, which MiniStack's CloudFormation does not make of its OpenAPI body.

Drop this module, and its one call in ``sageline_local.deploy``, when MiniStack does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sageline.json_objects import Document
from sageline_local.environment import ACCOUNT, REGION
from sageline_local.errors import DeployFailed

if TYPE_CHECKING:
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client

_METHODS = {
    "get": "GET",
    "put": "PUT",
    "post": "POST",
    "delete": "DELETE",
    "patch": "PATCH",
    "head": "HEAD",
    "options": "OPTIONS",
}
_METHODS["x-amazon-apigateway-any-method"] = "ANY"
_INTEGRATION = "x-amazon-apigateway-integration"


@dataclass(frozen=True)
class Route:
    key: str
    """Method and path: ``GET /pipelines/{id}``."""
    function: str
    """Logical id of the function."""
    payload_version: str
    authorization: str
    """``AWS_IAM``, or ``NONE`` for a route that says it needs none."""


def routes_of(template: Document) -> list[Route]:
    """The routes in the body of the template's HTTP API.

    Raises:
        DeployFailed: a route cannot be made here: it has no function, or an authorizer that is not IAM.
    """
    apis = [resource for resource in template["Resources"].values() if resource["Type"] == "AWS::ApiGatewayV2::Api"]
    return [route for api in apis for route in _routes_of_body(api["Properties"].get("Body", {}))]


def make_routes(client: ApiGatewayV2Client, api_id: str, routes: list[Route], functions: Mapping[str, str]) -> None:
    """Make the API's routes what the list says; does nothing when they are. ``functions``: names by logical id."""
    wanted = {route.key: route for route in routes}
    integrations = {item["IntegrationId"]: item for item in client.get_integrations(ApiId=api_id, MaxResults="1000")["Items"]}
    for existing in client.get_routes(ApiId=api_id, MaxResults="1000")["Items"]:
        route = wanted.get(existing["RouteKey"])
        integration = integrations.get(existing.get("Target", "").rpartition("/")[2])
        if (
            route is not None
            and integration is not None
            and existing.get("AuthorizationType") == route.authorization
            and integration.get("IntegrationUri") == _function_arn(functions[route.function])
            and integration.get("PayloadFormatVersion") == route.payload_version
        ):
            del wanted[route.key]
            continue
        client.delete_route(ApiId=api_id, RouteId=existing["RouteId"])
        if integration is not None:
            client.delete_integration(ApiId=api_id, IntegrationId=integration["IntegrationId"])
    for route in wanted.values():
        made = client.create_integration(
            ApiId=api_id,
            IntegrationType="AWS_PROXY",
            IntegrationMethod="POST",
            IntegrationUri=_function_arn(functions[route.function]),
            PayloadFormatVersion=route.payload_version,
        )
        client.create_route(
            ApiId=api_id,
            RouteKey=route.key,
            Target=f"integrations/{made['IntegrationId']}",
            AuthorizationType="AWS_IAM" if route.authorization == "AWS_IAM" else "NONE",
        )


def _routes_of_body(body: Document) -> Iterator[Route]:
    schemes = body.get("components", {}).get("securitySchemes", {})
    for path, operations in body.get("paths", {}).items():
        for name, operation in operations.items():
            if name not in _METHODS:
                continue
            key = path if path == "$default" else f"{_METHODS[name]} {path}"
            integration = operation.get(_INTEGRATION, {})
            yield Route(
                key=key,
                function=_function_of(key, integration.get("uri")),
                payload_version=integration.get("payloadFormatVersion", "2.0"),
                authorization=_authorization_of(key, operation.get("security", body.get("security", [])), schemes),
            )


def _function_of(key: str, uri: object) -> str:
    """SAM writes ``arn:…:lambda:path/…/functions/${Name.Arn}/invocations``."""
    found = re.search(r"\$\{(\w+)\.(?:Arn|Alias)\}", json.dumps(uri))
    if found is None:
        raise DeployFailed(f"The route {key!r} has no function that the local stack can tell: its integration is {uri!r}.")
    return found[1]


def _authorization_of(key: str, security: list[Document], schemes: Document) -> str:
    names = [name for requirement in security for name in requirement]
    if not names:
        return "NONE"
    kinds = {schemes.get(name, {}).get("x-amazon-apigateway-authtype") for name in names}
    if kinds != {"awsSigv4"}:
        raise DeployFailed(
            f"The route {key!r} is authorized by {', '.join(names)}; the local stack can make routes with IAM only."
        )
    return "AWS_IAM"


def _function_arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
