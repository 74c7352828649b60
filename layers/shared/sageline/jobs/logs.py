"""What a job has logged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import GetLogEventsRequestTypeDef

TRAINING_JOBS = "/aws/sagemaker/TrainingJobs"
TRANSFORM_JOBS = "/aws/sagemaker/TransformJobs"

_LINES, _LINE_LENGTH = 20, 500
_PAGES = 10


def last_log_lines(log_group: str, job_name: str, logs: CloudWatchLogsClient) -> list[str]:
    """Up to 20 lines of the job's first host, oldest first. Never raises: a failure is told with or without them.

    Streams are named ``<job>/algo-1-<epoch>``, those of a transform job ``<job>/<instance>``; what became of its single
    records is in ``<job>/<instance>/data-log``, which is read if it is there.
    """
    try:
        streams = logs.describe_log_streams(logGroupName=log_group, logStreamNamePrefix=f"{job_name}/")["logStreams"]
        if not streams:
            return []
        names = sorted(stream["logStreamName"] for stream in streams)
        stream = next((name for name in names if name.endswith("/data-log")), names[0])
        events = logs.get_log_events(logGroupName=log_group, logStreamName=stream, limit=_LINES, startFromHead=False)["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    except (ClientError, BotoCoreError) as error:
        return [f"(the log could not be read: {error})"]
    return [event["message"].rstrip().replace("#011", "\t")[:_LINE_LENGTH] for event in events]


def log_lines(log_group: str, job_name: str, logs: CloudWatchLogsClient) -> Iterator[str]:
    """The lines of a job's first host from the first one on: ten pages of up to 10,000 lines. Never raises: a log that cannot be
    read ends where that was found out."""
    try:
        streams = logs.describe_log_streams(logGroupName=log_group, logStreamNamePrefix=f"{job_name}/")["logStreams"]
        if not streams:
            return
        stream = min(stream["logStreamName"] for stream in streams)
        request: GetLogEventsRequestTypeDef = {"logGroupName": log_group, "logStreamName": stream, "startFromHead": True}
        for _ in range(_PAGES):
            page = logs.get_log_events(**request)
            yield from (event["message"].rstrip() for event in page["events"])
            if page["nextForwardToken"] == request.get("nextToken"):
                return  # this is how CloudWatch Logs says that there is no more
            request["nextToken"] = page["nextForwardToken"]
    except (ClientError, BotoCoreError):
        return
