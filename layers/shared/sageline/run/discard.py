"""DiscardDeployment: undo what a run has deployed, when it failed or was stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from sageline.errors import EndpointFailed, ResourceConflict
from sageline.names import routing_key
from sageline.routing import Routing
from sageline.run.change import change_of
from sageline.run.context import RunContext
from sageline.run.delete_endpoint import end_endpoint
from sageline.run.deployment import Deployment, deployment_of, without_variants
from sageline.run.endpoints import (
    BUSY_STATUSES,
    Endpoint,
    find_config,
    find_endpoint,
    remove_config,
    remove_model,
    set_weights_now,
    settled_endpoint,
    update_endpoint,
)
from sageline.run.hosting import Hosting
from sageline.run.payloads import Discarded
from sageline.run.scale_variants import scale_variants
from sageline.store import RunRecord, iso

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


Settle: TypeAlias = Callable[[], Endpoint | None]


def discard(run_id: str, *, hosting: Hosting, sleep: Callable[[float], None] = time.sleep) -> Discarded:
    """Undo what a run has deployed: an endpoint that it made goes, one that it updated goes back to what it served before.

    The old variants get their traffic back first, at once; then the new one goes. Done twice, or when the run has deployed
    nothing, it does nothing. A run that has succeeded is left alone, and so is an endpoint that serves another run by now.

    Raises:
        EndpointNotReady: the endpoint is still changing; do it again when that is done.
        EndpointFailed, ResourceConflict: the endpoint cannot go back to what it served before.
    """
    run, sagemaker = hosting.run, hosting.sagemaker
    record = run.store.get(run_id)
    if record.status == "Succeeded":
        return {"discarded": []}
    deployment = deployment_of(record)
    if deployment is None:
        return {"discarded": [removed for model in _models(run_id, record, run) for removed in remove_model(sagemaker, model)]}
    _old_weights(deployment, run, sagemaker)
    settle = partial(settled_endpoint, sagemaker, deployment.endpoint, run.stack_name, sleep)
    if deployment.previous_config is None:
        removed = _remove_first(run_id, deployment, settle, hosting)
    else:
        removed = _go_back(run_id, deployment, settle, hosting)
    removed += hosting.alarms.remove([run_id]) if deployment.rollout else []
    kept = {variant.model_name for variant in deployment.previous_variants}
    for config in sorted(deployment.configs(run_id)):
        removed += remove_config(sagemaker, config, keep=kept)
    for model in dict.fromkeys((run_id, *(variant.model_name for variant in deployment.added))):
        removed += remove_model(sagemaker, model)
    return {"discarded": removed}


def _models(run_id: str, record: RunRecord, run: RunContext) -> list[str]:
    """The models that a run may have made before it came to deploy anything."""
    change = change_of(record)
    if change is None:
        return [run_id]
    stored = run.files.read_routing(change.goal.endpoint)
    serving = {variant.model_name for variant in stored.routing.variants} if stored and stored.routing else set()
    return [variant.model_name for variant in change.goal.variants if variant.model_name not in serving]


def _old_weights(deployment: Deployment, run: RunContext, sagemaker: SageMakerClient) -> None:
    """Give the old variants their traffic back, before anything that takes time."""
    stored = run.files.read_routing(deployment.endpoint)
    if stored is None or stored.routing is None or not deployment.rollout or not deployment.previous_routing:
        return
    if not any(stored.routing.variant(variant.name) for variant in deployment.added):
        return  # undone already; whatever weights the others have now, somebody else gave them
    weights = {variant.name: variant.weight for variant in deployment.previous_variants}
    weights |= {variant.name: 0.0 for variant in deployment.added}
    routing = stored.routing.with_weights(weights, iso(run.clock()))
    if routing.variants == stored.routing.variants:
        return
    run.files.write_routing(routing, stored)
    endpoint = find_endpoint(sagemaker, deployment.endpoint, run.stack_name)
    if endpoint is not None and endpoint.status not in BUSY_STATUSES:
        set_weights_now(sagemaker, routing)


def _remove_first(run_id: str, deployment: Deployment, settle: Settle, hosting: Hosting) -> list[str]:
    run, sagemaker = hosting.run, hosting.sagemaker
    endpoint = settle()
    if endpoint is not None and endpoint.config != run_id:
        return _forget_variants(run_id, deployment, run)
    removed = hosting.scaling.remove(deployment.endpoint, [variant.name for variant in deployment.added])
    removed += [] if endpoint is None else end_endpoint(endpoint, sagemaker)
    for config in deployment.leftovers(run_id):
        removed += remove_config(sagemaker, config)
    return removed + _forget_variants(run_id, deployment, run)


def _go_back(run_id: str, deployment: Deployment, settle: Settle, hosting: Hosting) -> list[str]:
    run, sagemaker = hosting.run, hosting.sagemaker
    endpoint, ours = settle(), deployment.configs(run_id)
    removed = []
    # A failed endpoint serves nothing and cannot be updated; the next deployment deletes it and makes it anew.
    if endpoint is not None and endpoint.config in ours and endpoint.status != "Failed":
        removed += hosting.scaling.remove(deployment.endpoint, [variant.name for variant in deployment.added])
        _switch_back(endpoint, deployment, sagemaker)
        endpoint = settle()
        if endpoint is not None and endpoint.config in ours:
            raise EndpointFailed(
                f"Endpoint {endpoint.name} could not go back to {deployment.previous_config} and still serves the variant of "
                f"run {run_id}: {endpoint.failure_reason or 'SageMaker gives no reason'}. Start another run, or delete it."
            )
    if endpoint is not None and endpoint.config == deployment.previous_config:
        scale_variants(deployment.endpoint, deployment.removed, run, hosting.scaling)
    return removed + _forget_variants(run_id, deployment, run)


def _switch_back(endpoint: Endpoint, deployment: Deployment, sagemaker: SageMakerClient) -> None:
    previous = deployment.previous_config
    config = None if previous is None else find_config(sagemaker, previous)
    if previous is None or config is None:
        raise ResourceConflict(
            f"Endpoint {endpoint.name} cannot go back to {previous}: that endpoint config was deleted. It goes on serving the "
            f"variant {endpoint.config}, whose run failed; start another run, or delete the endpoint (sageline delete "
            f"{endpoint.name})."
        )
    now = find_config(sagemaker, endpoint.config)
    serving = {variant["VariantName"] for variant in now["ProductionVariants"]} if now else set()
    keeps_variants = any(variant["VariantName"] in serving for variant in config["ProductionVariants"])
    update_endpoint(sagemaker, endpoint.name, previous, keeps_variants=keeps_variants)


def _forget_variants(run_id: str, deployment: Deployment, run: RunContext) -> list[str]:
    """Take what a run has brought out of an endpoint's routing, and what it has put on its own config back on the one before; a
    routing without any variant goes."""
    stored = run.files.read_routing(deployment.endpoint)
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
        run.files.write_routing(Routing(deployment.endpoint, left, iso(run.clock())), stored)
        return []
    run.files.delete_routing(deployment.endpoint)
    return [routing_key(deployment.endpoint)]
