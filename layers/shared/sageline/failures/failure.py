"""A run's failure in words for people, from what Step Functions passes on."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sageline.json_objects import Json

_LONGEST_CAUSE = 32_000
"""Step Functions takes 32,768 characters for a cause."""


@dataclass(frozen=True)
class Failure:
    """Why a run failed. ``job``, ``failure_reason`` and ``log_lines`` are there when a job or endpoint failed."""

    state: str
    error: str
    message: str
    advice: str
    job: str | None = None
    failure_reason: str | None = None
    log_lines: tuple[str, ...] = ()

    def to_json(self) -> Json:
        """As it is kept in the run's record."""
        return {
            "state": self.state,
            "error": self.error,
            "message": self.message,
            "job": self.job,
            "failure_reason": self.failure_reason,
            "log_lines": list(self.log_lines),
            "advice": self.advice,
        }


def explain(message: str, log_lines: tuple[str, ...], advice: str) -> str:
    """Message, last log lines and advice as one text, which is the cause that a failed execution shows."""
    parts = [message]
    if log_lines:
        parts.append("Last log lines:\n" + "\n".join(f"  {line}" for line in log_lines))
    parts.append(f"What to try: {advice}")
    return "\n".join(parts)[:_LONGEST_CAUSE]


def read_cause(error: str, cause: str) -> tuple[str, str]:
    """``(error, message)`` of a failed task: the cause of a Lambda task is ``{"errorMessage", "errorType", …}`` as JSON."""
    try:
        details = json.loads(cause)
    except ValueError:
        details = None
    if not isinstance(details, dict) or "errorMessage" not in details:
        return error, cause.strip() or f"{error}, without any message."
    kind = str(details.get("errorType", error))
    message = str(details["errorMessage"]).strip() or f"{kind}, without any message."
    return (kind if error == "States.TaskFailed" else error), message
