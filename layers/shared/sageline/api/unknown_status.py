"""The status Unknown, for a run or endpoint whose state cannot be found out: it must not hide the rest of a list."""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = "Unknown"
LOOKING_SECONDS: Final = 15
"""After so long a list stops looking, and the rest of it is Unknown: the HTTP API waits for 30 s."""
