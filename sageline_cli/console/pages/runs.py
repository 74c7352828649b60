"""Runs: the list, and one run while it is under way and afterwards."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sageline_cli.console.views import stack_of, views_of

_PAGE = 50  # runs of the list


def list_runs(request: Request) -> Response:
    return views_of(request).page("runs.html", section="runs", runs=stack_of(request).get().api.runs(_PAGE))


def show_run(request: Request) -> Response:
    run = stack_of(request).get().api.run(request.path_params["run_id"])
    return views_of(request).page("run.html", section="runs", run=run)


ROUTES = [Route("/", list_runs), Route("/runs/{run_id}", show_run)]
