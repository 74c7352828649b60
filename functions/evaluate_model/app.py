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

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: EvaluateEvent, context: LambdaContext) -> Evaluated:
    logger.append_keys(run_id=event["run_id"])
    run = RunContext(RunSettings.from_environment(os.environ))
    if event["action"] == "compare":
        evaluated = compare_models(event["run_id"], champion_failure=event.get("champion_failure"), run=run)
    elif event["action"] == "validate":
        evaluated = validate_candidate(event["run_id"], run=run)
    else:
        evaluated = evaluate_model(event["run_id"], run=run)
    logger.info("Model judged", decision=evaluated["decision"], rows=evaluated["rows"], metrics=evaluated["metrics"])
    if evaluated["status"] != "Running" and evaluated["decision"] != "validated":
        with single_metric(name=f"Run{evaluated['status']}", unit=MetricUnit.Count, value=1):
            return evaluated
    return evaluated
