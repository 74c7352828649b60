"""ChooseCandidate: of the algorithms that were trained side by side, make the best model the run's."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from sageline.aws.events import checked
from sageline.aws.logger import function_logger
from sageline.aws.settings import RunSettings
from sageline.evaluation.candidates.choose import ChosenCandidate, choose_candidate
from sageline.runs.context import RunContext
from sageline.runs.payloads import RunEvent

logger = function_logger()


@logger.inject_lambda_context(clear_state=True)
@checked
def handler(event: RunEvent, context: LambdaContext) -> ChosenCandidate:
    logger.append_keys(run_id=event["run_id"])
    chosen = choose_candidate(event["run_id"], run=RunContext(RunSettings.from_environment(os.environ)))
    logger.info("Candidate chosen", candidate=chosen["candidate"], algorithm=chosen["algorithm"])
    return chosen
