"""The log group of an endpoint: SageMaker writes it, keeps it for ever, and leaves it behind."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from sageline.aws.errors import code
from sageline.runs.context import RunContext

_log = logging.getLogger(__name__)

_PREFIX = "/aws/sagemaker/Endpoints/"


@dataclass(frozen=True)
class EndpointLogs:
    """The log groups of endpoints, whose names the caller knows for the stack's own."""

    run: RunContext

    def keep(self, endpoint: str, days: int) -> None:
        """Have an endpoint's lines expire after so many days. Its group is made if the endpoint has not logged anything yet.

        A deployment does not fail for it: what goes wrong is logged.
        """
        group = _PREFIX + endpoint
        try:
            self._create(group)
            self.run.clients.logs.put_retention_policy(logGroupName=group, retentionInDays=days)
        except (ClientError, BotoCoreError) as error:
            _log.warning("The log group %s keeps its lines for ever: %s", group, error)

    def remove(self, endpoint: str) -> list[str]:
        """Delete an endpoint's group if there is one; returns what was deleted."""
        group = _PREFIX + endpoint
        try:
            self.run.clients.logs.delete_log_group(logGroupName=group)
        except ClientError as error:
            if code(error) != "ResourceNotFoundException":
                raise
            return []
        return [f"log-group{group}"]

    def _create(self, group: str) -> None:
        try:
            self.run.clients.logs.create_log_group(logGroupName=group)
        except ClientError as error:
            if code(error) != "ResourceAlreadyExistsException":
                raise
