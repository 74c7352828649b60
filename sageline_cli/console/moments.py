"""When a run began and how long it took, as a person wants it."""

from __future__ import annotations

from datetime import datetime

from sageline.json_objects import Json
from sageline.runs.store import utc_now
from sageline_cli.render import duration

GOES_ON = ("Running", "Unknown")
"""Statuses of a run that may still change."""


def ago(text: str) -> str:
    """``3 min ago``."""
    return f"{duration((utc_now() - datetime.fromisoformat(text)).total_seconds())} ago"


def took(run: Json) -> str:
    """``3 min``; of a run that goes on, until now."""
    end = utc_now() if run["status"] in GOES_ON else datetime.fromisoformat(run["updated_at"])
    return duration((end - datetime.fromisoformat(run["created_at"])).total_seconds())
