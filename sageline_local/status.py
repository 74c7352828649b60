"""How a stack is doing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

StackState = Literal["up", "down", "half-dead"]


@dataclass(frozen=True)
class StackStatus:
    """``up``: the servers answer and the bundle is deployed. ``half-dead``: something runs, and something is missing."""

    state: StackState
    home: str
    region: str
    endpoint_url: str = ""
    """Of MiniStack: every service of AWS but the next two. Empty, like the others, when not known."""
    sagemaker_url: str = ""
    autoscaling_url: str = ""
    api_url: str = ""
    jwt_api_url: str = ""
    """Of the HTTP API for tokens; empty, too, if the stack has none."""
    bucket: str = ""
    pids: dict[str, int] = field(default_factory=dict)
    """Of the running servers, by name."""
    environment: dict[str, str] = field(default_factory=dict)
    """What `sageline local env` exports; empty unless the stack is up."""
    outputs: dict[str, str] = field(default_factory=dict)
    """Of the deployed stack."""
    problems: list[str] = field(default_factory=list)
    """Sentences on what is wrong, and what to do."""

    limits: list[str] = field(default_factory=list)
    """Sentences on what this machine can not do, and the stack therefore does not."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
