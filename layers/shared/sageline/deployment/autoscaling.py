"""Autoscaling of a variant's instances by target tracking, as Application Auto Scaling does it.

https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html. A variant that is a scalable target can be neither
removed nor given other instances: it must be deregistered first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from botocore.exceptions import ClientError

from sageline.aws.errors import code
from sageline.runs.context import RunContext
from sageline.spec.deployment import AutoscalingSpec

_NAMESPACE: Literal["sagemaker"] = "sagemaker"
_DIMENSION: Literal["sagemaker:variant:DesiredInstanceCount"] = "sagemaker:variant:DesiredInstanceCount"
_POLICY = "sageline-invocations"


@dataclass(frozen=True)
class Scaling:
    """The scalable targets among an endpoint's variants."""

    run: RunContext

    def add(self, endpoint: str, variant: str, wanted: AutoscalingSpec) -> None:
        """Have a variant's instances follow its requests, or change how they do."""
        target = resource_id(endpoint, variant)
        self.run.clients.autoscaling.register_scalable_target(
            ServiceNamespace=_NAMESPACE,
            ResourceId=target,
            ScalableDimension=_DIMENSION,
            MinCapacity=wanted.min,
            MaxCapacity=wanted.max,
        )
        self.run.clients.autoscaling.put_scaling_policy(
            PolicyName=_POLICY,
            ServiceNamespace=_NAMESPACE,
            ResourceId=target,
            ScalableDimension=_DIMENSION,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": wanted.invocations_per_instance,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
                "ScaleInCooldown": wanted.scale_in_cooldown_seconds,
            },
        )

    def remove(self, endpoint: str, variants: Iterable[str]) -> list[str]:
        """Deregister variants, as far as they are scalable targets, with their policies; returns which, as
        ``scalable-target/<resource id>``."""
        targets = [resource_id(endpoint, variant) for variant in variants]
        if not targets:
            return []
        found = self.run.clients.autoscaling.describe_scalable_targets(
            ServiceNamespace=_NAMESPACE, ResourceIds=targets, ScalableDimension=_DIMENSION
        )["ScalableTargets"]
        there = [target["ResourceId"] for target in found]
        for target in there:
            try:
                self.run.clients.autoscaling.deregister_scalable_target(
                    ServiceNamespace=_NAMESPACE, ResourceId=target, ScalableDimension=_DIMENSION
                )
            except ClientError as error:
                # It may have been deregistered since, by somebody else or by a request whose answer got lost.
                if code(error) != "ObjectNotFoundException":
                    raise
        return [f"scalable-target/{target}" for target in there]


def resource_id(endpoint: str, variant: str) -> str:
    """The id of a variant in Application Auto Scaling."""
    return f"endpoint/{endpoint}/variant/{variant}"
