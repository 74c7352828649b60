"""EvaluateModel and CompareModels: judge the new model by the rows held out of training; a candidate by the validation rows."""

from __future__ import annotations

import os

from aws_lambda_powertools.metrics import MetricUnit, single_metric
from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import RunSettings
from sageline.evaluation.candidates.validate import validate_candidate
from sageline.evaluation.evaluate import Evaluated, EvaluateEvent, compare_models, evaluate_model
from sageline.runs.context import RunContext
from sageline.runs.payloads import ShardedEvaluation

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: EvaluateEvent, context: LambdaContext) -> Evaluated | ShardedEvaluation:
    run_id, done = event["run_id"], event.get("done", "")
    logger.append_keys(run_id=run_id)
    run = RunContext(RunSettings.from_environment(os.environ))
    if event["action"] == "compare":
        evaluated = compare_models(run_id, champion_failure=event.get("champion_failure"), done=done, run=run)
    elif event["action"] == "validate":
        evaluated = validate_candidate(run_id, done=done, run=run)
    else:
        evaluated = evaluate_model(run_id, done=done, run=run)
    logger.info("Model judged", decision=evaluated["decision"], rows=evaluated["rows"], metrics=evaluated["metrics"])
    if evaluated["status"] != "Running" and evaluated["decision"] != "validated":
        with single_metric(name=f"Run{evaluated['status']}", unit=MetricUnit.Count, value=1):
            return evaluated
    return evaluated
