"""What a person does to an endpoint: split, time to live, promote, roll back, delete. Each answer is a sentence for the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sageline.json_objects import Json
from sageline_cli.console.endpoints.changes import UnusableChange, read_hours, read_split
from sageline_cli.console.forms import text_of, with_parts
from sageline_cli.console.trying_again import CHANGE_SECONDS, began, seconds_to_wait
from sageline_cli.console.views import stack_of, views_of
from sageline_cli.errors import CommandFailed


def split(request: Request, form: FormData) -> Response:
    name = request.path_params["name"]
    weights = read_split((key, value) for key, value in form.multi_items() if isinstance(value, str))
    stack_of(request).get().api.change_endpoint(name, {"weights": weights})
    return _done(request, "The traffic is split as you said: " + ", ".join(f"{v} {w:g} %" for v, w in weights.items()) + ".")


def set_end(request: Request, form: FormData) -> Response:
    name = request.path_params["name"]
    hours = read_hours(text_of(form, "ends"), text_of(form, "hours"))
    stack_of(request).get().api.change_endpoint(name, {"ttl_hours": hours})
    told = "is kept until somebody deletes it" if hours is None else f"is deleted {hours:g} h from now"
    return _done(request, f"Endpoint {name} {told}.")


def promote(request: Request, form: FormData) -> Response:
    name, variant = request.path_params["name"], text_of(form, "variant")
    answer = stack_of(request).get().api.promote(name, variant)
    if answer["run_id"] is None:
        return _done(request, f"Variant {variant} has all the traffic already: there is nothing to do.")
    return _done(request, f"Variant {variant} has all the traffic. A run removes the others:", answer["run_id"])


def roll_back(request: Request, form: FormData) -> Response:
    name, api = request.path_params["name"], stack_of(request).get().api

    def go_back() -> Response:
        try:
            answer = api.roll_back(name)
        except CommandFailed as error:
            if error.code != "EndpointNotReady" or error.details.get("run_id") is None:
                raise
            # That run is stopped and not undone yet: rolling back once more could undo what served before it.
            return _undo(request, form, error.details["run_id"])
        if answer["status"] == "Stopped":
            return _done(request, f"Endpoint {name} serves what it served before; the run is stopped:", answer["run_id"])
        return _done(request, f"Endpoint {name} goes back to what it served before. A run brings that back:", answer["run_id"])

    return _patiently(request, form, go_back)


def undo(request: Request, form: FormData) -> Response:
    return _undo(request, form, text_of(form, "run_id"))


def _undo(request: Request, form: FormData, run_id: str) -> Response:
    name = request.path_params["name"]

    def stop() -> Response:
        stack_of(request).get().api.stop_run(run_id)
        return _done(request, f"Endpoint {name} serves what it served before; the run is stopped:", run_id)

    return _patiently(request, form, stop, "undo", run_id=run_id)


def delete(request: Request, form: FormData) -> Response:
    name, typed = request.path_params["name"], text_of(form, "typed").strip()
    if typed != name:
        return _refused(request, f"Type the endpoint's name, {name}, to delete it; {typed!r} is another.")
    return _patiently(request, form, partial(_delete, request, name), typed=typed)


def _delete(request: Request, name: str) -> Response:
    answer = stack_of(request).get().api.delete_endpoint(name)
    page = views_of(request).page("endpoint/gone.html", name=name, deleted=answer["deleted"])
    page.headers.update({"HX-Retarget": "#endpoint", "HX-Reswap": "innerHTML"})
    return page


def _patiently(
    request: Request, form: FormData, change: Callable[[], Response], action: str | None = None, **fields: str
) -> Response:
    """The change, or what the page shows while SageMaker does not take it, and sends again."""
    try:
        return change()
    except CommandFailed as error:
        seconds = seconds_to_wait(error, form, CHANGE_SECONDS) if error.code == "EndpointNotReady" else None
        if seconds is None:
            raise
        path = request.url.path if action is None else request.url.path.rpartition("/")[0] + f"/{action}"
        again: Json = {**fields, "began": str(began(form))}
        return views_of(request).page(
            "endpoint/again.html", message=error.message, seconds=seconds, path=path, fields=json.dumps(again), includes=None
        )


def _done(request: Request, message: str, run_id: str | None = None) -> Response:
    page = views_of(request).page("endpoint/done.html", message=message, run_id=run_id)
    page.headers["HX-Trigger"] = "endpoint-asked"
    return page


def _refused(request: Request, message: str) -> Response:
    return views_of(request).page("error_fragment.html", 400, code="InvalidRequest", message=message, is_gone=False)


def _checked(change: Callable[[Request, FormData], Response]) -> Callable[[Request, FormData], Response]:
    def answer(request: Request, form: FormData) -> Response:
        try:
            return change(request, form)
        except UnusableChange as error:
            return _refused(request, str(error))

    return answer


_CHANGES = {"split": split, "end": set_end, "promote": promote, "rollback": roll_back, "undo": undo, "delete": delete}
ROUTES = [
    Route(f"/endpoints/{{name}}/{action}", with_parts(_checked(change)), methods=["POST"]) for action, change in _CHANGES.items()
]
