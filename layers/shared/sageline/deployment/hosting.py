"""What every use case works with that changes what an endpoint serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sageline.aws import clients
from sageline.aws.settings import RunSettings
from sageline.deployment.alarms import RolloutAlarms
from sageline.deployment.autoscaling import Scaling
from sageline.deployment.endpoint_logs import EndpointLogs
from sageline.runs.context import RunContext, run_context

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


@dataclass(frozen=True)
class Hosting:
    """A run's context, the endpoints, their logs, and what belongs to their variants: scalable targets and alarms."""

    run: RunContext
    sagemaker: SageMakerClient
    scaling: Scaling
    alarms: RolloutAlarms
    logs: EndpointLogs


def hosting(settings: RunSettings) -> Hosting:
    """As the functions have it: on AWS's clients."""
    run = run_context(settings)
    alarms = RolloutAlarms(clients.cloudwatch(), run.stack_name)
    return Hosting(run, clients.sagemaker(), Scaling(clients.autoscaling()), alarms, EndpointLogs(clients.logs()))
