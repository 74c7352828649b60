"""Endpoints: the list, and what one endpoint serves, has cost and has answered. Parts of the pages are fetched after them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sageline_cli.console.endpoints import end, metrics, traffic_view
from sageline_cli.console.endpoints.costs import VariantPrices, costs_so_far
from sageline_cli.console.endpoints.deletion import what_goes
from sageline_cli.console.endpoints.row_form import form_of
from sageline_cli.console.endpoints.serving import deploying_run, find_serving, serving_of, variants_before
from sageline_cli.console.endpoints.side_by_side import begin
from sageline_cli.console.views import stack_of, views_of
from sageline_cli.errors import CommandFailed
from sageline_cli.states import DOES

_USUAL_HOURS = 3


def list_endpoints(request: Request) -> Response:
    return views_of(request).page("endpoints.html", section="endpoints")


def list_rows(request: Request) -> Response:
    """The rows of the list; what is to be looked up of the costs is left to the next poll, which comes at once."""
    connection, prices, now = stack_of(request).get(), _prices_of(request), datetime.now(UTC)
    endpoints = connection.api.endpoints()
    runs = {variant["model_version"] for endpoint in endpoints for variant in endpoint["variants"]}
    is_complete = "costs" in request.query_params or prices.is_known(runs)
    costs = costs_so_far(connection, endpoints, prices.of(connection, runs), now) if is_complete else {}
    rows = [
        {
            "endpoint": endpoint,
            "variants": serving_of(endpoint).variants,
            "changed": end.ago(endpoint.get("updated_at"), now),
            "end": end.end_of(endpoint, now),
            "cost": costs.get(endpoint["name"]),
        }
        for endpoint in endpoints
    ]
    page = views_of(request).page("endpoints/rows.html", rows=rows)
    if not is_complete:
        page.headers["HX-Trigger-After-Swap"] = "costs-missing"
    return page


def show_endpoint(request: Request) -> Response:
    serving = find_serving(stack_of(request).get(), request.path_params["name"])
    hours = [(hours, f"{hours} h" if hours < 48 else f"{hours // 24} days") for hours in metrics.PERIODS]
    return views_of(request).page("endpoint.html", section="endpoints", serving=serving, hours=hours, usual=_USUAL_HOURS)


def show_status(request: Request) -> Response:
    """What is polled. ``seen`` is the state of which the page has the controls, empty while it has none: only when it is another
    are they fetched anew, as what a person has filled in is then lost."""
    connection, now, name = stack_of(request).get(), datetime.now(UTC), request.path_params["name"]
    asked = begin(partial(connection.api.endpoint, name))
    try:
        serving = find_serving(connection, name)
        deploying = deploying_run(connection, serving)
        endpoint = asked.result()
    except CommandFailed as error:
        if error.code != "EndpointNotFound":
            raise
        return _gone(request, name)
    prices = _prices_of(request).of(connection, [variant.run_id for variant in serving.variants])
    cost = costs_so_far(connection, [endpoint], prices, now)[name]
    page = views_of(request).page(
        "endpoint/status.html",
        endpoint=endpoint,
        serving=serving,
        deploying=deploying,
        doing=DOES.get(deploying["state"], "") if deploying else "",
        cost=cost,
        end=end.end_of(endpoint, now),
        changed=end.ago(endpoint.get("updated_at"), now),
        prices=prices,
    )
    seen, state = request.query_params.get("seen"), serving.state(deploying)
    if seen and seen != state:
        page.headers["HX-Trigger-After-Swap"] = json.dumps({"endpoint-changed": state})
    return page


def show_controls(request: Request) -> Response:
    """What can be done to the endpoint at this moment."""
    connection, name = stack_of(request).get(), request.path_params["name"]
    serving = find_serving(connection, name)
    before = begin(partial(variants_before, connection, serving))
    deploying = deploying_run(connection, serving)
    return views_of(request).page(
        "endpoint/controls.html",
        serving=serving,
        deploying=deploying,
        before=before.result(),
        state=serving.state(deploying),
    )


def show_traffic(request: Request) -> Response:
    connection, name = stack_of(request).get(), request.path_params["name"]
    asked = request.query_params.get("hours", "")
    hours = int(asked) if asked.isdecimal() and int(asked) in metrics.PERIODS else _USUAL_HOURS
    variants = [variant.name for variant in find_serving(connection, name).variants]
    traffic = metrics.read_traffic(connection.watching.cloudwatch, name, variants, hours, datetime.now(UTC))
    return views_of(request).page(
        "endpoint/traffic.html",
        traffic=traffic,
        summaries=traffic_view.summaries(traffic),
        plots=traffic_view.plots(traffic),
        is_local=connection.is_local,
    )


def show_row_form(request: Request) -> Response:
    api, name = stack_of(request).get().api, request.path_params["name"]
    asked = begin(partial(api.row_schema, name))
    endpoint = api.endpoint(name)
    try:
        schema = asked.result()
    except CommandFailed:  # the form does without: a stack may be older than the route, or its encoder gone
        schema = None
    return views_of(request).page("endpoint/row_form.html", name=name, form=form_of(endpoint, schema))


def show_deletion(request: Request) -> Response:
    """What would be deleted, and the form that deletes it."""
    connection, name = stack_of(request).get(), request.path_params["name"]
    serving = find_serving(connection, name)
    variants = [variant.name for variant in serving.variants]
    asked = begin(partial(connection.api.endpoint, name))
    alarms = metrics.read_alarms(connection.watching.cloudwatch, name, variants)
    return views_of(request).page("endpoint/deletion.html", name=name, parts=what_goes(serving, asked.result(), alarms))


def _prices_of(request: Request) -> VariantPrices:
    prices: VariantPrices = request.app.state.prices
    return prices


def _gone(request: Request, name: str) -> Response:
    page = views_of(request).page("endpoint/gone.html", name=name, deleted=None)
    page.headers.update({"HX-Retarget": "#endpoint", "HX-Reswap": "innerHTML"})
    return page


ROUTES = [
    Route("/endpoints", list_endpoints),
    Route("/endpoint-rows", list_rows),
    Route("/endpoints/{name}", show_endpoint),
    Route("/endpoints/{name}/status", show_status),
    Route("/endpoints/{name}/controls", show_controls),
    Route("/endpoints/{name}/traffic", show_traffic),
    Route("/endpoints/{name}/row", show_row_form, methods=["GET"]),
    Route("/endpoints/{name}/deletion", show_deletion),
]
