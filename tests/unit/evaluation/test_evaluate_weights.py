"""Judging models by rows that count for more or less, and models that learn logarithms."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, mean_absolute_error, root_mean_squared_error

from sageline.evaluation.held_out_rows import validation_sample
from tests.unit.batch.batches import trained
from tests.unit.evaluation.evaluations import (
    answer,
    document,
    encoder_of,
    held_out,
    judge,
    judge_both,
    prepared,
    right_but,
)
from tests.unit.world.world import BUCKET, RUN_ID, World

DATASET = {"uri": f"s3://{BUCKET}/datasets/flowers/data.csv", "weight": "count"}
FLOWERS = b"size,colour,count,kind\n" + b"".join(
    b"%d,red,%d,rose\n%d.5,blue,%d.25,iris\n" % (i, i % 5, i, i % 3) for i in range(200)
)
PRICES = b"size,count,price\n" + b"".join(b"%d,%d,%d.25\n" % (i, i % 4, 3 * i) for i in range(200))
LONG_TAIL = b"size,price\n" + b"".join(
    b"%d.5,%.4f\n" % (i, value) for i, value in enumerate(np.exp(np.random.default_rng(0).normal(3, 1, 300)))
)


def test_a_classifier_is_judged_by_the_weights_of_the_rows(world: World) -> None:
    prepared(world, {"better_than_baseline": False}, FLOWERS, dataset=DATASET)
    lines = right_but(world, 40)
    answer(world, "evaluation", lines)
    judge(world)

    rows, roses = held_out(world), np.array(lines, dtype=float)
    weights, labels = [row["weight"] for row in rows], [row["label"] for row in rows]
    chosen = np.where(roses > 0.5, "rose", "iris")
    metrics = document(world)["metrics"]
    assert metrics["accuracy"] == pytest.approx(accuracy_score(labels, chosen, sample_weight=weights), abs=1e-9)
    assert metrics["accuracy"] != pytest.approx(accuracy_score(labels, chosen), abs=1e-3)
    # The model answers in single precision.
    assert metrics["log_loss"] == pytest.approx(log_loss(labels, roses, sample_weight=weights), rel=1e-6)


def test_a_regression_is_judged_by_the_weights_of_the_rows(world: World) -> None:
    prepared(world, {"better_than_baseline": False}, PRICES, dataset={**DATASET, "label": "price"}, target={"transform": "none"})
    rows = held_out(world)
    answers = [row["label"] + (number % 7) for number, row in enumerate(rows)]
    answer(world, "evaluation", [str(value) for value in answers])
    judge(world)

    weights, values = [row["weight"] for row in rows], [row["label"] for row in rows]
    expected = mean_absolute_error(values, answers, sample_weight=weights)
    assert document(world)["metrics"]["mae"] == pytest.approx(expected, abs=1e-9)


def test_a_decision_is_chosen_by_the_weights_of_the_validation_rows(world: World) -> None:
    prepared(world, None, FLOWERS, dataset=DATASET)
    answer(world, "evaluation", right_but(world, 3))

    sample = validation_sample(RUN_ID, encoder_of(world, RUN_ID), files=world.run.files)

    assert sample is not None
    found = sample.chosen()
    assert found.weights is not None
    assert found.weights.shape == found.expected.shape
    assert set(found.weights.tolist()) <= {0, 1, 2, 3, 4, 0.25, 1.25, 2.25}
    assert len(set(found.weights.tolist())) > 2


@pytest.mark.parametrize("of_before", ["log", "none"])
def test_a_model_of_logarithms_is_judged_and_compared_on_the_scale_of_the_values(world: World, of_before: str) -> None:
    def logarithms(factor: float) -> list[str]:
        return [f"{np.log1p(row['label'] * factor):.9g}" for row in held_out(world)]

    trained(world, LONG_TAIL, target={"transform": of_before})
    prepared(world, {"beat_champion": True, "metric": "mae"}, LONG_TAIL)
    answer(world, "evaluation", logarithms(1))
    assert judge(world)["decision"] == "compare"
    in_service = logarithms(1.5) if of_before == "log" else [f"{row['label'] * 1.5:.9g}" for row in held_out(world)]
    answer(world, "champion", in_service)

    assert judge_both(world)["decision"] == "accepted"

    values = np.array([row["label"] for row in held_out(world)])
    found = document(world)
    assert found["metrics"]["rmse"] == pytest.approx(0, abs=1e-3)
    assert found["champion"]["metrics"]["rmse"] == pytest.approx(root_mean_squared_error(values, values * 1.5), rel=1e-5)
    assert found["champion"]["metrics"]["mae"] == pytest.approx(values.mean() / 2, rel=1e-5)
