"""EvaluateModel and CompareModels: what the held-out rows say about the new model, and whether it may be deployed.

EvaluateModel reads what the new model has answered. Where the spec asks for a better model than the one in service, and nothing
else speaks against the new one, it encodes the same raw rows for the champion and answers ``compare``: once the champion has
answered, CompareModels decides. Where there is much to read, many functions read it first (``shards``), and then the state is
entered again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Literal, NotRequired, TypedDict

from sageline.encoder.fitted import FittedEncoder
from sageline.errors import InvalidDataset, InvalidEncoder, InvalidRequest, ObjectMissing, PredictionFailed, RunFinished
from sageline.evaluation.baseline import BaselineComparison, compare_with_baseline
from sageline.evaluation.candidates.few_rows import few_rows_warnings
from sageline.evaluation.classification import ClassificationSums
from sageline.evaluation.comparison import Sums, compare
from sageline.evaluation.decision.model_decision import ToldDecision, in_short
from sageline.evaluation.document import Champion, evaluation_json
from sageline.evaluation.gate import (
    GateCheck,
    GateDecision,
    baseline_not_checked,
    champion_unknown,
    check_baseline,
    check_comparison,
    check_limits,
    without_champion,
)
from sageline.evaluation.held_out_rows import (
    AskedRows,
    ScoredAnswers,
    encode_for_champion,
    let_answers_expire,
    plan_champion,
    score_answers,
)
from sageline.evaluation.model_warnings import model_warnings
from sageline.evaluation.shards.in_shards import InShards, WorkDone, entered
from sageline.evaluation.shards.work import ShardedWork
from sageline.failures.failure import read_cause
from sageline.json_objects import Document, Json
from sageline.names import RunLayout
from sageline.report.write import write_report
from sageline.runs.context import RunContext
from sageline.runs.payloads import RunEvent, ShardedEvaluation, TransformPlan
from sageline.runs.store import iso
from sageline.serving.stored import EncoderCache
from sageline.spec.evaluation import EvaluationSpec
from sageline.spec.metrics import default_metric, shown_metrics


class ErrorOutput(TypedDict, total=False):
    """How Step Functions tells of an error that was caught."""

    Error: str
    Cause: str


class EvaluateEvent(RunEvent):
    """What EvaluateModel and CompareModels get. A candidate is validated: only validation rows choose among several.
    ``champion_failure`` tells CompareModels why the model in service has not
    answered; empty when it has. ``done``: what many functions have done last, as an earlier answer has asked for; empty
    where none has."""

    action: Literal["evaluate", "validate", "compare"]
    champion_failure: NotRequired[ErrorOutput]
    done: NotRequired[WorkDone]


class Evaluated(TypedDict):
    """Answer of both. ``status`` is that of the run, which may have ended. ``transform`` is there with ``compare``: what
    RunChampionTransform is asked for."""

    status: Literal["Running", "Rejected", "Succeeded"]
    decision: Literal["accepted", "rejected", "compare", "validated"]
    reason: str
    metrics: dict[str, float | None]
    rows: int
    transform: NotRequired[TransformPlan]


@dataclass(frozen=True)
class _ServingModel:
    """The model to beat, as the run's record notes it."""

    variant: str
    model_name: str
    encoder_uri: str


def evaluate_model(run_id: str, *, done: WorkDone = "", run: RunContext) -> Evaluated | ShardedEvaluation:
    """Judge the new model by what it has answered, and write ``evaluation.json`` and ``report.html`` below
    ``runs/<run_id>/evaluation/``.

    A model that is refused ends the run as ``Rejected``. An error in the report alone is noted in the run's record, and no more.

    Args:
        done: what many functions have done, as an earlier answer has asked for.

    Raises:
        PredictionFailed: answers are missing, cannot be read, or are not as many as there are rows.
        RunFinished: the run was stopped meanwhile.
    """
    assessment = _begin(run_id, run, done)
    if not isinstance(assessment, _Assessment):
        return assessment
    checks = assessment.checks()
    if not assessment.evaluation.beat_champion or not all(check.passed for check in checks):
        return _decide(assessment, checks, None)
    found = assessment.sums.value(assessment.metric)
    if done == "encoding":  # for the model that was in service when that began
        in_service: _ServingModel | None = _ServingModel(**assessment.shards.record.details["champion"])
    else:
        in_service = _in_service(assessment.endpoint, run)
    if in_service is None:
        return _decide(assessment, [*checks, without_champion(assessment.metric, found)], None)
    try:
        return _ask_champion(assessment, in_service, is_encoded=done == "encoding")
    except (InvalidDataset, InvalidRequest, InvalidEncoder, ObjectMissing) as error:
        return _undecidable(assessment, checks, in_service, error.message)


def compare_models(
    run_id: str, *, champion_failure: ErrorOutput | None = None, done: WorkDone = "", run: RunContext
) -> Evaluated | ShardedEvaluation:
    """Judge the new model beside the one in service, which has answered the same rows; complete ``evaluation.json``, and write
    ``report.html``.

    A model that is not better ends the run as ``Rejected``, and so does one that cannot be compared.

    Args:
        champion_failure: why the model in service has not answered.
        done: as of :func:`evaluate_model`.

    Raises:
        InvalidRequest: EvaluateModel has not found any model in service.
        PredictionFailed: as :func:`evaluate_model`, for answers of the new model.
        RunFinished: the run was stopped meanwhile.
    """
    noted = run.store.get(run_id).details.get("champion")
    if noted is None:
        raise InvalidRequest(f"Run {run_id} has found no model in service to compare with; EvaluateModel comes first.")
    in_service = _ServingModel(**noted)
    if champion_failure:
        assessment = _begin_again(run_id, run)
        _, why = read_cause(champion_failure.get("Error", ""), champion_failure.get("Cause", ""))
        return _undecidable(assessment, assessment.checks(), in_service, why.partition("\n")[0])
    encoder = EncoderCache(run.files.s3).get(in_service.encoder_uri)
    assessment = _begin_again(run_id, run, also=encoder.classes or [])
    shards, positive = assessment.shards, assessment.evaluation.positive
    classes = assessment.sums.classes if isinstance(assessment.sums, ClassificationSums) else None
    is_scored = done == "champion"
    if not is_scored and (parts := shards.parts("champion", AskedRows.read(run_id, "champion", files=run.files))) is not None:
        return shards.begin("champion", ShardedWork(parts, in_service.encoder_uri, classes, positive))
    checks = assessment.checks()
    try:
        if is_scored:
            sums = shards.scored("champion").sums
        else:
            sums = score_answers(run_id, encoder, files=run.files, of="champion", classes=classes, positive=positive).sums
    except PredictionFailed as error:
        return _undecidable(assessment, checks, in_service, error.message)
    if not is_scored:
        let_answers_expire(run_id, encoder, files=run.files, of="champion")
    metric = assessment.metric
    for model, value in (("the new model", assessment.sums.value(metric)), ("the model in service", sums.value(metric))):
        if value is None:
            return _undecidable(assessment, checks, in_service, f"{metric} is not known of {model}", sums)
    comparison = compare(metric, sums, assessment.sums)
    champion = Champion(in_service.variant, sums.metrics(), comparison)
    return _decide(assessment, [*checks, check_comparison(comparison)], champion)


@dataclass(frozen=True)
class _Assessment:
    """A run whose model is judged, and what its answers come to."""

    state: str
    shards: InShards
    encoder: FittedEncoder
    scored: ScoredAnswers
    decision: ToldDecision

    @property
    def run(self) -> RunContext:
        return self.shards.run

    @property
    def run_id(self) -> str:
        return self.shards.record.run_id

    @property
    def task(self) -> str:
        return self.encoder.task

    @property
    def evaluation(self) -> EvaluationSpec:
        return self.shards.spec.evaluation

    @property
    def endpoint(self) -> str | None:
        spec = self.shards.spec
        return spec.deployment.endpoint or spec.name if spec.deployment else None

    @property
    def ends_here(self) -> bool:
        """Nothing is done with a model that is good: no endpoint, no batch."""
        return self.shards.spec.deployment is None and self.shards.spec.batch is None

    @property
    def candidates(self) -> Sequence[Document]:
        """Of ``auto``, among which it was chosen."""
        return self.shards.record.details.get("candidates") or []

    @property
    def sums(self) -> Sums:
        return self.scored.sums

    @property
    def metric(self) -> str:
        return self.evaluation.metric or default_metric(self.task)

    @cached_property
    def baseline(self) -> BaselineComparison | None:
        """None with too few rows to tell."""
        return compare_with_baseline(self.metric, self.sums)

    def checks(self) -> list[GateCheck]:
        """What can be asked of the model alone: the spec's limits, and whether it is better than the baseline."""
        at_least, at_most = self.evaluation.at_least or {}, self.evaluation.at_most or {}
        checks = check_limits({name: self.sums.value(name) for name in (*at_least, *at_most)}, at_least, at_most)
        if self.baseline is not None and self.evaluation.better_than_baseline:
            checks.append(check_baseline(self.baseline))
        return checks

    @property
    def not_checked(self) -> str | None:
        if self.baseline is not None and self.evaluation.better_than_baseline:
            return None
        return baseline_not_checked(self.sums.baseline_answer, self.sums.rows)

    @property
    def warnings(self) -> list[str]:
        warnings = model_warnings(
            self.sums,
            [self.metric, *(self.evaluation.at_least or {}), *(self.evaluation.at_most or {})],
            baseline=self.baseline,
            refused=self.evaluation.better_than_baseline,
            labels=self.encoder.classes or [],
            split=self.shards.spec.split,
        )
        return warnings + self.decision.warnings + few_rows_warnings(self.candidates)

    @property
    def shown_metrics(self) -> dict[str, float | None]:
        metrics = self.sums.metrics()
        return {name: metrics[name] for name in shown_metrics(self.task, len(self.encoder.classes or []))}


def _begin(run_id: str, run: RunContext, done: WorkDone) -> _Assessment | ShardedEvaluation:
    """EvaluateModel: make the model's decision, and read what it has answered; or what many functions are asked for to do so."""
    shards, encoder = entered(run_id, "EvaluateModel", run)
    if done in ("evaluation", "encoding"):
        told = shards.told()
    else:
        decided = shards.decision(encoder, done)
        if not isinstance(decided, tuple):
            return decided
        encoder, told = decided
        asked = AskedRows.read(run_id, "evaluation", files=run.files)
        if (parts := shards.parts("evaluation", asked)) is not None:
            shards.keep_told(told)
            positive = shards.spec.evaluation.positive
            return shards.begin("evaluation", ShardedWork(parts, shards.encoder_uri, encoder.classes, positive))
    return _Assessment("EvaluateModel", shards, encoder, _scored(shards, encoder, [], again=done != ""), told)


def _begin_again(run_id: str, run: RunContext, also: Sequence[str] = ()) -> _Assessment:
    """CompareModels. ``also``: labels that the metrics are to know beside the model's."""
    shards, encoder = entered(run_id, "CompareModels", run)
    told = ToldDecision.of_document(_told_before(run, run.files.layout(run_id)), shards.spec)
    return _Assessment("CompareModels", shards, encoder, _scored(shards, encoder, also, again=True), told)


def _scored(shards: InShards, encoder: FittedEncoder, also: Sequence[str], *, again: bool) -> ScoredAnswers:
    """What the new model's answers come to.

    Args:
        again: they were read before, maybe by many functions.
    """
    classes = None if encoder.classes is None else list(dict.fromkeys([*encoder.classes, *also]))
    if again and "evaluation" in shards.noted:
        return shards.scored("evaluation").among(classes)
    run_id, positive = shards.record.run_id, shards.spec.evaluation.positive
    return score_answers(run_id, encoder, files=shards.run.files, of="evaluation", classes=classes, positive=positive)


def _told_before(run: RunContext, layout: RunLayout) -> Json | None:
    """What EvaluateModel has written of the model's decision."""
    document = run.files.read_json(layout.evaluation_key) or {}
    told: Json | None = document.get("decision")
    return told


def _in_service(endpoint: str | None, run: RunContext) -> _ServingModel | None:
    """The endpoint's variant of most weight; None where nothing serves."""
    stored = run.routings.find(endpoint) if endpoint is not None else None
    if stored is None or stored.routing is None:
        return None
    champion = stored.routing.champion
    # Its isolated model, whichever it serves with.
    return _ServingModel(champion.name, champion.model_version, champion.encoder_uri)


def _ask_champion(assessment: _Assessment, in_service: _ServingModel, *, is_encoded: bool) -> Evaluated | ShardedEvaluation:
    """Have the model in service answer the same rows.

    Args:
        is_encoded: many functions have encoded them for it.
    """
    run, run_id, shards = assessment.run, assessment.run_id, assessment.shards
    encoder = EncoderCache(run.files.s3).get(in_service.encoder_uri)
    if encoder.task != assessment.task:
        raise InvalidEncoder(f"the model in service does a {encoder.task}, and the new one a {assessment.task}")
    asked = AskedRows.read(run_id, "evaluation", files=run.files)
    if is_encoded:
        of_champion = shards.champion_rows(encoder, asked)
    elif (parts := shards.parts("encoding", asked)) is not None:
        shards.keep_told(assessment.decision)
        run.store.note(run_id, champion=asdict(in_service))
        return shards.begin("encoding", ShardedWork(parts, in_service.encoder_uri))
    else:
        of_champion = AskedRows(encode_for_champion(run_id, encoder, files=run.files), lines=asked.lines)
    name, instance_type = in_service.model_name, assessment.evaluation.instance_type
    transform = plan_champion(run_id, encoder, of_champion, files=run.files, model_name=name, instance_type=instance_type)
    run.store.enter(run_id, "EvaluateModel", champion=asdict(in_service))
    _write(assessment, Champion(in_service.variant, {}, None), None)
    return {
        "status": "Running",
        "decision": "compare",
        "reason": f"The model in service, {in_service.variant}, is to answer the same rows.",
        "metrics": assessment.shown_metrics,
        "rows": assessment.sums.rows,
        "transform": transform,
    }


def _undecidable(
    assessment: _Assessment, checks: list[GateCheck], in_service: _ServingModel, why: str, sums: Sums | None = None
) -> Evaluated:
    why = f"{in_service.variant}, which is in service, cannot be compared: {why.rstrip('.')}"
    champion = Champion(in_service.variant, {} if sums is None else sums.metrics(), None, why)
    advice = "to deploy the model all the same, set `evaluation.beat_champion` to false"
    check = champion_unknown(assessment.metric, assessment.sums.value(assessment.metric), f"{why}; {advice}")
    return _decide(assessment, [*checks, check], champion)


def _decide(assessment: _Assessment, checks: list[GateCheck], champion: Champion | None) -> Evaluated:
    """Write down what was decided; a model that is refused is the end of its run."""
    decision = GateDecision(tuple(checks), assessment.not_checked)
    run, run_id, files = assessment.run, assessment.run_id, assessment.run.files
    document = _write(assessment, champion, decision)
    noted_shards = assessment.shards.noted
    if "evaluation" not in noted_shards:  # each shard has done so for its answers
        let_answers_expire(run_id, assessment.encoder, files=files, of="evaluation")
    layout = files.layout(run_id)
    status: Literal["Running", "Rejected", "Succeeded"] = "Succeeded" if assessment.ends_here else "Running"
    answer: Evaluated = {
        "status": status if decision.accepted else "Rejected",
        "decision": "accepted" if decision.accepted else "rejected",
        "reason": decision.reason,
        "metrics": assessment.shown_metrics,
        "rows": assessment.sums.rows,
    }
    record = replace(run.store.get(run_id), status=answer["status"])
    reported = write_report(record, document, run=run)
    judged = {
        "metric": assessment.metric,
        "positive": assessment.evaluation.positive,
        "warnings": assessment.warnings,
        "uri": layout.uri(layout.evaluation_key),
    }
    baseline = {"answer": assessment.sums.baseline_answer, "value": assessment.sums.baseline_metrics().get(assessment.metric)}
    decided = in_short(assessment.encoder.decision)
    # The run may go on; its evaluation has ended.
    noted = {
        **answer,
        "status": "Succeeded" if decision.accepted else "Rejected",
        "baseline": baseline,
        **judged,
        **reported,
        **({"model_decision": decided} if decided is not None else {}),
    }
    if noted_shards:
        noted["shards"] = noted_shards
    run.store.enter(run_id, assessment.state, evaluation=noted)
    if answer["status"] != "Running" and not run.store.finish(run_id, answer["status"]):
        raise RunFinished(f"Run {run_id} was stopped while its model was being judged.")
    return answer


def _write(assessment: _Assessment, champion: Champion | None, decision: GateDecision | None) -> bytes:
    run, layout = assessment.run, assessment.run.files.layout(assessment.run_id)
    document = evaluation_json(
        run_id=assessment.run_id,
        created_at=iso(run.clock()),
        metric=assessment.metric,
        sums=assessment.sums,
        warnings=assessment.warnings,
        baseline=assessment.baseline,
        decision=assessment.decision.document,
        before=assessment.scored.before,
        champion=champion,
        gate=decision,
    )
    run.files.put(layout.evaluation_key, document, "application/json")
    return document
