"""What a model serves on, and how it comes to an endpoint that serves already."""

from __future__ import annotations

from typing import Literal, Self, TypeAlias

from pydantic import Field, model_validator

from sageline.spec.section import BaseSpec, EndpointName, InstanceType

Strategy: TypeAlias = Literal["all-at-once", "canary", "linear", "ab"]

BESIDE: frozenset[Strategy] = frozenset(("canary", "linear", "ab"))
"""Strategies with which the new model serves beside the old one, for a while or for good."""


class ServerlessSpec(BaseSpec):
    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = 2048
    max_concurrency: int = Field(5, ge=1, le=200)
    provisioned_concurrency: int | None = Field(
        None,
        ge=1,
        le=200,
        description="How many copies of the model are kept warm, at most `max_concurrency`: they answer at once, and bill by the "
        "second whether asked or not. Default: none, so that after a pause the first request waits until the model is loaded.",
    )

    @model_validator(mode="after")
    def _no_more_warm_than_at_once(self) -> Self:
        if (self.provisioned_concurrency or 0) > self.max_concurrency:
            raise ValueError(
                f"provisioned_concurrency is {self.provisioned_concurrency} and max_concurrency {self.max_concurrency}; keep at "
                "most max_concurrency warm, or raise that"
            )
        return self


class InstancesSpec(BaseSpec):
    instance_type: InstanceType = "ml.m5.large"
    count: int = Field(1, ge=1, le=100)


class CanarySpec(BaseSpec):
    """One step, and then the rest."""

    first_percent: float = Field(10, gt=0, le=50, description="Percentage of the traffic that the model gets first.")
    bake_minutes: float = Field(10, gt=0, le=1440, description="Minutes that alarms are watched before it gets the rest.")


class LinearSpec(BaseSpec):
    """Steps of one size."""

    step_percent: float = Field(25, ge=20, le=50, description="Percentage of the traffic that each step adds.")
    interval_minutes: float = Field(5, gt=0, le=1440, description="Minutes that alarms are watched after each step.")


class AlarmsSpec(BaseSpec):
    """What ends a rollout: the old model gets all the traffic back at once."""

    errors_percent: float | None = Field(
        5, ge=0, lt=100, description="More of the model's answers in a minute are errors (5xx) than this; `null`: not watched."
    )
    latency_ms: float | None = Field(
        None, gt=0, description="95 % of a minute's answers take the model longer than this; default: not watched."
    )


class AutoscalingSpec(BaseSpec):
    """Target tracking: as many instances as the requests need."""

    min: int = Field(1, ge=1, le=100, description="Fewest instances.")
    max: int = Field(4, ge=1, le=100, description="Most instances.")
    invocations_per_instance: float = Field(100, gt=0, description="Requests a minute that an instance is to have, on average.")
    scale_in_cooldown_seconds: int = Field(300, ge=0, le=3600, description="Seconds from one removal of instances to the next.")

    @model_validator(mode="after")
    def _min_is_not_above_max(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min is {self.min} and max is {self.max}; give a min that is not above max")
        return self


class DeploymentSpec(BaseSpec):
    endpoint: EndpointName | None = Field(None, description="Endpoint to create or update. Default: the run's name.")
    serverless: ServerlessSpec | None = Field(
        None, description="Pay per request: the default, unless the strategy or autoscaling need instances."
    )
    instances: InstancesSpec | None = Field(None, description="Instances that bill by the hour, instead of serverless.")
    strategy: Strategy = Field(
        "all-at-once",
        description="How the model comes to an endpoint that serves already: `all-at-once` takes the place of what serves in one "
        "update; `canary` and `linear` take it in steps, and go back when an alarm fires; `ab` serves beside it for good, with "
        "`share` of the traffic. All but the first need instances: a serverless endpoint has one variant.",
    )
    share: float = Field(0.5, gt=0, lt=1, description="Share of the traffic that the model gets with the strategy `ab`.")
    canary: CanarySpec = Field(default_factory=CanarySpec)
    linear: LinearSpec = Field(default_factory=LinearSpec)
    alarms: AlarmsSpec = Field(default_factory=AlarmsSpec)
    autoscaling: AutoscalingSpec | None = Field(
        None, description="Default: none, the number of instances stays. Needs instances."
    )
    ttl_hours: float | None = Field(
        8,
        gt=0,
        le=8760,
        description="Hours after which the endpoint is deleted, from the end of the last run that deployed to it. Fractions are "
        "allowed; `null` keeps the endpoint. `sageline ttl` or `PATCH /endpoints/{name}` changes it later.",
    )

    @model_validator(mode="after")
    def _one_kind_of_endpoint(self) -> Self:
        if self.serverless is not None and self.instances is not None:
            raise ValueError("give either serverless or instances, not both")
        if self.serverless is not None and self.needs_instances:
            raise ValueError(
                f"{self.needs_instances} needs instances, and this asks for serverless; give `instances` in its place "
                '(for example {"instance_type": "ml.m5.large", "count": 1})'
            )
        return self

    @model_validator(mode="after")
    def _what_scales_is_not_burstable(self) -> Self:
        # https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-add-console.html
        if (
            self.autoscaling is not None
            and self.instances is not None
            and self.instances.instance_type.startswith(("ml.t2.", "ml.t3."))
        ):
            raise ValueError(
                f"{self.instances.instance_type} cannot scale by itself: SageMaker does not let burstable instances; give "
                "`instances` another type (for example ml.m5.large), or leave `autoscaling` out"
            )
        return self

    @property
    def needs_instances(self) -> str | None:
        """What of this a serverless endpoint cannot have; None when it can have all."""
        if self.strategy in BESIDE:
            return f"the strategy {self.strategy}"
        return "autoscaling" if self.autoscaling is not None else None
