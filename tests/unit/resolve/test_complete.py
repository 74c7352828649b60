from __future__ import annotations

from typing import Any

import pytest

from sageline.algorithms.catalog import DataFacts
from sageline.errors import InvalidHyperparameter, InvalidSpec
from sageline.resolve.complete import complete_spec
from sageline.spec.model import Spec, validate_spec
from tests.unit.world.world import with_one_algorithm

THREE = DataFacts("classification", num_class=3, feature_dim=4, train_rows=120)
DEPTH = {"max_depth": {"type": "integer", "min": 3, "max": 12}}


def spec_of(**document: Any) -> Spec:
    return validate_spec(with_one_algorithm(document), "test")


def test_hyperparameters_are_written_out() -> None:
    spec = complete_spec(spec_of(algorithm={"name": "knn", "hyperparameters": {"k": 3}}), THREE, {})

    assert spec.algorithm.hyperparameters == {"predictor_type": "classifier", "k": 3, "feature_dim": 4, "sample_size": 120}
    assert spec.tuning is None
    assert complete_spec(spec, THREE, {}) == spec


def test_a_tuning_gets_an_objective_with_its_reason_and_what_is_tuned_is_not_fixed() -> None:
    spec = complete_spec(spec_of(tuning={"ranges": DEPTH}), THREE, {})

    assert spec.tuning is not None
    assert spec.tuning.objective is not None
    assert spec.tuning.objective.model_dump() == {"metric": "validation:mlogloss", "type": "Minimize"}
    assert spec.reasons == {
        "evaluation.metric": "the usual one for a classification",
        "tuning.objective": "the usual one of xgboost for such data",
    }
    assert "max_depth" not in spec.algorithm.hyperparameters
    assert spec.algorithm.hyperparameters["num_class"] == 3
    assert complete_spec(spec, THREE, {}) == spec


def test_the_direction_of_a_known_metric_is_filled_in() -> None:
    tuning = complete_spec(spec_of(tuning={"ranges": DEPTH, "objective": {"metric": "validation:f1_macro"}}), THREE, {}).tuning

    assert tuning is not None
    assert tuning.objective is not None
    assert tuning.objective.type == "Maximize"


def test_a_metric_that_does_not_go_with_the_classes_that_are_there_is_refused() -> None:
    spec = spec_of(tuning={"ranges": DEPTH, "objective": {"metric": "validation:auc"}})

    complete_spec(spec, DataFacts("classification", num_class=2), {})
    with pytest.raises(InvalidSpec, match=r"`tuning\.objective\.metric` is 'validation:auc'"):
        complete_spec(spec, THREE, {})


def test_a_hyperparameter_that_does_not_go_with_the_data_is_refused() -> None:
    with pytest.raises(InvalidHyperparameter, match="feature_dim is 5, the data has 4 columns"):
        complete_spec(spec_of(algorithm={"name": "knn", "hyperparameters": {"feature_dim": 5}}), THREE, {})
