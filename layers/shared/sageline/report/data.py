"""What a report is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sageline.json_objects import Document
from sageline.report.leaderboard import Leaderboard
from sageline.runs.timings import StateTime

RunOutcome: TypeAlias = Literal["Accepted", "Rejected", "Deployed", "Succeeded", "Failed", "Stopped"]
"""Accepted: evaluated, and free to be deployed. Succeeded: the end of a run that deploys nothing."""


@dataclass(frozen=True)
class Curve:
    """The values of one metric (``validation:rmse``) in the order in which the training job reported them."""

    metric: str
    values: Sequence[float]


@dataclass(frozen=True)
class JobTime:
    """A job of the run that has ended: what it was for, the seconds that it ran, and those that each instance is billed for; None
    where SageMaker does not say."""

    job: str
    purpose: str
    seconds: float | None
    billed: float | None


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """Everything that is known of a run when its report is written; what is not known has no section.

    Attributes:
        reason: why the run ended so, in a sentence for people.
        warnings: what is to be known first: of the model, then of the data.
        started_at: ISO 8601, UTC.
        evaluation: the document ``evaluation.json`` (docs/evaluation.md).
        spec: the resolved spec, with its ``reasons``.
        profile: the document ``data/profile.json``: rows, labels and columns of the dataset.
        metrics: the last values that the training job reported of its own metrics.
        curves: all values of these metrics; see :func:`sageline.report.curves.learning_curves`.
        leaderboard: of a run of several algorithms, how these compare.
        trials: of a tuning, best first, as ``training/trials.json`` has them.
        training_job: whose metrics these are.
        artifact: what models are made of: ``details.model.artifact`` of the run's record.
        states: those that the run has gone through so far.
        costs: what the run may cost at most and did cost: ``details.cost`` of its record (docs/costs.md).
    """

    run_id: str
    name: str
    outcome: RunOutcome
    reason: str
    warnings: Sequence[str] = ()
    started_at: str = ""
    dataset_uri: str | None = None
    endpoint_name: str | None = None
    evaluation: Document | None = None
    spec: Document | None = None
    profile: Document | None = None
    training_job: str | None = None
    artifact: Document | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Sequence[Curve] = ()
    leaderboard: Leaderboard | None = None
    trials: Sequence[Document] = ()
    states: Sequence[StateTime] = ()
    jobs: Sequence[JobTime] = ()
    costs: Document | None = None
