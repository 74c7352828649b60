"""The HTTP API besides predictions: uploads, runs, endpoints."""

from __future__ import annotations

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.api.routes import Api, resolver, routable
from sageline.aws.events import checked
from sageline.aws.http import ApiEvent
from sageline.aws.logger import function_logger
from sageline.aws.scopes import scoped
from sageline.aws.settings import ApiSettings, LifetimeSettings
from sageline.runs.context import RunContext

logger = function_logger()


@logger.inject_lambda_context
@checked
@scoped(logger)
def handler(event: ApiEvent, context: LambdaContext) -> dict[str, Any]:  # what the resolver returns
    settings, lifetime = ApiSettings.from_environment(os.environ), LifetimeSettings.from_environment(os.environ)
    resolver.context["api"] = Api(RunContext(settings), settings, lifetime, context, logger)
    return resolver.resolve(routable(event), context)
