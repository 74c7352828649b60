"""The HTTP API for tokens: the routes of the other one, each closed to tokens without its scope."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from sageline.aws.scopes import CHANGE, PREDICT, READ, ROUTE_SCOPES
from tests.unit.template import documents
from tests.unit.template.documents import Document
from tests.unit.template.test_http_api import ROUTES

CONDITION = "HasJwtApi"


@pytest.fixture(scope="module")
def body(stack: Document) -> Document:
    document: Document = stack["Resources"]["JwtApi"]["Properties"]["Body"]
    return document


def operations(body: Document) -> dict[str, Document]:
    return {f"{method.upper()} {path}": item for path, methods in body["paths"].items() for method, item in methods.items()}


def test_it_has_the_routes_of_the_other_api_and_each_goes_to_the_same_function(body: Document) -> None:
    routed = {
        route: operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"].split("${")[-1].removesuffix(".Arn}/invocations")
        for route, operation in operations(body).items()
    }
    assert routed == ROUTES


def test_no_route_is_open_or_takes_a_token_without_a_scope(body: Document) -> None:
    for route, operation in operations(body).items():
        assert operation["security"] == [{"Jwt": [PREDICT, READ, CHANGE]}], route
    assert set(body["components"]["securitySchemes"]) == {"Jwt"}


def test_the_functions_know_the_scope_of_each_route(body: Document) -> None:
    assert operations(body).keys() == ROUTE_SCOPES.keys()


def test_reading_and_predicting_change_nothing(body: Document) -> None:
    assert {route for route, scopes in ROUTE_SCOPES.items() if scopes == (PREDICT,)} == {"POST /endpoints/{name}/predictions"}
    reading = {route for route, scopes in ROUTE_SCOPES.items() if READ in scopes}
    assert {route for route in reading if not route.startswith("GET ")} == {"POST /datasets/inspect"}
    assert all(ROUTE_SCOPES[route] == (CHANGE,) for route in operations(body) if route.startswith(("PATCH ", "DELETE ", "PUT ")))


def test_tokens_are_those_of_the_issuer_for_the_audience(body: Document) -> None:
    scheme = body["components"]["securitySchemes"]["Jwt"]
    assert scheme["type"] == "oauth2"
    assert scheme["x-amazon-apigateway-authorizer"] == {
        "type": "jwt",
        "identitySource": "$request.header.Authorization",
        "jwtConfiguration": {
            "issuer": {"Ref": "JwtIssuer"},
            "audience": {"Fn::Split": [",", {"Ref": "JwtAudience"}]},
        },
    }


def test_functions_get_the_same_payload_format_from_both(body: Document) -> None:
    for operation in operations(body).values():
        integration = operation["x-amazon-apigateway-integration"]
        assert (integration["type"], integration["payloadFormatVersion"]) == ("aws_proxy", "2.0")


def test_pages_are_let_in_by_name_only_and_only_here(stack: Document, body: Document) -> None:
    condition, cors, otherwise = body["x-amazon-apigateway-cors"]["Fn::If"]
    assert (condition, otherwise) == ("HasCorsOrigins", {"Ref": "AWS::NoValue"})
    assert cors["allowOrigins"] == {"Fn::Split": [",", {"Ref": "CorsOrigins"}]}
    assert "allowCredentials" not in cors, "a page sends its token; it has no cookie here"
    assert set(cors["allowMethods"]) == {route.split(" ")[0] for route in ROUTES}
    assert "cors" not in documents.text(stack["Resources"]["HttpApi"]).lower()


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("CorsOrigins", "", True),
        ("CorsOrigins", "https://app.example.com", True),
        ("CorsOrigins", "https://app.example.com,http://intranet:8080", True),
        ("CorsOrigins", "*", False),
        ("CorsOrigins", "https://*", False),
        ("CorsOrigins", "https://*.example.com", False),
        ("CorsOrigins", "https://app.example.com,*", False),
        ("CorsOrigins", "https://app.example.com/", False),
        ("CorsOrigins", "https://app.example.com, https://b.example.com", False),
        ("CorsOrigins", "null", False),
        ("JwtIssuer", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc", True),
        ("JwtIssuer", "https://login.example.com/?tenant=1", False),
        ("JwtIssuer", "login.example.com", False),
        ("JwtAudience", "api://sageline,5kek0i61pgkokoob4fsm9fo9it", True),
        ("JwtAudience", "a,,b", False),
        ("JwtAudience", "a,", False),
    ],
)
def test_parameters_take_what_they_are_for(source: Document, name: str, value: str, taken: bool) -> None:
    assert bool(re.fullmatch(source["Parameters"][name]["AllowedPattern"], value)) is taken


def test_an_issuer_without_an_audience_is_refused_and_what_needs_an_issuer_without_one(source: Document) -> None:
    def holds(rule: Document, values: dict[str, str]) -> bool:
        return not value_of(rule["RuleCondition"], values) or all(value_of(item["Assert"], values) for item in rule["Assertions"])

    def accepted(**given: str) -> bool:
        values = {"JwtIssuer": "", "JwtAudience": "", "CorsOrigins": "", **given}
        return all(holds(rule, values) for rule in source["Rules"].values())

    assert accepted()
    assert accepted(JwtIssuer="https://i", JwtAudience="a")
    assert accepted(JwtIssuer="https://i", JwtAudience="a", CorsOrigins="https://o")
    assert not accepted(JwtIssuer="https://i")
    assert not accepted(JwtAudience="a")
    assert not accepted(CorsOrigins="https://o")


def value_of(expression: Any, values: dict[str, str]) -> Any:  # Any: an intrinsic function or a value
    match expression:
        case {"Fn::Not": [inner]}:
            return not value_of(inner, values)
        case {"Fn::And": parts}:
            return all(value_of(part, values) for part in parts)
        case {"Fn::Equals": [left, right]}:
            return value_of(left, values) == value_of(right, values)
        case {"Ref": name}:
            return values[name]
        case _:
            return expression


def test_without_an_issuer_there_is_nothing_of_it(stack: Document) -> None:
    conditional = {name for name, resource in stack["Resources"].items() if resource.get("Condition") == CONDITION}
    named = {name for name in stack["Resources"] if name.startswith("JwtApi")}
    using = {name for name, resource in stack["Resources"].items() if '{"Ref": "JwtApi"}' in documents.text(resource)}
    assert named == conditional
    assert using <= conditional
    assert {name for name, output in stack["Outputs"].items() if output.get("Condition") == CONDITION} == {
        "JwtApiUrl",
        "JwtApiId",
    }


def test_it_may_call_the_functions_of_its_routes_and_nobody_else_may_through_it(stack: Document) -> None:
    permissions = [
        resource["Properties"]
        for resource in documents.of_type(stack, "AWS::Lambda::Permission").values()
        if resource.get("Condition") == CONDITION
    ]
    arn = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${JwtApi}/*"
    assert sorted(permission["FunctionName"]["Ref"] for permission in permissions) == sorted(set(ROUTES.values()))
    for permission in permissions:
        assert (permission["Action"], permission["Principal"]) == ("lambda:InvokeFunction", "apigateway.amazonaws.com")
        assert permission["SourceArn"] == {"Fn::Sub": arn}


def test_it_is_throttled_and_measured_as_the_other_one(stack: Document) -> None:
    stages = [stack["Resources"][f"{api}ApiGatewayDefaultStage"]["Properties"] for api in ("HttpApi", "JwtApi")]
    assert stages[0]["DefaultRouteSettings"] == stages[1]["DefaultRouteSettings"]


def test_its_access_log_names_whom_a_token_was_given_to_and_has_nothing_of_the_token(stack: Document) -> None:
    log = stack["Resources"]["JwtApiApiGatewayDefaultStage"]["Properties"]["AccessLogSettings"]
    fields = json.loads(log["Format"])
    assert log["DestinationArn"] == {"Fn::GetAtt": ["JwtApiLogGroup", "Arn"]}
    assert fields["caller"] == "$context.authorizer.claims.sub"
    assert fields["clientId"] == "$context.authorizer.claims.client_id"
    words = ("body", "input", "querystring", "header", "authorization")
    assert not any(word in value.lower() for value in fields.values() for word in words)
