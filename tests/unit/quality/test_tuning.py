"""Trials are compared by what their containers log, and the best one is taken."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sageline.spec.training import AlgorithmSpec, TuningSpec
from tests.quality.tuning import objective, tune

TUNING = TuningSpec.model_validate(
    {
        "strategy": "Random",
        "seed": 0,
        "max_jobs": 6,
        "objective": {"metric": "validation:logloss", "type": "Minimize"},
        "ranges": {"eta": {"type": "continuous", "min": 0.1, "max": 0.5}, "max_depth": {"type": "integer", "min": 2, "max": 9}},
    }
)
XGBOOST = AlgorithmSpec.model_validate({"name": "xgboost"})


def test_the_trial_of_the_best_last_value_is_taken() -> None:
    etas: list[float] = []

    def train(_: int, tried: Mapping[str, str]) -> str:
        etas.append(float(tried["eta"]))
        assert tried["num_round"] == "5"
        assert 2 <= int(tried["max_depth"]) <= 9
        return f"[0]\ttrain-logloss:0.1\tvalidation-logloss:0.01\n[1]\ttrain-logloss:0.1\tvalidation-logloss:{tried['eta']}"

    best = tune(TUNING, XGBOOST, {"num_round": "5"}, train)
    assert len(set(etas)) == 6
    assert etas[best] == min(etas)


def test_no_trial_that_reports_the_objective_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="No trial has reported validation:logloss"):
        tune(TUNING, XGBOOST, {}, lambda _, __: "nothing")


def test_what_linear_learner_logs_is_read() -> None:
    log = "#quality_metric: host=algo-1, validation rmse <loss>=2.5"
    assert objective("linear-learner", "validation:rmse", log) == 2.5
    assert objective("linear-learner", "validation:mse", log) is None
