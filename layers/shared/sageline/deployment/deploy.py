"""DeployEndpoint: bring what a run is to deploy behind its endpoint, without any traffic yet.

An endpoint that exists is switched in one update, to a config with the new variant instead of the old ones, or beside them.
Until PromoteVariant the routing holds the old variants with their weights and, at weight 0, the new one: whichever the endpoint
serves at a moment, predictions find it with its own encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from sageline.deployment.autoscaling import Scaling
from sageline.deployment.delete import end_endpoint
from sageline.deployment.discard import undone_if_ended
from sageline.deployment.endpoints import (
    BUSY_STATUSES,
    Endpoint,
    beside_serverless,
    capacity,
    check_capacity_change,
    create_endpoint,
    ensure_config,
    find_config,
    find_endpoint,
    find_model,
    update_endpoint,
)
from sageline.deployment.requests import OnDemand, OnInstances, create_endpoint_request, production_variant
from sageline.errors import EndpointNotReady, InvalidSpec, ResourceConflict, RunNotFound
from sageline.names import serving_model
from sageline.runs.context import RunContext
from sageline.runs.deployment_record import (
    DeploymentRecord,
    capacities_in,
    deployment_of,
    rollout_config,
    rollout_of,
    routed_variant,
    share_traffic,
    without_variants,
)
from sageline.runs.endpoint_change import EndpointChange, change_of
from sageline.runs.payloads import DeployedEndpoint
from sageline.runs.routing import RoutedVariant, Routing
from sageline.runs.routing_store import StoredRouting
from sageline.runs.store import RunRecord, iso
from sageline.spec.deployment import BESIDE, DeploymentSpec

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import ProductionVariantOutputTypeDef, ProductionVariantTypeDef


@dataclass(frozen=True)
class _Current:
    """The endpoint when a run begins to deploy. ``routing`` is None where nothing is routed to; ``serving`` are the variants of
    the endpoint's config, none when there is no endpoint."""

    name: str
    endpoint: Endpoint | None
    routing: Routing | None
    serving: Sequence[ProductionVariantOutputTypeDef]


@dataclass(frozen=True)
class _Plan:
    """What to note, and the variants of the endpoint config to make."""

    deployment: DeploymentRecord
    variants: Sequence[ProductionVariantTypeDef]


def deploy(run_id: str, content_type: str, *, run: RunContext) -> DeployedEndpoint:
    """Create or update the run's endpoint; SageMaker goes on with it after this has returned.

    Args:
        content_type: what the run's model takes; a change of what serves has none.

    Raises:
        EndpointNotReady: the endpoint is being changed, or another run is deploying to it; try again later.
        ResourceConflict: the endpoint is not this stack's, or cannot become what the spec asks for.
        RunFinished: the run was stopped meanwhile.
        InvalidSpec: the run's spec says that nothing is deployed.
    """
    run.store.enter(run_id, "DeployEndpoint")
    with undone_if_ended(run_id, run=run):
        return _deploy(run_id, content_type, run)


def _deploy(run_id: str, content_type: str, run: RunContext) -> DeployedEndpoint:
    sagemaker, scaling = run.clients.sagemaker, Scaling(run)
    record = run.store.get(run_id)
    known, change = deployment_of(record), change_of(record)
    wanted = None if change else _wanted(run_id, run)
    name = _endpoint_name(record, change, wanted)
    endpoint = find_endpoint(name, run)
    if endpoint is not None and known is not None and known.config in endpoint.configs:
        return _answer(run_id, endpoint.arn, known, change)
    stored = run.routings.find(name)
    if change is not None and endpoint is None and stored is None:
        raise ResourceConflict(f"Endpoint {name} was deleted, so there is nothing to change. Start another run.")
    _check_free(run, name, run_id, stored)
    serving = _serving(sagemaker, endpoint)
    if endpoint is not None:
        if endpoint.status == "Failed":
            scaling.remove(name, [variant["VariantName"] for variant in serving])
        _check_updatable(sagemaker, endpoint, capacity(wanted) if wanted else None)
    # What an earlier try has routed to is not there yet.
    mine = {variant.name for variant in known.added} if known else {run_id}
    old = without_variants(stored.routing, mine) if stored and stored.routing else ()
    if known and endpoint is None and stored and not old:
        # An earlier try has taken a failed endpoint's variants out already.
        old = known.previous_variants
    now = iso(run.clock())
    current = _Current(name, endpoint, Routing(name, old, now) if old else None, serving)
    if change is not None:
        plan = _plan_of_change(run_id, change, current)
        _check_models(sagemaker, plan.deployment.goal)
    else:
        layout = run.files.layout(run_id)
        wanted = wanted or DeploymentSpec()
        serverless = isinstance(capacity(wanted), OnDemand)
        new = routed_variant(run_id, layout.uri(layout.encoder_prefix), content_type, serverless=serverless)
        plan = _plan_of_model(run_id, new, wanted, current, now)
    deployment = plan.deployment
    ensure_config(deployment.config, run_id, plan.variants, run)
    run.store.enter(run_id, "DeployEndpoint", deployment=deployment.to_json())
    run.routings.write(_meanwhile(deployment, current, now), stored)
    names = {variant["VariantName"] for variant in plan.variants}
    leaving = [variant["VariantName"] for variant in serving if variant["VariantName"] not in names]
    scaling.remove(name, leaving)
    keeps_variants = len(leaving) < len(serving)
    if endpoint is None:
        request = create_endpoint_request(endpoint_name=name, run_id=run_id, stack_name=run.stack_name)
        arn = create_endpoint(sagemaker, request)
    else:
        arn = update_endpoint(sagemaker, name, deployment.config, keeps_variants=keeps_variants)
    return _answer(run_id, arn, deployment, change)


def _wanted(run_id: str, run: RunContext) -> DeploymentSpec:
    wanted = run.files.read_spec(run_id).deployment
    if wanted is None:
        raise InvalidSpec('The run\'s spec says `"deployment": null`, so there is nothing to deploy.')
    return wanted


def _endpoint_name(record: RunRecord, change: EndpointChange | None, wanted: DeploymentSpec | None) -> str:
    if change is not None:
        return change.goal.endpoint
    return (wanted.endpoint if wanted else None) or record.name


def _plan_of_model(run_id: str, new: RoutedVariant, wanted: DeploymentSpec, current: _Current, now: str) -> _Plan:
    """The run's own model: instead of what serves, or beside it, for a while or for good."""
    beside = _beside(current) if current.endpoint and current.routing and wanted.strategy in BESIDE else []
    rollout = rollout_of(wanted) if beside else None
    goal: tuple[RoutedVariant, ...] = (new,)
    if beside and current.routing and rollout is None:
        staying = share_traffic(current.routing.variants, 1 - wanted.share)
        goal = (*(replace(v, endpoint_config=run_id) for v in staying), replace(new, weight=wanted.share))
    deployment = DeploymentRecord(
        endpoint=current.name,
        config=rollout_config(run_id) if rollout else run_id,
        goal=Routing(current.name, goal, now),
        previous_config=current.endpoint.config if current.endpoint else None,
        previous_routing=current.routing,
        rollout=rollout,
        capacities=capacities_in(current.serving),
    )
    own = production_variant(run_id, new.model_name, capacity(wanted), 0.0 if beside else 1.0)
    return _Plan(deployment, [*beside, own])


def _plan_of_change(run_id: str, change: EndpointChange, current: _Current) -> _Plan:
    """Variants that serve already, or have served before, each on what it ran on: as far as SageMaker lets it."""
    serving = {variant["VariantName"]: variant for variant in current.serving}
    runs_on: list[dict[str, object]] = [*capacities_in(current.serving).values()]
    on_instances = any("InstanceType" in kind for kind in runs_on)
    variants, goal = [], []
    for variant in change.goal.variants:
        ran_on = capacities_in([serving[variant.name]])[variant.name] if variant.name in serving else None
        kind = ran_on or change.capacities.get(variant.name) or next(iter(runs_on), {})
        if on_instances and "ServerlessConfig" in kind:
            # From instances SageMaker lets nothing go back to serverless.
            kind = next(other for other in runs_on if "InstanceType" in other)
        serverless = "ServerlessConfig" in kind
        # What serves goes on with its model, which may have been made before serverless endpoints got one of their own.
        model = variant.model_name if ran_on else serving_model(variant.model_version, serverless=serverless)
        made = {"VariantName": variant.name, "ModelName": model, "InitialVariantWeight": variant.weight, **kind}
        variants.append(cast("ProductionVariantTypeDef", made))  # a config's own words, kept as JSON
        goal.append(replace(variant, model_name=model, endpoint_config=run_id, serverless=serverless))
    deployment = DeploymentRecord(
        endpoint=current.name,
        config=run_id,
        goal=replace(change.goal, variants=tuple(goal)),
        previous_config=current.endpoint.config if current.endpoint else None,
        previous_routing=current.routing and current.routing.with_weights(change.weights_before, current.routing.updated_at),
        capacities=capacities_in(current.serving),
    )
    return _Plan(deployment, variants)


def _check_models(sagemaker: SageMakerClient, goal: Routing) -> None:
    """RestoreModels has seen to them; but while this run has waited, another may have replaced what was to serve."""
    for variant in goal.variants:
        if find_model(sagemaker, variant.model_name) is None:
            raise ResourceConflict(
                f"Model {variant.model_name} is to serve on endpoint {goal.endpoint}, and was deleted while this run "
                "waited for another one that was deploying there. If it is still to serve, send the request again."
            )


def _meanwhile(deployment: DeploymentRecord, current: _Current, now: str) -> Routing:
    """The routing until the run's variants have their traffic."""
    if not current.endpoint or not current.routing:
        # Where no endpoint is, old variants are those of a failed one that was deleted to be made anew.
        return replace(deployment.goal, updated_at=now)
    # Who stays is shown to belong to this run's config, so that no other run begins meanwhile.
    old = tuple(
        replace(staying, weight=variant.weight) if (staying := deployment.goal.variant(variant.name)) else variant
        for variant in current.routing.variants
    )
    return Routing(current.name, (*old, *(replace(variant, weight=0.0) for variant in deployment.added)), now)


def _check_free(run: RunContext, name: str, run_id: str, stored: StoredRouting | None) -> None:
    """Only one run at a time deploys to an endpoint, or each would take the other's variant for the old one."""
    for other_id in stored.routing.runs if stored and stored.routing else ():
        if other_id == run_id:
            continue
        try:
            other = run.store.get(other_id)
        except RunNotFound:
            continue
        if other.status == "Running":
            raise EndpointNotReady(
                f"Run {other.run_id} is deploying to endpoint {name}; this run goes on when that one is done. To go on at once, "
                f"stop it: sageline stop {other.run_id}"
            )


def _serving(sagemaker: SageMakerClient, endpoint: Endpoint | None) -> Sequence[ProductionVariantOutputTypeDef]:
    config = find_config(sagemaker, endpoint.config) if endpoint else None
    return config["ProductionVariants"] if config else []


def _beside(current: _Current) -> list[ProductionVariantTypeDef]:
    """The endpoint's variants as its config has them, with the weights that the routing gives them now.

    Raises:
        ResourceConflict: the endpoint is serverless, or its config is gone.
    """
    if not current.serving or any("ServerlessConfig" in variant for variant in current.serving):
        raise beside_serverless(current.name)
    weights = {variant.name: variant.weight for variant in current.routing.variants} if current.routing else {}
    staying = [variant for variant in current.serving if variant["VariantName"] in weights]
    # What Describe has answered is what Create takes.
    return [
        cast("ProductionVariantTypeDef", {**variant, "InitialVariantWeight": weights[variant["VariantName"]]})
        for variant in staying
    ]


def _check_updatable(sagemaker: SageMakerClient, endpoint: Endpoint, wanted: OnDemand | OnInstances | None) -> None:
    if endpoint.status in BUSY_STATUSES:
        raise EndpointNotReady(f"Endpoint {endpoint.name} is {endpoint.status}; it can be updated when that is done.")
    if endpoint.status == "Failed":
        # AWS: "DeleteEndpoint is the only operation that can be performed on a failed endpoint."
        end_endpoint(endpoint, sagemaker)
        raise EndpointNotReady(f"Endpoint {endpoint.name} had failed and is being deleted; it is made anew when it is gone.")
    if wanted is not None:
        check_capacity_change(sagemaker, endpoint, wanted)


def _answer(run_id: str, arn: str, deployment: DeploymentRecord, change: EndpointChange | None) -> DeployedEndpoint:
    tested = max(deployment.goal.variants, key=lambda variant: (variant.name == run_id, variant.weight))
    return {
        "kind": "endpoint",
        "name": deployment.endpoint,
        "arn": arn,
        "variant": tested.name,
        "model_version": tested.model_version,
        "served_before": change is not None,
    }
