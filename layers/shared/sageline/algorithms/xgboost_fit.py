"""Which metrics XGBoost can report for an objective, and which labels an objective can be trained on.

Source: XGBoost 3.2, and the metrics that SageMaker's container computes itself (``metrics/custom_metrics.py`` of
``aws/sagemaker-xgboost-container`` at cb8df91). The unit tests train each pair once.
"""

from __future__ import annotations

from collections.abc import Mapping

from sageline.algorithms.facts import DataFacts
from sageline.algorithms.hyperparameters import Interval

_SEVERAL_PROBABILITIES = ("merror", "mlogloss")
_ONE_VALUE = frozenset(
    {
        *("error", "logloss", "rmse", "mse", "mae", "mape", "rmsle", "r2", "map", "ndcg"),
        *("gamma-deviance", "gamma-nloglik", "poisson-nloglik"),
    }
)
_TWO_CLASSES = ("f1_binary", "precision", "recall")
_CLASSES = frozenset(
    {
        *_TWO_CLASSES,
        *("accuracy", "balanced_accuracy", "f1", "f1_macro", "precision_macro", "precision_micro"),
        *("recall_macro", "recall_micro"),
    }
)
_RANKING = ("map", "ndcg")

_LABELS: Mapping[str, Interval] = {
    "count:poisson": Interval(0),
    "reg:tweedie": Interval(0),
    "reg:gamma": Interval(0, open_low=True),
    "reg:squaredlogerror": Interval(-1, open_low=True),
    "reg:logistic": Interval(0, 1),
    "rmsle": Interval(-1, open_low=True),
    "aucpr": Interval(0, 1),
}
"""Objectives, and metrics of a regression, that take some labels only."""

_BASE_SCORES: Mapping[str, Interval] = {
    "binary:logistic": Interval(0, 1),
    "reg:logistic": Interval(0, 1),
    "reg:gamma": Interval(0, open_low=True),
}


def metric_problem(metric: str, objective: str, facts: DataFacts) -> str | None:
    """For a person: why XGBoost cannot report a metric (``rmse``, ``error@0.7``) while it trains; None where it can."""
    name = metric.partition("@")[0]
    several = objective.startswith("multi:")
    if name == "interval-regression-accuracy":
        return "it is for labels that are intervals"
    if name == "tweedie-nloglik":
        return "it needs a variance power (@1.5), which SageMaker's container does not take"
    if name == "auc" and not objective.startswith("binary:"):
        return "SageMaker's container takes it for two classes only"
    if name in _SEVERAL_PROBABILITIES and not several:
        return f"it is computed from a probability for each class, and {objective} gives one value for each row"
    if name in _ONE_VALUE and several:
        return f"it is computed from one value for each row, and {objective} gives a probability for each class"
    if name in _TWO_CLASSES and facts.several_classes:
        return "it is for two classes"
    if name in _CLASSES and objective == "binary:logistic":
        return "SageMaker's container counts every row as the second class for it, because it cuts probabilities at 0"
    return _regression_problem(name, facts) if facts.task == "regression" else _cut_problem(metric)


def _regression_problem(name: str, facts: DataFacts) -> str | None:
    if name in _CLASSES:
        return "it compares classes, which a regression has none of"
    if name in _RANKING:
        return "it ranks rows, for which labels must be ranks"
    return label_problem(name, facts)


def _cut_problem(metric: str) -> str | None:
    """The problem with what follows a metric's name (``@0.7``), beyond what the container checks."""
    name, at, cut = metric.partition("@")
    if name != name.strip():
        return "XGBoost takes no blank before the @"
    if at and name in _RANKING and not (cut.strip().isdigit() and int(cut) > 0):
        return "what is behind the @ must be a whole number from 1"
    return None


def label_problem(name: str, facts: DataFacts) -> str | None:
    """For a person: why the labels do not fit an objective or a metric; None where they fit, or are not known yet."""
    allowed, lowest, highest = _LABELS.get(name), facts.label_minimum, facts.label_maximum
    if allowed is None or lowest is None or highest is None:
        return None
    if lowest in allowed and highest in allowed:
        return None
    return f"it takes labels {allowed.words}, and the smallest label is {lowest:g}, the largest {highest:g}"


def base_score_problem(base_score: str, objective: str) -> str | None:
    """For a person: why training with an objective cannot begin at this value; None where it can."""
    allowed = _BASE_SCORES.get(objective)
    try:
        if allowed is None or float(base_score) in allowed:
            return None
    except ValueError:
        return None  # that it is no number is a problem of its own
    return f"base_score {base_score} does not fit {objective}, which takes one {allowed.words}."
