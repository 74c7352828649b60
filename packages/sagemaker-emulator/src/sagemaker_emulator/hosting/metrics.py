"""Metrics of invocations on their way to CloudWatch, a second's at once, off the path of the requests.

Names, units and meaning: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html ("SageMaker AI endpoint
invocation metrics"). An error metric is 1 or 0 for each request, so that its average is a share.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.literals import StandardUnitType
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef, MetricDatumTypeDef

logger = logging.getLogger(__name__)

# Endpoint, variant, metric.
_Key: TypeAlias = tuple[str, str | None, str]

NAMESPACE = "AWS/SageMaker"
_FLUSH_SECONDS = 1.0
# PutMetricData takes 1,000 metrics at once, and 150 values of each.
_BATCH_DATA = 500
_BATCH_VALUES = 150
_MICROSECONDS = ("ModelLatency", "OverheadLatency", "RequestDownloadLatency", "ResponseUploadLatency", "TimeInBacklog")
_UNITS: dict[str, StandardUnitType] = {**dict.fromkeys(_MICROSECONDS, "Microseconds"), "TotalProcessingTime": "Milliseconds"}


class _Invocation(NamedTuple):
    """What :meth:`InvocationMetrics.record` is told."""

    endpoint: str
    variant: str
    status: int | None
    model_seconds: float
    whole_seconds: float

    def measured(self) -> dict[str, int]:
        """Values by the names of their metrics."""
        status = self.status
        return {
            "Invocations": 1,
            "Invocation4XXErrors": int(status is not None and 400 <= status < 500),
            "Invocation5XXErrors": int(status is None or status >= 500),
            "InvocationModelErrors": int(status is None or not 200 <= status < 300),
            "ModelLatency": round(self.model_seconds * 1e6),
            "OverheadLatency": round(max(0.0, self.whole_seconds - self.model_seconds) * 1e6),
        }


class _Values(NamedTuple):
    """What :meth:`InvocationMetrics.add` is told."""

    endpoint: str
    variant: str | None
    values: Mapping[str, int]

    def measured(self) -> Mapping[str, int]:
        return self.values


class InvocationMetrics:
    """Counts what was measured by endpoint, variant and metric; one thread sends it to CloudWatch, if there is one."""

    def __init__(self, cloudwatch: CloudWatchClient | None) -> None:
        self._cloudwatch = cloudwatch
        self._noted: list[_Invocation | _Values] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def record(self, endpoint: str, variant: str, status: int | None, model_seconds: float, whole_seconds: float) -> None:
        """Note one invocation.

        Args:
            status: what the container answered; None if it did not.
            model_seconds: how long the container took.
            whole_seconds: from the request's arrival to its answer.
        """
        # A list takes what several threads append.
        self._noted.append(_Invocation(endpoint, variant, status, model_seconds, whole_seconds))

    def add(self, endpoint: str, variant: str | None, values: Mapping[str, int]) -> None:
        """Note one value of each metric; ``variant`` is None for those of the endpoint as a whole."""
        self._noted.append(_Values(endpoint, variant, values))

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(timeout=5)
        self.flush()

    def flush(self) -> None:
        """Send everything that was noted; what cannot be sent is dropped with a warning, and everything without CloudWatch."""
        noted = self._noted[:]
        del self._noted[: len(noted)]
        if self._cloudwatch is None:
            return
        now = datetime.now(UTC)
        data = (datum for key, values in _counted(noted).items() for datum in _data(key, values, now))
        try:
            while batch := list(islice(data, _BATCH_DATA)):
                self._cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=batch)
        except (BotoCoreError, ClientError, OSError) as error:
            logger.warning("metrics were not sent: %s", error)

    def _run(self) -> None:
        while not self._stopped.wait(_FLUSH_SECONDS):
            self.flush()


def _counted(noted: Iterable[_Invocation | _Values]) -> dict[_Key, Counter[int]]:
    """How often each value was measured, by endpoint, variant and metric."""
    counts: defaultdict[_Key, Counter[int]] = defaultdict(Counter)
    for item in noted:
        for name, value in item.measured().items():
            counts[item.endpoint, item.variant, name][value] += 1
    return counts


def _data(key: _Key, values: Counter[int], now: datetime) -> Iterator[MetricDatumTypeDef]:
    endpoint, variant, name = key
    dimensions: list[DimensionTypeDef] = [{"Name": "EndpointName", "Value": endpoint}]
    if variant is not None:
        dimensions.append({"Name": "VariantName", "Value": variant})
    left = iter(sorted(values.items()))
    while part := list(islice(left, _BATCH_VALUES)):
        yield {
            "MetricName": name,
            "Dimensions": dimensions,
            "Timestamp": now,
            "Values": [float(value) for value, _ in part],
            "Counts": [float(count) for _, count in part],
            "Unit": _UNITS.get(name, "None"),
        }
