"""The metrics by name: one table for the spec, the evaluation, the gate and the documentation."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Better: TypeAlias = Literal["higher", "lower"]


@dataclass(frozen=True)
class Metric:
    """A number that says how good a model is.

    Attributes:
        task: ``classification`` or ``regression``.
        better: which values are the better ones.
        needs: what the answers must tell besides the label: a score per class (``scores``), or a probability per class
            (``probabilities``); ``labels`` when the label is enough.
        best: the value of a perfect model.
        limit: what no model exceeds on the other side of ``best``; None where there is no such limit.
        text: what it is, for the documentation.
    """

    task: Literal["classification", "regression"]
    better: Better
    needs: Literal["labels", "scores", "probabilities"]
    best: float
    limit: float | None
    text: str


METRICS: Mapping[str, Metric] = {
    "accuracy": Metric("classification", "higher", "labels", 1, 0, "Share of the rows whose label is right."),
    "top_3_accuracy": Metric(
        "classification", "higher", "scores", 1, 0, "Share of the rows whose label is among the three most probable ones."
    ),
    "balanced_accuracy": Metric(
        "classification", "higher", "labels", 1, 0, "Of the rows that have a label, the share given it; mean over the classes."
    ),
    "roc_auc": Metric(
        "classification",
        "higher",
        "scores",
        1,
        0,
        "How often a row of the positive class has a higher score than one of the other class. Of more than two classes the mean "
        "of each against the others.",
    ),
    "average_precision": Metric(
        "classification",
        "higher",
        "scores",
        1,
        0,
        "Area below precision over recall of the positive class (PR AUC). Of more than two classes the mean of each against the "
        "others.",
    ),
    "macro_precision": Metric(
        "classification", "higher", "labels", 1, 0, "Of the rows given a label, the share that has it; mean over the classes."
    ),
    "macro_f1": Metric(
        "classification", "higher", "labels", 1, 0, "Harmonic mean of a class's precision and recall; mean over the classes."
    ),
    "matthews_correlation": Metric(
        "classification", "higher", "labels", 1, -1, "Correlation of the labels with those given; 0 for always the same answer."
    ),
    "log_loss": Metric(
        "classification", "lower", "probabilities", 0, None, "Mean of -ln(probability of the right label); severe with certainty."
    ),
    "expected_calibration_error": Metric(
        "classification",
        "lower",
        "probabilities",
        0,
        1,
        "Mean difference between how sure the model was and how often it was right, over ten bins of confidence.",
    ),
    "rmse": Metric("regression", "lower", "labels", 0, None, "Root of the mean squared error, in units of the label."),
    "mae": Metric("regression", "lower", "labels", 0, None, "Mean absolute error, in units of the label."),
    "median_absolute_error": Metric(
        "regression",
        "lower",
        "labels",
        0,
        None,
        "Median of the absolute errors, in units of the label: half the rows are closer.",
    ),
    "mape": Metric("regression", "lower", "labels", 0, None, "Mean of the absolute error as a share of the value; 0.1 is 10 %."),
    "r2": Metric(
        "regression", "higher", "labels", 1, None, "Share of the variance that is explained; 0 for always answering the mean."
    ),
}
"""In the order in which they are shown; the first one of a task is its default."""

ZERO_OR_ONE_PER_ROW = ("accuracy", "top_3_accuracy")
"""Metrics that are the share of rows of which something is true."""

RANKING = ("roc_auc", "average_precision")
"""Metrics of how the scores order the rows, whatever label they lead to."""

_FORMER_NAMES = {"macro_recall": "balanced_accuracy"}

OF_ONE_CLASS: Mapping[str, str] = {
    "precision": "Of the rows given the label, the share that has it.",
    "recall": "Of the rows that have the label, the share given it.",
    "f1": "Harmonic mean of the label's precision and recall.",
}
"""Metrics of a single class; with the class they are called ``recall:fraud``."""


def class_metric(name: str) -> tuple[str, str] | None:
    """``("recall", "fraud")`` of ``recall:fraud``; None for a name of another form. A label may hold colons too."""
    kind, _, label = name.partition(":")
    return (kind, label) if kind in OF_ONE_CLASS and label else None


def metric_named(name: str) -> Metric | None:
    """The metric of that name, which may be one of a single class; None where there is none."""
    of_class = class_metric(name)
    if of_class is not None:
        return Metric("classification", "higher", "labels", 1, 0, OF_ONE_CLASS[of_class[0]])
    return METRICS.get(name)


def current_name(name: str) -> str:
    """The name by which a metric goes today: 0.1 called ``balanced_accuracy`` ``macro_recall``."""
    return _FORMER_NAMES.get(name, name)


def metrics_of(task: str) -> dict[str, Metric]:
    """The metrics of ``classification`` or ``regression``."""
    return {name: metric for name, metric in METRICS.items() if metric.task == task}


def shown_metrics(task: str, classes: int) -> list[str]:
    """The metrics that people are shown: of three classes or fewer, the first three hold the right one always."""
    return [name for name in metrics_of(task) if name != "top_3_accuracy" or classes > 3]


def default_metric(task: str) -> str:
    """``accuracy`` or ``rmse``, which every model of the task has."""
    return next(iter(metrics_of(task)))


def hint(name: str) -> str:
    """What to write instead of a name that no metric has."""
    kind, colon, label = name.partition(":")
    if colon:
        known = difflib.get_close_matches(kind.lower(), OF_ONE_CLASS, n=1, cutoff=0.5)
        kinds = ", ".join(f"{kind}:<label>" for kind in OF_ONE_CLASS)
        return f"did you mean `{known[0]}:{label}`?" if known and label else f"of one class there are {kinds}"
    near = difflib.get_close_matches(name.lower().replace("-", "_").replace(" ", "_"), METRICS, n=1, cutoff=0.5)
    return f"did you mean `{near[0]}`?" if near else f"known metrics: {', '.join(METRICS)}"
