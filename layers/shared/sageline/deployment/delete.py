"""Deleting an endpoint with all that belongs to it: when a person asks for it, and when its time to live is over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.aws.errors import is_busy, is_not_found
from sageline.deployment.alarms import RolloutAlarms
from sageline.deployment.autoscaling import Scaling
from sageline.deployment.endpoint_logs import EndpointLogs
from sageline.deployment.endpoints import (
    BUSY_STATUSES,
    Endpoint,
    find_config,
    find_endpoint,
    remove_config,
    remove_models,
    settled_endpoint,
)
from sageline.deployment.lifetime import Schedules, expires_at
from sageline.errors import EndpointNotReady, RunNotFound
from sageline.names import routing_key
from sageline.runs.context import RunContext
from sageline.runs.deployment_record import rollout_config
from sageline.runs.payloads import Deleted

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


def delete_endpoint(name: str, *, schedule_group: str, run: RunContext) -> Deleted:
    """Delete an endpoint, its configs, models, scalable targets, alarms, schedule, logs and routing, as far as they are there.

    It can be repeated when it was interrupted: the endpoint is deleted once nothing else needs its name to be found, and the
    routing last, because it names what is still to be deleted. A run that is deploying to the endpoint fails, and undoes what is
    left.

    Raises:
        EndpointNotReady: it is being created or updated, which SageMaker does not interrupt; try again.
        ResourceConflict: it was not made by this stack.
    """
    sagemaker, scaling, schedules = run.clients.sagemaker, Scaling(run), Schedules(run, schedule_group)
    endpoint = _settled(name, run)
    stored = run.routings.find(name)
    variants = stored.variants if stored else ()
    configs = dict.fromkeys(name for variant in variants for name in (variant.endpoint_config, rollout_config(variant.name)))
    if endpoint is not None:
        configs |= dict.fromkeys(config for config in (endpoint.config, endpoint.pending_config) if config)
    names = dict.fromkeys([variant.name for variant in variants])
    for config in configs:
        found = find_config(sagemaker, config)
        names |= dict.fromkeys(variant["VariantName"] for variant in found["ProductionVariants"]) if found else {}
    # A variant that is a scalable target must be deregistered before its endpoint is deleted.
    deleted = [*scaling.remove(name, names), *RolloutAlarms(run).remove(names), *schedules.remove(name)]
    if endpoint is not None:
        deleted += end_endpoint(endpoint, sagemaker)
        # A run that was about to succeed may have made these again, up to the moment when it could see that the endpoint goes.
        deleted += [*scaling.remove(name, names), *schedules.remove(name)]
    for config in configs:
        deleted += remove_config(sagemaker, config)
    for variant in variants:
        deleted += remove_models(sagemaker, variant.model_name)
    if endpoint is not None or stored is not None:
        deleted += EndpointLogs(run).remove(name)
    if stored is not None:
        run.routings.delete(name)
        deleted.append(routing_key(name))
    return {"endpoint": name, "deleted": deleted}


def expire(name: str, moment: str, *, schedule_group: str, run: RunContext) -> Deleted:
    """Delete an endpoint whose time to live is over, if it is still the one that was meant.

    Nothing is deleted when the endpoint has been given more time, or was made anew: then another moment is noted on it. Neither
    is it while a run deploys to it: that gives it more time, and if it does not, the sweep deletes the endpoint.

    Args:
        moment: when its time was to be over, as :meth:`sageline.deployment.lifetime.Lifetimes.set` has said.

    Raises:
        EndpointNotReady, ResourceConflict: as :func:`delete_endpoint` does.
    """
    endpoint = find_endpoint(name, run)
    if endpoint is None or expires_at(run.clients.sagemaker, endpoint.arn) != moment or deploying_run(name, run):
        return {"endpoint": name, "deleted": []}
    return delete_endpoint(name, schedule_group=schedule_group, run=run)


def deploying_run(name: str, run: RunContext) -> str | None:
    """The run that is deploying to an endpoint, if any."""
    variants = run.routings.variants(name)
    for run_id in dict.fromkeys(maker for variant in variants for maker in (variant.model_version, variant.endpoint_config)):
        try:
            if run.store.get(run_id).status == "Running":
                return run_id
        except RunNotFound:
            continue
    return None


def end_endpoint(endpoint: Endpoint, sagemaker: SageMakerClient) -> list[str]:
    """Delete the endpoint itself; returns what was deleted.

    Raises:
        EndpointNotReady: it is being created or updated.
    """
    if endpoint.status == "Deleting":
        return []
    try:
        sagemaker.delete_endpoint(EndpointName=endpoint.name)
    except ClientError as error:
        status = _status(endpoint.name, sagemaker)
        if status is None or status == "Deleting":
            return []
        if is_busy(error):
            raise _busy(replace(endpoint, status=status)) from None
        raise
    return [f"endpoint/{endpoint.name}"]


def _status(name: str, sagemaker: SageMakerClient) -> str | None:
    try:
        return sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]
    except ClientError as error:
        if is_not_found(error):
            return None
        raise


def _settled(name: str, run: RunContext) -> Endpoint | None:
    """The endpoint, after a little waiting for a change that is under way; one that is being deleted is as good as gone."""
    endpoint = find_endpoint(name, run)
    if endpoint is None or endpoint.status == "Deleting" or endpoint.status not in BUSY_STATUSES:
        return endpoint
    try:
        return settled_endpoint(name, run)
    except EndpointNotReady:
        raise _busy(endpoint) from None


def _busy(endpoint: Endpoint) -> EndpointNotReady:
    return EndpointNotReady(
        f"Endpoint {endpoint.name} is {endpoint.status}, and SageMaker does not delete it meanwhile. Try again when it is "
        "InService; if a run is deploying to it, stop that run (sageline stop RUN), which undoes the deployment."
    )
