"""Routes of the HTTP API, read from the body that SAM writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from sageline_local.api_routes import Route, make_routes, routes_of
from sageline_local.errors import DeployFailed

if TYPE_CHECKING:
    from mypy_boto3_apigatewayv2 import ApiGatewayV2Client

Json = dict[str, Any]

IAM = {"AWS_IAM": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}}
FUNCTIONS = {"ManageFunction": "sageline-ManageFunction-1", "DeleteFunction": "sageline-DeleteFunction-2"}


def operation(function: str, scheme: str | None = "AWS_IAM") -> Json:
    uri = f"arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{function}.Arn}}/invocations"
    return {
        "x-amazon-apigateway-integration": {
            "httpMethod": "POST",
            "type": "aws_proxy",
            "uri": {"Fn::Sub": uri},
            "payloadFormatVersion": "2.0",
        },
        **({"security": [{scheme: []}]} if scheme else {}),
        "responses": {},
    }


def template(paths: Json, schemes: Json | None = None) -> Json:
    body = {"openapi": "3.0.1", "paths": paths, "components": {"securitySchemes": IAM if schemes is None else schemes}}
    return {
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Body": body}},
        }
    }


def test_every_method_of_every_path_is_a_route_of_its_function() -> None:
    paths = {
        "/runs": {"get": operation("ManageFunction")},
        "/runs/{id}": {"delete": operation("DeleteFunction"), "parameters": []},
    }

    assert routes_of(template(paths)) == [
        Route("GET /runs", "ManageFunction", "2.0", "AWS_IAM"),
        Route("DELETE /runs/{id}", "DeleteFunction", "2.0", "AWS_IAM"),
    ]


def test_any_method_and_the_default_route_have_their_own_keys() -> None:
    paths = {
        "/all": {"x-amazon-apigateway-any-method": operation("ManageFunction")},
        "$default": {"x-amazon-apigateway-any-method": operation("ManageFunction")},
    }

    assert [route.key for route in routes_of(template(paths))] == ["ANY /all", "$default"]


def test_a_route_is_open_only_if_it_says_so() -> None:
    [route] = routes_of(template({"/open": {"get": operation("ManageFunction", scheme=None)}}))

    assert route.authorization == "NONE"


def test_an_authorizer_that_cannot_be_made_here_is_refused_and_not_left_open() -> None:
    jwt = {"Jwt": {"type": "oauth2", "x-amazon-apigateway-authorizer": {"type": "jwt"}}}

    with pytest.raises(DeployFailed, match=r"'GET /runs' is authorized by Jwt"):
        routes_of(template({"/runs": {"get": operation("ManageFunction", "Jwt")}}, jwt))


def test_a_route_without_a_function_is_refused() -> None:
    without = operation("ManageFunction") | {"x-amazon-apigateway-integration": {"uri": "https://elsewhere.example"}}

    with pytest.raises(DeployFailed, match=r"'GET /runs' has no function"):
        routes_of(template({"/runs": {"get": without}}))


class FakeApi:
    """The calls of API Gateway that are made here, on one API."""

    def __init__(self) -> None:
        self.routes: dict[str, Json] = {}
        self.integrations: dict[str, Json] = {}

    def get_routes(self, **_: str) -> Json:
        return {"Items": list(self.routes.values())}

    def get_integrations(self, **_: str) -> Json:
        return {"Items": list(self.integrations.values())}

    def create_route(self, **route: str) -> Json:
        return self._add(self.routes, "RouteId", route)

    def create_integration(self, **integration: str) -> Json:
        return self._add(self.integrations, "IntegrationId", integration)

    def delete_route(self, *, ApiId: str, RouteId: str) -> None:  # noqa: N803 - AWS's names
        del self.routes[RouteId]

    def delete_integration(self, *, ApiId: str, IntegrationId: str) -> None:  # noqa: N803 - AWS's names
        del self.integrations[IntegrationId]

    def made(self) -> dict[str, tuple[str, str]]:
        """Authorization and function ARN of each route."""
        uris = {f"integrations/{name}": item["IntegrationUri"] for name, item in self.integrations.items()}
        return {route["RouteKey"]: (route["AuthorizationType"], uris[route["Target"]]) for route in self.routes.values()}

    def _add(self, items: dict[str, Json], key: str, item: Json) -> Json:
        identifier = f"{key}-{len(self.routes)}-{len(self.integrations)}-{item.get('RouteKey', item.get('IntegrationUri'))}"
        items[identifier] = {**item, key: identifier}
        return items[identifier]


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


def make(api: FakeApi, routes: list[Route], functions: dict[str, str] = FUNCTIONS) -> None:
    make_routes(cast("ApiGatewayV2Client", api), "api-id", routes, functions)  # the fake has the calls that are made


RUNS = Route("GET /runs", "ManageFunction", "2.0", "AWS_IAM")
DELETE = Route("DELETE /runs/{id}", "DeleteFunction", "2.0", "AWS_IAM")


def test_routes_are_made_with_their_authorization(api: FakeApi) -> None:
    make(api, [RUNS, Route("GET /open", "DeleteFunction", "2.0", "NONE")])

    arn = "arn:aws:lambda:us-east-1:000000000000:function:"
    assert api.made() == {
        "GET /runs": ("AWS_IAM", f"{arn}sageline-ManageFunction-1"),
        "GET /open": ("NONE", f"{arn}sageline-DeleteFunction-2"),
    }


def test_making_routes_again_changes_nothing(api: FakeApi) -> None:
    make(api, [RUNS, DELETE])
    routes, integrations = dict(api.routes), dict(api.integrations)

    make(api, [RUNS, DELETE])

    assert (api.routes, api.integrations) == (routes, integrations)


def test_routes_follow_the_template_and_the_functions_new_names(api: FakeApi) -> None:
    make(api, [RUNS, DELETE])

    make(api, [RUNS], {"ManageFunction": "sageline-ManageFunction-9"})

    assert api.made() == {"GET /runs": ("AWS_IAM", "arn:aws:lambda:us-east-1:000000000000:function:sageline-ManageFunction-9")}
    assert len(api.integrations) == 1


def test_a_route_that_was_opened_by_hand_is_closed_again(api: FakeApi) -> None:
    make(api, [RUNS])
    [opened] = api.routes.values()
    opened["AuthorizationType"] = "NONE"

    make(api, [RUNS])

    assert [route["AuthorizationType"] for route in api.routes.values()] == ["AWS_IAM"]
