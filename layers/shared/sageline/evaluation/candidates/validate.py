"""EvaluateModel for a candidate: what its model answers for the validation rows, by which the best of several is chosen.

Its answers for the test rows are not looked at: these judge the chosen model only.
"""

from __future__ import annotations

from sageline.errors import PredictionFailed, RunFinished
from sageline.evaluation.decision.model_decision import choose_for_run
from sageline.evaluation.evaluate import Evaluated
from sageline.evaluation.held_out_rows import let_answers_expire, score_answers
from sageline.runs.context import RunContext
from sageline.serving.stored import EncoderCache
from sageline.spec.metrics import default_metric


def validate_candidate(run_id: str, *, run: RunContext) -> Evaluated:
    """Note how good a candidate's model is on the validation rows, in ``details.validation`` of its run's record; that ends it.

    Raises:
        PredictionFailed: answers are missing or cannot be read, or there are no validation rows.
        RunFinished: the run was stopped meanwhile.
    """
    run.store.enter(run_id, "EvaluateModel")
    spec, layout = run.files.read_spec(run_id), run.files.layout(run_id)
    encoder = EncoderCache(run.files.s3).get(layout.uri(layout.encoder_prefix))
    encoder, _ = choose_for_run(run_id, spec, encoder, files=run.files)
    sums = score_answers(
        run_id,
        encoder,
        files=run.files,
        of="evaluation",
        classes=encoder.classes,
        positive=spec.evaluation.positive,
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
