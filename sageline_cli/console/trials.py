"""What a tuning job has tried so far, while it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from sageline.jobs.trials import Trial, list_trials
from sageline.names import tuning_job_name
from sageline.report.drawing.figures import UNKNOWN, number
from sageline_cli.connection import Connection
from sageline_cli.resolved_spec import resolved_spec

_SHOWN = 20


@dataclass(frozen=True)
class TrialsSoFar:
    """``job``: the tuning job, with which the names of its trials begin. ``metric``: what they are compared by. ``trials``: best
    first, those without a result last."""

    job: str
    metric: str
    trials: Sequence[Trial]
    most: int | None

    @property
    def shown(self) -> Sequence[Trial]:
        return self.trials[:_SHOWN]

    @property
    def told(self) -> str:
        """``3 of at most 8 trials, 2 of them done.``"""
        done = sum(trial["status"] not in ("InProgress", "Stopping") for trial in self.trials)
        of_most = f" of at most {self.most}" if self.most else ""
        only = f"; the best {_SHOWN} are shown" if len(self.trials) > _SHOWN else ""
        return f"{len(self.trials)}{of_most} trials, {done} of them done{only}."


def trials_so_far(connection: Connection, run_id: str) -> TrialsSoFar | None:
    """Of the run's tuning job; None where it has none, where that has not begun, or where its trials may not be listed."""
    job, sagemaker = tuning_job_name(run_id), connection.watching.sagemaker
    try:
        trials = list_trials(job, "Minimize", None, sagemaker)
        tuning = (resolved_spec(connection, run_id) or {}).get("tuning") if trials else None
    except (ClientError, BotoCoreError):
        return None
    if not tuning:
        return None
    objective = tuning.get("objective") or {}
    if objective.get("type") == "Maximize":
        trials.sort(key=lambda trial: (trial["objective"] is None, -(trial["objective"] or 0.0)))
    return TrialsSoFar(job, objective.get("metric", "objective"), trials, tuning.get("max_jobs"))


def tried(trial: Trial) -> str:
    """``eta 0.113, max_depth 6``; searches choose numbers with sixteen digits, which nobody reads."""
    return ", ".join(f"{name} {_short(value)}" for name, value in trial["hyperparameters"].items())


def measured(trial: Trial) -> str:
    return UNKNOWN if trial["objective"] is None else number(trial["objective"])


def _short(value: str) -> str:
    try:
        return value if value.lstrip("-").isdigit() else f"{float(value):.4g}"
    except ValueError:
        return value
