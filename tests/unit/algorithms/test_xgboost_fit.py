"""What is refused must fail in XGBoost, what is accepted must train: each pair of objective and metric is trained once."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import xgboost
from sklearn import metrics as scores

from sageline.algorithms import catalog
from sageline.algorithms.catalog import DataFacts
from sageline.algorithms.xgboost_hyperparameters import METRICS
from sageline.errors import InvalidHyperparameter
from sageline.spec.training import AlgorithmSpec

Labels = np.ndarray[Any, Any]  # Any: numpy's shape parameter, and any kind of number

ROWS = np.random.default_rng(0).random((30, 2)).astype(np.float32)
TWO = (ROWS[:, 0] > 0.5).astype(float)
THREE = np.floor(ROWS[:, 0] * 3)
POSITIVE, SHARES = 1.5 + ROWS[:, 0], ROWS[:, 0] / ROWS[:, 0].max()
BELOW_ZERO, BELOW_MINUS_ONE = ROWS[:, 0] - 0.5, ROWS[:, 0] * 10 - 5


def _mean(score: Callable[..., float], average: str) -> Callable[..., float]:
    return partial(score, average=average, zero_division=0.0)


CLASS_SCORES: dict[str, Callable[..., float]] = {
    "accuracy": scores.accuracy_score,
    "balanced_accuracy": scores.balanced_accuracy_score,
    "f1": _mean(scores.f1_score, "macro"),
    "f1_binary": _mean(scores.f1_score, "binary"),
    "f1_macro": _mean(scores.f1_score, "macro"),
    "precision": _mean(scores.precision_score, "binary"),
    "precision_macro": _mean(scores.precision_score, "macro"),
    "precision_micro": _mean(scores.precision_score, "micro"),
    "recall": _mean(scores.recall_score, "binary"),
    "recall_macro": _mean(scores.recall_score, "macro"),
    "recall_micro": _mean(scores.recall_score, "micro"),
}
VALUE_SCORES = {
    "mae": scores.mean_absolute_error,
    "mse": scores.mean_squared_error,
    "rmse": scores.root_mean_squared_error,
    "r2": scores.r2_score,
}
"""The container computes these itself, with scikit-learn."""


def trains(objective: str, labels: Labels, metric: str | None = None, **parameters: object) -> bool:
    """Whether XGBoost gets through a round, and to a score that is a number."""
    given: dict[str, object] = {"objective": objective, "max_depth": 1, "nthread": 1, **parameters}
    custom = None
    if metric in CLASS_SCORES or metric in VALUE_SCORES:

        def custom(answers: Labels, matrix: xgboost.DMatrix) -> tuple[str, float]:
            assert metric is not None
            if metric in VALUE_SCORES:
                return metric, VALUE_SCORES[metric](matrix.get_label(), answers)
            classes = np.argmax(answers, axis=1) if answers.ndim == 2 else (answers > 0).astype(int)
            return metric, CLASS_SCORES[metric](matrix.get_label(), classes)

    elif metric is not None:
        given["eval_metric"] = [metric]
    rows = xgboost.DMatrix(ROWS, label=labels)
    reported: dict[str, dict[str, list[float]]] = {}
    try:
        with xgboost.config_context(verbosity=0):
            xgboost.train(
                given, rows, 1, evals=[(rows, "train")], custom_metric=custom, evals_result=reported, verbose_eval=False
            )
    except (xgboost.core.XGBoostError, ValueError):
        return False
    # An infinite mape says that a label is 0, not that the metric cannot be had.
    return not math.isnan(list(reported["train"].values())[-1][-1])


def refusal(facts: DataFacts, **given: str | float) -> str | None:
    try:
        catalog.check(AlgorithmSpec(name="xgboost", hyperparameters=given), facts)
    except InvalidHyperparameter as error:
        return error.message
    return None


def of_labels(labels: Labels) -> DataFacts:
    return DataFacts("regression", label_minimum=float(labels.min()), label_maximum=float(labels.max()))


BY_CONTAINER = {"auc", "aft-nloglik"}
"""What the container itself refuses with most objectives, whether XGBoost could or not."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("facts", "objective", "labels"),
    [
        (DataFacts("classification", num_class=2), "binary:logistic", TWO),
        (DataFacts("classification", num_class=2), "multi:softprob", TWO),
        (DataFacts("classification", num_class=3), "multi:softprob", THREE),
        (of_labels(POSITIVE), "reg:squarederror", POSITIVE),
        (of_labels(BELOW_MINUS_ONE), "reg:squarederror", BELOW_MINUS_ONE),
        (of_labels(SHARES), "reg:logistic", SHARES),
        (of_labels(POSITIVE), "reg:gamma", POSITIVE),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_metric_is_accepted_where_it_can_be_reported_and_refused_where_it_cannot(
    facts: DataFacts, objective: str, labels: Labels
) -> None:
    several = {"num_class": facts.num_class} if objective.startswith("multi:") else {}
    names = [name for name in METRICS if name not in BY_CONTAINER]

    trained = {name for name in names if trains(objective, labels, name, **several)}
    accepted = {name for name in names if refusal(facts, objective=objective, eval_metric=name) is None}

    # The container gets the probabilities of binary:logistic and cuts them at 0: it reports these, and they are wrong.
    miscounted = set(CLASS_SCORES) if objective == "binary:logistic" else set()
    assert accepted == trained - miscounted


@pytest.mark.parametrize(
    "labels", [POSITIVE, SHARES, BELOW_ZERO, BELOW_MINUS_ONE, TWO], ids=["1", "shares", "-0.5", "-5", "0 and 1"]
)
def test_an_objective_is_accepted_for_the_labels_that_it_can_be_trained_on(labels: Labels) -> None:
    objectives = (
        *("count:poisson", "reg:linear", "reg:squarederror", "reg:logistic", "reg:gamma", "reg:pseudohubererror"),
        *("reg:squaredlogerror", "reg:absoluteerror", "reg:tweedie"),
    )

    trained = {name for name in objectives if trains(name, labels)}
    accepted = {name for name in objectives if refusal(of_labels(labels), objective=name) is None}

    assert accepted == trained


@pytest.mark.parametrize(
    "metric",
    ["error@0.7", "error@-1", "map@2", "ndcg@2", "map@0", "ndcg@inf", "ndcg@2-", "map-", "ndcg-", "error @0.7"],
)
def test_what_is_behind_the_name_of_a_metric_is_checked_too(metric: str) -> None:
    accepted = refusal(DataFacts("classification", num_class=2), eval_metric=metric) is None

    # XGBoost knows the forms with a minus; the container does not let them through.
    assert accepted == (trains("binary:logistic", TWO, metric) and not metric.endswith("-"))


@pytest.mark.parametrize("base_score", [0.5, 2])
@pytest.mark.parametrize(
    ("objective", "labels"), [("reg:logistic", SHARES), ("reg:gamma", POSITIVE), ("reg:squarederror", SHARES)]
)
def test_training_can_begin_only_at_a_value_that_the_objective_can_answer(
    objective: str, labels: Labels, base_score: float
) -> None:
    accepted = refusal(of_labels(labels), objective=objective, base_score=base_score) is None

    assert accepted == trains(objective, labels, base_score=base_score)


@pytest.mark.parametrize(
    ("facts", "given", "expected"),
    [
        (
            DataFacts("classification", num_class=3),
            {"eval_metric": "error,mlogloss,rmse"},
            "eval_metric error, rmse does not fit 3 classes: it is computed from one value for each row, and multi:softprob "
            "gives a probability for each class; leave it out, or use some of: mlogloss, merror, accuracy",
        ),
        (
            DataFacts("classification", num_class=2),
            {"eval_metric": "mlogloss"},
            "eval_metric mlogloss does not fit 2 classes: it is computed from a probability for each class, and binary:logistic",
        ),
        (DataFacts("classification", num_class=3), {"eval_metric": "auc"}, "takes it for two classes only"),
        (DataFacts("regression"), {"eval_metric": "mae,merror"}, "eval_metric merror does not fit a regression: "),
        (DataFacts("classification"), {"eval_metric": "tweedie-nloglik"}, "eval_metric tweedie-nloglik does not fit a classif"),
        (
            of_labels(BELOW_MINUS_ONE),
            {"objective": "reg:gamma"},
            f"objective reg:gamma does not fit the label: it takes labels above 0, and the smallest label is "
            f"{BELOW_MINUS_ONE.min():g}, the largest {BELOW_MINUS_ONE.max():g}; leave it out, or use one of: "
            "reg:absoluteerror, reg:linear, reg:pseudohubererror, reg:squarederror.",
        ),
        (of_labels(POSITIVE), {"objective": "reg:logistic"}, "it takes labels from 0 to 1, and the smallest label is 1.5"),
        (of_labels(BELOW_MINUS_ONE), {"eval_metric": "rmsle"}, "eval_metric rmsle does not fit a regression: it takes labels ab"),
    ],
)
def test_a_refusal_says_why_and_what_to_give_instead(facts: DataFacts, given: dict[str, str], expected: str) -> None:
    assert expected in str(refusal(facts, **given))


@pytest.mark.parametrize("given", [{"eval_metric": "mlogloss"}, {"eval_metric": "rmse"}, {"objective": "multi:softprob"}])
def test_what_depends_on_the_classes_is_accepted_until_they_are_counted(given: dict[str, str]) -> None:
    assert refusal(DataFacts("classification"), **given) is None


def test_what_depends_on_the_labels_is_accepted_until_they_are_read() -> None:
    assert refusal(DataFacts("regression"), objective="count:poisson", eval_metric="rmsle") is None
