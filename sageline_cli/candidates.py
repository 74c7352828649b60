"""How the algorithms of a run of ``auto`` stand while they are trained side by side; each is a run of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rich.text import Text

from sageline.json_objects import Json
from sageline.runs.store import utc_now
from sageline.runs.timings import StateOutcome
from sageline_cli.errors import CommandFailed

TRAINING = "TrainCandidates"
"""The state of the run in which its candidates are under way."""

_MARKS: Mapping[StateOutcome, tuple[str, str]] = {"done": ("✓ ", "green"), "failed": ("✗ ", "red"), "running": ("… ", "cyan")}
_OUTCOMES: Mapping[str, StateOutcome] = {"Running": "running", "Unknown": "running", "Succeeded": "done"}
_ANSWERED = "has answered the validation rows"
_NOT_BEGUN = "has not begun"


@dataclass(frozen=True)
class CandidateProgress:
    """A candidate.

    Attributes:
        state: of its run, if that goes on.
        seconds: since its run began, or how long that took.
        told: what came of it, in a few words; empty if it goes on.
        stopped: somebody has stopped it, alone or with the run.
    """

    run_id: str
    algorithm: str
    outcome: StateOutcome
    state: str = ""
    seconds: float | None = None
    told: str = ""
    stopped: bool = False


@dataclass
class Candidates:
    """Looks at the candidates of a run, until each has ended.

    Attributes:
        fetch: a run's record, by its id.
    """

    fetch: Callable[[str], Json]
    clock: Callable[[], datetime] = utc_now
    _ended: dict[str, CandidateProgress] = field(default_factory=dict)

    def __call__(self, run: Json) -> list[CandidateProgress]:
        """How each stands, in the order of the record; none of a run of one algorithm. One whose record cannot be read for the
        moment is left out."""
        listed = (run.get("details") or {}).get("candidates") or []
        return [progress for candidate in listed if (progress := self._progress(candidate, run)) is not None]

    def _progress(self, candidate: Json, run: Json) -> CandidateProgress | None:
        run_id, algorithm = candidate["run_id"], candidate["algorithm"]
        if run_id in self._ended:
            return self._ended[run_id]
        try:
            found = _progress(algorithm, self.fetch(run_id), self.clock())
        except CommandFailed as error:
            if error.code != "RunNotFound":
                return None
            may_begin = run["status"] in ("Running", "Unknown") and run["state"] in ("ConfigureRun", TRAINING)
            found = CandidateProgress(run_id, algorithm, "running" if may_begin else "failed", told=_NOT_BEGUN)
        if found.outcome != "running":
            self._ended[run_id] = found
        return found


def _progress(algorithm: str, run: Json, now: datetime) -> CandidateProgress:
    outcome = _OUTCOMES.get(run["status"], "failed")
    end = now if outcome == "running" else datetime.fromisoformat(run["updated_at"])
    seconds = max((end - datetime.fromisoformat(run["created_at"])).total_seconds(), 0.0)
    told = _ANSWERED if outcome == "done" else _failure(run) if outcome == "failed" else ""
    return CandidateProgress(run["run_id"], algorithm, outcome, run["state"], seconds, told, stopped=run["status"] == "Stopped")


def _failure(run: Json) -> str:
    error: Json = run.get("error") or {}
    if run["status"] == "Stopped":
        return f"was stopped in {run['state']}"
    said = " ".join(str(error.get("message") or "its record does not say why").split())
    return f"has failed in {error.get('state') or run['state']}: {said}"


def progress_line(progress: CandidateProgress, does: Mapping[str, str], beside: Sequence[CandidateProgress] = ()) -> Text:
    """``✓ linear-learner   has answered the validation rows   41.2 s``.

    Args:
        does: what is done in a state, in a few words.
        beside: how all candidates of a run that goes on stand, so that of one that has failed can be said what becomes of the
            others.
    """
    seconds = "" if progress.seconds is None else f"{progress.seconds:6.1f} s"
    if progress.outcome == "failed":  # as long as it needs to be
        told = f"{progress.told.rstrip('.')}.{_others(progress, beside)}"
        return Text.assemble("  ", _MARKS["failed"], f"{progress.algorithm:<22} {told} {seconds.strip()}".rstrip())
    return Text.assemble(
        "  ", _MARKS[progress.outcome], f"{progress.algorithm:<22} ", (f"{doing(progress, does):<34}", "dim"), seconds
    )


def doing(progress: CandidateProgress, does: Mapping[str, str]) -> str:
    """What became of a candidate, or what it does now: ``train``."""
    return progress.told or does.get(progress.state, progress.state)


def _others(progress: CandidateProgress, beside: Sequence[CandidateProgress]) -> str:
    if progress.stopped:
        return ""  # the run and the others may be about to be stopped too
    outcomes = {other.outcome for other in beside if other is not progress}
    if "running" in outcomes:
        return " The others go on."
    return " The run goes on without it." if "done" in outcomes else ""
