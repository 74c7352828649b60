"""The XGBoost engine's hyperparameters: what it trains with, and what it refuses in the container's words."""

from __future__ import annotations

import pytest

from sagemaker_emulator.engines.xgboost.failures import AlgorithmError, UserError
from sagemaker_emulator.engines.xgboost.hyperparameters import read

ONLY_WITH = "can be used only when the tree_method parameter is set to either"


def test_values_are_read_and_aliases_are_resolved() -> None:
    given = {
        "num_round": "50",
        "learning_rate": "0.3",
        "objective": "multi:softprob",
        "num_class": "20",
        "eval_metric": "mlogloss,accuracy,error@0.7",
        "tree_method": "hist",
        "monotone_constraints": "(1,-1,0)",
        "interaction_constraints": "[[1,2],[3]]",
        "_tuning_objective_metric": "validation:mlogloss",
    }

    assert read(given) == {
        "num_round": 50,
        "eta": 0.3,
        "objective": "multi:softprob",
        "num_class": 20,
        "eval_metric": ["mlogloss", "accuracy", "error@0.7"],
        "tree_method": "hist",
        "monotone_constraints": (1, -1, 0),
        "interaction_constraints": [[1, 2], [3]],
        "_tuning_objective_metric": "validation:mlogloss",
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_round": None}, "Missing required hyperparameter: num_round"),
        ({"foo": "1"}, "Extraneous hyperparameter found: foo"),
        ({"num_round": "5.0"}, "Hyperparameter num_round: could not parse value (caused by ValueError)"),
        ({"monotone_constraints": "exit()"}, "Hyperparameter monotone_constraints: could not parse value (caused by ValueError)"),
        ({"num_round": "0"}, "Hyperparameter num_round: 0 is not in [1, +inf)"),
        ({"eta": "3.0"}, "Hyperparameter eta: 3.0 is not in [0, 1]"),
        ({"subsample": "0.0"}, "Hyperparameter subsample: 0.0 is not in (0, 1]"),
        ({"tweedie_variance_power": "2"}, "Hyperparameter tweedie_variance_power: 2.0 is not in (1, 2)"),
        ({"scale_pos_weight": "0"}, "Hyperparameter scale_pos_weight: 0.0 is not in (0, +inf)"),
        ({"booster": "tree"}, "Hyperparameter booster: tree is not in ['gbtree', 'gblinear', 'dart']"),
        ({"eval_metric": "rmse,foo"}, "Hyperparameter eval_metric: value ['rmse', 'foo'] not in range ['accuracy', 'auc', "),
        ({"eval_metric": "rmse@1"}, "Metric 'rmse@1' is not supported. Parameter 'eval_metric' with customized threshold should"),
        ({"eval_metric": "ndcg@-"}, "Threshold value 't' in 'ndcg@t' expects float input."),
        ({"eval_metric": "rmse"}, "eval_metric needs objective: the container fails with KeyError: 'objective' without it"),
        ({"eval_metric": "auc", "objective": "reg:squarederror"}, "Metric 'auc' can only be applied for classification and"),
        ({"eval_metric": "aft-nloglik", "objective": "rank:map"}, "Metric 'aft-nloglik' can only be applied for 'survival:aft'"),
        ({"_tuning_objective_metric": "train:auc"}, "Hyperparameter _tuning_objective_metric: train:auc is not in ["),
        (
            {"tree_method": "hist", "monotone_constraints": "(2,)"},
            "Hyperparameter monotone_constraints: value (2,) not in range [-1, 0, 1]",
        ),
        (
            {"tree_method": "hist", "interaction_constraints": "[[0]]"},
            "Hyperparameter interaction_constraints: value [[0]] not in range [1, +inf)",
        ),
        ({"monotone_constraints": "(1,)"}, f"monotone_constraints {ONLY_WITH} 'exact' or 'hist'."),
        ({"interaction_constraints": "[[1]]"}, f"interaction_constraints {ONLY_WITH} 'exact', 'hist' or 'approx'."),
        ({"objective": "multi:softmax"}, "Require input for parameter 'num_class' for multi-classification"),
        ({"updater": "prune", "booster": "gblinear"}, "Linear updater should be one of these options"),
        ({"updater": "sync", "process_type": "update"}, "process_type 'update' can only be used with updater 'refresh' and"),
        ({"updater": "shotgun"}, "Tree updater should be selected from these options: 'grow_colmaker', "),
        ({"updater": "grow_colmaker,grow_histmaker"}, "Only one tree grow plugin can be selected."),
        ({"updater": "grow_quantile_histmaker"}, "Hyperparameter updater: value ['grow_quantile_histmaker'] not in range"),
    ],
)
def test_what_the_container_refuses(given: dict[str, str | None], message: str) -> None:
    strings = {name: text for name, text in {"num_round": "5", **given}.items() if text is not None}

    with pytest.raises(UserError) as refused:
        read(strings)

    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    "given",
    [
        {"updater": "shotgun", "booster": "gblinear"},
        {"updater": "refresh,prune", "process_type": "update"},
        {"updater": "grow_colmaker,prune"},
        {"eta": "nan"},  # no comparison with it is true
    ],
)
def test_what_the_container_takes(given: dict[str, str]) -> None:
    assert read({"num_round": "5", **given})


def test_a_number_in_the_place_of_a_list_is_the_algorithms_failure() -> None:
    with pytest.raises(AlgorithmError, match="Hyperparameter interaction_constraints: unexpected failure when validating"):
        read({"num_round": "5", "tree_method": "hist", "interaction_constraints": "[1]"})
