"""How long endpoints live: a tag on the endpoint says until when, a schedule of the same name calls when it is over.

The tag is the truth. A schedule that calls late, twice, or for an endpoint that was made anew or given more time finds another
moment in the tag, and nothing is deleted. A call that gets lost is made up for by the sweep, which looks at the tags.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.aws.errors import code
from sageline.aws.settings import LifetimeSettings
from sageline.aws.tags import EXPIRES_TAG
from sageline.runs.context import RunContext

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_scheduler.type_defs import CreateScheduleInputTypeDef, TargetTypeDef


@dataclass(frozen=True)
class Schedules:
    """The schedules of one stack's endpoints, which are a group."""

    run: RunContext
    group: str

    def remove(self, endpoint: str) -> list[str]:
        """Delete the schedule of an endpoint if there is one; returns what was deleted."""
        try:
            self.run.clients.scheduler.delete_schedule(Name=endpoint, GroupName=self.group)
        except ClientError as error:
            if code(error) != "ResourceNotFoundException":
                raise
            return []
        return [f"schedule/{endpoint}"]


@dataclass(frozen=True)
class Lifetimes:
    """The times to live of one stack's endpoints."""

    run: RunContext
    settings: LifetimeSettings

    @property
    def schedules(self) -> Schedules:
        """The schedules that call when a time is over."""
        return Schedules(self.run, self.settings.schedule_group_name)

    def set(self, endpoint: str, arn: str, ttl_hours: float | None) -> str | None:
        """Have an endpoint deleted so many hours from now, instead of when it would have been; None keeps it.

        Returns:
            When it will be deleted: ISO 8601 with a ``Z``, whole seconds.
        """
        if ttl_hours is None:
            self.run.clients.sagemaker.delete_tags(ResourceArn=arn, TagKeys=[EXPIRES_TAG])
            self.schedules.remove(endpoint)
            return None
        # Rounded up to a whole second, which is what a schedule can say.
        moment = (self.run.clock() + timedelta(hours=ttl_hours, microseconds=999_999)).astimezone(UTC).replace(microsecond=0)
        expires_at = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        # The tag first: cut short here, the endpoint is still deleted by the sweep.
        self.run.clients.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": EXPIRES_TAG, "Value": expires_at}])
        self._schedule(endpoint, moment, expires_at)
        return expires_at

    def _schedule(self, endpoint: str, moment: datetime, expires_at: str) -> None:
        """Make the endpoint's schedule, or move it."""
        # Lambda takes the call and answers at once, so a retry is for a Lambda that could not be reached.
        target: TargetTypeDef = {
            "Arn": self.settings.expire_function_arn,
            "RoleArn": self.settings.schedule_role_arn,
            "Input": json.dumps({"action": "expire", "endpoint": endpoint, "expires_at": expires_at}),
            "DeadLetterConfig": {"Arn": self.settings.schedule_dead_letter_queue_arn},
            "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 20},
        }
        schedule: CreateScheduleInputTypeDef = {
            "Name": endpoint,
            "GroupName": self.settings.schedule_group_name,
            "ScheduleExpression": f"at({moment:%Y-%m-%dT%H:%M:%S})",
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": target,
        }
        scheduler = self.run.clients.scheduler
        try:
            scheduler.update_schedule(**schedule)
        except ClientError as error:
            if code(error) != "ResourceNotFoundException":
                raise
            try:
                scheduler.create_schedule(**schedule)
            except ClientError as existing:
                if code(existing) != "ConflictException":
                    raise
                # Somebody else has made it since.
                scheduler.update_schedule(**schedule)


def expires_at(sagemaker: SageMakerClient, arn: str) -> str | None:
    """Until when an endpoint lives, as :meth:`Lifetimes.set` has said; None if it is to be kept."""
    tags = sagemaker.list_tags(ResourceArn=arn)["Tags"]
    return next((tag["Value"] for tag in tags if tag["Key"] == EXPIRES_TAG), None)
