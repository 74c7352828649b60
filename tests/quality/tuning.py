"""A tuning job in this process: the emulator's search, one trial after the other, compared by what the containers log."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sageline.spec.training import AlgorithmSpec, TuningSpec
from sageline.training.plan import search as planned_search
from sagemaker_emulator.engines.blazingtext import METRIC_DEFINITIONS as OF_BLAZINGTEXT
from sagemaker_emulator.engines.first_party.hyperparameters import TUNING_OBJECTIVE
from sagemaker_emulator.engines.knn import METRIC_DEFINITIONS as OF_KNN
from sagemaker_emulator.engines.linear_learner import METRIC_DEFINITIONS as OF_LINEAR_LEARNER
from sagemaker_emulator.engines.xgboost import METRIC_DEFINITIONS as OF_XGBOOST
from sagemaker_emulator.tuning.ranges import parse_ranges
from sagemaker_emulator.tuning.search import Search

_DEFINITIONS: Mapping[str, Sequence[tuple[str, str]]] = {
    "xgboost": OF_XGBOOST,
    "linear-learner": OF_LINEAR_LEARNER,
    "knn": OF_KNN,
    "blazingtext": OF_BLAZINGTEXT,
}

Train = Callable[[int, Mapping[str, str]], str]
"""Trains the trial of a number with hyperparameters; what its container has logged."""


def tune(tuning: TuningSpec, algorithm: AlgorithmSpec, static: Mapping[str, str], train: Train) -> int:
    """The number of the best trial.

    Args:
        tuning: with an objective and ranges; its strategy is none that stops trials.
        static: hyperparameters that are not searched.

    Raises:
        RuntimeError: no trial has reported the objective.
    """
    planned = planned_search(tuning, algorithm)
    if planned.resources is not None:
        raise RuntimeError("Hyperband is not measured: it stops trials while they train, and these are trained to their end.")
    numbers = {
        kind: [
            {"Name": name, "MinValue": of_kind.low, "MaxValue": of_kind.high, "ScalingType": of_kind.scaling}
            for name, of_kind in planned.numbers.items()
            if of_kind.kind == kind.lower()
        ]
        for kind in ("Integer", "Continuous")
    }
    choices = [{"Name": name, "Values": list(values)} for name, values in planned.choices.items()]
    request = {f"{kind}ParameterRanges": ranges for kind, ranges in numbers.items()} | {"CategoricalParameterRanges": choices}
    maximizes = planned.goal == "Maximize"
    search = Search(planned.strategy, parse_ranges(request), maximize=maximizes, trials=planned.max_jobs, seed=planned.seed)
    values: dict[int, float] = {}
    for number in range(planned.max_jobs):
        candidate = search.ask()
        if candidate is None:
            break
        log = train(number, {**static, **candidate.values, TUNING_OBJECTIVE: planned.metric})
        value = objective(algorithm.name, planned.metric, log)
        search.tell(candidate, value)
        if value is not None:
            values[number] = value
    if not values:
        raise RuntimeError(f"No trial has reported {planned.metric}.")
    return max(values, key=lambda number: values[number] if maximizes else -values[number])


def objective(algorithm: str, metric: str, log: str) -> float | None:
    """The metric's last value in what a container has logged; None without one."""
    expression = dict(_DEFINITIONS[algorithm]).get(metric)
    if expression is None:
        return None
    found = [match for line in log.replace("\t", "#011").splitlines() if (match := re.search(expression, line))]
    return float(found[-1].group(1)) if found else None


@contextmanager
def logged() -> Iterator[list[str]]:
    """Lines that the engines log, whatever else is silent."""
    lines: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    logger, keeper = logging.getLogger("sagemaker_emulator"), Keeper(logging.INFO)
    level, disabled, propagates = logger.level, logging.root.manager.disable, logger.propagate
    logging.disable(logging.NOTSET)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(keeper)
    try:
        yield lines
    finally:
        logger.removeHandler(keeper)
        logger.propagate = propagates
        logger.setLevel(level)
        logging.disable(disabled)
