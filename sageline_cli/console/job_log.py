"""The log of a training job while it trains: its last lines, and the learning curves in it. Each look reads what is new."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from sageline.jobs.logs import TRAINING_JOBS
from sageline.report.data import Curve
from sageline.spec.metric_pattern import MetricPattern, NoMetricPattern

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import GetLogEventsRequestTypeDef
    from mypy_boto3_sagemaker import SageMakerClient

_SHOWN_LINES, _LINE_LENGTH = 40, 500
_PAGES = 5  # of up to 10,000 lines, that one look reads
_MOST_VALUES = 20_000  # of a curve
_JOBS = 24  # whose logs are kept


@dataclass(frozen=True)
class SeenLog:
    """What a log has held until now; ``problem`` says why it could not be read any further."""

    lines: Sequence[str] = ()
    curves: Sequence[Curve] = ()
    problem: str = ""


class JobLog:
    """The log of one training job's first host."""

    def __init__(self, job: str, sagemaker: SageMakerClient, logs: CloudWatchLogsClient) -> None:
        self._job, self._sagemaker, self._logs = job, sagemaker, logs
        self._lock = threading.Lock()
        self._patterns: dict[str, MetricPattern] | None = None
        self._stream: str | None = None
        self._token: str | None = None
        self._lines: deque[str] = deque(maxlen=_SHOWN_LINES)
        self._values: dict[str, list[float]] = {}

    def look(self) -> SeenLog:
        """Never raises: a run is shown with or without its log."""
        with self._lock:
            problem = ""
            try:
                self._read()
            except (ClientError, BotoCoreError) as error:
                problem = "" if _is_not_there_yet(error) else f"The log could not be read: {error}"
            curves = [Curve(metric, tuple(values)) for metric, values in self._values.items() if values]
            return SeenLog(tuple(self._lines), curves, problem)

    def _read(self) -> None:
        if self._patterns is None:
            self._patterns = self._find_patterns()
        if self._stream is None:
            streams = self._logs.describe_log_streams(logGroupName=TRAINING_JOBS, logStreamNamePrefix=f"{self._job}/")
            names = [stream["logStreamName"] for stream in streams["logStreams"]]
            if not names:
                return
            self._stream = min(names)
        for _ in range(_PAGES):
            request: GetLogEventsRequestTypeDef = {
                "logGroupName": TRAINING_JOBS,
                "logStreamName": self._stream,
                "startFromHead": True,
            }
            if self._token is not None:
                request["nextToken"] = self._token
            page = self._logs.get_log_events(**request)
            for event in page["events"]:
                self._take(event["message"].rstrip())
            if page["nextForwardToken"] == self._token:
                return  # this is how CloudWatch Logs says that there is no more
            self._token = page["nextForwardToken"]

    def _find_patterns(self) -> dict[str, MetricPattern]:
        """The job's description has the expressions of the metrics, those of SageMaker's own algorithms too."""
        job = self._sagemaker.describe_training_job(TrainingJobName=self._job)
        patterns: dict[str, MetricPattern] = {}
        for definition in job["AlgorithmSpecification"].get("MetricDefinitions", []):
            try:
                patterns[definition["Name"]] = MetricPattern(definition["Regex"])
            except NoMetricPattern:
                continue
        return patterns

    def _take(self, line: str) -> None:
        self._lines.append(line.replace("#011", "\t")[:_LINE_LENGTH])
        for metric, pattern in (self._patterns or {}).items():
            value = pattern.value(line)
            values = self._values.setdefault(metric, [])
            if value is not None and len(values) < _MOST_VALUES:
                values.append(value)


class JobLogs:
    """The logs of the jobs that were looked at last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logs: OrderedDict[str, JobLog] = OrderedDict()

    def look(self, job: str, make: Callable[[], JobLog]) -> SeenLog:
        with self._lock:
            log = self._logs.pop(job, None) or make()
            self._logs[job] = log
            while len(self._logs) > _JOBS:
                self._logs.popitem(last=False)
        return log.look()


def _is_not_there_yet(error: Exception) -> bool:
    """A job that has not begun has neither description nor log."""
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in (
        "ResourceNotFoundException",
        "ValidationException",
    )
