"""What a run's record says about its deployment: what was there before, what is to serve in the end, and how it gets there."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sageline.json_objects import Json
from sageline.names import serving_model
from sageline.runs.routing import RoutedVariant, Routing, parse_routing
from sageline.runs.store import RunRecord
from sageline.spec.deployment import DeploymentSpec

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import ProductionVariantOutputTypeDef

_CAPACITY_FIELDS = ("InstanceType", "InitialInstanceCount", "ServerlessConfig")


@dataclass(frozen=True)
class Rollout:
    """The shares of the traffic that the new variant gets in turn, each below 1, and for how many seconds its alarms are watched
    after each."""

    steps: tuple[float, ...]
    bake_seconds: int


@dataclass(frozen=True)
class DeploymentRecord:
    """Which endpoint a run deploys to, noted before anything is changed.

    ``config`` is the endpoint config that the endpoint is changing to, or has changed to. ``goal`` is who serves once the run
    has succeeded. ``previous_config`` is None when the run makes the endpoint; ``previous_routing`` is None when there was no
    routing, or a damaged one. ``capacities`` says by variant what the previous ones ran on, for going back to them later.
    """

    endpoint: str
    config: str
    goal: Routing
    previous_config: str | None
    previous_routing: Routing | None
    rollout: Rollout | None = None
    capacities: Mapping[str, Json] | None = None

    def to_json(self) -> Json:
        """As it is kept in the run's record."""
        return {
            "endpoint": self.endpoint,
            "config": self.config,
            "goal": _routing_json(self.goal),
            "previous_config": self.previous_config,
            "previous_routing": self.previous_routing and _routing_json(self.previous_routing),
            "rollout": self.rollout and {"steps": list(self.rollout.steps), "bake_seconds": self.rollout.bake_seconds},
            "capacities": dict(self.capacities or {}),
        }

    @property
    def previous_variants(self) -> tuple[RoutedVariant, ...]:
        return self.previous_routing.variants if self.previous_routing else ()

    @property
    def added(self) -> tuple[RoutedVariant, ...]:
        """The variants that the run brings to the endpoint."""
        there = {variant.name for variant in self.previous_variants}
        return tuple(variant for variant in self.goal.variants if variant.name not in there)

    @property
    def removed(self) -> tuple[RoutedVariant, ...]:
        """The variants that do not serve any more once the run has succeeded."""
        return tuple(variant for variant in self.previous_variants if self.goal.variant(variant.name) is None)

    def is_rollout_pending(self, run_id: str) -> bool:
        """Whether the last step of a rollout, which changes the endpoint to the config without the old variants, is still to
        come."""
        return self.rollout is not None and self.config == rollout_config(run_id)

    def configs(self, run_id: str) -> set[str]:
        """The endpoint configs that the run may have made."""
        return {run_id, rollout_config(run_id)}

    def at_share(self, share: float, updated_at: str) -> Routing:
        """The routing while what the run brings has ``share`` of the traffic, and the previous variants share the rest."""
        added = tuple(replace(variant, weight=share) for variant in self.added)
        return Routing(self.endpoint, (*share_traffic(self.previous_variants, 1 - share), *added), updated_at)

    def leftovers(self, run_id: str) -> list[str]:
        """Endpoint configs that nothing needs once the goal is reached; a first try may have planned a rollout."""
        names = [self.previous_config, *(variant.endpoint_config for variant in self.previous_variants), rollout_config(run_id)]
        return list(dict.fromkeys(name for name in names if name is not None and name != run_id))


def deployment_of(record: RunRecord) -> DeploymentRecord | None:
    """The deployment in a run's record; None before DeployEndpoint has begun."""
    found = record.details.get("deployment")
    if found is None:
        return None
    source = f"record of run {record.run_id}"
    rollout, previous = found["rollout"], found["previous_routing"]
    return DeploymentRecord(
        endpoint=found["endpoint"],
        config=found["config"],
        goal=read_routing(found["goal"], source),
        previous_config=found["previous_config"],
        previous_routing=None if previous is None else read_routing(previous, source),
        rollout=None if rollout is None else Rollout(tuple(rollout["steps"]), rollout["bake_seconds"]),
        capacities=found["capacities"],
    )


def read_routing(document: Json, source: str) -> Routing:
    """A routing that is a part of another document."""
    return parse_routing(json.dumps(document).encode(), source)


def _routing_json(routing: Routing) -> Json:
    document: Json = json.loads(routing.dump())
    return document


def rollout_of(wanted: DeploymentSpec) -> Rollout | None:
    """The steps that a spec asks for; None for the strategies without steps."""
    match wanted.strategy:
        case "canary":
            return Rollout((wanted.canary.first_percent / 100,), _seconds(wanted.canary.bake_minutes))
        case "linear":
            step = wanted.linear.step_percent / 100
            shares = tuple(round(step * number, 6) for number in range(1, 6) if step * number < 1 - 1e-9)
            return Rollout(shares, _seconds(wanted.linear.interval_minutes))
        case _:
            return None


def _seconds(minutes: float) -> int:
    """A state's timeout is a whole number of seconds, at least 1."""
    return max(1, round(minutes * 60))


def rollout_config(run_id: str) -> str:
    """The endpoint config of a rollout, with the old variants and the new one; a name has room for 63 characters."""
    return f"{run_id}-rollout"


def routed_variant(run_id: str, encoder_uri: str, content_type: str, *, serverless: bool = False) -> RoutedVariant:
    """The variant of a run, with all the traffic. Variant, model version and endpoint config are named by the run's id; so is the
    model, unless the endpoint is serverless."""
    return RoutedVariant(
        name=run_id,
        weight=1.0,
        model_version=run_id,
        model_name=serving_model(run_id, serverless=serverless),
        encoder_uri=encoder_uri,
        content_type=content_type,
        endpoint_config=run_id,
        serverless=serverless,
    )


def share_traffic(variants: Sequence[RoutedVariant], rest: float) -> tuple[RoutedVariant, ...]:
    """The variants with ``rest`` of the traffic in the proportions that they have now; in equal parts if none has any."""
    total = sum(variant.weight for variant in variants)
    if total == 0:
        return tuple(replace(variant, weight=rest / len(variants)) for variant in variants)
    return tuple(replace(variant, weight=rest * variant.weight / total) for variant in variants)


def without_variants(routing: Routing, names: Collection[str]) -> tuple[RoutedVariant, ...]:
    return tuple(variant for variant in routing.variants if variant.name not in names)


def capacities_in(variants: Sequence[ProductionVariantOutputTypeDef]) -> dict[str, Json]:
    """The capacity of each variant of an endpoint config, by the variant's name."""
    return {
        variant["VariantName"]: {name: value for name, value in variant.items() if name in _CAPACITY_FIELDS}
        for variant in variants
    }
