"""ChooseCandidate: of the algorithms that ``auto`` has trained, the model that is best on the validation rows becomes the run's.

What the candidate's run has written is copied to where the run has its own, so that all that follows (the judgement by the test
rows, the endpoint, batches, later comparisons) is that of a run of one algorithm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypedDict

from sageline.algorithms.presets import settings
from sageline.costs.actual import BilledJob, with_billed_job
from sageline.errors import CandidatesFailed, RunFinished, RunNotFound
from sageline.evaluation.wording import plain
from sageline.json_objects import Json
from sageline.names import INTERMEDIATE, RunLayout
from sageline.runs.context import RunContext
from sageline.runs.store import RunRecord
from sageline.spec.metrics import METRICS
from sageline.spec.model import Spec

_ADOPTED = (
    "schema",
    "rows",
    "num_class",
    "feature_dim",
    "training_job",
    "tuning_job",
    "training",
    "trials",
    "evaluation_transform",
)
"""Details of a candidate's record that become the run's."""

_WIDELY_KNOWN = ("balanced_accuracy", "accuracy", "rmse")
"""Metrics that every algorithm's answers have a value of, where the candidates are judged by different ones."""


class ChosenCandidate(TypedDict):
    """Answer of ChooseCandidate: whose model it is, and what CreateModel and DeployEndpoint are asked for."""

    candidate: str
    algorithm: str
    model_artifact_uri: str
    request_content_type: str


@dataclass(frozen=True)
class _Ended:
    """A candidate whose run has ended, or never began."""

    run_id: str
    algorithm: str
    record: RunRecord | None

    @property
    def validation(self) -> Json | None:
        """What it has answered; None of one that has failed."""
        if self.record is None or self.record.status != "Succeeded":
            return None
        found: Json | None = self.record.details.get("validation")
        return found

    @property
    def problem(self) -> str | None:
        """Why it has no model, in one line."""
        if self.validation is not None:
            return None
        error = (self.record.error if self.record else None) or {}
        told = str(error.get("message") or "its run has not begun, or ended without a word")
        return " ".join(told.split())


def choose_candidate(run_id: str, *, run: RunContext) -> ChosenCandidate:
    """Choose by the validation rows, note all candidates in ``details.candidates``, and make the best one's results the run's.

    Raises:
        CandidatesFailed: none has a model; each reason is told.
        RunFinished: the run was stopped meanwhile.
        ObjectMissing: what a candidate has written was deleted.
    """
    run.store.enter(run_id, "ChooseCandidate")
    record = run.store.get(run_id)
    if record.status == "Stopped":
        raise RunFinished(f"Run {run_id} was stopped.")
    ended = [_ended(planned, run) for planned in record.details["candidates"]]
    answered = [candidate for candidate in ended if candidate.validation is not None]
    metric = _metric(answered)
    best = max(answered, key=partial(_goodness, metric)) if answered else None
    listed = [_listed(candidate, metric, run, chosen=candidate is best) for candidate in ended]
    noted: Json = {"candidates": listed, "cost": _cost(record, ended)}
    if best is None or best.record is None:
        run.store.note(run_id, **noted)
        raise CandidatesFailed(_all_failed(ended))
    adopted = {name: best.record.details[name] for name in _ADOPTED if name in best.record.details}
    _adopt(run_id, best, metric, record, run)
    run.store.enter(run_id, "ChooseCandidate", **noted, **adopted)
    return {
        "candidate": best.run_id,
        "algorithm": best.algorithm,
        "model_artifact_uri": best.record.details["training"]["model_artifact_uri"],
        "request_content_type": (best.validation or {})["request_content_type"],
    }


def _ended(planned: Mapping[str, Any], run: RunContext) -> _Ended:  # Any: JSON
    try:
        record = run.store.get(planned["run_id"])
    except RunNotFound:
        record = None
    return _Ended(planned["run_id"], planned["algorithm"], record)


def _metric(answered: list[_Ended]) -> str:
    """The metric that all of them are judged by, or one that all have a value of."""
    validations = [candidate.validation or {} for candidate in answered]
    asked = [str(validation["metric"]) for validation in validations]
    if len(set(asked)) <= 1:
        return asked[0] if asked else "accuracy"
    possible = [*asked, *_WIDELY_KNOWN]
    return next(name for name in possible if all(each["metrics"].get(name) is not None for each in validations))


def _goodness(metric: str, candidate: _Ended) -> float:
    value = (candidate.validation or {})["metrics"].get(metric)
    if value is None:
        return float("-inf")
    return float(value) if METRICS[metric].better == "higher" else -float(value)


def _listed(candidate: _Ended, metric: str, run: RunContext, *, chosen: bool) -> Json:
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
        "standard_error": validation.get("standard_errors", {}).get(metric),
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


def _encoder(spec: Spec | None, details: Json) -> Json | None:
    if spec is None or spec.encoder is None:
        return None
    return {"kind": spec.encoder.kind, "columns": details.get("feature_dim")}


def _hyperparameters(spec: Spec | None, details: Json) -> Json:
    """Those that it was trained with; of a tuning those of the best trial."""
    given: Json = dict(spec.algorithm.hyperparameters) if spec is not None else {}
    trials = details.get("trials") or []
    return given | (trials[0].get("hyperparameters", {}) if trials else {})


def _cost(record: RunRecord, ended: list[_Ended]) -> Json:
    """The run's cost with what its candidates' jobs have cost."""
    cost: Json = record.details.get("cost", {})
    for candidate in ended:
        for job in (candidate.record.details if candidate.record else {}).get("cost", {}).get("jobs", []):
            cost = with_billed_job(cost, BilledJob(**{name: value for name, value in job.items() if name != "usd"}))
    return cost


def _all_failed(ended: list[_Ended]) -> str:
    width = max(len(candidate.algorithm) for candidate in ended)
    lines = [f"  {candidate.algorithm:<{width}}  {candidate.problem}" for candidate in ended]
    return "None of the algorithms has left a model:\n" + "\n".join(lines)


def _adopt(run_id: str, best: _Ended, metric: str, record: RunRecord, run: RunContext) -> None:
    source, target = run.files.layout(best.run_id), run.files.layout(run_id)
    for prefix in (source.encoder_prefix, source.source_prefix):
        _copy(prefix, source, target, run, tags=None)
    for prefix in (source.test_raw_prefix, source.validation_labels_prefix, f"{source.transform_prefix}evaluation/"):
        _copy(prefix, source, target, run, tags=INTERMEDIATE)
    for key in (source.profile_key, f"{source.prefix}data/evaluation.json", source.trials_key):
        _copy(key, source, target, run, tags=None)
    run.files.write_spec(
        run_id, _adopted_spec(run.files.read_spec(run_id), run.files.read_spec(best.run_id), best, metric, record)
    )


def _adopted_spec(asked: Spec, trained: Spec, best: _Ended, metric: str, record: RunRecord) -> Spec:
    """The candidate's spec, with what the run does with the model."""
    others = [planned["algorithm"] for planned in record.details["candidates"] if planned["run_id"] != best.run_id]
    names = tuple(planned["algorithm"] for planned in record.details["candidates"])
    beside = f", better than {' and '.join(others)}" if others else ""
    value = (best.validation or {})["metrics"].get(metric)
    chosen = settings(best.algorithm, names, asked.algorithm.preset or "quick").reasons
    reasons = {**asked.reasons, **trained.reasons, **chosen}
    reasons["algorithm.name"] = (
        f"auto has chosen it by the validation rows: {metric} {plain(value) if value is not None else 'unknown'}{beside}"
    )
    judged_by = {"metric": trained.evaluation.metric, "positive": trained.evaluation.positive}
    return trained.model_copy(
        update={
            "name": asked.name,
            "evaluation": asked.evaluation.model_copy(update=judged_by),
            "batch": asked.batch,
            "deployment": asked.deployment,
            "budget_usd": asked.budget_usd,
            "reasons": reasons,
        }
    )


def _copy(prefix: str, source: RunLayout, target: RunLayout, run: RunContext, *, tags: str | None) -> None:
    """Copy the objects below a prefix of a run to the same place of another one."""
    s3 = run.files.s3
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=source.bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            key = target.prefix + item["Key"].removeprefix(source.prefix)
            s3.copy_object(
                Bucket=target.bucket,
                Key=key,
                CopySource={"Bucket": source.bucket, "Key": item["Key"]},
                TaggingDirective="REPLACE",
                Tagging=tags or "",
            )
