"""What the algorithm ``auto`` gives to each algorithm that it trains: settings that are good on many tables, by measurement
(docs/quality.md, ``make quality``). An algorithm that a spec names keeps its own defaults."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sageline.algorithms.facts import Hyperparameters
from sageline.json_objects import Json

TRIALS: Mapping[str, int] = {"quick": 0, "good": 12, "best": 50}
"""Trials of a preset, of all its algorithms together."""

_SHARE_OF_TRIALS = {"xgboost": 2.0}
"""XGBoost has more hyperparameters that matter than the others, which have a share of 1."""

_FEWEST_TRIALS = 2


@dataclass(frozen=True)
class AutoSettings:
    """What an algorithm is given.

    Attributes:
        hyperparameters: besides those that follow from the data.
        encoder: options of the encoder ``columns`` by kind of column.
        tuning: of the spec, if there are trials.
        reasons: by key of the spec.
    """

    hyperparameters: Hyperparameters = field(default_factory=dict)
    encoder: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    tuning: Json | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)


def settings(
    algorithm: str, among: tuple[str, ...], preset: Literal["quick", "good", "best"], kinds: Collection[str]
) -> AutoSettings:
    """What one of the algorithms of a preset is given.

    Args:
        among: all algorithms that are trained, which share the preset's trials.
        kinds: of the feature columns.
    """
    has_text = "text" in kinds
    encoder = {kind: options for kind, options in _ENCODERS.get(algorithm, {}).items() if kind in kinds}
    reasons = {
        f"encoder.{kind}.{name}": f"{value}: what auto gives to {algorithm}"
        for kind, options in encoder.items()
        for name, value in options.items()
    }
    tuning = _tuning(algorithm, among, preset, has_text=has_text)
    reasons["algorithm.hyperparameters"] = f"what auto gives to {algorithm}, and the algorithm's own defaults"
    return AutoSettings(_hyperparameters(algorithm, tuning, has_text=has_text), encoder, tuning, reasons)


def trials_of(algorithm: str, among: tuple[str, ...], preset: str) -> int:
    """How many trials of a preset an algorithm has; 0 for a single training job."""
    if not TRIALS[preset]:
        return 0
    shares = {name: _SHARE_OF_TRIALS.get(name, 1.0) for name in among}
    return max(_FEWEST_TRIALS, round(TRIALS[preset] * shares[algorithm] / sum(shares.values())))


def _tuning(algorithm: str, among: tuple[str, ...], preset: str, *, has_text: bool) -> Json | None:
    trials = trials_of(algorithm, among, preset)
    if not trials:
        return None
    ranges = (_RANGES_WITH_TEXT if has_text else _RANGES).get(algorithm)
    tuning: Json = {"max_jobs": trials, "seed": 0} | ({"ranges": ranges} if ranges else {})
    if preset == "best" and algorithm == "xgboost":
        # The only one that reports every iteration, which Hyperband compares.
        return tuning | {"strategy": "Hyperband", "hyperband": {"min_resource": 40, "max_resource": 1000}}
    return tuning | {"strategy": "Bayesian"}


def _hyperparameters(algorithm: str, tuning: Json | None, *, has_text: bool) -> Hyperparameters:
    given = _HYPERPARAMETERS.get(algorithm, {}) | (_WITH_TEXT.get(algorithm, {}) if has_text else {})
    if tuning is None:
        return given
    if tuning["strategy"] == "Hyperband":
        return {}  # it decides how many rounds a trial gets
    return {name: value for name, value in given.items() if name in _NOT_TUNED}


_HYPERPARAMETERS: Mapping[str, Hyperparameters] = {
    # Small steps that the validation rows end late. Few columns are worth all of them in each tree, many a share at each split.
    "xgboost": {
        **{"num_round": 1000, "early_stopping_rounds": 50, "eta": 0.05},
        **{"max_depth": 6, "subsample": 0.8, "colsample_bytree": 1.0, "colsample_bynode": 0.7},
    },
    # Its own scaling gives every column the same spread, and so makes a rare word or value as loud as a frequent one.
    "linear-learner": {"normalize_data": "false"},
}

_WITH_TEXT: Mapping[str, Hyperparameters] = {
    # Thousands of columns, of which a tree needs few, and a tree a class and round: larger steps cost little and end sooner.
    "xgboost": {"num_round": 300, "early_stopping_rounds": 20, "eta": 0.2, "colsample_bytree": 0.5, "colsample_bynode": 1.0},
    # Else the container trains several models at once to find the two.
    "linear-learner": {"learning_rate": 0.05, "wd": 1e-5},
}
"""What is otherwise where there is text."""

_NOT_TUNED = ("num_round", "early_stopping_rounds", "normalize_data")
"""What a tuning keeps; the rest is what its trials are for."""

# Around what a single job is given: a dozen trials that begin anywhere in the usual ranges find nothing as good.
_RANGES: Mapping[str, Json] = {
    "xgboost": {
        "eta": {"type": "continuous", "min": 0.03, "max": 0.08, "scaling": "Logarithmic"},
        "max_depth": {"type": "integer", "min": 4, "max": 9},
        "min_child_weight": {"type": "continuous", "min": 1.0, "max": 6.0, "scaling": "Logarithmic"},
        "subsample": {"type": "continuous", "min": 0.6, "max": 1.0},
        "colsample_bynode": {"type": "continuous", "min": 0.6, "max": 1.0},
    }
}

_RANGES_WITH_TEXT: Mapping[str, Json] = {
    "linear-learner": {
        "learning_rate": {"type": "continuous", "min": 0.02, "max": 0.2, "scaling": "Logarithmic"},
        "wd": {"type": "continuous", "min": 1e-6, "max": 1e-4, "scaling": "Logarithmic"},
    }
}

_ENCODERS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "linear-learner": {
        "number": {"scale": "standard"},
        "text": {"mode": "tf-idf", "ngrams": 2, "sublinear": True, "max_words": 10_000, "statistics": False},
    }
}
