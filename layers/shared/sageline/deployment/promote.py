"""PromoteVariant: what a run has deployed serves; what served before goes."""

from __future__ import annotations

import logging
from dataclasses import replace

from botocore.exceptions import ClientError

from sageline.aws.settings import LifetimeSettings
from sageline.deployment.alarms import RolloutAlarms
from sageline.deployment.discard import undone_if_ended
from sageline.deployment.endpoints import Endpoint, find_endpoint, remove_config, set_weights_now
from sageline.deployment.lifetime import Lifetimes
from sageline.deployment.scale_variants import scale_variants
from sageline.errors import ResourceConflict, RolloutPending
from sageline.names import models_like
from sageline.runs.context import RunContext
from sageline.runs.deployment_record import DeploymentRecord, deployment_of
from sageline.runs.endpoint_change import change_of
from sageline.runs.payloads import Promoted
from sageline.runs.routing import RoutedVariant
from sageline.runs.store import RunRecord, iso

_log = logging.getLogger(__name__)


def promote(run_id: str, *, lifetime: LifetimeSettings, run: RunContext) -> Promoted:
    """Give what the run has deployed its traffic, and its endpoint its time to live; note the run's success, remove what served
    before.

    Args:
        lifetime: what gives an endpoint its time to live.

    Raises:
        ResourceConflict: the endpoint serves something else by now, or was deleted.
        RolloutPending: the steps of its rollout come first.
        ConcurrentModification: somebody else is changing it at this moment.
        RunFinished: the run was stopped.
    """
    record = run.store.get(run_id)
    deployment = deployment_of(record)
    if deployment is None:
        raise ResourceConflict(f"Run {run_id} has deployed nothing that could be promoted.")
    if deployment.is_rollout_pending(run_id):
        raise RolloutPending(f"Variant {run_id} of endpoint {deployment.endpoint} gets its traffic in steps, which come first.")
    if record.status != "Succeeded":
        run.store.enter(run_id, "PromoteVariant")
        with undone_if_ended(run_id, schedule_group=lifetime.schedule_group_name, run=run):
            _promote(record, deployment, Lifetimes(run, lifetime), run)
    # The new variant serves, so the run has succeeded, whatever becomes of what served before.
    kept = {model for variant in deployment.goal.variants for model in models_like(variant.model_name)}
    for config in deployment.leftovers(run_id):
        try:
            remove_config(run.clients.sagemaker, config, keep=kept)
        except ClientError as error:
            _log.warning("Endpoint config %s and its model could not be deleted: %s", config, error)
    return {"endpoint_name": deployment.endpoint, "variant": _served(run_id, deployment).name, "status": "Succeeded"}


def _promote(record: RunRecord, deployment: DeploymentRecord, lifetimes: Lifetimes, run: RunContext) -> None:
    run_id = record.run_id
    endpoint = _take_over(run_id, deployment, run)
    scale_variants(deployment.endpoint, deployment.goal.variants, run)
    if deployment.rollout is not None:
        # While the run is not done, whatever ends it removes them; the sweep does not look for them.
        try:
            RolloutAlarms(run).remove([run_id])
        except ClientError as error:
            _log.warning("The alarms of variant %s could not be deleted: %s", run_id, error)
    if change_of(record) is None or deployment.previous_config is None:
        # A change of what serves leaves an endpoint that was there the time that it has.
        wanted = run.files.read_spec(_served(run_id, deployment).model_version).deployment
        lifetimes.set(endpoint.name, endpoint.arn, wanted.ttl_hours if wanted else None)
    # A deletion that has begun meanwhile may not have seen what was made just now.
    if _is_gone(find_endpoint(endpoint.name, run)):
        raise _gone(run_id, endpoint.name)
    run.store.finish(run_id, "Succeeded")


def _take_over(run_id: str, deployment: DeploymentRecord, run: RunContext) -> Endpoint:
    name = deployment.endpoint
    endpoint = find_endpoint(name, run)
    stored = run.routings.find(name)
    routed = {variant.name for variant in stored.variants} if stored else set()
    wanted = {variant.name for variant in deployment.goal.variants}
    if endpoint is None or _is_gone(endpoint) or endpoint.config != run_id or not wanted <= routed:
        raise _gone(run_id, name)
    routing = replace(deployment.goal, updated_at=iso(run.clock()))
    if len(wanted) > 1:
        set_weights_now(run.clients.sagemaker, routing)
    run.routings.write(routing, stored)
    return endpoint


def _is_gone(endpoint: Endpoint | None) -> bool:
    return endpoint is None or endpoint.status == "Deleting"


def _served(run_id: str, deployment: DeploymentRecord) -> RoutedVariant:
    return max(deployment.goal.variants, key=lambda variant: (variant.name == run_id, variant.weight))


def _gone(run_id: str, endpoint: str) -> ResourceConflict:
    return ResourceConflict(
        f"Endpoint {endpoint} no longer serves what run {run_id} deployed: somebody deleted or changed it. Start another run."
    )
