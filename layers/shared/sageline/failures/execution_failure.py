"""How a run's execution ended where no state of its own says so, in words."""

from __future__ import annotations

from sageline.failures.advice import advice
from sageline.failures.failure import Failure

STOP_ERROR, STOP_CAUSE = "Stopped", "Stopped by a request"
"""What Sageline says to Step Functions when it stops an execution: by this it is told from one that others stopped."""

_MESSAGES = {
    "TIMED_OUT": "The run took longer than a run may take, and Step Functions ended its execution.",
    "FAILED": "Step Functions ended the run's execution, which came to no end of its own.",
}


def execution_failure(state: str, status: str, error: str | None, cause: str | None) -> Failure:
    """Why an execution ended, and what to do.

    Args:
        state: of the run, the last that is known.
        status: of the execution: ABORTED, TIMED_OUT or FAILED.
        error: what was said to Step Functions, or by it, if anything.
    """
    if (status, error, cause) == ("ABORTED", STOP_ERROR, STOP_CAUSE):
        return stopped_on_request(state)
    name = f"Execution{status.title().replace('_', '')}"
    if status == "ABORTED":  # whatever is given with it was made up by whoever did it
        said = ": ".join(text for text in (error, cause) if text)
        reason = f" The reason that was given: {said}" if said else ""
        return _failure(state, name, f"The run's execution was stopped in Step Functions, not by Sageline.{reason}")
    return _failure(state, error or name, cause or _MESSAGES[status])


def stopped_on_request(state: str) -> Failure:
    return _failure(
        state,
        STOP_ERROR,
        f"The run was stopped in the state {state}: by `sageline stop`, `sageline rollback` or DELETE /pipelines/{{id}}.",
    )


def _failure(state: str, name: str, message: str) -> Failure:
    return Failure(state, name, message, advice(name, message))
