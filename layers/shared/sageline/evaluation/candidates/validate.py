"""EvaluateModel for a candidate: what its model answers for the validation rows, by which the best of several is chosen.

Its answers for the test rows are not looked at: these judge the chosen model only.
"""

from __future__ import annotations

from sageline.errors import PredictionFailed, RunFinished
from sageline.evaluation.evaluate import Evaluated
from sageline.evaluation.held_out_rows import AskedRows, let_answers_expire, score_answers
from sageline.evaluation.shards.in_shards import WorkDone, entered
from sageline.evaluation.shards.work import ShardedWork
from sageline.runs.context import RunContext
from sageline.runs.payloads import ShardedEvaluation
from sageline.spec.metrics import default_metric


def validate_candidate(run_id: str, *, done: WorkDone = "", run: RunContext) -> Evaluated | ShardedEvaluation:
    """Note how good a candidate's model is on the validation rows, in ``details.validation`` of its run's record; that ends it.

    Args:
        done: what many functions have done, as an earlier answer has asked for.

    Raises:
        PredictionFailed: answers are missing or cannot be read, or there are no validation rows.
        RunFinished: the run was stopped meanwhile.
    """
    shards, encoder = entered(run_id, "EvaluateModel", run)
    spec, of, positive = shards.spec, shards.encoder_uri, shards.spec.evaluation.positive
    if done == "validation":
        sums = shards.scored("validation").sums
    else:
        decided = shards.decision(encoder, done)
        if not isinstance(decided, tuple):
            return decided
        encoder, _ = decided
        parts = shards.parts("validation", AskedRows.read(run_id, "evaluation", files=run.files))
        if parts is not None:
            return shards.begin("validation", ShardedWork(parts, of, encoder.classes, positive))
        sums = score_answers(
            run_id,
            encoder,
            files=run.files,
            of="evaluation",
            classes=encoder.classes,
            positive=positive,
            kind="validation",
        ).sums
    if not sums.rows:
        raise PredictionFailed(
            "There are no validation rows, by which the algorithm auto chooses a model; give `split.validation` a share, or name "
            "an algorithm."
        )
    let_answers_expire(run_id, encoder, files=run.files, of="evaluation")
    metrics, errors = sums.metrics(), sums.standard_errors()
    noted = {
        "metric": spec.evaluation.metric or default_metric(encoder.task),
        "metrics": metrics,
        "standard_errors": errors,
        "rows": sums.rows,
        "request_content_type": encoder.exchange.request_content_type,
    }
    if not run.store.finish(run_id, "Succeeded", validation=noted):
        raise RunFinished(f"Run {run_id} was stopped while its model was being validated.")
    return {
        "status": "Succeeded",
        "decision": "validated",
        "reason": f"Its model has answered {sums.rows} validation rows.",
        "metrics": metrics,
        "rows": sums.rows,
    }
