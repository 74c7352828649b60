"""The HTTP API: exactly the documented routes, none of them open, nothing of a payload in the log."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.unit.template.documents import ROOT, Document

ROUTES = {
    "POST /datasets": "ManagePipelinesFunction",
    "POST /datasets/inspect": "InspectDatasetFunction",
    "POST /datasets/{name}/complete": "ManagePipelinesFunction",
    "POST /pipelines": "ManagePipelinesFunction",
    "GET /pipelines": "ManagePipelinesFunction",
    "GET /pipelines/{id}": "ManagePipelinesFunction",
    "DELETE /pipelines/{id}": "ManagePipelinesFunction",
    "GET /endpoints": "ManagePipelinesFunction",
    "GET /endpoints/{name}": "ManagePipelinesFunction",
    "PATCH /endpoints/{name}": "ManagePipelinesFunction",
    "DELETE /endpoints/{name}": "DeleteEndpointFunction",
    "GET /endpoints/{name}/schema": "ManagePipelinesFunction",
    "GET /openapi.json": "ManagePipelinesFunction",
    "POST /endpoints/{name}/batch": "ManagePipelinesFunction",
    "POST /endpoints/{name}/promote": "ManagePipelinesFunction",
    "POST /endpoints/{name}/rollback": "ManagePipelinesFunction",
    "POST /endpoints/{name}/predictions": "InvokePreprocessFunction",
}


def operations(stack: Document) -> Iterator[tuple[str, Document]]:
    for path, item in stack["Resources"]["HttpApi"]["Properties"]["Body"]["paths"].items():
        yield from ((f"{method.upper()} {path}", operation) for method, operation in item.items())


def stage(stack: Document) -> Document:
    properties: Document = stack["Resources"]["HttpApiApiGatewayDefaultStage"]["Properties"]
    return properties


def test_the_api_has_these_routes_and_each_goes_to_its_function(stack: Document) -> None:
    routed = {
        route: operation["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"].split("${")[-1].removesuffix(".Arn}/invocations")
        for route, operation in operations(stack)
    }
    assert routed == ROUTES


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_has_a_golden_event_of_its_function(route: str) -> None:
    function = re.sub(r"(?<!^)(?=[A-Z])", "_", ROUTES[route].removesuffix("Function")).lower()
    events = [json.loads(path.read_text()) for path in (ROOT / "events" / function).glob("*.json")]
    assert route in {event.get("routeKey") for event in events}


def test_functions_get_payload_format_2(stack: Document) -> None:
    for route, operation in operations(stack):
        assert operation["x-amazon-apigateway-integration"]["payloadFormatVersion"] == "2.0", route


def test_no_route_is_open(stack: Document) -> None:
    schemes = stack["Resources"]["HttpApi"]["Properties"]["Body"]["components"]["securitySchemes"]
    for route, operation in operations(stack):
        assert operation["security"] == [{"AWS_IAM": []}], route
    assert schemes["AWS_IAM"]["x-amazon-apigateway-authtype"] == "awsSigv4"


def test_no_remark_of_api_gateway_on_what_sam_has_written_stops_a_deployment(stack: Document) -> None:
    """SAM's OpenAPI has had parts that API Gateway warns of: https://github.com/aws/serverless-application-model/issues/2297"""
    assert "FailOnWarnings" not in stack["Resources"]["HttpApi"]["Properties"]


def test_requests_are_throttled(stack: Document) -> None:
    settings = stage(stack)["DefaultRouteSettings"]
    assert settings["ThrottlingRateLimit"] == {"Ref": "ThrottlingRateLimit"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "ThrottlingBurstLimit"}


def test_access_is_logged_without_payloads(stack: Document) -> None:
    log = stage(stack)["AccessLogSettings"]
    fields = json.loads(log["Format"])
    assert log["DestinationArn"] == {"Fn::GetAtt": ["HttpApiLogGroup", "Arn"]}
    assert fields["caller"] == "$context.identity.userArn"
    assert fields["status"] == "$context.status"
    assert not any(word in value.lower() for value in fields.values() for word in ("body", "input", "querystring", "header"))
