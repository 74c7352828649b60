"""How long the commands wait while SageMaker is making a change that it does not interrupt, or starts a model."""

from __future__ import annotations

from collections.abc import Callable

from sageline_cli.api_client import ApiClient

_CHANGE_SECONDS = 900
"""SageMaker makes or changes an endpoint in minutes."""
_WARMING_SECONDS = 300
"""A serverless endpoint has 3 minutes to load its model, and the model a minute to answer."""


def when_ready(api: ApiClient) -> ApiClient:
    """Asks again as long as an endpoint is being created or updated."""
    return api.patient(_CHANGE_SECONDS)


def when_warm(api: ApiClient, tell: Callable[[str], None]) -> ApiClient:
    """Asks again as long as an endpoint's model is being started. ``tell`` takes what is waited for."""
    return api.patient(_WARMING_SECONDS, tell)
