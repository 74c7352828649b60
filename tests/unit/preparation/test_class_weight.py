"""Classes that count for more or less: as weights of rows for XGBoost, as hyperparameters for linear-learner."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from sageline.errors import InvalidHyperparameter, InvalidSpec
from sageline.preparation.class_weight import class_weights
from sageline.preparation.prepare import prepare_data
from sageline.spec.model import validate_spec
from tests.unit.configuration.test_configure import KEY
from tests.unit.preparation.test_fit_and_encode import as_csv, prepare_csv, spec_of
from tests.unit.preparation.test_prepare import configured, hyperparameters
from tests.unit.world.world import BUCKET, RUN_ID, World

RARE = as_csv("x,c,y,w", [(index, f"c{index % 3}", "yes" if index % 5 == 0 else "no", index % 4) for index in range(100)])
THREE = as_csv("x,c,y", [(index, f"c{index % 4}", "abc"[index % 3]) for index in range(90)])
DATASET = {"label": "y", "uri": f"s3://{BUCKET}/{KEY}"}


def weights(weigh: Any, channel: str, **dataset: str) -> tuple[list[str], list[float], list[float]]:
    """Of the rows of a channel: labels, weights, and the numbers that tell them apart."""
    given = {"features": {"x": "number", "c": "category"}, "label": "y", **dataset}
    algorithm = {"name": "xgboost", "class_weight": weigh}
    spec = spec_of(given["features"], "y", "classification", dataset=given, algorithm=algorithm)  # type: ignore[arg-type]
    prepared, parts = prepare_csv(RARE, spec)
    cells = [line.split(",") for line in parts.channels[channel].decode().splitlines()]
    classes = prepared.encoder.classes or []
    return [classes[int(row[0])] for row in cells], [float(row[1]) for row in cells], [float(row[2]) for row in cells]


def test_balanced_classes_count_as_scikit_learn_has_it() -> None:
    labels, found, _ = weights("balanced", "train")

    expected = dict(zip(["no", "yes"], compute_class_weight("balanced", classes=np.array(["no", "yes"]), y=labels), strict=True))
    np.testing.assert_allclose(found, [expected[label] for label in labels], rtol=1e-6)
    assert len(Counter(found)) == 2


def test_a_class_counts_as_the_spec_says_and_another_once() -> None:
    labels, found, _ = weights({"yes": 3.5}, "train")

    assert found == [3.5 if label == "yes" else 1 for label in labels]


def test_the_weight_of_a_class_multiplies_that_of_a_row_in_train_only() -> None:
    for channel, factor in (("train", 4), ("validation", 1)):
        labels, found, numbers = weights({"yes": 4}, channel, weight="w")

        expected = [number % 4 * (factor if label == "yes" else 1) for label, number in zip(labels, numbers, strict=True)]
        assert found == expected


def test_a_number_is_a_label_however_it_is_spelled() -> None:
    assert class_weights({"1.0": 2}, {"0": 5, "1": 5}, ["0", "1"]) == (1, 2)


@pytest.mark.parametrize(
    ("given", "hint"),
    [({"yess": 2}, "'yess', which no train row has; did you mean 'yes'?"), ({"?": 2}, "there are 'no', 'yes'.")],
)
def test_a_label_that_is_not_there_is_refused_with_the_nearest(given: dict[str, float], hint: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        weights(given, "train")
    assert hint in caught.value.message


@pytest.mark.parametrize(
    ("data", "weigh", "expected"),
    [
        (RARE, "balanced", {"positive_example_weight_mult": "balanced"}),
        (RARE, {"yes": 3, "no": 2}, {"positive_example_weight_mult": 1.5}),
        (THREE, "balanced", {"balance_multiclass_weights": True}),
    ],
)
def test_linear_learner_is_told_by_a_hyperparameter(world: World, data: bytes, weigh: Any, expected: dict[str, Any]) -> None:
    algorithm = {"name": "linear-learner", "class_weight": weigh}
    configured(world, data, dataset=DATASET, algorithm=algorithm)

    prepare_data(RUN_ID, run=world.run)

    complete = hyperparameters(world)
    assert complete.items() >= expected.items()
    # What was resolved is taken again.
    configured(world, data, dataset=DATASET, algorithm={**algorithm, "hyperparameters": complete})


def test_linear_learner_weighs_no_single_class_of_several(world: World) -> None:
    configured(world, THREE, dataset=DATASET, algorithm={"name": "linear-learner", "class_weight": {"a": 2}})

    with pytest.raises(InvalidHyperparameter, match=r"`algorithm.class_weight` by label is for two classes, and the data has 3"):
        prepare_data(RUN_ID, run=world.run)


@pytest.mark.parametrize(
    ("algorithm", "task", "message"),
    [
        ({"name": "knn"}, "classification", "knn cannot be told; take xgboost or linear-learner"),
        ({"name": "tensorflow"}, "classification", "tensorflow cannot be told"),
        ({"hyperparameters": {"scale_pos_weight": 3}}, "classification", "both weigh classes"),
        ({}, "regression", "is for a classification, and the task is regression"),
    ],
)
def test_weights_that_cannot_be_are_refused(world: World, algorithm: dict[str, Any], task: str, message: str) -> None:
    with pytest.raises(InvalidSpec, match=message):
        configured(world, RARE, dataset={**DATASET, "label": "x"}, algorithm={**algorithm, "class_weight": "balanced"}, task=task)


@pytest.mark.parametrize("given", [{"yes": 0}, {"yes": "2"}, {"yes": -1}, "even", 3])
def test_a_weight_of_a_class_is_a_number_above_0(given: object) -> None:
    with pytest.raises(InvalidSpec, match=r"`algorithm.class_weight`: expected .* label to weight, a number above 0"):
        validate_spec({"algorithm": {"class_weight": given}}, "spec")
