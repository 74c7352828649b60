"""A dataset dropped on the page: uploaded by presigned parts, looked at, corrected, and started."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import partial
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
from sageline_cli.console.wording import in_words_of_the_form
from sageline_cli.errors import CommandFailed
from sageline_cli.upload import SUFFIXES

_LOOKED_AT = "/new/review"
_LONGEST_FILE_NAME = 255


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
    return JSONResponse({"next": f"{views_of(request).base}{_LOOKED_AT}?{urlencode({'key': upload.key, 'file': _file(form)})}"})


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
        "review.html",
        section="new",
        name=name_of(key),
        file=_file(request.query_params),
        query=urlencode(request.query_params.multi_items()),
    )


def inspection(request: Request) -> Response:
    """What would be made of an uploaded file, with the corrections that the address says."""
    key, corrections = request.query_params.get("key", ""), Corrections.of(request.query_params)
    name, connection, file = name_of(key), stack_of(request).get(), _file(request.query_params)
    uri = _uploads(request).uri(key)
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
        file=file,
        name=name,
        said=partial(in_words_of_the_form, uri=uri, file=file),
        given=corrections,
        typed_column="" if request.query_params.get("kind") else request.query_params.get("column", ""),
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
        said = urlencode({"key": key, "file": file, **corrections.fields()})
        page.headers["hx-push-url"] = f"{views_of(request).base}{_LOOKED_AT}?{said}"
    return page


def start(request: Request, form: Form) -> Response:
    connection = stack_of(request).get()
    spec = spec_to_start(connection, form.get("key", ""), Corrections.of(form))
    started = connection.api.start_run(spec, f"console-{form.get('once', '')[:64] or secrets.token_hex(16)}")
    return Response(status_code=204, headers={"hx-redirect": f"{views_of(request).base}/runs/{started['run_id']}"})


def _file(fields: Mapping[str, str]) -> str:
    """What the person's machine calls the file; the address of the page holds it."""
    return fields.get("file", "")[:_LONGEST_FILE_NAME]


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
