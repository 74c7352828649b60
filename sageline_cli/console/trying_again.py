"""Requests that are sent again while an endpoint is being changed or its model started, as the commands do
(:mod:`sageline_cli.retries`). Here it is the page that asks again, so that a person sees what is waited for and can stop it."""

from __future__ import annotations

import time

from starlette.datastructures import FormData

from sageline_cli.console.forms import text_of
from sageline_cli.errors import CommandFailed

CHANGE_SECONDS = 900
"""SageMaker makes or changes an endpoint in minutes."""
WARMING_SECONDS = 300
"""A serverless endpoint has 3 minutes to load its model, and the model a minute to answer."""
BEGAN = "began"
"""The field that says when the first try was."""
_SHORTEST_SECONDS = 2


def seconds_to_wait(error: CommandFailed, form: FormData, patience: int) -> int | None:
    """After how many seconds the page sends the form again; None: it is of no use, or has taken too long."""
    if error.retry_after is None or time.time() - began(form) > patience:
        return None
    return max(error.retry_after, _SHORTEST_SECONDS)


def began(form: FormData) -> float:
    """When the form was sent first, as a Unix time."""
    try:
        return float(text_of(form, BEGAN))
    except ValueError:
        return time.time()
