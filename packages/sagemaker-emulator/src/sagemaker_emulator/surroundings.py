"""The rest of AWS as the service finds it: servers that it was pointed to, and what stands in for those that are not there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sagemaker_emulator.aws import Aws, Place, connect, connect_s3, endpoint_of, place_from_environment
from sagemaker_emulator.callers import Function
from sagemaker_emulator.event_rules import EventRules
from sagemaker_emulator.logs import CloudWatchLogs, LogFiles, Sink
from sagemaker_emulator.objects import FolderObjects, Objects, S3Objects
from sagemaker_emulator.permissions import Permissions, Unchecked
from sagemaker_emulator.store import Document

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_sts import STSClient


@dataclass(frozen=True)
class Surroundings:
    """What SageMaker works with of the rest of AWS."""

    place: Place
    objects: Objects
    permissions: Permissions
    log_sink: Sink
    deliver: Callable[[Document], None]
    """Takes an event of EventBridge to whom the rules name."""
    publish: Callable[[str, str], None]
    """Takes the ARN of a topic of SNS, and a message for it."""
    functions: Callable[[], Iterable[Function]]
    """The Lambda functions, which call under roles of their own."""
    cloudwatch: CloudWatchClient | None = None
    sts: STSClient | None = None
    notes: tuple[str, ...] = ()
    """Sentences on what is where, and on what is not there."""
    hidden: tuple[Path, ...] = ()
    """Directories that no container shall see."""


def of_environment(environment: Mapping[str, str], home: Path, folder: Path | None) -> Surroundings:
    """By botocore's variables; AWS itself is never called.

    Args:
        folder: what stands in for S3 where no variable says where it is; None: a folder of ``home``.

    Raises:
        ValueError: there is both, a server for S3 and a folder.
    """
    place = place_from_environment(environment)
    url = endpoint_of(environment, "S3")
    if folder and url:
        raise ValueError(f"S3 is at {url}, by AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_S3: a folder is for where there is none.")
    if environment.get("AWS_ENDPOINT_URL"):
        return at_endpoint(connect(environment, place.region), place)
    if url:
        return alone(S3Objects(connect_s3(url, place.region)), place, home, f"S3 is at {url}.")
    folder = (folder or home / "s3").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    said = f"S3 is the folder {folder}: s3://bucket/key is the file bucket/key in it, and a bucket is a folder."
    return alone(FolderObjects(folder), place, home, said, hidden=(folder,))


def at_endpoint(aws: Aws, place: Place) -> Surroundings:
    """All services by these clients."""
    permissions, notes = _checked(aws, place)
    return Surroundings(
        place=place,
        objects=S3Objects(aws.s3),
        permissions=permissions,
        log_sink=CloudWatchLogs(aws.logs),
        deliver=EventRules(aws.events, aws.functions).deliver,
        publish=lambda topic, message: _publish(aws, topic, message),
        functions=lambda: _list_functions(aws),
        cloudwatch=aws.cloudwatch,
        sts=aws.sts,
        notes=(f"S3, IAM, logs and events are at {aws.s3.meta.endpoint_url}.", *notes),
    )


def alone(objects: Objects, place: Place, home: Path, said: str, hidden: tuple[Path, ...] = ()) -> Surroundings:
    """Only objects, wherever they are."""
    logs = (home / "logs").absolute()
    sink = LogFiles(logs)
    return Surroundings(
        place=place,
        objects=objects,
        permissions=Unchecked(),
        log_sink=sink,
        deliver=lambda _event: None,
        publish=lambda topic, message: sink("sns", topic.rpartition(":")[2], [(int(time.time() * 1000), message)]),
        functions=tuple,
        notes=(
            said,
            f"Logs are the files below {logs}.",
            "There are no IAM, EventBridge, SNS, CloudWatch and STS: roles are not checked, nobody is told of state changes, "
            "notifications are files beside the logs, metrics are dropped, and scripts get no credentials.",
        ),
        hidden=hidden,
    )


def _checked(aws: Aws, place: Place) -> tuple[Permissions, tuple[str, ...]]:
    if find_spec("ministack") is None:
        return Unchecked(), (
            "Roles are not checked: policies are evaluated by MiniStack's evaluator, which is not installed "
            "(pip install 'sagemaker-emulator[iam]').",
        )
    # Only where the extra is installed.
    from sagemaker_emulator.authorization import Authorizer, read_role  # noqa: PLC0415

    return Authorizer(lambda name: read_role(aws.iam, name), place), ()


def _publish(aws: Aws, topic: str, message: str) -> None:
    aws.sns.publish(TopicArn=topic, Message=message)


def _list_functions(aws: Aws) -> list[Function]:
    pages = aws.functions.get_paginator("list_functions").paginate()
    return [
        Function(function["FunctionArn"], function["FunctionName"], function["Role"])
        for page in pages
        for function in page["Functions"]
    ]
