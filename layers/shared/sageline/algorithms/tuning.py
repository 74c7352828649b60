"""Checks the ranges, the objective and the strategy of a tuning job before anything is started.

Limits: SageMaker developer guide, "Resource limits for automatic model tuning" and "Define hyperparameter ranges".
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from sageline.algorithms.catalog import Rules, as_text, metrics, misfits, rules
from sageline.algorithms.facts import DataFacts
from sageline.algorithms.hyperparameters import TUNING_OBJECTIVE, Hyperparameter, unknown
from sageline.errors import InvalidSpec
from sageline.spec.training import (
    AlgorithmSpec,
    CategoricalRangeSpec,
    ContinuousRangeSpec,
    IntegerRangeSpec,
    ObjectiveSpec,
    TuningSpec,
)

_MAX_JOBS = 750
"""The limit of every strategy but Random, which takes as many as the spec's model allows."""


def check_tuning(tuning: TuningSpec, algorithm: AlgorithmSpec, facts: DataFacts) -> None:
    """Refuse ranges, objectives and strategies that SageMaker or the algorithm would refuse.

    Raises:
        InvalidSpec: names every problem by its key.
    """
    problems = [*_ranges(tuning, algorithm, facts), *_strategy(tuning, algorithm, facts)]
    if tuning.objective is not None:
        problems += _objective(tuning.objective, algorithm, facts)
    elif algorithm.script is not None:
        problems.append("`tuning.objective` is missing; say which of the metrics in `algorithm.script.metrics` decides.")
    if not facts.has_validation and algorithm.script is None:
        problems.append("`tuning` compares trials by the validation rows; give `split.validation` a larger share.")
    if problems:
        raise InvalidSpec(" ".join(problems))


def _ranges(tuning: TuningSpec, algorithm: AlgorithmSpec, facts: DataFacts) -> Iterator[str]:
    found = rules(algorithm, facts.encoder)
    if not tuning.ranges:
        yield "`tuning.ranges` is empty; name hyperparameters and what to try for each."
    aliases = found.aliases if found else {}
    given = {aliases.get(name, name) for name in algorithm.hyperparameters}
    seen: dict[str, str] = {}
    for name, values in tuning.ranges.items():
        key, own = f"`tuning.ranges.{name}`", aliases.get(name, name)
        if own in given:
            yield f"{key}: {name} is in `algorithm.hyperparameters` too; it is either fixed or tuned, so remove one of the two."
        if own in seen:
            yield f"{key}: {seen[own]} is the same hyperparameter; remove one of the two."
        seen[own] = name
        problem = _not_tunable(name, own, found)
        if problem is not None:
            yield f"{key}: {problem}"
            continue
        row = found.table[own] if found else None
        if isinstance(values, CategoricalRangeSpec):
            yield from _values(name, values, row)
        else:
            yield from _bounds(name, values, row)
        for value in values.values if isinstance(values, CategoricalRangeSpec) else [values.min]:
            yield from (f"{key}: {problem}" for problem in misfits(algorithm, facts, own, value))


def _not_tunable(name: str, own: str, found: Rules | None) -> str | None:
    if found is None:
        reserved = name.startswith(("sagemaker_", TUNING_OBJECTIVE))
        return f"{name} is a name that SageMaker's training toolkit keeps for itself; choose another." if reserved else None
    if own not in found.table:
        return unknown(name, [known for known in found.table if known not in found.from_data])
    return f"Sageline takes {name} from the data; leave it out." if own in found.from_data else None


def _values(name: str, values: CategoricalRangeSpec, row: Hyperparameter | None) -> Iterator[str]:
    key, texts = f"`tuning.ranges.{name}.values`", [as_text(value) for value in values.values]
    double = next((text for text in texts if texts.count(text) > 1), None)
    if double is not None:
        yield f"{key} holds {double!r} twice; remove one."
    if row is not None:
        for text in texts:
            if not row.accepts(text):
                yield f"{key} holds {text!r}; {name} takes {row.expected}."


def _bounds(name: str, values: IntegerRangeSpec | ContinuousRangeSpec, row: Hyperparameter | None) -> Iterator[str]:
    key = f"`tuning.ranges.{name}"
    if row is not None and row.kind == "categorical":
        yield f'{key}.type` is "{values.type}"; {name} takes {row.expected}, so say "categorical" and give `values`.'
        return
    if row is not None and row.kind == "integer" and values.type == "continuous":
        yield f'{key}.type` is "continuous"; {name} takes whole numbers, so say "integer".'
        return
    if values.min > values.max:
        yield f"{key}`: min ({values.min}) is more than max ({values.max}); exchange them."
    if values.min == values.max:
        yield f"{key}`: min and max are both {values.min}; give it as a fixed value in `algorithm.hyperparameters`."
    for end, value in (("min", values.min), ("max", values.max)):
        if row is not None and value not in row.allowed:
            yield f"{key}.{end}` is {value}; {name} takes {row.expected}."
    if values.scaling == "Logarithmic" and values.min <= 0:
        yield f"{key}.min` is {values.min}; the scaling Logarithmic needs a min above 0, or say Linear."
    if values.scaling == "ReverseLogarithmic" and not 0 <= values.min <= values.max < 1:
        yield f"{key}`: the scaling ReverseLogarithmic needs values from 0 to below 1; choose another scaling or other values."


def combinations(tuning: TuningSpec) -> int:
    """How many jobs a grid has."""
    return math.prod(len(values.values) for values in tuning.ranges.values() if isinstance(values, CategoricalRangeSpec))


def _strategy(tuning: TuningSpec, algorithm: AlgorithmSpec, facts: DataFacts) -> Iterator[str]:
    if tuning.strategy == "Grid":
        numeric = [name for name, values in tuning.ranges.items() if not isinstance(values, CategoricalRangeSpec)]
        for name in numeric:
            yield f'`tuning.ranges.{name}`: the strategy Grid tries listed values only; say "categorical" and give `values`.'
        if not numeric and tuning.ranges and tuning.max_jobs != combinations(tuning):
            yield (
                f"`tuning.max_jobs` is {tuning.max_jobs}; the strategy Grid tries all {combinations(tuning)} combinations, "
                "so leave it out."
            )
    if tuning.strategy != "Random" and tuning.max_jobs > _MAX_JOBS:
        yield f"`tuning.max_jobs` is {tuning.max_jobs}; SageMaker takes {_MAX_JOBS} for the strategy {tuning.strategy}."
    if tuning.max_parallel_jobs > tuning.max_jobs:
        yield f"`tuning.max_parallel_jobs` is {tuning.max_parallel_jobs}, more than the {tuning.max_jobs} jobs in all; give less."
    if tuning.strategy != "Hyperband":
        if tuning.hyperband is not None:
            yield f"`tuning.hyperband` goes with the strategy Hyperband, not with {tuning.strategy}; remove it."
        return
    if tuning.early_stopping:
        yield "`tuning.early_stopping` does not go with the strategy Hyperband, which stops trials itself; set it to false."
    found = rules(algorithm, facts.encoder)
    if found is not None and found.iterations is None:
        yield f"`tuning.strategy` is Hyperband, which stops trials between epochs; {algorithm.name} has none: choose Bayesian."


def _objective(objective: ObjectiveSpec, algorithm: AlgorithmSpec, facts: DataFacts) -> Iterator[str]:
    known = metrics(algorithm, facts)
    if objective.metric not in known:
        what = "the script's metrics" if algorithm.script else f"the metrics of {algorithm.name} for a {facts.task}"
        names = ", ".join(known) or "none, so name it in `algorithm.script.metrics`"
        yield f"`tuning.objective.metric` is {objective.metric!r}; {what} are: {names}."
        return
    direction = known[objective.metric]
    if direction is None and objective.type is None:
        yield '`tuning.objective.type` is missing; say "Minimize" if a lower value is better, else "Maximize".'
    if direction is not None and objective.type not in (None, direction):
        better = "lower" if direction == "Minimize" else "higher"
        yield f'`tuning.objective.type` is "{objective.type}"; a {better} {objective.metric} is better: say "{direction}".'
