"""The report's data from a run's record and the documents that the run has written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sageline.report.data import Curve, Json, Outcome, ReportData, StateSeconds
from sageline.report.figures import as_number, objects, part
from sageline.store import RunRecord

_ACCEPTED = "The model has passed what the spec asks for."


def report_data(
    record: RunRecord,
    *,
    evaluation: Json | None,
    spec: Json | None,
    profile: Json | None,
    trials: Sequence[Json] | None = None,
    curves: Sequence[Curve] = (),
    states: Sequence[StateSeconds] = (),
) -> ReportData:
    """What is known of a run, under way or ended.

    Args:
        evaluation: ``evaluation.json``; None for a run that has not come so far.
        spec: the resolved spec.
        profile: ``data/profile.json``.
        trials: ``training/trials.json``; by default those in the record, which are the best ones.
        curves: see :func:`sageline.report.data.learning_curves`.
        states: how long the states took.
    """
    training = part(record.details, "training")
    metrics = {str(name): as_number(value) for name, value in part(training, "metrics").items()}
    outcome = _outcome(record, evaluation or {}, spec or {})
    return ReportData(
        run_id=record.run_id,
        name=record.name,
        outcome=outcome,
        reason=_reason(record, outcome, part(evaluation or {}, "gate")),
        started_at=record.created_at,
        dataset_uri=record.dataset_uri,
        endpoint_name=record.endpoint_name,
        evaluation=evaluation,
        spec=spec,
        profile=profile,
        training_job=_text(training.get("training_job_name")),
        metrics={name: value for name, value in metrics.items() if value is not None},
        curves=curves,
        trials=objects(record.details.get("trials")) if trials is None else trials,
        states=states,
        costs=part(record.details, "cost") or None,
    )


def _outcome(record: RunRecord, evaluation: Json, spec: Mapping[str, Any]) -> Outcome:  # Any: a JSON document
    """A run that goes on has been accepted or rejected by its evaluation."""
    match record.status:
        case "Running":
            return "Rejected" if part(evaluation, "gate").get("decision") == "rejected" else "Accepted"
        case "Succeeded":
            return "Deployed" if spec.get("deployment") else "Succeeded"
        case ended:
            return ended


def _reason(record: RunRecord, outcome: Outcome, gate: Json) -> str:
    """Of a run that went wrong what went wrong, of any other what the gate said."""
    said = _text(gate.get("reason"))
    if outcome in ("Failed", "Stopped"):
        return _text((record.error or {}).get("message")) or f"The run ended in the state {record.state}."
    return said or _ACCEPTED


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
