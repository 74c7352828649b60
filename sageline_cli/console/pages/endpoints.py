"""Endpoints: the list, and one endpoint with its traffic, its alarms and a form to try a row."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sageline_cli.console.views import stack_of, views_of


def list_endpoints(request: Request) -> Response:
    return views_of(request).page("endpoints.html", section="endpoints", endpoints=stack_of(request).get().api.endpoints())


def show_endpoint(request: Request) -> Response:
    endpoint = stack_of(request).get().api.endpoint(request.path_params["name"])
    return views_of(request).page("endpoint.html", section="endpoints", endpoint=endpoint)


ROUTES = [Route("/endpoints", list_endpoints), Route("/endpoints/{name}", show_endpoint)]
