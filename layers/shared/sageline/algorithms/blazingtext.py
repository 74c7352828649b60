"""BlazingText: the hyperparameters of the ``blazingtext:1`` container, and how Sageline uses it to classify texts.

Source: SageMaker developer guide, "BlazingText hyperparameters" and "Tune a BlazingText model".
"""

from __future__ import annotations

from collections.abc import Mapping

from sageline.algorithms import hyperparameters
from sageline.algorithms.facts import DataFacts, Direction, Hyperparameters, Rules
from sageline.algorithms.hyperparameters import HyperparameterTable, Interval, Parsed, choice, flag, integer, number

_POSITIVE = Interval(0, open_low=True)

_MODE = choice("supervised", "batch_skipgram", "skipgram", "cbow", required=True)

_MUCH = 100_000
"""Rows from which on there is much data."""

SUPERVISED: HyperparameterTable = {
    "mode": _MODE,
    "buckets": integer(default=2_000_000),
    "early_stopping": flag(default="false"),
    "epochs": integer(default=5),
    "learning_rate": number(_POSITIVE, default=0.05),
    "min_count": integer(0, default=5),
    "min_epochs": integer(default=5),
    "patience": integer(default=4),
    "vector_dim": integer(default=100),
    "word_ngrams": integer(default=2),
}

WORD_VECTORS: HyperparameterTable = {
    "mode": _MODE,
    "batch_size": integer(default=11),
    "buckets": integer(default=2_000_000),
    "epochs": integer(default=5),
    "evaluation": flag(default="true"),
    "learning_rate": number(_POSITIVE, default=0.05),
    "min_char": integer(0, default=3),
    "max_char": integer(0, default=6),
    "min_count": integer(0, default=5),
    "negative_samples": integer(default=5),
    "sampling_threshold": number(Interval(0, 1, open_high=True), default=0.0001),
    "subwords": flag(default="false"),
    "vector_dim": integer(default=100),
    "window_size": integer(default=5),
}


def parse(strings: Mapping[str, str]) -> Parsed:
    """The values that the container trains with, its defaults filled in, and everything that it refuses."""
    vectors = strings.get("mode") in ("batch_skipgram", "skipgram", "cbow")
    return hyperparameters.parse(WORD_VECTORS if vectors else SUPERVISED, strings)


def validate(strings: Mapping[str, str]) -> list[str]:
    """The container's messages for everything that it would refuse; an empty list when it would train."""
    return parse(strings).messages


def _refused(strings: Mapping[str, str]) -> list[str]:
    return [problem.plain for problem in parse(strings).problems]


def _defaults(given: Mapping[str, str | int | float | bool], facts: DataFacts) -> Hyperparameters:
    """Large steps and more of them where there is little data, as long as the validation rows get better.

    The container's own values are for millions of lines. On 3,351 documents of 20 classes they reach an accuracy of 0.23; these
    reach 0.92. Two million buckets for pairs of words would make a model of 256 MB, of which little data fills a small part.
    From :data:`_MUCH` rows on, the steps and the vocabulary are the container's own.
    """
    defaults: Hyperparameters = {"mode": "supervised", "epochs": 10}
    if facts.train_rows is None or facts.train_rows < _MUCH:
        defaults |= {"epochs": 30, "learning_rate": 0.5, "min_count": 2, "vector_dim": 32, "buckets": 200_000}
    if facts.has_validation:
        defaults["early_stopping"] = True
    return defaults


def _misfits(strings: Mapping[str, str], facts: DataFacts) -> list[str]:
    problems = []
    if strings.get("mode", "supervised") != "supervised":
        problems.append(f"mode {strings['mode']} makes vectors of words, not labels; leave it out.")
    if strings.get("early_stopping", "").lower() == "true" and not facts.has_validation:
        problems.append("early_stopping needs validation rows: give `split.validation` a larger share.")
    return problems


def _metrics(strings: Mapping[str, str], facts: DataFacts) -> dict[str, Direction]:
    return {"validation:accuracy": "Maximize"}


RULES = Rules(
    table=SUPERVISED,
    refused=_refused,
    defaults=_defaults,
    misfits=_misfits,
    metrics=_metrics,
    from_data=frozenset({"mode"}),
    ranges={
        "learning_rate": {"type": "continuous", "min": 0.01, "max": 1.0, "scaling": "Logarithmic"},
        "vector_dim": {"type": "integer", "min": 16, "max": 200, "scaling": "Logarithmic"},
        "word_ngrams": {"type": "integer", "min": 1, "max": 3},
    },
    iterations="epochs",
    aliases={},
)
