"""The alarms that watch a variant while it bakes: made with its first traffic, deleted when its rollout is over.

Metrics of an endpoint: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html. ``Invocation5XXErrors`` is 1
or 0 for each request, so its average is the share of errors; ``ModelLatency`` is in microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sageline.runs.context import RunContext
from sageline.spec.deployment import AlarmsSpec

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import PutMetricAlarmInputTypeDef

_KINDS = ("errors", "latency")
_MICROSECONDS = 1000  # in a millisecond


@dataclass(frozen=True)
class FiringAlarm:
    """An alarm that is in the state ALARM, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class RolloutAlarms:
    """The alarms of one stack's rollouts."""

    run: RunContext

    def names(self, variant: str) -> list[str]:
        """The names of a variant's alarms, whether they exist or not."""
        return [f"{self.run.stack_name}-rollout-{variant}-{kind}" for kind in _KINDS]

    def variant_of(self, alarm_name: str) -> str | None:
        """The variant that an alarm watches; None for any other alarm."""
        match = re.fullmatch(f"{re.escape(self.run.stack_name)}-rollout-(.+)-(?:{'|'.join(_KINDS)})", alarm_name)
        return match[1] if match else None

    def variants(self) -> list[str]:
        """The variants that have an alarm."""
        pages = self.run.clients.cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=f"{self.run.stack_name}-rollout-", AlarmTypes=["MetricAlarm"]
        )
        found = (self.variant_of(alarm["AlarmName"]) for page in pages for alarm in page["MetricAlarms"])
        return sorted({variant for variant in found if variant is not None})

    def create(self, endpoint: str, variant: str, wanted: AlarmsSpec, topic_arn: str) -> None:
        """Make the alarms that a spec asks for; those that are there are left as they are, with their state."""
        there = self._existing([variant])
        for alarm in _requests(endpoint, variant, wanted, *self.names(variant)):
            if alarm["AlarmName"] not in there:
                alarm["AlarmActions"] = [topic_arn]
                self.run.clients.cloudwatch.put_metric_alarm(**alarm)

    def firing(self, variant: str) -> list[FiringAlarm]:
        """The variant's alarms that are in the state ALARM."""
        answer = self.run.clients.cloudwatch.describe_alarms(AlarmNames=self.names(variant), AlarmTypes=["MetricAlarm"])
        return [
            FiringAlarm(alarm["AlarmName"], f"{alarm.get('AlarmDescription', '')} {alarm.get('StateReason', '')}".strip())
            for alarm in answer["MetricAlarms"]
            if alarm.get("StateValue") == "ALARM"
        ]

    def remove(self, variants: Iterable[str]) -> list[str]:
        """Delete the alarms of variants, as far as they are there; returns what was deleted, as ``alarm/<name>``."""
        there = self._existing(variants)
        if there:
            self.run.clients.cloudwatch.delete_alarms(AlarmNames=there)
        return [f"alarm/{name}" for name in there]

    def _existing(self, variants: Iterable[str]) -> list[str]:
        names = [name for variant in variants for name in self.names(variant)]
        if not names:
            return []
        found = self.run.clients.cloudwatch.describe_alarms(AlarmNames=names, AlarmTypes=["MetricAlarm"])["MetricAlarms"]
        return [alarm["AlarmName"] for alarm in found]


def _requests(endpoint: str, variant: str, wanted: AlarmsSpec, errors: str, latency: str) -> Iterator[PutMetricAlarmInputTypeDef]:
    common: PutMetricAlarmInputTypeDef = {
        "AlarmName": errors,
        "Namespace": "AWS/SageMaker",
        "Dimensions": [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}],
        "Period": 60,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    if wanted.errors_percent is not None:
        yield {
            **common,
            "AlarmDescription": f"Over {wanted.errors_percent:g} % of the answers of variant {variant} are errors.",
            "MetricName": "Invocation5XXErrors",
            "Statistic": "Average",
            "Threshold": wanted.errors_percent / 100,
        }
    if wanted.latency_ms is not None:
        yield {
            **common,
            "AlarmName": latency,
            "AlarmDescription": f"One answer in twenty takes variant {variant} over {wanted.latency_ms:g} ms.",
            "MetricName": "ModelLatency",
            "ExtendedStatistic": "p95",
            "Threshold": wanted.latency_ms * _MICROSECONDS,
        }
