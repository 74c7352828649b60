"""What a tuning may try and go by; everything else is refused before anything is started."""

from __future__ import annotations

from typing import Any

import pytest

from sageline.algorithms.catalog import DataFacts, default_objective
from sageline.algorithms.tuning import check_tuning
from sageline.errors import InvalidSpec
from sageline.spec.training import AlgorithmSpec, TuningSpec

VALUES = DataFacts("regression")
TWO = DataFacts("classification", num_class=2)
DEPTH = {"type": "integer", "min": 3, "max": 12}
ETA = {"type": "continuous", "min": 0.05, "max": 0.5}
BOOSTER = {"type": "categorical", "values": ["gbtree", "dart"]}
SCRIPT = {"framework": "pytorch", "source_dir": "s3://b/s.tar.gz", "metrics": {"validation:f1": "f1=(.+)"}}
SCRIPT_TUNING = {"objective": {"metric": "validation:f1", "type": "Maximize"}, "ranges": {"trees": DEPTH}}


def check(tuning: dict[str, Any], facts: DataFacts = VALUES, name: str = "xgboost", **hyperparameters: Any) -> None:
    script = SCRIPT if name == "script" else None
    algorithm = AlgorithmSpec.model_validate({"name": name, "hyperparameters": hyperparameters, "script": script})
    check_tuning(TuningSpec.model_validate({"ranges": {"max_depth": DEPTH}, **tuning}), algorithm, facts)


def problem(tuning: dict[str, Any], facts: DataFacts = VALUES, name: str = "xgboost", **hyperparameters: Any) -> str:
    """What the check says; nothing where it takes the search."""
    try:
        check(tuning, facts, name, **hyperparameters)
    except InvalidSpec as error:
        return error.message
    return ""


@pytest.mark.parametrize(
    "tuning",
    [
        {"ranges": {"max_depth": DEPTH, "eta": ETA, "booster": BOOSTER}},
        {"ranges": {"learning_rate": {**ETA, "scaling": "Logarithmic"}}},
        {"ranges": {"subsample": {**ETA, "scaling": "ReverseLogarithmic"}}},
        {"ranges": {"min_child_weight": DEPTH}},  # whole numbers of what may be any number
        {"ranges": {"max_depth": {"type": "categorical", "values": [3, 6]}}},
        {"objective": {"metric": "validation:rmse", "type": "Minimize"}},
        {"ranges": {"updater": {"type": "categorical", "values": ["grow_histmaker", "grow_colmaker,prune"]}}},
        {"ranges": {"interaction_constraints": {"type": "categorical", "values": ["[[1, 2], [3]]"]}}},
        {"objective": {"metric": "validation:mae"}},
        {"strategy": "Grid", "max_jobs": 4, "ranges": {"booster": BOOSTER, "eta": {"type": "categorical", "values": [0.1, 0.3]}}},
        {"strategy": "Random", "max_jobs": 2000, "early_stopping": True},
        {"strategy": "Hyperband", "hyperband": {"min_resource": 10, "max_resource": 100}},
    ],
)
def test_what_sagemaker_takes_is_taken(tuning: dict[str, Any]) -> None:
    assert problem(tuning) == ""


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ({}, "`tuning.ranges` is empty; name hyperparameters and what to try for each."),
        ({"max_dept": DEPTH}, "`tuning.ranges.max_dept`: there is no hyperparameter max_dept; did you mean max_depth?"),
        ({"num_class": DEPTH}, "`tuning.ranges.num_class`: Sageline takes num_class from the data; leave it out."),
        (
            {"num_round": DEPTH},
            "`tuning.ranges.num_round`: num_round is in `algorithm.hyperparameters` too; it is either fixed or",
        ),
        ({"eta": ETA, "learning_rate": ETA}, "`tuning.ranges.learning_rate`: eta is the same hyperparameter; remove one"),
        ({"max_depth": ETA}, '`tuning.ranges.max_depth.type` is "continuous"; max_depth takes whole numbers, so say "integer".'),
        (
            {"booster": DEPTH},
            '`tuning.ranges.booster.type` is "integer"; booster takes one of gbtree, gblinear, dart, so say "cat',
        ),
        ({"max_depth": {**DEPTH, "min": 13}}, "`tuning.ranges.max_depth`: min (13) is more than max (12); exchange them."),
        ({"max_depth": {**DEPTH, "min": 12}}, "`tuning.ranges.max_depth`: min and max are both 12; give it as a fixed value"),
        ({"eta": {**ETA, "max": 3.0}}, "`tuning.ranges.eta.max` is 3.0; eta takes a number from 0 to 1."),
        ({"subsample": {**ETA, "min": 0.0}}, "`tuning.ranges.subsample.min` is 0.0; subsample takes a number above 0 to 1."),
        ({"max_depth": {**DEPTH, "min": -1}}, "`tuning.ranges.max_depth.min` is -1; max_depth takes a whole number from 0."),
        ({"eta": {**ETA, "min": 0.0, "scaling": "Logarithmic"}}, "`tuning.ranges.eta.min` is 0.0; the scaling Logarithmic needs"),
        (
            {"eta": {**ETA, "max": 1.0, "scaling": "ReverseLogarithmic"}},
            "`tuning.ranges.eta`: the scaling ReverseLogarithmic nee",
        ),
        (
            {"booster": {**BOOSTER, "values": ["tree"]}},
            "`tuning.ranges.booster.values` holds 'tree'; booster takes one of gbtree",
        ),
        ({"updater": {**BOOSTER, "values": ["prune,x"]}}, "`tuning.ranges.updater.values` holds 'prune,x'; updater takes one of"),
        ({"booster": {**BOOSTER, "values": ["dart", "dart"]}}, "`tuning.ranges.booster.values` holds 'dart' twice; remove one."),
        (
            {"max_depth": {"type": "categorical", "values": [3, 2.5]}},
            "`tuning.ranges.max_depth.values` holds '2.5'; max_depth ta",
        ),
    ],
)
def test_a_wrong_range_is_named_with_what_to_do(ranges: dict[str, Any], expected: str) -> None:
    assert expected in problem({"ranges": ranges}, num_round=50)


def test_a_fixed_hyperparameter_is_not_tuned_by_its_other_name() -> None:
    assert "`tuning.ranges.eta`: eta is in `algorithm.hyperparameters` too" in problem(
        {"ranges": {"eta": ETA}}, learning_rate=0.1
    )


@pytest.mark.parametrize(
    ("tuning", "expected"),
    [
        ({"strategy": "Grid"}, '`tuning.ranges.max_depth`: the strategy Grid tries listed values only; say "categorical"'),
        (
            {"strategy": "Grid", "ranges": {"booster": BOOSTER}, "max_jobs": 5},
            "`tuning.max_jobs` is 5; the strategy Grid tries all 2",
        ),
        ({"max_jobs": 751}, "`tuning.max_jobs` is 751; SageMaker takes 750 for the strategy Bayesian."),
        ({"max_jobs": 2}, "`tuning.max_parallel_jobs` is 3, more than the 2 jobs in all; give less."),
        ({"hyperband": {}}, "`tuning.hyperband` goes with the strategy Hyperband, not with Bayesian; remove it."),
        ({"strategy": "Hyperband", "early_stopping": True}, "`tuning.early_stopping` does not go with the strategy Hyperband"),
        (
            {"objective": {"metric": "validation:auc"}},
            "`tuning.objective.metric` is 'validation:auc'; the metrics of xgboost for a",
        ),
        ({"objective": {"metric": "rmse"}}, "regression are: validation:rmse, "),
        ({"objective": {"metric": "validation:rmse", "type": "Maximize"}}, 'a lower validation:rmse is better: say "Minimize".'),
    ],
)
def test_a_strategy_or_objective_that_cannot_be_is_named_with_what_to_do(tuning: dict[str, Any], expected: str) -> None:
    assert expected in problem(tuning)


@pytest.mark.parametrize(
    ("facts", "metric", "hyperparameters"),
    [
        (TWO, "validation:mlogloss", {}),
        (TWO, "validation:logloss", {"objective": "multi:softprob"}),
        (DataFacts("classification", num_class=3), "validation:logloss", {}),
        (DataFacts("regression", label_minimum=-3.0, label_maximum=5.0), "validation:rmsle", {}),
    ],
)
def test_trials_are_not_compared_by_what_cannot_be_reported(
    facts: DataFacts, metric: str, hyperparameters: dict[str, str]
) -> None:
    assert f"`tuning.objective.metric` is '{metric}'; the metrics of xgboost for a" in problem(
        {"objective": {"metric": metric}}, facts, **hyperparameters
    )


def test_the_usual_metric_follows_the_objective_that_is_given() -> None:
    two_as_several = AlgorithmSpec(name="xgboost", hyperparameters={"objective": "multi:softprob"})

    assert default_objective(two_as_several, TWO) == ("validation:mlogloss", "Minimize")


@pytest.mark.parametrize(
    ("name", "tuned", "values", "expected"),
    [
        ("xgboost", "objective", ["count:poisson"], "`tuning.ranges.objective`: Sageline takes objective from the data"),
        ("xgboost", "eval_metric", ["rmse", "mae"], "`tuning.ranges.eval_metric`: Sageline takes eval_metric from the data"),
        ("xgboost", "base_score", [0.5, 2], "`tuning.ranges.base_score`: base_score 2 does not fit binary:logistic"),
        ("linear-learner", "loss", ["logistic", "squared_loss"], "`tuning.ranges.loss`: loss squared_loss does not go with"),
        ("knn", "k", [5, 50], "`tuning.ranges.k`: k is 50, and there are 20 rows to train on; give less."),
    ],
)
def test_a_value_that_does_not_fit_the_data_is_not_tried(name: str, tuned: str, values: list[Any], expected: str) -> None:
    facts = DataFacts("classification", num_class=2, train_rows=20)

    assert expected in problem({"ranges": {tuned: {"type": "categorical", "values": values}}}, facts, name)


def test_a_range_of_what_the_data_has_no_use_for_is_refused() -> None:
    ranges = {"f_beta": {"type": "continuous", "min": 0.5, "max": 2.0}}

    assert "`tuning.ranges.f_beta`: f_beta is for two classes" in problem({"ranges": ranges}, VALUES, "linear-learner")


def test_hyperband_needs_an_algorithm_that_learns_in_steps() -> None:
    tuning = {"strategy": "Hyperband", "ranges": {"k": {"type": "integer", "min": 1, "max": 9}}}

    assert "`tuning.strategy` is Hyperband, which stops trials between epochs; knn has none" in problem(tuning, TWO, "knn")


def test_trials_are_compared_by_validation_rows() -> None:
    facts = DataFacts("regression", has_validation=False)

    assert "`tuning` compares trials by the validation rows; give `split.validation` a larger share." in problem({}, facts)
    check(SCRIPT_TUNING, facts, "script")


@pytest.mark.parametrize(
    ("tuning", "expected"),
    [
        ({"objective": None}, "`tuning.objective` is missing; say which of the metrics in `algorithm.script.metrics` decides."),
        ({"objective": {"metric": "loss", "type": "Minimize"}}, "is 'loss'; the script's metrics are: validation:f1."),
        ({"objective": {"metric": "validation:f1"}}, '`tuning.objective.type` is missing; say "Minimize" if a lower value'),
        ({"ranges": {"sagemaker_region": BOOSTER}}, "sagemaker_region is a name that SageMaker's training toolkit keeps"),
        ({"ranges": {"trees": {**DEPTH, "max": 2}}}, "min (3) is more than max (2)"),
    ],
)
def test_a_script_of_ones_own_is_tuned_by_its_own_metrics(tuning: dict[str, Any], expected: str) -> None:
    check(SCRIPT_TUNING, VALUES, "script")

    assert expected in problem({**SCRIPT_TUNING, **tuning}, VALUES, "script")


def test_a_script_without_metrics_says_where_to_name_them() -> None:
    algorithm = AlgorithmSpec.model_validate({"name": "script", "script": {**SCRIPT, "metrics": {}}})

    with pytest.raises(InvalidSpec, match=r"none, so name it in `algorithm\.script\.metrics`"):
        check_tuning(TuningSpec.model_validate(SCRIPT_TUNING), algorithm, VALUES)


def test_every_problem_is_named_at_once() -> None:
    message = problem({"ranges": {"max_dept": DEPTH, "eta": {**ETA, "max": 2.0}}, "max_jobs": 1})

    assert [key in message for key in ("max_dept", "tuning.ranges.eta.max", "tuning.max_parallel_jobs")] == [True] * 3
