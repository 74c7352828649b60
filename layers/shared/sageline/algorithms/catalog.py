"""The rules of all algorithms of a spec behind one interface: defaults of hyperparameters, checks, metrics."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Literal, TypeAlias

from sageline.algorithms import blazingtext, knn, linear_learner, tensorflow, xgboost
from sageline.algorithms.facts import DataFacts, Direction, Hyperparameters, Rules
from sageline.algorithms.hyperparameters import beyond_limits
from sageline.errors import InvalidHyperparameter
from sageline.spec.training import AlgorithmSpec

__all__ = [
    "DataFacts",
    "Direction",
    "Hyperparameters",
    "Rules",
    "as_strings",
    "as_text",
    "check",
    "default_objective",
    "metric_definitions",
    "metrics",
    "misfits",
    "own_script",
    "rules",
    "validation_channel",
    "with_defaults",
]

OwnScript: TypeAlias = Literal["dense", "cnn"]

_BUILT_IN = {
    "xgboost": xgboost.RULES,
    "linear-learner": linear_learner.RULES,
    "knn": knn.RULES,
    "blazingtext": blazingtext.RULES,
}

_RESERVED = ("sagemaker_", "_tuning_objective_metric")
"""Hyperparameters of the training toolkit, which it does not hand to the script."""


def own_script(algorithm: AlgorithmSpec, encoder: str) -> OwnScript | None:
    """Which of Sageline's own scripts trains; None for a user's script and for SageMaker's own algorithms."""
    if algorithm.name != "tensorflow" or algorithm.script is not None:
        return None
    return "cnn" if encoder == "image" else "dense"


def rules(algorithm: AlgorithmSpec, encoder: str) -> Rules | None:
    """The algorithm's rules; None for a user's script, which takes any hyperparameters."""
    match own_script(algorithm, encoder):
        case "cnn":
            return tensorflow.CNN_RULES
        case "dense":
            return tensorflow.DENSE_RULES
    return _BUILT_IN.get(algorithm.name)


def validation_channel(algorithm_name: str) -> str:
    """The name of the channel that the validation rows go to."""
    found = _BUILT_IN.get(algorithm_name)
    return found.validation_channel if found else "validation"


def with_defaults(algorithm: AlgorithmSpec, facts: DataFacts, tuned: Collection[str] = ()) -> Hyperparameters:
    """The given hyperparameters, and a default for each that Sageline does not leave to the container.

    Args:
        tuned: names that a tuning job will give; they get no default.
    """
    given = algorithm.hyperparameters
    found = rules(algorithm, facts.encoder)
    if found is None:
        return dict(given)
    # A default may depend on another value's being there, not on which value it is.
    defaults = found.defaults({**given, **dict.fromkeys(tuned, "")}, facts)
    named = {found.aliases.get(name, name) for name in (*given, *tuned)}
    known = {name: found.renamed.get(name, {}).get(str(value), value) for name, value in given.items()}
    return {**{name: value for name, value in defaults.items() if name not in named}, **known}


def check(algorithm: AlgorithmSpec, facts: DataFacts, tuned: Collection[str] = ()) -> None:
    """Refuse what the container would refuse, and what would train a model whose answers Sageline cannot read.

    What depends on a fact that is not known yet is not checked.

    Args:
        tuned: names that a tuning job will give; they count as given.

    Raises:
        InvalidHyperparameter: names every problem.
    """
    strings = as_strings(algorithm.name, algorithm.hyperparameters)
    problems = beyond_limits(strings)
    found = rules(algorithm, facts.encoder)
    if found is None:
        problems += [
            f"{name} is a name that SageMaker's training toolkit keeps for itself; choose another."
            for name in algorithm.hyperparameters
            if name.startswith(_RESERVED)
        ]
    else:
        # With a default in its place, a tuned hyperparameter is not missing.
        complete = [with_defaults(algorithm, assumed) for assumed in _assumed(facts)]
        refused = [found.refused({name: as_text(value) for name, value in each.items()}) for each in complete]
        fewest = min(refused, key=len)
        problems += fewest
        problems += found.misfits(_texts(algorithm), facts)
    if problems:
        raise InvalidHyperparameter("`algorithm.hyperparameters`: " + " ".join(dict.fromkeys(problems)))


def misfits(algorithm: AlgorithmSpec, facts: DataFacts, name: str, value: str | int | float | bool) -> list[str]:
    """For a person: why a value that a tuning job would try for a hyperparameter does not go with the data."""
    found = rules(algorithm, facts.encoder)
    if found is None:
        return []
    given = _texts(algorithm)
    fixed = found.misfits(given, facts)
    return [problem for problem in found.misfits({**given, name: as_text(value)}, facts) if problem not in fixed]


def _texts(algorithm: AlgorithmSpec) -> dict[str, str]:
    return {name: as_text(value) for name, value in algorithm.hyperparameters.items()}


def _assumed(facts: DataFacts) -> list[DataFacts]:
    """The facts with stand-ins for what is not known, large enough to fit whatever is given: once with two classes and once with
    three where their number is not known."""
    unknown_classes = facts.task == "classification" and facts.num_class is None
    return [
        replace(
            facts,
            num_class=num_class,
            feature_dim=facts.feature_dim or 10**9,
            train_rows=facts.train_rows or 10**9,
            image_shape=facts.image_shape or ((28, 28, 1) if facts.encoder == "image" else None),
        )
        for num_class in ((2, 3) if unknown_classes else (facts.num_class,))
    ]


def metrics(algorithm: AlgorithmSpec, facts: DataFacts) -> Mapping[str, Direction | None]:
    """The metrics that a tuning job may optimize, the usual one first; None where only the user knows them."""
    found = rules(algorithm, facts.encoder)
    if found is not None:
        return found.metrics(_texts(algorithm), facts)
    return dict.fromkeys(algorithm.script.metrics if algorithm.script else ())


def default_objective(algorithm: AlgorithmSpec, facts: DataFacts) -> tuple[str, Direction]:
    """The objective of a tuning job when the spec names none: ``("validation:rmse", "Minimize")``.

    Raises:
        InvalidHyperparameter: the algorithm is a user's script.
    """
    for name, direction in metrics(algorithm, facts).items():
        if direction is not None:
            return name, direction
    raise InvalidHyperparameter("`tuning.objective` is missing; say which of the script's metrics the trials are compared by.")


def metric_definitions(algorithm: AlgorithmSpec) -> dict[str, str]:
    """Metric name to the regular expression that finds it in a script's output; SageMaker's own algorithms need none."""
    if algorithm.script is not None:
        return dict(algorithm.script.metrics)
    return dict(tensorflow.METRIC_DEFINITIONS) if algorithm.name == "tensorflow" else {}


def as_text(value: str | int | float | bool) -> str:
    """A value as containers of SageMaker's own algorithms read it: booleans in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_strings(algorithm_name: str, values: Mapping[str, str | int | float | bool]) -> dict[str, str]:
    """Hyperparameters as the algorithm's container takes them: strings; for a script, each value as JSON."""
    write = json.dumps if algorithm_name in ("tensorflow", "script") else as_text
    return {name: write(value) for name, value in values.items()}
