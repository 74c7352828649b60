from __future__ import annotations

import pytest

from sageline.algorithms import catalog
from sageline.algorithms.catalog import DataFacts, Hyperparameters
from sageline.algorithms.xgboost_hyperparameters import validate
from sageline.errors import InvalidHyperparameter
from sageline.spec.training import AlgorithmSpec


def with_defaults(given: Hyperparameters, *, task: str, num_class: int | None, has_validation: bool) -> Hyperparameters:
    facts = DataFacts(task, num_class=num_class, has_validation=has_validation)
    return catalog.with_defaults(AlgorithmSpec(name="xgboost", hyperparameters=given), facts)


def check(given: Hyperparameters, *, task: str, num_class: int | None, has_validation: bool) -> None:
    facts = DataFacts(task, num_class=num_class, has_validation=has_validation)
    catalog.check(AlgorithmSpec(name="xgboost", hyperparameters=given), facts)


@pytest.mark.parametrize(
    ("task", "num_class", "objective", "eval_metric"),
    [
        ("classification", 2, "binary:logistic", "error,logloss"),
        ("classification", 20, "multi:softprob", "merror,mlogloss"),
        ("regression", None, "reg:squarederror", "mae,rmse"),
    ],
)
@pytest.mark.parametrize("has_validation", [True, False])
def test_defaults_fit_the_task_and_are_accepted(
    task: str, num_class: int | None, objective: str, eval_metric: str, has_validation: bool
) -> None:
    complete = with_defaults({}, task=task, num_class=num_class, has_validation=has_validation)
    assert (complete["objective"], complete["eval_metric"]) == (objective, eval_metric)
    assert complete.get("num_class") == (20 if num_class == 20 else None)
    assert ("early_stopping_rounds" in complete) is has_validation
    assert validate(catalog.as_strings("xgboost", complete)) == []
    check(complete, task=task, num_class=num_class, has_validation=has_validation)


def test_what_is_given_stays_and_an_alias_counts_as_its_name() -> None:
    complete = with_defaults({"num_round": 7, "learning_rate": 0.5}, task="regression", num_class=None, has_validation=True)
    assert (complete["num_round"], complete["learning_rate"]) == (7, 0.5)
    assert "eta" not in complete
    assert "early_stopping_rounds" not in complete


def test_two_classes_can_be_trained_as_several() -> None:
    complete = with_defaults({"objective": "multi:softprob"}, task="classification", num_class=2, has_validation=False)
    assert (complete["num_class"], complete["eval_metric"]) == (2, "merror,mlogloss")
    also = with_defaults({"num_class": 2}, task="classification", num_class=2, has_validation=False)
    assert also["objective"] == "multi:softprob"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"eta": 3.0}, r"Hyperparameter eta: 3.0 is not in \[0.*, 1"),
        ({"rounds": 3}, "Extraneous hyperparameter found: rounds"),
        ({"num_round": 5.5}, "Hyperparameter num_round: could not parse value"),
        ({"objective": "multi:softmax"}, "objective multi:softmax does not fit 3 classes; .* one of: multi:softprob"),
        ({"objective": "binary:logistic"}, "objective binary:logistic does not fit 3 classes"),
        ({"objective": "reg:squarederror"}, "does not fit 3 classes"),
        ({"num_class": 4}, "num_class is 4, the data has 3 classes; leave it out"),
        ({"early_stopping_rounds": 5}, "early_stopping_rounds needs validation rows: give `split.validation`"),
        ({"csv_weights": 1}, "csv_weights is 1, and the training data has no weights"),
        ({"x" * 300: 1}, "has 300 characters; SageMaker takes 256"),
        ({"updater": "x" * 3000}, "updater has a value of 3000 characters"),
        ({f"p{i}": 1 for i in range(101)}, "101 hyperparameters; SageMaker takes 100"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_starts(given: Hyperparameters, problem: str) -> None:
    with pytest.raises(InvalidHyperparameter, match=problem):
        check(given, task="classification", num_class=3, has_validation=False)


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(InvalidHyperparameter, match=r"Extraneous hyperparameter found: rounds\. .*eta: 3.0 is not in"):
        check({"eta": 3, "rounds": 1}, task="regression", num_class=None, has_validation=True)


@pytest.mark.parametrize("given", [{"objective": "binary:logistic", "num_class": 2}, {"num_class": 2}])
def test_num_class_goes_with_several_classes_only(given: Hyperparameters) -> None:
    task = "classification" if "objective" in given else "regression"
    with pytest.raises(InvalidHyperparameter, match="num_class does not go with"):
        check(given, task=task, num_class=2 if task == "classification" else None, has_validation=True)


def test_what_depends_on_the_number_of_classes_waits_until_it_is_known() -> None:
    given: Hyperparameters = {"objective": "multi:softprob", "num_class": 20}
    check(given, task="classification", num_class=None, has_validation=True)
    with pytest.raises(InvalidHyperparameter, match="objective rank:map does not fit a classification"):
        check({"objective": "rank:map"}, task="classification", num_class=None, has_validation=True)
