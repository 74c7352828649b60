"""What cannot be told of a run or an endpoint is shown as Unknown, so that it hides nothing else of a list."""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = "Unknown"
LOOKING_SECONDS: Final = 15
"""After so long a list looks no further, and what is left of it is Unknown: the HTTP API waits for 30 s."""
