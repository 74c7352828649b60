"""DiscardDeployment: undo what a run has deployed, when it failed or was stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from sageline.deployment.alarms import RolloutAlarms
from sageline.deployment.autoscaling import Scaling
from sageline.deployment.delete import end_endpoint
from sageline.deployment.endpoints import (
    BUSY_STATUSES,
    Endpoint,
    delete_config,
    find_config,
    find_endpoint,
    remove_config,
    remove_models,
    set_weights_now,
    settled_endpoint,
    update_endpoint,
)
from sageline.deployment.lifetime import Schedules
from sageline.deployment.scale_variants import scale_variants
from sageline.errors import EndpointFailed, ResourceConflict, RunFinished
from sageline.names import models_like, routing_key
from sageline.runs.context import RunContext
from sageline.runs.deployment_record import DeploymentRecord, deployment_of, rollout_config, without_variants
from sageline.runs.endpoint_change import EndpointChange, change_of
from sageline.runs.payloads import Discarded
from sageline.runs.routing import Routing
from sageline.runs.store import RunRecord, iso

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


Settle: TypeAlias = Callable[[], Endpoint | None]


def discard(run_id: str, *, schedule_group: str | None = None, run: RunContext) -> Discarded:
    """Undo what a run has deployed: an endpoint that it made goes, one that it updated goes back to what it served before.

    The old variants get their traffic back first, at once; then the new one goes. Done twice, or when the run has deployed
    nothing, it does nothing. A run that has succeeded is left alone, but for a candidate, whose model is not needed any more
    once it has answered; and so is an endpoint that serves another run by now. The models of a run's candidates go with it.

    Args:
        schedule_group: where an endpoint that the run made has its schedule; only PromoteVariant makes one. An endpoint that was
            there before keeps the time to live that it has by now.

    Raises:
        EndpointNotReady: the endpoint is still changing; do it again when that is done.
        EndpointFailed, ResourceConflict: the endpoint cannot go back to what it served before.
    """
    sagemaker = run.clients.sagemaker
    record = run.store.get(run_id)
    if record.status == "Succeeded" and "candidate_of" not in record.details:
        return {"discarded": []}
    of_candidates = [found for model in _candidates(record) for found in remove_models(sagemaker, model)]
    deployment = deployment_of(record)
    if deployment is None:
        return {"discarded": of_candidates + _remove_unplanned(run_id, record, run)}
    _route_back(run_id, deployment, _weights_before(deployment, change_of(record)), run)
    settle = partial(settled_endpoint, deployment.endpoint, run)
    if deployment.previous_config is None or _was_deleted(deployment.endpoint, run):
        removed = _remove_first(run_id, deployment, settle, schedule_group, run)
    else:
        removed = _go_back(run_id, deployment, settle, schedule_group, run)
    removed += RolloutAlarms(run).remove([run_id]) if deployment.rollout else []
    kept = {model for variant in deployment.previous_variants for model in models_like(variant.model_name)}
    for config in sorted(deployment.configs(run_id)):
        removed += remove_config(sagemaker, config, keep=kept)
    for model in dict.fromkeys((run_id, *(variant.model_name for variant in deployment.added))):
        removed += remove_models(sagemaker, model)
    return {"discarded": of_candidates + removed}


@contextmanager
def undone_if_ended(run_id: str, *, schedule_group: str | None = None, run: RunContext) -> Iterator[None]:
    """Work of a run that is stopped meanwhile: whoever stopped it found only a part of what is there in the end.

    Raises:
        RunFinished: the run was stopped.
    """
    try:
        yield
    finally:
        ended = run.store.get(run_id).status in ("Stopped", "Failed")
        if ended:
            discard(run_id, schedule_group=schedule_group, run=run)
    if ended:
        raise RunFinished(f"Run {run_id} was stopped while it was changing its endpoint; what it had done is undone.")


def _remove_unplanned(run_id: str, record: RunRecord, run: RunContext) -> list[str]:
    """What a run has made that is not known to have deployed anything: its config is made before that is noted."""
    sagemaker = run.clients.sagemaker
    removed = [found for config in (run_id, rollout_config(run_id)) for found in delete_config(sagemaker, config)]
    return removed + [found for model in _models(run_id, record, run) for found in remove_models(sagemaker, model)]


def _candidates(record: RunRecord) -> list[str]:
    """The runs that train the algorithms of ``auto``; each has a model of that name until it has answered."""
    return [candidate["run_id"] for candidate in record.details.get("candidates") or []]


def _models(run_id: str, record: RunRecord, run: RunContext) -> list[str]:
    """The models that a run may have made before it came to deploy anything; each stands for the other of its artifact, too."""
    change = change_of(record)
    if change is None:
        return [run_id]
    serving = {variant.model_version for variant in run.routings.variants(change.goal.endpoint)}
    return [variant.model_name for variant in change.goal.variants if variant.model_version not in serving]


def _weights_before(deployment: DeploymentRecord, change: EndpointChange | None) -> dict[str, float]:
    """What the old variants had when the run began: a change among variants that serve has given them its weights before."""
    before = {variant.name: variant.weight for variant in deployment.previous_variants}
    goal = {variant.name: variant.weight for variant in deployment.goal.variants}
    return dict.fromkeys(before, 0.0) | goal if change is not None and goal.keys() <= before.keys() else before


def _route_back(run_id: str, deployment: DeploymentRecord, weights: Mapping[str, float], run: RunContext) -> None:
    """Give the old variants their traffic back if the run's have got any, before anything that takes time."""
    stored = run.routings.find(deployment.endpoint)
    if stored is None or stored.routing is None or deployment.previous_config is None:
        return
    routed = {variant.name: variant for variant in stored.routing.variants}
    added, ours = {variant.name for variant in deployment.added}, deployment.configs(run_id)
    if not any(variant.name in added or variant.endpoint_config in ours for variant in routed.values()):
        return  # undone already; whatever weights the others have now, somebody else gave them
    if weights.keys() <= routed.keys() and not any(routed[name].weight for name in added & routed.keys()):
        return  # they have it; maybe shared in another way by now
    others = routed.keys() - weights.keys() - added
    old = [replace(routed.get(variant.name, variant), weight=weights[variant.name]) for variant in deployment.previous_variants]
    if others:
        # Another run deploys to the endpoint by now: what is not routed to is not there.
        old = [variant for variant in old if variant.name in routed]
    rest = [replace(variant, weight=0.0) if name in added else variant for name, variant in routed.items() if name not in weights]
    routing = Routing(deployment.endpoint, (*old, *rest), iso(run.clock()))
    run.routings.write(routing, stored)
    endpoint = find_endpoint(deployment.endpoint, run)
    if endpoint is not None and endpoint.status not in BUSY_STATUSES:
        set_weights_now(run.clients.sagemaker, routing)


def _was_deleted(endpoint: str, run: RunContext) -> bool:
    """Whether somebody has deleted an endpoint: then the run may have made something for it since, and it alone knows what was
    there before."""
    return run.routings.find(endpoint) is None and find_endpoint(endpoint, run) is None


def _remove_first(
    run_id: str, deployment: DeploymentRecord, settle: Settle, schedule_group: str | None, run: RunContext
) -> list[str]:
    sagemaker = run.clients.sagemaker
    endpoint = settle()
    if endpoint is not None and endpoint.config != run_id:
        return _forget_variants(run_id, deployment, run)
    removed = _remove_made_by_name(deployment, schedule_group, run)
    removed += [] if endpoint is None else end_endpoint(endpoint, sagemaker)
    for config in deployment.leftovers(run_id):
        removed += remove_config(sagemaker, config)
    return removed + _forget_variants(run_id, deployment, run)


def _remove_made_by_name(deployment: DeploymentRecord, schedule_group: str | None, run: RunContext) -> list[str]:
    """What can be made for an endpoint that is not there."""
    targets = Scaling(run).remove(deployment.endpoint, [variant.name for variant in deployment.goal.variants])
    return targets + ([] if schedule_group is None else Schedules(run, schedule_group).remove(deployment.endpoint))


def _go_back(run_id: str, deployment: DeploymentRecord, settle: Settle, schedule_group: str | None, run: RunContext) -> list[str]:
    sagemaker = run.clients.sagemaker
    endpoint, ours = settle(), deployment.configs(run_id)
    if endpoint is None:
        return _remove_made_by_name(deployment, schedule_group, run) + _forget_variants(run_id, deployment, run)
    removed = []
    if endpoint.config in {*ours, deployment.previous_config}:
        removed += Scaling(run).remove(deployment.endpoint, [variant.name for variant in deployment.added])
    # A failed endpoint serves nothing and cannot be updated; the next deployment deletes it and makes it anew.
    if endpoint.config in ours and endpoint.status != "Failed":
        _switch_back(endpoint, deployment, sagemaker)
        endpoint = settle()
        if endpoint is not None and endpoint.config in ours:
            raise EndpointFailed(
                f"Endpoint {endpoint.name} could not go back to {deployment.previous_config} and still serves the variant of "
                f"run {run_id}: {endpoint.failure_reason or 'SageMaker gives no reason'}. Start another run, or delete it."
            )
    if endpoint is not None and endpoint.config == deployment.previous_config:
        scale_variants(deployment.endpoint, deployment.removed, run)
    removed += _forget_variants(run_id, deployment, run)
    stored = run.routings.find(deployment.endpoint)
    if endpoint is not None and endpoint.config == deployment.previous_config and stored and stored.routing:
        # The config has the weights that it was made with.
        set_weights_now(sagemaker, stored.routing)
    return removed


def _switch_back(endpoint: Endpoint, deployment: DeploymentRecord, sagemaker: SageMakerClient) -> None:
    previous = deployment.previous_config
    config = None if previous is None else find_config(sagemaker, previous)
    if previous is None or config is None:
        raise ResourceConflict(
            f"Endpoint {endpoint.name} cannot go back to {previous}: that endpoint config was deleted. It goes on serving the "
            f"variant {endpoint.config}, whose run failed; start another run, or delete the endpoint (sageline delete "
            f"{endpoint.name})."
        )
    now = find_config(sagemaker, endpoint.config)
    serving = {variant["VariantName"]: variant for variant in now["ProductionVariants"]} if now else {}
    is_on_instances = any("ServerlessConfig" not in variant for variant in serving.values())
    if is_on_instances and any("ServerlessConfig" in variant for variant in config["ProductionVariants"]):
        raise ResourceConflict(
            f"Endpoint {endpoint.name} cannot go back to {previous}: it runs on instances now, and SageMaker does not let it "
            f"change back to serverless. It goes on serving the variant {endpoint.config}, whose run failed; start another run, "
            f"or delete the endpoint (sageline delete {endpoint.name})."
        )
    keeps_variants = any(variant["VariantName"] in serving for variant in config["ProductionVariants"])
    update_endpoint(sagemaker, endpoint.name, previous, keeps_variants=keeps_variants)


def _forget_variants(run_id: str, deployment: DeploymentRecord, run: RunContext) -> list[str]:
    """Take what a run has brought out of an endpoint's routing, and what it has put on its own config back on the one before; a
    routing without any variant goes."""
    stored = run.routings.find(deployment.endpoint)
    if stored is None or stored.routing is None:
        return []
    added = {variant.name for variant in deployment.added}
    before, ours = {variant.name: variant for variant in deployment.previous_variants}, deployment.configs(run_id)
    left = tuple(
        replace(before.get(variant.name, variant), weight=variant.weight) if variant.endpoint_config in ours else variant
        for variant in without_variants(stored.routing, added)
    )
    if left == stored.routing.variants:
        return []
    if left:
        run.routings.write(Routing(deployment.endpoint, left, iso(run.clock())), stored)
        return []
    run.routings.delete(deployment.endpoint)
    return [routing_key(deployment.endpoint)]
