"""When an endpoint is deleted by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sageline.json_objects import Json
from sageline.report.drawing.figures import UNKNOWN
from sageline_cli.render import duration


@dataclass(frozen=True)
class End:
    """``at`` is None for an endpoint that is kept; ``text``: ``in 8 h``, ``never``, ``not known``."""

    at: datetime | None
    text: str


def end_of(endpoint: Json, now: datetime) -> End:
    """When the endpoint, as the HTTP API shows it, will be deleted."""
    if endpoint.get("status") in ("Unknown", "Missing"):
        return End(None, "not known")
    moment = endpoint.get("expires_at")
    if moment is None:
        return End(None, "never")
    at = datetime.fromisoformat(moment)
    seconds = (at - now).total_seconds()
    return End(at, f"in {duration(seconds)}" if seconds > 0 else "now")


def ago(moment: str | None, now: datetime) -> str:
    """``5 min ago``; a dash where the moment is not known."""
    return UNKNOWN if moment is None else f"{duration((now - datetime.fromisoformat(moment)).total_seconds())} ago"
