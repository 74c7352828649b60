"""The two neural networks that Sageline brings: the hyperparameters of its scripts for TensorFlow's container.

``dense`` learns from rows of numbers, ``cnn`` from images. Both print a line per epoch, ``epoch=3 train_loss=0.41
train_accuracy=0.9 validation_loss=0.5 validation_accuracy=0.87`` (``rmse`` for a regression, instead of ``accuracy``),
which :data:`METRIC_DEFINITIONS` reads, and last the values of the weights that are saved.
"""

from __future__ import annotations

from collections.abc import Mapping

from sageline.algorithms import hyperparameters
from sageline.algorithms.facts import DataFacts, Direction, Hyperparameters, Rules
from sageline.algorithms.hyperparameters import (
    Hyperparameter,
    HyperparameterTable,
    Interval,
    Parsed,
    choice,
    integer,
    number,
    sizes,
)

METRIC_DEFINITIONS = {
    f"{split}:{metric}": rf"\b{split}_{metric}=([0-9.eE+-]+)"
    for split in ("train", "validation")
    for metric in ("loss", "accuracy", "rmse")
}

_COMMON: HyperparameterTable = {
    "task": choice("classification", "regression", required=True),
    "num_class": integer(2),
    "feature_dim": integer(required=True),
    "epochs": integer(default=50),
    "batch_size": integer(default=32),
    "learning_rate": number(Interval(0, open_low=True), default=0.001),
    "optimizer": choice("adam", "sgd", "rmsprop", default="adam"),
    "dropout": number(Interval(0, 1, open_high=True), default=0.2),
    "patience": integer(),
    "seed": integer(0, 2**31 - 1, default=0),
}

DENSE: HyperparameterTable = {**_COMMON, "hidden_units": sizes(default="128,64")}

CNN: HyperparameterTable = {
    **_COMMON,
    "image_shape": Hyperparameter(lambda text: tuple(int(part) for part in text.split(",")), Interval(1), required=True),
    "filters": sizes(default="32,64"),
    "kernel_size": integer(1, 11, default=3),
    "hidden_units": sizes(default="128"),
}


def parse(strings: Mapping[str, str]) -> Parsed:
    """The values that the scripts train with, and what they refuse. Images (``image_shape``) are for the ``cnn``."""
    return hyperparameters.parse(CNN if "image_shape" in strings else DENSE, strings)


def _refused(strings: Mapping[str, str]) -> list[str]:
    return [problem.plain for problem in parse(strings).problems]


def _defaults(given: Mapping[str, str | int | float | bool], facts: DataFacts) -> Hyperparameters:
    """What the data says; epochs enough, because with validation rows training stops when it gets no better.

    Small batches make many steps from few rows; larger ones save time where there are many rows.
    """
    images = facts.image_shape is not None
    defaults: Hyperparameters = {
        "task": facts.task,
        "epochs": (30 if images else 50) if facts.has_validation else (10 if images else 20),
        "batch_size": 32 if (facts.train_rows or 0) < 20_000 else 128,
        "learning_rate": 0.001,
        "dropout": 0.25 if images else 0.2,
        "hidden_units": "128" if images else "128,64",
    }
    if facts.has_validation:
        defaults["patience"] = 5
    if facts.image_shape is not None:
        defaults |= {"image_shape": ",".join(str(size) for size in facts.image_shape), "filters": "32,64", "kernel_size": 3}
    if facts.num_class is not None:
        defaults["num_class"] = facts.num_class
    if facts.feature_dim is not None:
        defaults["feature_dim"] = facts.feature_dim
    return defaults


def _misfits(strings: Mapping[str, str], facts: DataFacts) -> list[str]:
    problems = [
        f"{name} comes from the data; leave it out."
        for name, said in (
            ("task", facts.task),
            ("num_class", facts.num_class),
            ("feature_dim", facts.feature_dim),
            ("image_shape", facts.image_shape and ",".join(str(size) for size in facts.image_shape)),
        )
        if name in strings and said is not None and strings[name] != str(said)
    ]
    if "patience" in strings and not facts.has_validation:
        problems.append("patience needs validation rows: give `split.validation` a larger share.")
    return problems


def _metrics(strings: Mapping[str, str], facts: DataFacts) -> dict[str, Direction]:
    if facts.task == "regression":
        return {"validation:rmse": "Minimize", "validation:loss": "Minimize"}
    return {"validation:accuracy": "Maximize", "validation:loss": "Minimize"}


def _rules(table: HyperparameterTable) -> Rules:
    return Rules(
        table=table,
        refused=_refused,
        defaults=_defaults,
        misfits=_misfits,
        metrics=_metrics,
        from_data=frozenset({"task", "num_class", "feature_dim", "image_shape"}),
        ranges={
            "learning_rate": {"type": "continuous", "min": 1e-4, "max": 1e-2, "scaling": "Logarithmic"},
            "dropout": {"type": "continuous", "min": 0.0, "max": 0.5},
            "batch_size": {"type": "integer", "min": 16, "max": 128, "scaling": "Logarithmic"},
        },
        iterations="epochs",
        aliases={},
    )


DENSE_RULES = _rules(DENSE)
CNN_RULES = _rules(CNN)
