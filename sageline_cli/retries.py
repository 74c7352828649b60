"""Retries requests while SageMaker is making a change that it does not interrupt, or starts a model."""

from __future__ import annotations

import time
from collections.abc import Callable

from sageline.json_objects import Json
from sageline_cli.errors import CommandFailed

_PATIENCE_SECONDS = 900
"""SageMaker makes or changes an endpoint in minutes."""
_TRY_EVERY_SECONDS = 5
_WARMING_SECONDS = 300
"""A serverless endpoint has 3 minutes to load its model, and the model a minute to answer."""


def when_ready(request: Callable[[], Json]) -> Json:
    """The answer to a request, which is sent again as long as an endpoint is being created or updated.

    Raises:
        CommandFailed: anything else went wrong, or the endpoint is not ready for too long.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return request()
        except CommandFailed as error:
            if error.code != "EndpointNotReady" or time.monotonic() > deadline:
                raise
        time.sleep(_TRY_EVERY_SECONDS)


def when_warm(request: Callable[[], Json], tell: Callable[[str], None]) -> Json:
    """The answer to a request, which is sent again when the API says, for five minutes. ``tell`` takes what is waited for.

    Raises:
        CommandFailed: anything else went wrong, or it takes too long.
    """
    deadline = time.monotonic() + _WARMING_SECONDS
    while True:
        try:
            return request()
        except CommandFailed as error:
            if error.retry_after is None or time.monotonic() + error.retry_after > deadline:
                raise
            tell(f"{error.message} Trying again in {error.retry_after} s ...")
            seconds = error.retry_after
        time.sleep(seconds)
