"""Asking again while SageMaker is in the middle of a change that it does not interrupt."""

from __future__ import annotations

import time
from collections.abc import Callable

from cli.errors import CommandFailed, Json

_PATIENCE_SECONDS = 900
"""SageMaker makes or changes an endpoint in minutes."""
_TRY_EVERY_SECONDS = 5


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
