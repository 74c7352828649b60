"""What an endpoint serves: its variants and their shares, and which run is changing them.

The stack's routing document says so, which is read from S3 in a hundredth of the time that the HTTP API needs to ask SageMaker.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from botocore.exceptions import ClientError

from sageline.errors import InvalidRouting
from sageline.json_objects import Json
from sageline.names import routing_key
from sageline.runs.routing import Routing, parse_routing
from sageline_cli.connection import Connection
from sageline_cli.console.endpoints.side_by_side import all_of
from sageline_cli.errors import CommandFailed


@dataclass(frozen=True)
class ServedVariant:
    """A model version that an endpoint serves."""

    name: str
    percent: float
    """Its share of the traffic."""
    run_id: str
    """The run that has trained the model."""


@dataclass(frozen=True)
class Serving:
    """What an endpoint serves. ``routing`` is None where the routing document could not be read (no permission, damaged)."""

    endpoint: str
    variants: tuple[ServedVariant, ...]
    routing: Routing | None

    @property
    def is_split(self) -> bool:
        return len(self.variants) > 1

    def state(self, deploying: Json | None) -> str:
        """Changes with everything that decides what may be done to the endpoint."""
        told = [(variant.name, round(variant.percent, 6)) for variant in self.variants]
        run = None if deploying is None else (deploying["run_id"], deploying["status"])
        return hashlib.sha256(repr((told, run)).encode()).hexdigest()[:16]


def find_serving(connection: Connection, name: str) -> Serving:
    """What the endpoint serves at this moment.

    Raises:
        CommandFailed: there is no such endpoint (``EndpointNotFound``), or nobody says what it serves.
    """
    routing = _read_routing(connection, name)
    if routing is None:
        return serving_of(connection.api.endpoint(name))
    weights = {variant.name: variant.weight for variant in routing.variants}
    shares = percents(weights)
    return Serving(name, tuple(ServedVariant(v.name, shares[v.name], v.model_version) for v in routing.variants), routing)


def serving_of(endpoint: Json) -> Serving:
    """The same, as the HTTP API says it."""
    shares = percents({variant["name"]: float(variant["weight"]) for variant in endpoint["variants"]})
    variants = tuple(ServedVariant(v["name"], shares[v["name"]], v["model_version"]) for v in endpoint["variants"])
    return Serving(endpoint["name"], variants, None)


def percents(weights: Mapping[str, float]) -> dict[str, float]:
    """Shares of the traffic that add up to 100; all 0 where no variant has any."""
    total = sum(weights.values())
    return {name: 100 * weight / total if total else 0.0 for name, weight in weights.items()}


def deploying_run(connection: Connection, serving: Serving) -> Json | None:
    """The run that is changing the endpoint, if any: the API refuses other changes meanwhile."""
    run_ids = [variant.run_id for variant in serving.variants] if serving.routing is None else serving.routing.runs
    found = all_of(partial(_run, connection, run_id) for run_id in run_ids)
    return next((run for run in found if run is not None and run["status"] == "Running"), None)


def variants_before(connection: Connection, serving: Serving) -> Sequence[str] | None:
    """What rolling back would bring back; empty: nothing has served before. None: that is not known."""
    if serving.routing is None:
        return None
    run = _run(connection, serving.routing.variants[-1].endpoint_config)
    deployment = ((run or {}).get("details") or {}).get("deployment")
    if deployment is None:
        return None
    before = deployment.get("previous_routing") or {}
    return [variant["name"] for variant in before.get("variants", [])]


def _read_routing(connection: Connection, name: str) -> Routing | None:
    key = routing_key(name)
    try:
        document = connection.s3.get_object(Bucket=connection.bucket, Key=key)["Body"].read()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "NoSuchKey":
            raise CommandFailed(f"There is no endpoint {name!r}: it was deleted, or never made.", "EndpointNotFound") from None
        if code in ("AccessDenied", "403"):
            return None
        raise
    try:
        return parse_routing(document, f"s3://{connection.bucket}/{key}")
    except InvalidRouting:
        return None


def _run(connection: Connection, run_id: str) -> Json | None:
    try:
        return connection.api.run(run_id)
    except CommandFailed as error:
        if error.code != "RunNotFound":
            raise
        return None
