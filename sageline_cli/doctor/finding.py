"""What a check finds; and running checks side by side, without waiting for one that does not end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from sageline.errors import SagelineError
from sageline.json_objects import Json
from sageline_cli.errors import CommandFailed, explain

FindingState: TypeAlias = Literal["ok", "warning", "failed", "unknown"]

STATES: tuple[FindingState, ...] = ("failed", "warning", "unknown", "ok")
"""The worst first."""


@dataclass(frozen=True)
class Finding:
    """A line of what the doctor says. ``failed``: a first run would fail; ``unknown``: that could not be found out."""

    check: str
    state: FindingState
    what: str
    to_do: str = ""

    def to_json(self) -> Json:
        return {"check": self.check, "state": self.state, "what": self.what} | ({"to_do": self.to_do} if self.to_do else {})


ResultT = TypeVar("ResultT")

DoctorCheck: TypeAlias = Callable[[], Sequence[Finding]]


def run_checks(checks: Mapping[str, DoctorCheck], seconds: float) -> list[Finding]:
    """All findings in the order of the checks, which run side by side. A check that has not ended after ``seconds`` is unknown,
    and so is one that AWS or the system refuses.

    Args:
        checks: by the name that a finding has when the check does not come to one of its own.
    """
    deadline = time.monotonic() + seconds
    begun = {name: _begin(check) for name, check in checks.items()}
    found: list[Finding] = []
    for name, future in begun.items():
        answer = _end(name, future, deadline)
        found += [answer] if isinstance(answer, Finding) else answer
    return found


def ask(check: str, question: Callable[[], ResultT], seconds: float) -> ResultT | Finding:
    """The answer to a question, or else the finding that says why there is none."""
    return _end(check, _begin(question), time.monotonic() + seconds)


def _begin(work: Callable[[], ResultT]) -> Future[ResultT]:
    future: Future[ResultT] = Future()

    def do() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    # A pool's threads would be waited for when the command ends.
    threading.Thread(target=do, daemon=True).start()
    return future


def _end(check: str, future: Future[ResultT], deadline: float) -> ResultT | Finding:
    try:
        return future.result(max(deadline - time.monotonic(), 0))
    except NotInTime:
        return Finding(check, "unknown", "No answer in time.", "Look at the network, and try again.")
    except (BotoCoreError, ClientError, SagelineError, CommandFailed, OSError) as error:
        return Finding(check, "unknown", explain(error).message)


def worst(findings: Sequence[Finding]) -> FindingState:
    """The state that all of them together are in."""
    return next((state for state in STATES if any(finding.state == state for finding in findings)), "ok")
