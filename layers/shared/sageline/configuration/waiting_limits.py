"""Refusing a run whose jobs may take longer than its execution can wait for them."""

from __future__ import annotations

import math

from sageline.costs.run_cost import EVALUATION_SECONDS
from sageline.errors import InvalidRequest, InvalidSpec
from sageline.spec.model import Spec
from sageline.training.plan import longest_training

CHECK_INTERVAL_SECONDS = 300
"""The template's default."""

_LOOKS = 6000
"""Step Functions ends an execution that has 25,000 events (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html),
and a state that times out and looks again takes four: scheduled, started, submitted, timed out. 1,000 are for all else."""
_LONGEST_SECONDS = 30 * 86400
"""The state machine's own limit."""


def longest_wait(check_interval_seconds: int) -> int:
    """For how many seconds an execution can wait for jobs that it looks at so often."""
    return min(_LOOKS * check_interval_seconds, _LONGEST_SECONDS - 86400)


def check_longest_wait(spec: Spec, check_interval_seconds: int) -> None:
    """Refuse a resolved spec whose jobs may take longer together, one after the other, than the execution can wait.

    Raises:
        InvalidSpec: says how long each may take, how long the execution can wait, and what to change.
    """
    parts = _seconds_of(spec)
    most, longest = sum(parts.values()), longest_wait(check_interval_seconds)
    if most > longest:
        told = " + ".join(f"{_span(seconds)} ({what})" for what, seconds in parts.items())
        raise InvalidSpec(f"spec: the run's jobs may take {told} = {_span(most)}. {_too_long(longest, check_interval_seconds)}")


def check_longest_batch(max_runtime_seconds: int, check_interval_seconds: int) -> None:
    """Like :func:`check_longest_wait`, for a batch, whose model is there already.

    Raises:
        InvalidRequest: its ``max_runtime_seconds`` are too many.
    """
    longest = longest_wait(check_interval_seconds)
    if max_runtime_seconds > longest:
        raise InvalidRequest(
            f"`max_runtime_seconds`: the batch may take {_span(max_runtime_seconds)}. "
            f"{_too_long(longest, check_interval_seconds)}"
        )


def _seconds_of(spec: Spec) -> dict[str, int]:
    algorithm, tuning = spec.algorithm, spec.tuning
    rounds = math.ceil(tuning.max_jobs / tuning.max_parallel_jobs) if tuning else 1
    what = f"tuning: {tuning.max_jobs} jobs, {tuning.max_parallel_jobs} at once" if tuning else "training"
    parts = {
        what: longest_training(algorithm) * rounds,
        "evaluation": EVALUATION_SECONDS * (2 if spec.evaluation.beat_champion else 1),
    }
    return parts | ({"batch": spec.batch.max_runtime_seconds} if spec.batch else {})


def _too_long(longest: int, check_interval_seconds: int) -> str:
    return (
        f"The run can wait for {_span(longest)}, looking every {check_interval_seconds} s as this stack does: lower "
        "`max_runtime_seconds`, or deploy the stack with a larger CheckIntervalSeconds."
    )


def _span(seconds: int) -> str:
    hours = seconds / 3600
    return f"{hours:.4g} h" if hours < 48 else f"{hours / 24:.4g} days"
