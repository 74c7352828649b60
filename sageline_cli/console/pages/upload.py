"""A dataset dropped on the page: uploaded by presigned parts, looked at, corrected, and started."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sageline.names import DATA_FORMATS_NAMED
from sageline_cli import costs
from sageline_cli.console.forms import Form, whole_number, with_form
from sageline_cli.console.review import (
    ALGORITHMS,
    KINDS,
    PRESETS,
    TASKS,
    Corrections,
    review,
    serves_already,
    spec_to_start,
    started_runs,
)
from sageline_cli.console.uploads import PartialUpload, Uploads, name_of
from sageline_cli.console.views import stack_of, views_of
from sageline_cli.errors import CommandFailed
from sageline_cli.upload import SUFFIXES

_LOOKED_AT = "/new/review"


def new_run(request: Request) -> Response:
    return views_of(request).page("new.html", section="new", suffixes=sorted(SUFFIXES), formats=DATA_FORMATS_NAMED)


def begin(request: Request, form: Form) -> Response:
    begun = _uploads(request).begin(form.get("file", ""), form.get("name", ""), whole_number(form, "bytes"))
    told = {"key": begun.upload.key, "upload_id": begun.upload.upload_id, "part_bytes": begun.part_bytes, "parts": begun.parts}
    return JSONResponse(told)


def part(request: Request, form: Form) -> Response:
    return JSONResponse({"url": _uploads(request).part_url(_upload(form), whole_number(form, "part"))})


def complete(request: Request, form: Form) -> Response:
    upload = _upload(form)
    _uploads(request).complete(upload, whole_number(form, "bytes"))
    return JSONResponse({"next": f"{views_of(request).base}{_LOOKED_AT}?{urlencode({'key': upload.key})}"})


def abort(request: Request, form: Form) -> Response:
    _uploads(request).abort(_upload(form))
    return Response(status_code=204)


def discard(request: Request, form: Form) -> Response:
    _uploads(request).discard(form.get("key", ""))
    return Response(status_code=204, headers={"hx-redirect": f"{views_of(request).base}/new"})


def show_upload(request: Request) -> Response:
    """The page of an uploaded file; what was found out about it is asked for by the page itself, as that takes seconds."""
    key = request.query_params.get("key", "")
    return views_of(request).page(
        "review.html", section="new", name=name_of(key), key=key, query=urlencode(request.query_params.multi_items())
    )


def inspection(request: Request) -> Response:
    """What would be made of an uploaded file, with the corrections that the address says."""
    key, corrections = request.query_params.get("key", ""), Corrections.of(request.query_params)
    name, connection = name_of(key), stack_of(request).get()
    try:
        reviewed, problem = review(connection, key, corrections), None
    except CommandFailed as error:
        if error.code not in ("InvalidDataset", "InvalidSpec", "InvalidHyperparameter", "InvalidRequest"):
            raise
        reviewed, problem = None, error.message
    cost = costs.facts({"details": {"cost": reviewed.cost}}) if reviewed else None
    page = views_of(request).page(
        "inspection.html",
        key=key,
        name=name,
        given=corrections,
        review=reviewed,
        problem=problem,
        cost=cost,
        is_local=connection.is_local,
        started=started_runs(connection, key),
        replaces=corrections.deploys and serves_already(connection, name),
        once=secrets.token_hex(16),
        tasks=TASKS,
        algorithms=ALGORITHMS,
        presets=PRESETS,
        kinds=KINDS,
    )
    if request.headers.get("hx-trigger") == "corrections":
        # The address of the page, so that going back leads to what was said before.
        page.headers["hx-push-url"] = f"{views_of(request).base}{_LOOKED_AT}?{urlencode({'key': key, **corrections.fields()})}"
    return page


def start(request: Request, form: Form) -> Response:
    connection = stack_of(request).get()
    spec = spec_to_start(connection, form.get("key", ""), Corrections.of(form))
    started = connection.api.start_run(spec, f"console-{form.get('once', '')[:64] or secrets.token_hex(16)}")
    return Response(status_code=204, headers={"hx-redirect": f"{views_of(request).base}/runs/{started['run_id']}"})


def _uploads(request: Request) -> Uploads:
    return Uploads(stack_of(request).get())


def _upload(form: Form) -> PartialUpload:
    return PartialUpload(form.get("key", ""), form.get("upload_id", ""))


ROUTES = [
    Route("/new", new_run),
    Route("/new/uploads", with_form(begin), methods=["POST"]),
    Route("/new/uploads/part", with_form(part), methods=["POST"]),
    Route("/new/uploads/complete", with_form(complete), methods=["POST"]),
    Route("/new/uploads/abort", with_form(abort), methods=["POST"]),
    Route("/new/review", show_upload),
    Route("/new/inspection", inspection),
    Route("/new/discard", with_form(discard), methods=["POST"]),
    Route("/new/start", with_form(start), methods=["POST"]),
]
