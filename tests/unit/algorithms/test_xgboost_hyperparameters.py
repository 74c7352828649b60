"""The container's messages, and the values that it trains with."""

from __future__ import annotations

import pytest

from sageline.algorithms.xgboost_hyperparameters import METRICS, OBJECTIVES, parse, validate


def test_the_smallest_valid_set_is_a_number_of_rounds() -> None:
    assert validate({"num_round": "50"}) == []


def test_a_full_set_for_classification_is_valid() -> None:
    given = {
        "num_round": "50",
        "objective": "multi:softprob",
        "num_class": "20",
        "eval_metric": "mlogloss,merror,accuracy",
        "eta": "0.3",
        "subsample": "1",
        "tree_method": "hist",
        "monotone_constraints": "(1,-1,0)",
        "interaction_constraints": "[[1,2],[3]]",
        "early_stopping_rounds": "5",
        "seed": "0",
        "_tuning_objective_metric": "validation:mlogloss",
    }

    assert validate(given) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Missing required hyperparameter: num_round"),
        ({"num_round": "5", "foo": "1"}, "Extraneous hyperparameter found: foo"),
        ({"num_round": "5.0"}, "Hyperparameter num_round: could not parse value (caused by ValueError)"),
        (
            {"num_round": "5", "monotone_constraints": "(1,"},
            "Hyperparameter monotone_constraints: could not parse value (caused by SyntaxError)",
        ),
        (
            {"num_round": "5", "monotone_constraints": "'a'"},
            "Hyperparameter monotone_constraints: could not parse value (caused by ValueError)",
        ),
        (
            {"num_round": "5", "interaction_constraints": "[1]"},
            "Hyperparameter interaction_constraints: could not parse value (caused by ValueError)",
        ),
        ({"num_round": "0"}, "Hyperparameter num_round: 0 is not in [1, +inf)"),
        ({"num_round": "5", "eta": "3.0"}, "Hyperparameter eta: 3.0 is not in [0, 1]"),
        ({"num_round": "5", "subsample": "0.0"}, "Hyperparameter subsample: 0.0 is not in (0, 1]"),
        ({"num_round": "5", "tweedie_variance_power": "2"}, "Hyperparameter tweedie_variance_power: 2.0 is not in (1, 2)"),
        ({"num_round": "5", "scale_pos_weight": "0"}, "Hyperparameter scale_pos_weight: 0.0 is not in (0, +inf)"),
        ({"num_round": "5", "objective": "foo"}, f"Hyperparameter objective: foo is not in {list(OBJECTIVES)}"),
        (
            {"num_round": "5", "objective": "reg:squarederror", "eval_metric": "rmse,foo"},
            f"Hyperparameter eval_metric: value ['rmse', 'foo'] not in range {list(METRICS)}",
        ),
        (
            {"num_round": "5", "tree_method": "hist", "monotone_constraints": "(2,)"},
            "Hyperparameter monotone_constraints: value (2,) not in range [-1, 0, 1]",
        ),
        (
            {"num_round": "5", "tree_method": "hist", "interaction_constraints": "[[0]]"},
            "Hyperparameter interaction_constraints: value [[0]] not in range [1, +inf)",
        ),
        (
            {"num_round": "5", "monotone_constraints": "1"},
            "Hyperparameter monotone_constraints: could not parse value (caused by ValueError)",
        ),
        (
            {"num_round": "5", "monotone_constraints": "(1,)"},
            "monotone_constraints can be used only when the tree_method parameter is set to either 'exact' or 'hist'.",
        ),
        (
            {"num_round": "5", "interaction_constraints": "[[1]]"},
            "interaction_constraints can be used only when the tree_method parameter is set to "
            "either 'exact', 'hist' or 'approx'.",
        ),
        (
            {"num_round": "5", "objective": "multi:softmax"},
            "Require input for parameter 'num_class' for multi-classification",
        ),
        (
            {"num_round": "5", "objective": "reg:squarederror", "eval_metric": "auc"},
            "Metric 'auc' can only be applied for classification and ranking problems.",
        ),
        (
            {"num_round": "5", "objective": "reg:squarederror", "eval_metric": "aft-nloglik"},
            "Metric 'aft-nloglik' can only be applied for 'survival:aft' objective.",
        ),
        (
            {"num_round": "5", "objective": "rank:ndcg", "eval_metric": "ndcg@-"},
            "Threshold value 't' in 'ndcg@t' expects float input.",
        ),
        (
            {"num_round": "5", "objective": "rank:ndcg", "eval_metric": "rmse@1"},
            "Metric 'rmse@1' is not supported. Parameter 'eval_metric' with customized threshold should be one of these options: "
            "'error', 'ndcg', 'map'.",
        ),
    ],
)
def test_what_the_container_refuses_is_refused_in_its_words(given: dict[str, str], message: str) -> None:
    assert validate(given) == [message]


def test_a_metric_without_an_objective_is_reported_before_the_container_trips_over_it() -> None:
    problems = validate({"num_round": "5", "eval_metric": "error"})

    assert len(problems) == 1
    assert "objective" in problems[0]


def test_a_metric_with_a_threshold_is_valid() -> None:
    assert validate({"num_round": "5", "objective": "binary:logistic", "eval_metric": "error@0.7,auc"}) == []


def test_only_a_metric_of_the_validation_data_can_be_tuned_for() -> None:
    assert validate({"num_round": "5", "_tuning_objective_metric": "validation:auc"}) == []
    assert validate({"num_round": "5", "_tuning_objective_metric": "train:auc"})[0].startswith("Hyperparameter _tuning_objective")


def test_every_problem_is_listed_not_only_the_first() -> None:
    assert len(validate({"eta": "2", "max_depth": "x", "foo": "1"})) == 4


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"updater": "shotgun", "booster": "gblinear"}, None),
        ({"updater": "prune", "booster": "gblinear"}, "Linear updater"),
        ({"updater": "refresh,prune", "process_type": "update"}, None),
        ({"updater": "sync", "process_type": "update"}, "process_type 'update'"),
        ({"updater": "grow_colmaker,prune"}, None),
        ({"updater": "shotgun"}, "Tree updater should be selected"),
        ({"updater": "grow_colmaker,grow_histmaker"}, "Only one tree grow plugin"),
        ({"updater": "grow_quantile_histmaker"}, "Hyperparameter updater: value ['grow_quantile_histmaker'] not in range"),
        ({"updater": "nonsense"}, "Hyperparameter updater: value ['nonsense'] not in range"),
    ],
)
def test_updaters_must_go_with_the_booster(given: dict[str, str], problem: str | None) -> None:
    problems = validate({"num_round": "5", **given})

    assert [text for text in problems if not text.startswith(problem or "")] == []
    assert bool(problems) == (problem is not None)


def test_an_alias_is_resolved_to_the_name_that_xgboost_is_given() -> None:
    values, problems = parse({"num_round": "7", "learning_rate": "0.1", "reg_lambda": "2"})

    assert problems == []
    assert values == {"num_round": 7, "eta": 0.1, "lambda": 2.0}
