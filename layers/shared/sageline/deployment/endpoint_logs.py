"""The log group of an endpoint: SageMaker writes it, keeps it for ever, and leaves it behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from sageline.aws.errors import code

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

_PREFIX = "/aws/sagemaker/Endpoints/"


@dataclass(frozen=True)
class EndpointLogs:
    """The log groups of endpoints, whose names the caller knows for the stack's own."""

    logs: CloudWatchLogsClient

    def keep(self, endpoint: str, days: int, warn: Callable[[str], None]) -> None:
        """Have an endpoint's lines expire after so many days. Its group is made if the endpoint has not logged anything yet.

        A deployment does not fail for it: ``warn`` takes what went wrong.
        """
        group = _PREFIX + endpoint
        try:
            self._create(group)
            self.logs.put_retention_policy(logGroupName=group, retentionInDays=days)
        except (ClientError, BotoCoreError) as error:
            warn(f"The log group {group} keeps its lines for ever: {error}")

    def remove(self, endpoint: str) -> list[str]:
        """Delete an endpoint's group if there is one; returns what was deleted."""
        group = _PREFIX + endpoint
        try:
            self.logs.delete_log_group(logGroupName=group)
        except ClientError as error:
            if code(error) != "ResourceNotFoundException":
                raise
            return []
        return [f"log-group{group}"]

    def _create(self, group: str) -> None:
        try:
            self.logs.create_log_group(logGroupName=group)
        except ClientError as error:
            if code(error) != "ResourceAlreadyExistsException":
                raise
