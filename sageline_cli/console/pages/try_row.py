"""A row that a person has filled in, and what the endpoint answers to it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sageline.json_objects import Json
from sageline_cli.console.endpoints.row_answer import RequestText, read_answer, request_of_image, request_of_row
from sageline_cli.console.endpoints.row_form import UnusableRow, row_of, row_of_json
from sageline_cli.console.forms import text_of, with_parts
from sageline_cli.console.trying_again import WARMING_SECONDS, began, seconds_to_wait
from sageline_cli.console.views import stack_of, views_of
from sageline_cli.errors import CommandFailed

MOST_IMAGE_BYTES = 4_500_000
"""API Gateway hands an image on as base64, of which a function takes 6 MB."""


def try_row(request: Request, form: FormData) -> Response:
    name, access = request.path_params["name"], stack_of(request)
    connection = access.get()
    api, stack = connection.api, None if connection.is_local else access.name
    options: Json = {"probabilities": True} if text_of(form, "classes") else {}
    try:
        if isinstance(image := form.get("image"), UploadFile):
            content, media_type = _read_image(image), image.content_type or "application/octet-stream"
            text = request_of_image(name, image.filename or "image", media_type, options, stack)
            return _answer(request, form, text, lambda: api.predict_image(name, content, media_type, **options))
        row = row_of_json(text_of(form, "row")) if "row" in form else row_of(_texts(form))
    except UnusableRow as error:
        return views_of(request).page("error_fragment.html", 400, code="InvalidRequest", message=str(error), is_gone=False)
    text = request_of_row(name, row, options, stack)
    return _answer(request, form, text, lambda: api.predict(name, [row], 1, **options))


def _answer(request: Request, form: FormData, text: RequestText, ask: Callable[[], Json]) -> Response:
    started = time.perf_counter()
    try:
        answer = ask()
    except CommandFailed as error:
        seconds = seconds_to_wait(error, form, WARMING_SECONDS)
        if seconds is None:
            raise
        fields = json.dumps({"began": str(began(form))})
        return views_of(request).page(
            "endpoint/again.html",
            message=error.message,
            seconds=seconds,
            path=request.url.path,
            fields=fields,
            includes="#row-form",
        )
    took = time.perf_counter() - started
    page = views_of(request).page("endpoint/answer.html", answer=read_answer(answer, took), text=text)
    page.headers["HX-Trigger"] = "row-answered"
    return page


def _texts(form: FormData) -> list[tuple[str, str]]:
    return [(key, value) for key, value in form.multi_items() if isinstance(value, str)]


def _read_image(image: UploadFile) -> bytes:
    """Raises:
    UnusableRow: none was chosen, or it is too large to be sent.
    """
    if not image.size:
        raise UnusableRow("No image was chosen, or it is empty.")
    if image.size > MOST_IMAGE_BYTES:
        raise UnusableRow(
            f"The image has {image.size:,} bytes, and an endpoint takes at most {MOST_IMAGE_BYTES:,}: make it smaller. The model "
            "shrinks it anyway."
        )
    return image.file.read()


ROUTES = [Route("/endpoints/{name}/row", with_parts(try_row), methods=["POST"])]
