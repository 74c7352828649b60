"""HTTP APIs from their OpenAPI body. The first test guards the places where this leans on MiniStack's inside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ministack.services import apigateway
from ministack.services.cloudformation import provisioners

from sageline_local import api_bodies
from sageline_local.api_bodies import make, routes_of

Json = dict[str, Any]  # Any: OpenAPI

IAM = {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"}
JWT = {
    "type": "oauth2",
    "x-amazon-apigateway-authorizer": {
        "type": "jwt",
        "identitySource": "$request.header.Authorization",
        "jwtConfiguration": {"issuer": "https://issuer.example", "audience": ["us"]},
    },
}
CORS = {"allowOrigins": ["https://app.example"], "allowMethods": ["GET"]}


def uri(function: str) -> str:
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function}"
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def operation(function: str, security: Json | None = None) -> Json:
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri(function), "payloadFormatVersion": "2.0"}
    return {"x-amazon-apigateway-integration": integration, "security": [security or {"Iam": []}], "responses": {}}


def body(paths: Json, **more: Json) -> Json:
    return {"openapi": "3.0.1", "paths": paths, "components": {"securitySchemes": {"Iam": IAM, "Jwt": JWT}}, **more}


@pytest.fixture
def api() -> Iterator[str]:
    """An API of MiniStack's, which has nothing yet."""
    made, _ = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]["create"]("Api", {}, "stack")
    yield made
    apigateway.reset()


def routes(api: str) -> dict[str, tuple[str, str]]:
    """Authorization and function of each route."""
    uris = {f"integrations/{name}": item["integrationUri"] for name, item in apigateway._integrations[api].items()}
    return {route["routeKey"]: (route["authorizationType"], uris[route["target"]]) for route in apigateway._routes[api].values()}


def test_ministack_still_ignores_the_body_and_makes_apis_as_it_is_asked_here(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    handlers = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    properties = {"Body": body({"/runs": {"get": operation("manage")}})}
    without, _ = handlers["create"]("Other", properties, "stack")
    assert not apigateway._routes[without]

    for name in ("create", "update"):
        monkeypatch.setitem(handlers, name, handlers[name])
    api_bodies.install()

    made, _ = handlers["create"]("Other", properties, "stack")
    assert routes(made) == {"GET /runs": ("AWS_IAM", uri("manage"))}
    handlers["update"](made, properties, {"Body": body({"/runs": {"delete": operation("stop")}})}, "stack", "Other")
    assert routes(made) == {"DELETE /runs": ("AWS_IAM", uri("stop"))}


def test_every_method_of_every_path_is_a_route_of_its_function(api: str) -> None:
    make(
        api,
        body(
            {
                "/runs": {"get": operation("manage"), "parameters": []},
                "/runs/{id}": {"delete": operation("stop")},
                "/all": {"x-amazon-apigateway-any-method": operation("manage")},
                "$default": {"x-amazon-apigateway-any-method": operation("other")},
            }
        ),
    )

    assert routes(api) == {
        "GET /runs": ("AWS_IAM", uri("manage")),
        "DELETE /runs/{id}": ("AWS_IAM", uri("stop")),
        "ANY /all": ("AWS_IAM", uri("manage")),
        "$default": ("AWS_IAM", uri("other")),
    }


def test_routes_for_tokens_have_their_authorizer_and_scopes(api: str) -> None:
    make(api, body({"/runs": {"get": operation("manage", {"Jwt": ["read", "change"]})}}))

    [route], [authorizer] = apigateway._routes[api].values(), apigateway._authorizers[api].values()
    assert (route["authorizationType"], route["authorizerId"]) == ("JWT", authorizer["authorizerId"])
    assert route["authorizationScopes"] == ["read", "change"]
    assert authorizer["jwtConfiguration"] == {"issuer": "https://issuer.example", "audience": ["us"]}
    assert authorizer["identitySource"] == ["$request.header.Authorization"]


def test_an_integration_may_be_referred_to(api: str) -> None:
    shared = body({"/runs": {"get": operation("none")}})
    shared["components"]["x-amazon-apigateway-integrations"] = {"Manage": {"type": "aws_proxy", "uri": uri("manage")}}
    referred = {"$ref": "#/components/x-amazon-apigateway-integrations/Manage"}
    shared["paths"]["/runs"]["get"]["x-amazon-apigateway-integration"] = referred

    make(api, shared)

    assert routes(api) == {"GET /runs": ("AWS_IAM", uri("manage"))}


def test_a_body_takes_the_place_of_the_one_before(api: str) -> None:
    make(api, body({"/runs": {"get": operation("manage", {"Jwt": []})}}, **{"x-amazon-apigateway-cors": CORS}))
    assert apigateway._apis[api]["corsConfiguration"] == CORS

    make(api, body({"/other": {"get": operation("manage")}}))

    assert list(routes(api)) == ["GET /other"]
    assert len(apigateway._integrations[api]) == 1
    assert not apigateway._authorizers[api]
    assert "corsConfiguration" not in apigateway._apis[api]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"security": []}, r"'GET /runs' needs one authorizer; it has 0"),
        ({"security": None}, r"'GET /runs' needs one authorizer; it has 0"),
        ({"security": [{}]}, r"'GET /runs' needs one authorizer; it has 0"),
        ({"security": [{"Iam": []}, {"Jwt": []}]}, r"'GET /runs' needs one authorizer; it has 2"),
        ({"security": [{"Lambda": []}]}, r"'Lambda' can not be made here"),
        (
            {"x-amazon-apigateway-integration": {"type": "http_proxy", "uri": "https://x.example"}},
            r"'GET /runs' calls no function",
        ),
        ({"x-amazon-apigateway-integration": {"$ref": "#/components/none"}}, r"'GET /runs' calls no function"),
    ],
)
def test_what_cannot_be_made_fails_and_is_not_left_open(api: str, change: Json, reason: str) -> None:
    make(api, body({"/runs": {"get": operation("manage")}}))

    asked = {name: value for name, value in {**operation("other"), **change}.items() if value is not None}
    with pytest.raises(ValueError, match=reason):
        make(api, body({"/runs": {"get": asked}}))

    assert routes(api) == {"GET /runs": ("AWS_IAM", uri("manage"))}, "what was there stays"


def test_a_body_without_routes_has_none() -> None:
    assert list(routes_of({"openapi": "3.0.1"})) == []
