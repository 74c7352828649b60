"""Runs: the list, and one run while it is under way and afterwards."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sageline.json_objects import Json
from sageline.names import is_name
from sageline_cli.console.forms import Form, with_form
from sageline_cli.console.job_log import JobLogs
from sageline_cli.console.run_view import live_run, report_of, run_sections
from sageline_cli.console.views import stack_of, views_of
from sageline_cli.states import DOES

_PAGE, _FILTERED_PAGE = 50, 100  # runs of one request to the API, which cannot look for a status
_STATUSES = ("Running", "Succeeded", "Rejected", "Failed", "Stopped")
_REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; sandbox"
"""The report is one file with styles of its own; no script runs in it, and it is of no origin."""


def list_runs(request: Request) -> Response:
    query = request.query_params
    name, status, token = query.get("name", "").strip(), query.get("status", ""), query.get("after")
    status = status if status in _STATUSES else ""
    asked = {"name": name, "status": status}
    page: Json = {"runs": [], "next_token": None}
    is_named, limit = not name or is_name(name), _FILTERED_PAGE if status else _PAGE
    if is_named:
        page = stack_of(request).get().api.runs_page(limit, name or None, token, details=False)
    following = urlencode({**asked, "after": page["next_token"]}) if page["next_token"] else None
    return views_of(request).page(
        "runs.html",
        section="runs",
        runs=[run for run in page["runs"] if not status or run["status"] == status],
        looked_at=len(page["runs"]),
        name=name,
        is_named=is_named,
        chosen=status,
        statuses=_STATUSES,
        following=following,
        is_first=token is None,
        same=urlencode(asked),
        does=DOES,
    )


def show_run(request: Request) -> Response:
    connection = stack_of(request).get()
    live = live_run(connection, request.path_params["run_id"], _logs(request))
    sections = run_sections(connection, live.run)
    return views_of(request).page("run.html", section="runs", live=live, sections=sections, does=DOES, renews=False)


def show_live(request: Request) -> Response:
    """The part of the page that changes; with the rest where there is more to say now than there was (``told``)."""
    connection = stack_of(request).get()
    live = live_run(connection, request.path_params["run_id"], _logs(request))
    has_spec = live.run["state"] != "ConfigureRun"
    renews = not live.goes_on or (has_spec and request.query_params.get("told") != "spec")
    sections = run_sections(connection, live.run) if renews else []
    return views_of(request).page("run_live.html", live=live, sections=sections, does=DOES, renews=renews)


def stop(request: Request, _: Form) -> Response:
    stopped = stack_of(request).get().api.stop_run(request.path_params["run_id"])
    return views_of(request).page("stopped.html", run=stopped)


def show_report(request: Request) -> Response:
    connection = stack_of(request).get()
    bucket, key = report_of(connection, request.path_params["run_id"])
    body = connection.s3.get_object(Bucket=bucket, Key=key)["Body"]
    return StreamingResponse(
        body.iter_chunks(), media_type="text/html; charset=utf-8", headers={"content-security-policy": _REPORT_POLICY}
    )


def _logs(request: Request) -> JobLogs:
    logs: JobLogs = request.app.state.logs
    return logs


ROUTES = [
    Route("/", list_runs),
    Route("/runs/{run_id}", show_run),
    Route("/runs/{run_id}/live", show_live),
    Route("/runs/{run_id}/stop", with_form(stop), methods=["POST"]),
    Route("/runs/{run_id}/report", show_report),
]
