"""A candidate's line of the leaderboard, as ``details.candidates`` of the run has it."""

from __future__ import annotations

from sageline.evaluation.candidates.ended import Ended
from sageline.json_objects import Json
from sageline.runs.context import RunContext
from sageline.spec.model import Spec

_ROUNDING = 1e-12  # an error of so small a share of its metric is one of adding up


def leaderboard_line(candidate: Ended, metric: str, run: RunContext, *, chosen: bool) -> Json:
    """A line of the leaderboard."""
    details = candidate.record.details if candidate.record else {}
    validation, spec = candidate.validation or {}, run.files.find_spec(candidate.run_id)
    jobs = details.get("cost", {}).get("jobs", [])
    seconds = [job["seconds"] for job in jobs if job["use"] == "training"]
    return {
        "run_id": candidate.run_id,
        "algorithm": candidate.algorithm,
        "chosen": chosen,
        "metric": metric if validation else None,
        "value": validation.get("metrics", {}).get(metric),
        "standard_error": _standard_error(validation, metric),
        "rows": validation.get("rows"),
        "training_seconds": sum(seconds) if seconds else None,
        "usd": details.get("cost", {}).get("actual_usd"),
        "bytes": details.get("model", {}).get("artifact", {}).get("bytes"),
        "milliseconds_per_row": _milliseconds(details, validation),
        "encoder": _encoder(spec, details),
        "hyperparameters": _hyperparameters(spec, details),
        "problem": candidate.problem,
    }


def _milliseconds(details: Json, validation: Json) -> float | None:
    """Of the transform job, its start included, by row that it has answered."""
    seconds = details.get("evaluation_transform", {}).get("transform_seconds")
    rows = details.get("rows", {}).get("test", 0) + validation.get("rows", 0)
    return round(1000 * seconds / rows, 3) if seconds is not None and rows else None


def _standard_error(validation: Json, metric: str) -> float | None:
    """That of the metric; 0 in the place of what adding up has rounded."""
    value, error = (validation.get(name, {}).get(metric) for name in ("metrics", "standard_errors"))
    return 0.0 if error and error < _ROUNDING * abs(value or 0) else error


def _encoder(spec: Spec | None, details: Json) -> Json | None:
    if spec is None or spec.encoder is None:
        return None
    return {"kind": spec.encoder.kind, "columns": details.get("feature_dim") or None}


def _hyperparameters(spec: Spec | None, details: Json) -> Json:
    """Those that it was trained with; of a tuning those of the best trial."""
    given: Json = dict(spec.algorithm.hyperparameters) if spec is not None else {}
    trials = details.get("trials") or []
    return given | (trials[0].get("hyperparameters", {}) if trials else {})
