"""The endpoints that this stack manages: those with a routing document, joined with what SageMaker says of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from sageline.api.answers import EndpointDocument, EndpointList, Variant
from sageline.api.requests import MAX_TTL_HOURS, MAX_WEIGHT, EndpointBody
from sageline.api.unknown_status import LOOKING_SECONDS, UNKNOWN
from sageline.aws.errors import error_summary, is_not_found
from sageline.aws.http import check_keys, json_type
from sageline.aws.settings import LifetimeSettings
from sageline.deployment.endpoints import set_weights
from sageline.deployment.lifetime import Lifetimes, expires_at
from sageline.errors import ConcurrentModification, EndpointNotFound, EndpointNotReady, InvalidRequest, InvalidRouting
from sageline.names import is_endpoint_name
from sageline.runs.context import RunContext
from sageline.runs.routing import RoutedVariant, Routing
from sageline.runs.routing_store import StoredRouting
from sageline.runs.store import iso

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import DescribeEndpointOutputTypeDef

MISSING = "Missing"
"""Status of an endpoint that has routing and is not in SageMaker: not made yet, or deleted by other means."""


@dataclass(frozen=True)
class Endpoints:
    """The endpoints of one stack."""

    context: RunContext
    lifetime: LifetimeSettings

    def list(self) -> EndpointList:
        """All of them, by name."""
        lister = self.context.clients.s3.get_paginator("list_objects_v2")
        pages = lister.paginate(Bucket=self.context.settings.bucket_name, Prefix="endpoints/", Delimiter="/")
        names = [prefix["Prefix"].split("/")[1] for page in pages for prefix in page.get("CommonPrefixes", [])]
        until = self.context.clock() + timedelta(seconds=LOOKING_SECONDS)
        found = []
        for name in filter(is_endpoint_name, names):
            try:
                found.append(self.show(name, until))
            except EndpointNotFound:
                continue  # deleted since, or a folder without routing
        return {"endpoints": found}

    def show(self, name: str, until: datetime | None = None) -> EndpointDocument:
        """An endpoint as it is. ``status`` is SageMaker's EndpointStatus, :data:`MISSING`, or
        :data:`UNKNOWN` where the routing is damaged or SageMaker does not say; then ``failure_reason`` tells why.
        ``expires_at`` is when the endpoint will be deleted; None if it is to be kept.

        Args:
            until: after that nobody is asked.

        Raises:
            EndpointNotFound: there is no routing of that name.
        """
        if until is not None and self.context.clock() >= until:
            return _unknown_json(name, None, "There was no time left to look at it; GET /endpoints/{name} does.")
        routing: Routing | None = None
        try:
            routing = self.routing(name)
            return self._as_json(routing)
        except InvalidRouting:
            reason = "Its routing document is damaged; deploy the endpoint's last run again, or delete the endpoint."
        except (ClientError, BotoCoreError) as error:
            who = "S3 does not give out its routing document" if routing is None else "SageMaker does not say how it is"
            reason = f"{who} ({error_summary(error)}); ask again."
        return _unknown_json(name, routing, reason)

    def champion(self, name: str) -> RoutedVariant | None:
        """The variant with the most traffic; None where the routing is damaged or cannot be read.

        Raises:
            EndpointNotFound: there is no routing of that name.
        """
        try:
            return self.routing(name).champion
        except (InvalidRouting, ClientError, BotoCoreError):
            return None

    def variant(self, name: str, wanted: str | None) -> RoutedVariant:
        """The variant of an endpoint that is asked for, or the one of most weight.

        Raises:
            EndpointNotFound: there is no routing of that name.
            InvalidRequest: the endpoint has no such variant.
        """
        routing = self.routing(name)
        if wanted is None:
            return routing.champion
        _check_variants([wanted], routing)
        return next(variant for variant in routing.variants if variant.name == wanted)

    def routing(self, name: str) -> Routing:
        """The routing of an endpoint: which variants answer.

        Raises:
            EndpointNotFound: there is no routing of that name.
        """
        return self.context.routings.get(name).intact()

    def change(self, name: str, body: Mapping[str, object]) -> EndpointDocument:
        """Set weights of variants (those not named keep theirs), how long the endpoint lives from now on, or both.

        ``body``: ``{"weights": {variant: number}, "ttl_hours": number or None}``, at least one of them. Returns the endpoint.

        Raises:
            EndpointNotFound: there is no routing of that name.
            EndpointNotReady: the endpoint is being made or changed.
            InvalidRequest: an unknown variant, a weight out of range, only zeros, or no time to live.
            ConcurrentModification: somebody else has changed it at the same moment.
        """
        check_keys(body, known=EndpointBody.__annotations__)
        if not body:
            raise InvalidRequest("Nothing is to be changed; send `weights`, `ttl_hours` or both.")
        ttl_hours = _read_ttl(body["ttl_hours"]) if "ttl_hours" in body else None
        stored = self.context.routings.get(name)
        routing = stored.intact()
        if "weights" in body:
            routing = self._split(routing, stored, _read_weights(body, routing))
        if "ttl_hours" in body:
            endpoint = self._describe(name)
            if endpoint is None or endpoint["EndpointStatus"] == "Deleting":
                raise EndpointNotReady(f"Endpoint {name} is not there, or is being deleted: there is nothing to give time to.")
            Lifetimes(self.context, self.lifetime).set(name, endpoint["EndpointArn"], ttl_hours)
        return self._as_json(routing)

    def note(self, name: str, run_id: str) -> None:
        """Note that a run is about to change what the endpoint serves, so that nobody else begins before it does."""
        stored = self.context.routings.get(name)
        with suppress(ConcurrentModification):  # the run itself has written it meanwhile
            self.context.routings.write(replace(stored.intact(), change=run_id), stored)

    def _split(self, routing: Routing, stored: StoredRouting, weights: Mapping[str, float]) -> Routing:
        name = routing.endpoint
        changed = routing.with_weights(weights, iso(self.context.clock()))
        if not any(variant.weight > 0 for variant in changed.variants):
            raise InvalidRequest("All weights would be 0, so that no variant answered; give one of them more.", key="weights")
        endpoint = self._describe(name)
        status = MISSING if endpoint is None else endpoint["EndpointStatus"]
        if endpoint is None or status != "InService":
            raise EndpointNotReady(f"Endpoint {name} has status {status}; its traffic can be split when it is InService.")
        set_weights(self.context.clients.sagemaker, endpoint, changed)
        self.context.routings.write(changed, stored)
        return changed

    def _as_json(self, routing: Routing) -> EndpointDocument:
        endpoint = self._describe(routing.endpoint)
        until = None if endpoint is None else expires_at(self.context.clients.sagemaker, endpoint["EndpointArn"])
        return _endpoint_json(routing, endpoint, until)

    def _describe(self, name: str) -> DescribeEndpointOutputTypeDef | None:
        try:
            return self.context.clients.sagemaker.describe_endpoint(EndpointName=name)
        except ClientError as error:
            if is_not_found(error):
                return None
            raise


def _read_weights(body: Mapping[str, object], routing: Routing) -> dict[str, float]:
    given = body["weights"]
    if not isinstance(given, dict) or not given:
        raise InvalidRequest(f"`weights` is a JSON {json_type(given)}; send an object: {{variant: weight}}.", key="weights")
    _check_variants(given, routing)
    weights = {}
    for variant, weight in given.items():
        if not isinstance(weight, int | float) or isinstance(weight, bool) or not 0 <= weight <= MAX_WEIGHT:
            raise InvalidRequest(f"The weight of {variant} is {weight!r}; use a number from 0 to {MAX_WEIGHT:,}.", key=variant)
        weights[variant] = float(weight)
    return weights


def _check_variants(named: Iterable[str], routing: Routing) -> None:
    known = [variant.name for variant in routing.variants]
    for name in named:
        if name not in known:
            raise InvalidRequest(f"Endpoint {routing.endpoint} has no variant `{name}`; it has: {', '.join(known)}.", key=name)


def _read_ttl(given: object) -> float | None:
    if given is None:
        return None
    if not isinstance(given, int | float) or isinstance(given, bool) or not 0 < given <= MAX_TTL_HOURS:
        raise InvalidRequest(
            f"`ttl_hours` is {given!r}; use a number above 0, at most {MAX_TTL_HOURS:,}, or null to keep the endpoint.",
            key="ttl_hours",
        )
    return float(given)


def _unknown_json(name: str, routing: Routing | None, reason: str) -> EndpointDocument:
    return {
        "name": name,
        "status": UNKNOWN,
        "variants": [] if routing is None else _variants_json(routing),
        "created_at": None,
        "updated_at": None if routing is None else routing.updated_at,
        "expires_at": None,
        "failure_reason": reason,
    }


def _variants_json(routing: Routing) -> list[Variant]:
    return [
        {"name": variant.name, "weight": variant.weight, "model_version": variant.model_version} for variant in routing.variants
    ]


def _endpoint_json(routing: Routing, endpoint: DescribeEndpointOutputTypeDef | None, until: str | None) -> EndpointDocument:
    return {
        "name": routing.endpoint,
        "status": MISSING if endpoint is None else endpoint["EndpointStatus"],
        "variants": _variants_json(routing),
        "created_at": None if endpoint is None else iso(endpoint["CreationTime"]),
        "updated_at": max(routing.updated_at, "" if endpoint is None else iso(endpoint["LastModifiedTime"])),
        "expires_at": until,
        "failure_reason": None if endpoint is None else endpoint.get("FailureReason"),
    }
