"""Change what an endpoint serves: the variants' shares, all traffic for one of them, or back to what it served before.

Where the variants in question serve already, the traffic is theirs at once, by their weights. Then a run of the state machine has
the endpoint let go of the others, or brings back what is gone. While a run is deploying to the endpoint, rolling back stops that
run, which gives the old variants their traffic back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from sageline.api.answers import Changed, EndpointDocument, RunStarted
from sageline.api.endpoints import Endpoints
from sageline.api.requests import PromotionBody
from sageline.api.runs import Runs
from sageline.api.start import Repeatable, RequestKey, Startable, read_request_key
from sageline.aws.http import Event, check_keys, endpoint_name, json_type, read_json_object
from sageline.errors import InvalidRequest, ResourceConflict, RunNotFound
from sageline.json_objects import Json
from sageline.names import NAME_MAX_LENGTH
from sageline.runs.deployment_record import deployment_of
from sageline.runs.endpoint_change import ChangeKind, EndpointChange
from sageline.runs.routing import Routing
from sageline.runs.store import RunRecord, iso

StartRun: TypeAlias = Callable[[Startable], RunStarted]
"""Starts a run."""


class IdempotentRequests(Protocol):
    """What earlier requests with an ``Idempotency-Key`` did: :class:`sageline.api.start.IdempotentRunIds` knows."""

    def find(self, asked: Repeatable) -> dict[str, str] | None: ...

    def stopping(self, asked: Repeatable, run_id: str) -> None: ...


@dataclass(frozen=True)
class RequestedChange:
    """A change as it was requested: what is to serve may differ when the same request comes again."""

    endpoint: str
    kind: ChangeKind
    body: Json
    request_key: RequestKey

    @property
    def compared(self) -> Json:
        return {"endpoint": self.endpoint, "kind": self.kind, "asked": self.body}


@dataclass(frozen=True)
class ChangeStart:
    """The change to make: a :class:`sageline.api.start.Startable`."""

    asked: RequestedChange
    change: EndpointChange

    @property
    def request_key(self) -> RequestKey:
        return self.asked.request_key

    @property
    def compared(self) -> Json:
        return self.asked.compared

    @property
    def name(self) -> str:
        """The endpoint's name, as far as it can be a run's."""
        return re.sub(r"[^a-z0-9]+", "-", self.asked.endpoint.lower())[:NAME_MAX_LENGTH].strip("-")

    @property
    def trigger(self) -> Json:
        return {"change": self.change.to_json()}


def promote(event: Event, endpoints: Endpoints, runs: Runs, start: StartRun, remembered: IdempotentRequests) -> Changed:
    """Give one variant all the traffic, and have the others go. Body: ``{"variant": …}``.

    Returns the run that lets the others go; ``run_id`` is None, and ``status`` Succeeded,
    when there are no others.

    Raises:
        EndpointNotFound: there is no routing of that name.
        EndpointNotReady: the endpoint is being made or changed.
        InvalidRequest: not JSON, unknown or missing keys, a variant that the endpoint does not have.
        ResourceConflict: a run is deploying to the endpoint.
    """
    name = endpoint_name(event)
    body = read_json_object(event)
    check_keys(body, known=PromotionBody.__annotations__, required=PromotionBody.__required_keys__)
    wanted = body["variant"]
    if not isinstance(wanted, str):
        raise InvalidRequest(f"`variant` is a JSON {json_type(wanted)}; send a variant's name.", key="variant")
    asked = RequestedChange(name, "promote", body, read_request_key(event))
    if again := _answered(asked, runs, remembered):
        return again
    routing = endpoints.routing(name)
    variant = endpoints.variant(name, wanted)
    _check_free(routing, runs)
    if len(routing.variants) == 1:
        return {"endpoint": name, "run_id": None, "status": "Succeeded"}
    goal = Routing(name, (variant,), routing.updated_at).with_weights({wanted: 1.0}, iso(endpoints.context.clock()))
    endpoints.change(name, {"weights": {other.name: float(other.name == wanted) for other in routing.variants}})
    return _started(asked, EndpointChange("promote", goal, {}, _weights(routing)), endpoints, start)


def roll_back(event: Event, endpoints: Endpoints, runs: Runs, start: StartRun, remembered: IdempotentRequests) -> Changed:
    """Go back to what the endpoint served before: stop the run that is deploying to it, or undo what the last one did.

    Returns the run that was stopped (status Stopped), or the one that brings back what
    served before.

    Raises:
        EndpointNotFound: there is no routing of that name.
        EndpointNotReady: the endpoint is being changed; the traffic is the old variants' already, send the request again.
        ResourceConflict: nothing has served before, or it is not known any more.
    """
    name = endpoint_name(event)
    asked = RequestedChange(name, "rollback", {}, read_request_key(event))
    # Before anything else: the run that is deploying now may be what the same request has started.
    if again := _answered(asked, runs, remembered):
        return again
    routing = endpoints.routing(name)
    deploying = _deploying(routing, runs)
    if deploying is not None:
        remembered.stopping(asked, deploying.run_id)
        return {"endpoint": name, "run_id": deploying.run_id, "status": runs.stop(deploying.run_id).status}
    change = _change_back(routing, endpoints, runs)
    there = {variant.name for variant in routing.variants}
    if {variant.name for variant in change.goal.variants} <= there:
        weights = dict.fromkeys(there, 0.0) | _weights(change.goal)
        endpoints.change(name, {"weights": weights})
    return _started(asked, change, endpoints, start)


def split(event: Event, endpoints: Endpoints, runs: Runs) -> EndpointDocument:
    """Like :meth:`Endpoints.change`, but not while a run sets the weights.

    Raises:
        ResourceConflict: weights are asked for while a run is deploying to the endpoint.
    """
    name, body = endpoint_name(event), read_json_object(event)
    if "weights" in body:
        _check_free(endpoints.routing(name), runs)
    return endpoints.change(name, body)


def _answered(asked: RequestedChange, runs: Runs, remembered: IdempotentRequests) -> Changed | None:
    """The answer to a request that comes again with its key; None if its run has not begun: then it is made sure that it does."""
    noted = remembered.find(asked)
    if noted is None:
        return None
    run_id = noted["run_id"]
    try:
        run = runs.stop(run_id) if "stops" in noted else runs.get(run_id)
    except RunNotFound:
        return None
    return {"endpoint": asked.endpoint, "run_id": run_id, "status": run.status}


def _started(asked: RequestedChange, change: EndpointChange, endpoints: Endpoints, start: StartRun) -> Changed:
    run = start(ChangeStart(asked, change))
    endpoints.note(asked.endpoint, run["run_id"])
    return {"endpoint": asked.endpoint, "run_id": run["run_id"], "status": run["status"]}


def _check_free(routing: Routing, runs: Runs) -> None:
    deploying = _deploying(routing, runs)
    if deploying is not None:
        raise ResourceConflict(
            f"Run {deploying.run_id} is deploying to endpoint {routing.endpoint}, and sets its weights; wait until it is done, "
            f"or undo it first (POST /endpoints/{routing.endpoint}/rollback)."
        )


def _change_back(routing: Routing, endpoints: Endpoints, runs: Runs) -> EndpointChange:
    """The change that undoes what the last run did to an endpoint: the run that made the endpoint config it has now."""
    name = routing.endpoint
    made_by = routing.variants[-1].endpoint_config
    try:
        deployment = deployment_of(runs.context.store.get(made_by))
    except RunNotFound:
        deployment = None
    if deployment is None or deployment.previous_routing is None:
        raise ResourceConflict(f"Endpoint {name} cannot go back: run {made_by} made it, or what it served before is not known.")
    before = deployment.previous_routing
    goal = Routing(name, before.variants, iso(endpoints.context.clock()))
    return EndpointChange("rollback", goal, deployment.capacities or {}, _weights(routing))


def _weights(routing: Routing) -> dict[str, float]:
    return {variant.name: variant.weight for variant in routing.variants}


def _deploying(routing: Routing, runs: Runs) -> RunRecord | None:
    """The run that is deploying to an endpoint."""
    for run_id in routing.runs:
        try:
            run = runs.get(run_id)
        except RunNotFound:
            continue
        if run.status == "Running":
            return run
    return None
