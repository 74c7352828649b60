"""Looking at endpoints, and removing what they were made of.

SageMaker answers ``ValidationException`` to deleting what is not there, and a permission that depends on tags denies it:
so everything is looked up before it is deleted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.aws.compare import check_same, differences
from sageline.aws.errors import is_busy, is_denied, is_existing, is_not_found
from sageline.aws.tags import STACK_TAG, tags
from sageline.deployment.requests import OnDemand, OnInstances, endpoint_config_request, update_endpoint_request
from sageline.errors import EndpointNotReady, ResourceConflict
from sageline.names import models_like
from sageline.runs.context import RunContext
from sageline.runs.routing import Routing
from sageline.runs.routing_store import concurrent_modification
from sageline.spec.deployment import DeploymentSpec, InstancesSpec, ServerlessSpec

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.type_defs import (
        CreateEndpointInputTypeDef,
        DescribeEndpointConfigOutputTypeDef,
        DescribeEndpointOutputTypeDef,
        DescribeModelOutputTypeDef,
        DesiredWeightAndCapacityTypeDef,
        ProductionVariantTypeDef,
    )

BUSY_STATUSES = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
"""Statuses that pass; until then an endpoint can be neither updated nor deleted."""

_PATIENCE_SECONDS = 20
_LOOK_EVERY_SECONDS = 2


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of this stack. ``pending_config`` is the one it is changing to, if any."""

    name: str
    arn: str
    status: str
    config: str
    pending_config: str | None
    failure_reason: str

    @property
    def configs(self) -> set[str | None]:
        return {self.config, self.pending_config}


def find_endpoint(name: str, run: RunContext) -> Endpoint | None:
    """The endpoint of that name, or None.

    Raises:
        ResourceConflict: it was not made by this stack.
    """
    sagemaker = run.clients.sagemaker
    foreign = ResourceConflict(
        f"Endpoint {name!r} exists and was not made by stack {run.stack_name!r}; give `deployment.endpoint` another name, or "
        "delete that endpoint with the tool that made it."
    )
    try:
        found = sagemaker.describe_endpoint(EndpointName=name)
        made_by = sagemaker.list_tags(ResourceArn=found["EndpointArn"])["Tags"]
    except ClientError as error:
        if is_not_found(error):
            return None
        if is_denied(error):
            raise foreign from error
        raise
    if {"Key": STACK_TAG, "Value": run.stack_name} not in made_by:
        raise foreign
    pending = found.get("PendingDeploymentSummary")
    return Endpoint(
        name=found["EndpointName"],
        arn=found["EndpointArn"],
        status=found["EndpointStatus"],
        config=found.get("EndpointConfigName", ""),
        pending_config=pending["EndpointConfigName"] if pending else None,
        failure_reason=found.get("FailureReason", ""),
    )


def settled_endpoint(name: str, run: RunContext) -> Endpoint | None:
    """Like :func:`find_endpoint`, but waits a little for a change that is under way.

    Raises:
        EndpointNotReady: the change takes longer.
    """
    for _ in range(_PATIENCE_SECONDS // _LOOK_EVERY_SECONDS):
        found = find_endpoint(name, run)
        if found is None or found.status not in BUSY_STATUSES:
            return found
        run.sleep(_LOOK_EVERY_SECONDS)
    raise EndpointNotReady(f"Endpoint {name} is {found.status if found else 'changing'}; it can be changed when that is done.")


def find_config(sagemaker: SageMakerClient, name: str) -> DescribeEndpointConfigOutputTypeDef | None:
    """The endpoint config of that name, or None."""
    try:
        return sagemaker.describe_endpoint_config(EndpointConfigName=name)
    except ClientError as error:
        if is_not_found(error):
            return None
        raise


def capacity(deployment: DeploymentSpec) -> OnDemand | OnInstances:
    """What the spec asks an endpoint to run on; serverless if it does not say."""
    instances = deployment.instances or (InstancesSpec() if deployment.needs_instances else None)
    if instances is not None:
        return OnInstances(instances.instance_type, instances.count)
    serverless = deployment.serverless or ServerlessSpec()
    return OnDemand(serverless.memory_mb, serverless.max_concurrency, serverless.provisioned_concurrency)


def check_beside(sagemaker: SageMakerClient, endpoint: Endpoint) -> None:
    """Refuse that anything serves beside what serves on demand.

    Raises:
        ResourceConflict: the endpoint is serverless.
    """
    config = find_config(sagemaker, endpoint.config)
    if config is not None and any("ServerlessConfig" in variant for variant in config["ProductionVariants"]):
        raise beside_serverless(endpoint.name)


def beside_serverless(name: str) -> ResourceConflict:
    """The refusal, and what to do."""
    return ResourceConflict(
        f"Endpoint {name} is serverless, or its config is gone, so nothing can serve beside what serves there. "
        'Leave `deployment.strategy` out (the model takes its place), set `deployment.instances` and run it once with "'
        'all-at-once", or give `deployment.endpoint` another name.'
    )


def check_capacity_change(sagemaker: SageMakerClient, endpoint: Endpoint, wanted: OnDemand | OnInstances) -> None:
    """Refuse the one change that SageMaker refuses: from instances to serverless.

    Raises:
        ResourceConflict: the endpoint is on instances and the spec asks for serverless.
    """
    config = find_config(sagemaker, endpoint.config)
    if config is None or isinstance(wanted, OnInstances):
        return
    if any("ServerlessConfig" not in variant for variant in config["ProductionVariants"]):
        raise ResourceConflict(
            f"Endpoint {endpoint.name} runs on instances, and SageMaker does not let it change to serverless. "
            'Set `deployment.instances` (for example {"instance_type": "ml.m5.large", "count": 1}), give `deployment.endpoint` '
            f"another name, or delete the endpoint first (sageline delete {endpoint.name})."
        )


def set_weights_now(sagemaker: SageMakerClient, routing: Routing) -> None:
    """Like :func:`set_weights`, for an endpoint that is looked up first.

    Raises:
        ConcurrentModification: somebody else is changing it at this moment.
    """
    with _changing(routing.endpoint):
        set_weights(sagemaker, sagemaker.describe_endpoint(EndpointName=routing.endpoint), routing)


def set_weights(sagemaker: SageMakerClient, endpoint: DescribeEndpointOutputTypeDef, routing: Routing) -> None:
    """Tell SageMaker a routing's weights too, for those who invoke without naming a variant. A serverless endpoint has none.

    An endpoint that has them is not asked to change.
    """
    there = {variant["VariantName"]: variant for variant in endpoint.get("ProductionVariants", [])}
    desired: list[DesiredWeightAndCapacityTypeDef] = [
        {"VariantName": variant.name, "DesiredWeight": variant.weight}
        for variant in routing.variants
        if variant.name in there and "CurrentServerlessConfig" not in there[variant.name]
    ]
    if any(not math.isclose(item["DesiredWeight"], there[item["VariantName"]].get("CurrentWeight", -1)) for item in desired):
        sagemaker.update_endpoint_weights_and_capacities(EndpointName=routing.endpoint, DesiredWeightsAndCapacities=desired)


def ensure_config(name: str, run_id: str, variants: Sequence[ProductionVariantTypeDef], run: RunContext) -> None:
    """Make an endpoint config that its endpoint does not serve yet, or find it made.

    Another one that this run has made is replaced: it is of an earlier try, when something else served there.

    Raises:
        ResourceConflict: a config of that name exists, is another one, and not this run's.
    """
    sagemaker = run.clients.sagemaker
    request = endpoint_config_request(name=name, run_id=run_id, stack_name=run.stack_name, variants=variants)
    try:
        sagemaker.create_endpoint_config(**request)
    except ClientError as error:
        if not is_existing(error):
            raise
        found = sagemaker.describe_endpoint_config(EndpointConfigName=name)
        made_by = sagemaker.list_tags(ResourceArn=found["EndpointConfigArn"])["Tags"]
        if not differences(request, found) or any(tag not in made_by for tag in tags(run.stack_name, run_id)):
            check_same(request, found, what=f"An endpoint config {name}", advice="Delete it, or start another run.")
            return
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
        sagemaker.create_endpoint_config(**request)


def create_endpoint(sagemaker: SageMakerClient, request: CreateEndpointInputTypeDef) -> str:
    """Make an endpoint; its ARN.

    Raises:
        ConcurrentModification: somebody else has made it meanwhile.
    """
    with _changing(request["EndpointName"]):
        return sagemaker.create_endpoint(**request)["EndpointArn"]


def update_endpoint(sagemaker: SageMakerClient, name: str, config: str, *, keeps_variants: bool) -> str:
    """Have an endpoint change to another config; its ARN.

    Args:
        keeps_variants: some variants of that config serve already.

    Raises:
        ConcurrentModification: somebody else is changing it at this moment.
    """
    request = update_endpoint_request(endpoint_name=name, endpoint_config=config, keeps_variants=keeps_variants)
    with _changing(name):
        return sagemaker.update_endpoint(**request)["EndpointArn"]


@contextmanager
def _changing(name: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if is_existing(error) or is_busy(error):
            raise concurrent_modification(name) from None
        raise


def remove_config(sagemaker: SageMakerClient, name: str, *, keep: Collection[str] = ()) -> list[str]:
    """Delete an endpoint config, its models, and those made of the same artifacts, as far as they are there; returns what was
    deleted.

    Args:
        keep: models that something else serves.
    """
    config = find_config(sagemaker, name)
    if config is None:
        return []
    named = [variant["ModelName"] for variant in config["ProductionVariants"] if "ModelName" in variant]
    models = [removed for model in named if model not in keep for removed in remove_models(sagemaker, model)]
    # The config goes last: cut short, it still tells which models are to go.
    return [*delete_config(sagemaker, name), *models]


def delete_config(sagemaker: SageMakerClient, name: str) -> list[str]:
    """Delete an endpoint config, and not its models, if it is there; returns what was deleted."""
    if find_config(sagemaker, name) is None:
        return []
    with _maybe_gone(lambda: find_config(sagemaker, name)):
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
    return [f"endpoint-config/{name}"]


def remove_models(sagemaker: SageMakerClient, name: str) -> list[str]:
    """Delete a model and the other one of its artifact, as far as they are there; returns what was deleted."""
    return [removed for model in models_like(name) for removed in remove_model(sagemaker, model)]


def remove_model(sagemaker: SageMakerClient, name: str) -> list[str]:
    """Delete a model if it is there; returns what was deleted."""
    if find_model(sagemaker, name) is None:
        return []
    with _maybe_gone(lambda: find_model(sagemaker, name)):
        sagemaker.delete_model(ModelName=name)
    return [f"model/{name}"]


def find_model(sagemaker: SageMakerClient, name: str) -> DescribeModelOutputTypeDef | None:
    """The model of that name, or None."""
    try:
        return sagemaker.describe_model(ModelName=name)
    except ClientError as error:
        if is_not_found(error):
            return None
        raise


@contextmanager
def _maybe_gone(find: Callable[[], object]) -> Iterator[None]:
    """Deleting what was there a moment ago: it may be gone by now, by somebody else or by a request whose answer got lost."""
    try:
        yield
    except ClientError as error:
        if not (is_not_found(error) or is_denied(error)) or find() is not None:
            raise
