"""ShiftTraffic: one step of a rollout. Between two steps the state Bake waits and watches the alarms.

Traffic goes by the routing; SageMaker is told the weights too, for those who invoke without naming a variant. The last step gives
the new variant everything and has the endpoint let go of the old ones, which the last Bake waits for.
"""

from __future__ import annotations

from dataclasses import replace

from sageline.deployment.alarms import FiringAlarm, RolloutAlarms
from sageline.deployment.autoscaling import Scaling
from sageline.deployment.discard import undone_if_ended
from sageline.deployment.endpoints import (
    BUSY_STATUSES,
    Endpoint,
    ensure_config,
    find_config,
    find_endpoint,
    set_weights_now,
    update_endpoint,
)
from sageline.deployment.scale_variants import scale_variants
from sageline.errors import EndpointNotReady, ResourceConflict, RolloutAlarm
from sageline.runs.context import RunContext
from sageline.runs.deployment_record import DeploymentRecord, deployment_of
from sageline.runs.payloads import Shifted
from sageline.runs.routing import Routing
from sageline.runs.routing_store import StoredRouting
from sageline.runs.store import iso
from sageline.spec.deployment import AlarmsSpec

LAST_BAKE_SECONDS = 600
"""How long the last step waits for SageMaker's event, which comes when the old variants are gone, before it looks for itself."""


def shift(run_id: str, step: int, *, topic_arn: str, run: RunContext) -> Shifted:
    """Give the run's variant the share of a step. The same step again changes nothing more.

    Args:
        step: from 0; beyond the steps of the rollout, the variant gets everything.
        topic_arn: where the alarms of the variant tell that they fire.

    Raises:
        RolloutAlarm: an alarm fires.
        EndpointNotReady: the endpoint is being changed; try again.
        ResourceConflict: the endpoint serves something else by now, or was deleted.
        RunFinished: the run was stopped.
    """
    run.store.enter(run_id, "ShiftTraffic")
    with undone_if_ended(run_id, run=run):
        return _shift(run_id, step, topic_arn, run)


def _shift(run_id: str, step: int, topic_arn: str, run: RunContext) -> Shifted:
    deployment = deployment_of(run.store.get(run_id))
    if deployment is None or deployment.rollout is None:
        raise ResourceConflict(f"Run {run_id} has deployed nothing that could get traffic in steps.")
    endpoint = find_endpoint(deployment.endpoint, run)
    if endpoint is None or not endpoint.configs & deployment.configs(run_id):
        raise _gone(run_id, deployment)
    if firing := RolloutAlarms(run).firing(run_id):
        raise rollout_alarm(run_id, firing)
    steps = deployment.rollout.steps
    if step < len(steps):
        _give_share(run_id, steps[step], endpoint, deployment, topic_arn=topic_arn, run=run)
    elif not _is_letting_go(run_id, endpoint, deployment):
        _give_all(run_id, endpoint, deployment, run)
    is_last = step >= len(steps)
    return {
        "endpoint": endpoint.name,
        "arn": endpoint.arn,
        "variant": run_id,
        "share": 1.0 if is_last else steps[step],
        "bake_seconds": LAST_BAKE_SECONDS if is_last else deployment.rollout.bake_seconds,
        "is_last": is_last,
    }


def rollout_alarm(run_id: str, firing: list[FiringAlarm]) -> RolloutAlarm:
    """What ends a rollout, in words."""
    reasons = " ".join(f"{alarm.name}: {alarm.reason}" for alarm in firing)
    return RolloutAlarm(f"The new variant {run_id} set off an alarm while it was getting its traffic. {reasons}".rstrip())


def _give_share(
    run_id: str, share: float, endpoint: Endpoint, deployment: DeploymentRecord, *, topic_arn: str, run: RunContext
) -> None:
    _check_settled(endpoint)
    wanted = run.files.read_spec(run_id).deployment
    RolloutAlarms(run).create(endpoint.name, run_id, wanted.alarms if wanted else AlarmsSpec(), topic_arn)
    scale_variants(endpoint.name, deployment.added, run)
    stored, routing = _routing_at(run_id, share, deployment, run)
    set_weights_now(run.clients.sagemaker, routing)
    run.routings.write(routing, stored)
    run.store.enter(run_id, "ShiftTraffic", share=share)


def _is_letting_go(run_id: str, endpoint: Endpoint, deployment: DeploymentRecord) -> bool:
    """Whether the last update is under way or done. SageMaker does not always tell what an endpoint is changing to."""
    return run_id in endpoint.configs or (deployment.config == run_id and endpoint.status in BUSY_STATUSES)


def _give_all(run_id: str, endpoint: Endpoint, deployment: DeploymentRecord, run: RunContext) -> None:
    sagemaker = run.clients.sagemaker
    _check_settled(endpoint)
    both = find_config(sagemaker, endpoint.config)
    own = [variant for variant in both["ProductionVariants"] if variant["VariantName"] == run_id] if both else []
    if not own:
        raise _gone(run_id, deployment)
    ensure_config(run_id, run_id, [{**own[0], "InitialVariantWeight": 1.0}], run)
    # From here on it is this config that the run waits for.
    run.store.enter(run_id, "ShiftTraffic", deployment=replace(deployment, config=run_id).to_json(), share=1.0)
    stored, routing = _routing_at(run_id, 1.0, deployment, run)
    run.routings.write(routing, stored)
    Scaling(run).remove(endpoint.name, [variant.name for variant in deployment.removed])
    update_endpoint(sagemaker, endpoint.name, run_id, keeps_variants=True)


def _routing_at(run_id: str, share: float, deployment: DeploymentRecord, run: RunContext) -> tuple[StoredRouting, Routing]:
    """The routing as it is stored, and as it is to be when the run's variant has its share."""
    stored = run.routings.find(deployment.endpoint)
    if stored is None or stored.routing is None or stored.routing.variant(run_id) is None:
        raise _gone(run_id, deployment)
    return stored, deployment.at_share(share, iso(run.clock()))


def _check_settled(endpoint: Endpoint) -> None:
    if endpoint.status in BUSY_STATUSES:
        raise EndpointNotReady(f"Endpoint {endpoint.name} is {endpoint.status}; its traffic can be shifted when that is done.")


def _gone(run_id: str, deployment: DeploymentRecord) -> ResourceConflict:
    return ResourceConflict(
        f"Endpoint {deployment.endpoint} no longer serves what run {run_id} deployed: somebody deleted or changed it. "
        "Start another run."
    )
