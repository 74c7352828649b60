"""A dataset dropped on the page: uploaded by presigned parts, looked at, corrected, and started."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sageline_cli.console.views import views_of


def new_run(request: Request) -> Response:
    return views_of(request).page("new.html", section="new")


ROUTES = [Route("/new", new_run)]
