"""Answering the task token of a state that waits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from sageline.aws.errors import code

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_TOKEN_IS_GONE = {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}


def succeed(stepfunctions: SFNClient, task_token: str, output: Mapping[str, object]) -> None:
    """The state goes on with ``output``."""
    with _token_may_be_gone():
        stepfunctions.send_task_success(taskToken=task_token, output=json.dumps(output))


def fail(stepfunctions: SFNClient, task_token: str, error: str, cause: str) -> None:
    """The state fails with an error of that name."""
    with _token_may_be_gone():
        stepfunctions.send_task_failure(taskToken=task_token, error=error, cause=cause)


@contextmanager
def _token_may_be_gone() -> Iterator[None]:
    """The state was answered before, by the other caller, or has timed out and looks again with a new token."""
    try:
        yield
    except ClientError as error:
        if code(error) not in _TOKEN_IS_GONE:
            raise
