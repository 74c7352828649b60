"""The report's data from a run's record and the documents that the run has written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sageline.json_objects import Document
from sageline.names import TRANSFORMS, TransformPurpose
from sageline.report.data import Curve, JobTime, ReportData, RunOutcome
from sageline.report.drawing.figures import as_number, objects, part, texts
from sageline.report.leaderboard import leaderboard
from sageline.runs.store import RunRecord
from sageline.runs.timings import StateTime

_TRANSFORMS: dict[TransformPurpose, str] = {
    "evaluation": "answering the test rows",
    "champion": "answering them as the model in service",
}
_ACCEPTED = "The model has passed what the spec asks for."


def report_data(
    record: RunRecord,
    *,
    evaluation: Document | None,
    spec: Document | None,
    profile: Document | None,
    trials: Sequence[Document] | None = None,
    curves: Sequence[Curve] = (),
    states: Sequence[StateTime] = (),
) -> ReportData:
    """What is known of a run, under way or ended.

    Args:
        evaluation: ``evaluation.json``; None for a run that has not come so far.
        spec: the resolved spec.
        profile: ``data/profile.json``.
        trials: ``training/trials.json``; by default those in the record, which are the best ones.
        curves: see :func:`sageline.report.curves.learning_curves`.
        states: see :func:`sageline.runs.timings.state_times`.
    """
    training = part(record.details, "training")
    metrics = {str(name): as_number(value) for name, value in part(training, "metrics").items()}
    outcome = _outcome(record, evaluation or {}, spec or {})
    return ReportData(
        run_id=record.run_id,
        name=record.name,
        outcome=outcome,
        reason=_reason(record, outcome, part(evaluation or {}, "gate")),
        warnings=[*texts(evaluation or {}, "warnings"), *texts(part(record.details, "schema"), "warnings")],
        started_at=record.created_at,
        dataset_uri=record.dataset_uri,
        endpoint_name=record.endpoint_name,
        evaluation=evaluation,
        spec=spec,
        profile=profile,
        training_job=_text(training.get("training_job_name")),
        artifact=part(part(record.details, "model"), "artifact") or None,
        metrics={name: value for name, value in metrics.items() if value is not None},
        curves=curves,
        leaderboard=leaderboard(record.details),
        trials=objects(record.details.get("trials")) if trials is None else trials,
        states=states,
        jobs=_jobs(record.details),
        costs=part(record.details, "cost") or None,
    )


def _jobs(details: Document) -> list[JobTime]:
    """The jobs whose end the record notes. For a tuning it notes the best training job only."""
    training = part(details, "training")
    purpose = "training: the best of the tuning" if part(training, "tuning") else "training"
    jobs = [_job_time(training, purpose, "training_job_name", "training_seconds", "billable_seconds")]
    for transform, purpose in _TRANSFORMS.items():
        # SageMaker bills a transform job from its start to its end.
        result = part(details, TRANSFORMS[transform].result_key)
        jobs.append(_job_time(result, purpose, "transform_job_name", "transform_seconds", "transform_seconds"))
    return [job for job in jobs if job.job]


def _job_time(result: Document, purpose: str, name: str, ran: str, billed: str) -> JobTime:
    return JobTime(_text(result.get(name)) or "", purpose, as_number(result.get(ran)), as_number(result.get(billed)))


def _outcome(record: RunRecord, evaluation: Document, spec: Mapping[str, Any]) -> RunOutcome:  # Any: a JSON document
    """A run that goes on has been accepted or rejected by its evaluation."""
    match record.status:
        case "Running" | "Unknown":
            return "Rejected" if part(evaluation, "gate").get("decision") == "rejected" else "Accepted"
        case "Succeeded":
            return "Deployed" if spec.get("deployment") else "Succeeded"
        case ended:
            return ended


def _reason(record: RunRecord, outcome: RunOutcome, gate: Document) -> str:
    """What went wrong in a run that went wrong; what the gate said of any other."""
    said = _text(gate.get("reason"))
    if outcome in ("Failed", "Stopped"):
        return _text((record.error or {}).get("message")) or f"The run ended in the state {record.state}."
    return said or _ACCEPTED


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
