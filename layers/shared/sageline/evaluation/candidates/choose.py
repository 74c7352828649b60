"""ChooseCandidate: of the algorithms that ``auto`` has trained, the model that is best on the validation rows becomes the run's.

What the candidate's run has written is copied to where the run has its own, so that all that follows (the judgement by the test
rows, the endpoint, batches, later comparisons) is that of a run of one algorithm.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple, TypedDict

from sageline.costs.run_cost import with_jobs_of
from sageline.errors import (
    CandidatesFailed,
    DatasetAccessDenied,
    DatasetNotFound,
    InvalidDataset,
    InvalidHyperparameter,
    InvalidSpec,
    ObjectMissing,
    RunFinished,
    SagelineError,
)
from sageline.evaluation.candidates.ended import Ended, common_metric, find_ended, rank, tie_break_of
from sageline.evaluation.candidates.leaderboard_line import leaderboard_line
from sageline.evaluation.candidates.reasons import reasons_of_settings, why_chosen
from sageline.json_objects import Json
from sageline.names import INTERMEDIATE, RunLayout
from sageline.runs.context import RunContext
from sageline.runs.payloads import AskedOfAuto
from sageline.runs.store import RunRecord
from sageline.spec.model import Spec
from sageline.spec.training import DEFAULT_PRESET

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

_REFUSALS = (DatasetAccessDenied, DatasetNotFound, InvalidDataset, InvalidHyperparameter, InvalidSpec)
"""Errors about what a run was given. Where every candidate ends in the same one, it is the run's."""


class ChosenCandidate(TypedDict):
    """Answer of ChooseCandidate: whose model it is, and what CreateModel and DeployEndpoint are asked for."""

    candidate: str
    algorithm: str
    model_artifact_uri: str
    request_content_type: str


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
    ended = [find_ended(planned, run) for planned in record.details["candidates"]]
    answered = [candidate for candidate in ended if candidate.validation is not None]
    metric = common_metric(answered)
    best = max(answered, key=partial(rank, metric, tie_break_of(metric, answered))) if answered else None
    listed = [leaderboard_line(candidate, metric, run, chosen=candidate is best) for candidate in ended]
    records = [candidate.record for candidate in ended if candidate.record is not None]
    noted: Json = {"candidates": listed, "cost": with_jobs_of(record.details.get("cost", {}), records)}
    if best is None or best.record is None:
        failed = _all_failed(ended)
        if failed.state is not None:
            noted["failure"] = {"message": failed.error.message, "state": failed.state}
        run.store.note(run_id, **noted)
        raise failed.error
    adopted = {name: best.record.details[name] for name in _ADOPTED if name in best.record.details}
    _adopt(record, best, metric, ended, run)
    run.store.enter(run_id, "ChooseCandidate", **noted, **adopted)
    return {
        "candidate": best.run_id,
        "algorithm": best.algorithm,
        "model_artifact_uri": best.record.details["training"]["model_artifact_uri"],
        "request_content_type": (best.validation or {})["request_content_type"],
    }


class _AllFailed(NamedTuple):
    """Why there is no model; where all candidates were refused for the same in the same state, which one that was."""

    error: SagelineError
    state: str | None = None


def _all_failed(ended: list[Ended]) -> _AllFailed:
    errors = [(candidate.record.error if candidate.record else None) or {} for candidate in ended]
    kinds, messages, states = ({error.get(name) for error in errors} for name in ("error", "message", "state"))
    refusal = next((refusal for refusal in _REFUSALS if kinds == {refusal.__name__}), None)
    if refusal is not None and len(messages) == 1:
        return _AllFailed(refusal(str(messages.pop())), states.pop() if len(states) == 1 else None)
    width = max(len(candidate.algorithm) for candidate in ended)
    lines = [f"  {candidate.algorithm:<{width}}  {candidate.problem}" for candidate in ended]
    return _AllFailed(CandidatesFailed("None of the algorithms has left a model:\n" + "\n".join(lines)))


def _adopt(record: RunRecord, best: Ended, metric: str, ended: list[Ended], run: RunContext) -> None:
    run_id = record.run_id
    source, target = run.files.layout(best.run_id), run.files.layout(run_id)
    given, trained = run.files.read_spec(run_id), run.files.read_spec(best.run_id)
    # Of a run that an earlier version has configured, the spec says it, until its first ChooseCandidate.
    asked: AskedOfAuto = record.details.get("auto") or {
        "preset": given.algorithm.preset or DEFAULT_PRESET,
        "budget_minutes": given.budget_minutes,
    }
    reasons = {**given.reasons, **trained.reasons, **reasons_of_settings(asked, trained, ended)}
    reasons["algorithm.name"] = why_chosen(asked, best, metric, ended)
    for kept in (source.encoder_prefix, source.profile_key, f"{source.prefix}data/evaluation.json"):
        _copy(kept, source, target, run)
    for intermediate in (source.test_raw_prefix, source.validation_labels_prefix, f"{source.transform_prefix}evaluation/"):
        _copy(intermediate, source, target, run, tags=INTERMEDIATE)
    for not_of_all in (source.source_prefix, source.trials_key):
        _copy(not_of_all, source, target, run, must_exist=False)
    run.files.write_spec(run_id, _adopted_spec(given, trained, reasons))


def _adopted_spec(given: Spec, trained: Spec, reasons: dict[str, str]) -> Spec:
    """The candidate's spec, with what the run does with the model."""
    judged_by = {"metric": trained.evaluation.metric, "positive": trained.evaluation.positive}
    return trained.model_copy(
        update={
            "name": given.name,
            "evaluation": given.evaluation.model_copy(update=judged_by),
            "batch": given.batch,
            "deployment": given.deployment,
            "budget_usd": given.budget_usd,
            "reasons": reasons,
        }
    )


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
