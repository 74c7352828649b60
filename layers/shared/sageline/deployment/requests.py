"""Arguments of CreateEndpointConfig, CreateEndpoint and UpdateEndpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sageline.aws.tags import tags

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import (
        CreateEndpointConfigInputTypeDef,
        CreateEndpointInputTypeDef,
        ProductionVariantTypeDef,
        UpdateEndpointInputTypeDef,
    )


@dataclass(frozen=True)
class OnDemand:
    """A serverless variant: pays per request, and for what is kept warm (None: nothing)."""

    memory_mb: int
    max_concurrency: int
    provisioned_concurrency: int | None = None


@dataclass(frozen=True)
class OnInstances:
    """A variant on instances: pays by the hour."""

    instance_type: str
    count: int


def production_variant(name: str, model_name: str, capacity: OnDemand | OnInstances, weight: float) -> ProductionVariantTypeDef:
    """A variant of an endpoint config; ``weight`` is relative to those of the others."""
    variant: ProductionVariantTypeDef = {"VariantName": name, "ModelName": model_name, "InitialVariantWeight": weight}
    match capacity:
        case OnDemand():
            variant["ServerlessConfig"] = {
                "MemorySizeInMB": capacity.memory_mb,
                "MaxConcurrency": capacity.max_concurrency,
            }
            if capacity.provisioned_concurrency is not None:
                variant["ServerlessConfig"]["ProvisionedConcurrency"] = capacity.provisioned_concurrency
        case OnInstances():
            variant["InstanceType"] = capacity.instance_type  # type: ignore[typeddict-item]  # new types come faster than stubs
            variant["InitialInstanceCount"] = capacity.count
    return variant


def endpoint_config_request(
    *, name: str, run_id: str, stack_name: str, variants: Sequence[ProductionVariantTypeDef]
) -> CreateEndpointConfigInputTypeDef:
    """A config that a run makes."""
    return {"EndpointConfigName": name, "ProductionVariants": list(variants), "Tags": tags(stack_name, run_id)}


def create_endpoint_request(*, endpoint_name: str, run_id: str, stack_name: str) -> CreateEndpointInputTypeDef:
    """An endpoint that serves the run's config."""
    return {"EndpointName": endpoint_name, "EndpointConfigName": run_id, "Tags": tags(stack_name, run_id)}


def update_endpoint_request(
    *, endpoint_name: str, endpoint_config: str, keeps_variants: bool = False
) -> UpdateEndpointInputTypeDef:
    """Switch an endpoint to another config, all at once: SageMaker starts the new fleet, then moves the traffic.

    Args:
        keeps_variants: some variants are there already; they keep their number of instances, which autoscaling may have changed.
            Weights are those of the config.
    """
    request: UpdateEndpointInputTypeDef = {"EndpointName": endpoint_name, "EndpointConfigName": endpoint_config}
    if keeps_variants:
        request["RetainAllVariantProperties"] = True
        request["ExcludeRetainedVariantProperties"] = [{"VariantPropertyType": "DesiredWeight"}]
    return request
