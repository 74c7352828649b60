"""What CloudWatch has measured of an endpoint's variants, and the alarms that watch them.

The metrics are SageMaker's own, by ``EndpointName`` and ``VariantName``, latencies in microseconds
(https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html, "SageMaker AI endpoint invocation metrics"). Rows are
counted by Sageline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal

from sageline_cli.console.endpoints.side_by_side import all_of, begin

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef, MetricDataQueryTypeDef, MetricDataResultTypeDef, MetricTypeDef

PERIODS: Mapping[int, int] = {1: 60, 3: 300, 24: 1800, 168: 14400}
"""Hours that can be looked at, to the seconds that a point of the plot stands for."""

_SAGEMAKER = "AWS/SageMaker"
_STATISTICS: Mapping[str, tuple[str, str]] = {
    "requests": ("Invocations", "Sum"),
    "errors_4xx": ("Invocation4XXErrors", "Sum"),
    "errors_5xx": ("Invocation5XXErrors", "Sum"),
    "p50": ("ModelLatency", "p50"),
    "p95": ("ModelLatency", "p95"),
    "longest": ("ModelLatency", "Maximum"),
    "model": ("ModelLatency", "Sum"),
    "overhead": ("OverheadLatency", "Sum"),
}
_WATCHED = ("Invocation5XXErrors", "Invocation4XXErrors", "ModelLatency")
_MOST_QUERIES = 500  # of one GetMetricData
_DAY = 86_400

Series = dict[datetime, float]


@dataclass(frozen=True)
class VariantTraffic:
    """Values by the moment when their period begins. Latencies are in microseconds, ``model`` and ``overhead`` of all requests
    together."""

    variant: str
    requests: Series = field(default_factory=dict)
    errors_4xx: Series = field(default_factory=dict)
    errors_5xx: Series = field(default_factory=dict)
    p50: Series = field(default_factory=dict)
    p95: Series = field(default_factory=dict)
    longest: Series = field(default_factory=dict)
    model: Series = field(default_factory=dict)
    overhead: Series = field(default_factory=dict)


@dataclass(frozen=True)
class VariantAlarm:
    """An alarm on a metric of a variant."""

    name: str
    state: Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
    told: str


@dataclass(frozen=True)
class Traffic:
    """What was measured from ``start`` to ``end``, in periods of ``period`` seconds. ``rows``: None where none were counted."""

    start: datetime
    end: datetime
    period: int
    variants: tuple[VariantTraffic, ...]
    rows: float | None
    alarms: tuple[VariantAlarm, ...]

    @property
    def is_empty(self) -> bool:
        return not any(variant.requests for variant in self.variants)


def read_traffic(cloudwatch: CloudWatchClient, endpoint: str, variants: Sequence[str], hours: int, now: datetime) -> Traffic:
    """What was measured of the last ``hours``, a key of :data:`PERIODS`.

    Raises:
        ClientError: CloudWatch may not be read.
    """
    period = PERIODS[hours]
    end = datetime.fromtimestamp((now.timestamp() // period + 1) * period, UTC)
    start = end - timedelta(seconds=hours * 3600)
    wanted = [(variant, name) for variant in variants for name in _STATISTICS]
    queries = []
    for index, (variant, name) in enumerate(wanted):
        metric, statistic = _STATISTICS[name]
        queries.append(_query(f"m{index}", _metric(endpoint, variant, metric), statistic, period))
    counted: MetricTypeDef = {
        "Namespace": "Sageline",
        "MetricName": "Instances",
        "Dimensions": [{"Name": "Endpoint", "Value": endpoint}, {"Name": "service", "Value": "sageline"}],
    }
    queries.append(_query("rows", counted, "Sum", period))
    alarms = begin(partial(read_alarms, cloudwatch, endpoint, variants))
    found = _ask(cloudwatch, queries, start, end)
    series: dict[str, dict[str, Series]] = {variant: {} for variant in variants}
    for index, (variant, name) in enumerate(wanted):
        series[variant][name] = found.get(f"m{index}", {})
    rows = found.get("rows")
    return Traffic(
        start=start,
        end=end,
        period=period,
        variants=tuple(VariantTraffic(variant, **values) for variant, values in series.items()),
        rows=sum(rows.values()) if rows else None,
        alarms=tuple(alarms.result()),
    )


def computing_seconds(
    cloudwatch: CloudWatchClient, variants: Iterable[tuple[str, str]], since: datetime, now: datetime
) -> dict[tuple[str, str], float]:
    """For how long the models of ``(endpoint, variant)`` have computed since then, in seconds.

    Raises:
        ClientError: CloudWatch may not be read.
    """
    asked = list(variants)
    queries = [_query(f"m{index}", _metric(*which, "ModelLatency"), "Sum", _DAY) for index, which in enumerate(asked)]
    # A period begins at midnight.
    start = datetime.fromtimestamp(since.timestamp() // _DAY * _DAY, UTC)
    found = _ask(cloudwatch, queries, start, now + timedelta(minutes=1)) if queries else {}
    return {which: sum(found.get(f"m{index}", {}).values()) / 1e6 for index, which in enumerate(asked)}


def _metric(endpoint: str, variant: str, name: str) -> MetricTypeDef:
    return {"Namespace": _SAGEMAKER, "MetricName": name, "Dimensions": _of_variant(endpoint, variant)}


def _of_variant(endpoint: str, variant: str) -> list[DimensionTypeDef]:
    return [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]


def _query(identifier: str, metric: MetricTypeDef, statistic: str, period: int) -> MetricDataQueryTypeDef:
    return {
        "Id": identifier,
        "MetricStat": {
            "Metric": metric,
            "Period": period,
            "Stat": statistic,
        },
    }


def _ask(
    cloudwatch: CloudWatchClient, queries: Sequence[MetricDataQueryTypeDef], start: datetime, end: datetime
) -> dict[str, Series]:
    found: dict[str, Series] = {}
    for first in range(0, len(queries), _MOST_QUERIES):
        pages = cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=list(queries[first : first + _MOST_QUERIES]), StartTime=start, EndTime=end
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                found.setdefault(result["Id"], {}).update(_series(result))
    return found


def _series(result: MetricDataResultTypeDef) -> Series:
    return {moment.astimezone(UTC): value for moment, value in zip(result["Timestamps"], result["Values"], strict=True)}


def read_alarms(cloudwatch: CloudWatchClient, endpoint: str, variants: Sequence[str]) -> list[VariantAlarm]:
    """The alarms on the variants' errors and latency: those of a rollout, and a team's own."""

    def of(variant: str, metric: str) -> list[VariantAlarm]:
        answer = cloudwatch.describe_alarms_for_metric(
            Namespace=_SAGEMAKER, MetricName=metric, Dimensions=_of_variant(endpoint, variant)
        )
        return [
            VariantAlarm(
                alarm["AlarmName"],
                alarm.get("StateValue", "INSUFFICIENT_DATA"),
                alarm.get("AlarmDescription") or alarm.get("StateReason", ""),
            )
            for alarm in answer["MetricAlarms"]
        ]

    watched = [(variant, metric) for variant in variants for metric in _WATCHED]
    return [alarm for found in all_of(partial(of, *which) for which in watched) for alarm in found]
