"""PromoteVariant: what a run has deployed serves; what served before goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.errors import ResourceConflict, RunFinished
from sageline.run.change import change_of
from sageline.run.context import RunContext
from sageline.run.deployment import Deployment, deployment_of
from sageline.run.endpoints import Endpoint, find_endpoint, remove_config, set_weights_now
from sageline.run.hosting import Hosting
from sageline.run.lifetime import Lifetimes
from sageline.run.payloads import Promoted
from sageline.run.scale_variants import scale_variants
from sageline.store import iso

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


def promote(run_id: str, *, hosting: Hosting, lifetimes: Lifetimes, warn: Callable[[str], None]) -> Promoted:
    """Give what the run has deployed its traffic, and its endpoint its time to live; note the run's success, remove what served
    before.

    Raises:
        ResourceConflict: the endpoint serves something else by now, or was deleted.
        EndpointNotReady: it is being changed by somebody else.
        RunFinished: the run was stopped.
    """
    run, sagemaker = hosting.run, hosting.sagemaker
    record = run.store.get(run_id)
    deployment = deployment_of(record)
    if deployment is None:
        raise ResourceConflict(f"Run {run_id} has deployed nothing that could be promoted.")
    if record.status != "Succeeded":
        run.store.enter(run_id, "PromoteVariant")
        endpoint = _take_over(run_id, deployment, run, sagemaker)
        scale_variants(deployment.endpoint, deployment.goal.variants, run, hosting.scaling)
        if change_of(record) is None:
            # A change of what serves leaves the endpoint the time that it has.
            wanted = run.files.read_spec(run_id).deployment
            lifetimes.set(endpoint.name, endpoint.arn, wanted.ttl_hours if wanted else None)
        if not run.store.finish(run_id, "Succeeded"):
            raise RunFinished(f"Run {run_id} was stopped while its variant was being promoted.")
    # The new variant serves, so the run has succeeded, whatever becomes of what served before.
    kept = {variant.model_name for variant in deployment.goal.variants}
    for config in deployment.leftovers(run_id):
        try:
            remove_config(sagemaker, config, keep=kept)
        except ClientError as error:
            warn(f"Endpoint config {config} and its model could not be deleted: {error}")
    if deployment.rollout is not None:
        try:
            hosting.alarms.remove([run_id])
        except ClientError as error:
            warn(f"The alarms of variant {run_id} could not be deleted: {error}")
    served = max(deployment.goal.variants, key=lambda variant: (variant.name == run_id, variant.weight))
    return {"endpoint_name": deployment.endpoint, "variant": served.name, "status": "Succeeded"}


def _take_over(run_id: str, deployment: Deployment, run: RunContext, sagemaker: SageMakerClient) -> Endpoint:
    name = deployment.endpoint
    endpoint = find_endpoint(sagemaker, name, run.stack_name)
    stored = run.files.read_routing(name)
    routed = {variant.name for variant in stored.routing.variants} if stored and stored.routing else set()
    wanted = {variant.name for variant in deployment.goal.variants}
    if endpoint is None or endpoint.config != run_id or not wanted <= routed:
        raise ResourceConflict(
            f"Endpoint {name} no longer serves what run {run_id} deployed: somebody deleted or changed it. Start another run."
        )
    routing = replace(deployment.goal, updated_at=iso(run.clock()))
    if len(wanted) > 1:
        set_weights_now(sagemaker, routing)
    run.files.write_routing(routing, stored)
    return endpoint
