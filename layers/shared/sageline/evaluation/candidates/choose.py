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
from sageline.errors import (
    CandidatesFailed,
    DatasetAccessDenied,
    DatasetNotFound,
    InvalidDataset,
    InvalidHyperparameter,
    InvalidSpec,
    ObjectMissing,
    RunFinished,
    RunNotFound,
    SagelineError,
)
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

_REFUSALS = (DatasetAccessDenied, DatasetNotFound, InvalidDataset, InvalidHyperparameter, InvalidSpec)
"""Errors about what a run was given. Where every candidate ends in the same one, it is the run's."""


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
        if self.record is None:
            return "its run has not begun"
        if self.record.status == "Stopped":
            return "its run was stopped"
        told = (self.record.error or {}).get("message") or f"its run ended in {self.record.state} without saying why"
        return " ".join(str(told).split())


def choose_candidate(run_id: str, *, run: RunContext) -> ChosenCandidate:
    """Choose by the validation rows, note all candidates in ``details.candidates``, and make the best one's results the run's.

    Raises:
        CandidatesFailed: none has a model; each reason is told.
        InvalidDataset, InvalidSpec, ...: they have all refused what the run was given, in the same words.
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
    best = max(answered, key=partial(_rank, metric, _tie_break(metric, answered))) if answered else None
    listed = [_listed(candidate, metric, run, chosen=candidate is best) for candidate in ended]
    noted: Json = {"candidates": listed, "cost": _cost(record, ended)}
    if best is None or best.record is None:
        run.store.note(run_id, **noted)
        raise _all_failed(ended)
    adopted = {name: best.record.details[name] for name in _ADOPTED if name in best.record.details}
    _adopt(run_id, best, metric, ended, run)
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
    """The metric that all of them are judged by, if one of them has a value of it; else one that all have a value of."""
    validations = [candidate.validation or {} for candidate in answered]
    asked = [str(validation["metric"]) for validation in validations]
    if len(set(asked)) == 1 and any(each["metrics"].get(asked[0]) is not None for each in validations):
        return asked[0]
    possible = [name for name in (*asked, *_WIDELY_KNOWN) if all(each["metrics"].get(name) is not None for each in validations)]
    return [*possible, *asked, "accuracy"][0]


def _tie_break(metric: str, answered: list[_Ended]) -> str:
    """What tells candidates apart that are equal by their metric, as shares of few rows often are."""
    known = all((candidate.validation or {})["metrics"].get("log_loss") is not None for candidate in answered)
    return "log_loss" if known else metric


def _rank(metric: str, tie_break: str, candidate: _Ended) -> tuple[float, float]:
    """Greater for the better candidate."""
    return _goodness(metric, candidate), _goodness(tie_break, candidate)


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


def _all_failed(ended: list[_Ended]) -> SagelineError:
    errors = [(candidate.record.error if candidate.record else None) or {} for candidate in ended]
    kinds, messages = ({error.get(name) for error in errors} for name in ("error", "message"))
    refusal = next((refusal for refusal in _REFUSALS if kinds == {refusal.__name__}), None)
    if refusal is not None and len(messages) == 1:
        return refusal(str(messages.pop()))
    width = max(len(candidate.algorithm) for candidate in ended)
    lines = [f"  {candidate.algorithm:<{width}}  {candidate.problem}" for candidate in ended]
    return CandidatesFailed("None of the algorithms has left a model:\n" + "\n".join(lines))


def _adopt(run_id: str, best: _Ended, metric: str, ended: list[_Ended], run: RunContext) -> None:
    source, target = run.files.layout(best.run_id), run.files.layout(run_id)
    asked, trained = run.files.read_spec(run_id), run.files.read_spec(best.run_id)
    for kept in (source.encoder_prefix, source.profile_key, f"{source.prefix}data/evaluation.json"):
        _copy(kept, source, target, run)
    for intermediate in (source.test_raw_prefix, source.validation_labels_prefix, f"{source.transform_prefix}evaluation/"):
        _copy(intermediate, source, target, run, tags=INTERMEDIATE)
    for not_of_all in (source.source_prefix, source.trials_key):
        _copy(not_of_all, source, target, run, must_exist=False)
    run.files.write_spec(run_id, _adopted_spec(asked, trained, best, metric, ended))


def _adopted_spec(asked: Spec, trained: Spec, best: _Ended, metric: str, ended: list[_Ended]) -> Spec:
    """The candidate's spec, with what the run does with the model."""
    value = (best.validation or {})["metrics"].get(metric)
    told = f"{metric} {plain(value) if value is not None else 'unknown'}{_beside(best, metric, ended)}"
    reasons = {**asked.reasons, **trained.reasons, **_reasons_of_settings(asked, trained, ended)}
    reasons["algorithm.name"] = f"auto has chosen it by the validation rows: {told}"
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


def _beside(best: _Ended, metric: str, ended: list[_Ended]) -> str:
    """How the others have done."""
    others = [candidate for candidate in ended if candidate is not best]
    answered = [candidate for candidate in others if candidate.validation is not None]
    worse = [other.algorithm for other in answered if _goodness(metric, other) < _goodness(metric, best)]
    tied = [other for other in answered if other.algorithm not in worse]
    tie_break = _tie_break(metric, answered)
    less_sure = [other.algorithm for other in tied if _goodness(tie_break, other) < _goodness(tie_break, best)]
    equal = [other.algorithm for other in tied if other.algorithm not in less_sure]
    failed = [other.algorithm for other in others if other.validation is None]
    told = f", better than {' and '.join(worse)}" if worse else ""
    told += f", as good as {' and '.join(less_sure)} but with less log loss" if less_sure else ""
    told += f", as good as {' and '.join(equal)}, which {'comes' if len(equal) == 1 else 'come'} after it" if equal else ""
    return told + (f"; {' and '.join(failed)} {'has' if len(failed) == 1 else 'have'} failed" if failed else "")


def _reasons_of_settings(asked: Spec, trained: Spec, ended: list[_Ended]) -> dict[str, str]:
    """Why the candidate has the settings that ``auto`` has given it; not of those that the spec says itself."""
    names = tuple(candidate.algorithm for candidate in ended)
    kinds = set((trained.dataset.features or {}).values())
    given = settings(trained.algorithm.name, names, asked.algorithm.preset or "quick", kinds)
    encoder = trained.encoder.model_dump() if trained.encoder is not None else {}
    untrue = {
        f"encoder.{kind}.{name}"
        for kind, options in given.encoder.items()
        for name, value in options.items()
        if encoder.get(kind, {}).get(name) != value
    }
    return {key: reason for key, reason in given.reasons.items() if key not in untrue}


def _copy(prefix: str, source: RunLayout, target: RunLayout, run: RunContext, *, tags: str = "", must_exist: bool = True) -> None:
    """Copy the objects below a prefix of a run to the same place of another one."""
    s3, copied = run.files.s3, 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=source.bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            s3.copy_object(
                Bucket=target.bucket,
                Key=target.prefix + item["Key"].removeprefix(source.prefix),
                CopySource={"Bucket": source.bucket, "Key": item["Key"]},
                TaggingDirective="REPLACE",
                Tagging=tags,
            )
            copied += 1
    if must_exist and not copied:
        raise ObjectMissing(
            f"{source.uri(prefix)} is gone: the candidate {source.run_id} had stored it, and it was deleted since."
        )
