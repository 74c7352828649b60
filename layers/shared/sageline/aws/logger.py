"""The functions' logger: Powertools', at the level that the stack was deployed with."""

from __future__ import annotations

import logging
import os

from aws_lambda_powertools import Logger


def function_logger() -> Logger:
    """A logger at POWERTOOLS_LOG_LEVEL, for a handler.

    Powertools itself would take the level of Lambda's log filter first; and that filter stays at INFO or below, because it counts
    embedded metrics, which have no level, as INFO.

    Libraries log INFO and above, whatever the level: botocore at DEBUG writes session tokens and what is predicted.
    """
    logger = Logger()
    logging.getLogger("botocore").setLevel(logging.INFO)
    logging.getLogger("urllib3").setLevel(logging.INFO)
    logging.getLogger(logger.name).setLevel(os.environ.get("POWERTOOLS_LOG_LEVEL", "INFO").upper())
    return logger
