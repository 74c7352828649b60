"""What a model is judged by where the spec does not say."""

from __future__ import annotations

from typing import Any

import pytest

from sageline.errors import InvalidSpec
from sageline.resolve.judging import complete_evaluation
from sageline.spec.model import Spec, validate_spec

SCRIPT = {"name": "script", "script": {"framework": "scikit-learn", "source_dir": "s3://bucket/code.tar.gz"}}
RARE = {"no": 992, "yes": 8}


def completed(train_rows: dict[str, int], evaluation: dict[str, Any] | None = None, **document: Any) -> Spec:
    task = "classification" if train_rows else "regression"
    return complete_evaluation(validate_spec({"task": task, "evaluation": evaluation or {}, **document}, "test"), train_rows)


def test_a_rare_class_is_looked_for_by_average_precision_and_the_reasons_say_so() -> None:
    spec = completed(RARE)

    assert (spec.evaluation.metric, spec.evaluation.positive) == ("average_precision", "yes")
    assert spec.reasons["evaluation.metric"] == (
        "only 0.8 % of the train rows have the label 'yes', so accuracy would say little"
    )
    assert spec.reasons["evaluation.positive"] == "the rarer of two labels: 0.8 % of the train rows have it"
    assert complete_evaluation(spec, RARE) == spec


@pytest.mark.parametrize(("rare", "metric"), [(199, "average_precision"), (200, "accuracy")])
def test_a_class_is_rare_below_a_fifth_of_the_rows(rare: int, metric: str) -> None:
    assert completed({"no": 1_000 - rare, "yes": rare}).evaluation.metric == metric


@pytest.mark.parametrize(
    "algorithm",
    [{"name": "knn"}, SCRIPT],
)
def test_answers_that_may_be_labels_alone_are_judged_by_balanced_accuracy(algorithm: dict[str, Any]) -> None:
    spec = completed(RARE, algorithm=algorithm)
    assert spec.evaluation.metric == "balanced_accuracy"
    assert spec.reasons["evaluation.metric"].endswith(" may answer labels and no scores")


@pytest.mark.parametrize(
    ("train_rows", "metric", "positive"),
    [
        ({"a": 50, "b": 50}, "accuracy", "b"),
        ({"a": 40, "b": 60}, "accuracy", "a"),
        ({"a": 3, "b": 90, "c": 90}, "accuracy", None),
        ({}, "rmse", None),
    ],
)
def test_other_data_are_judged_by_the_usual_metric(train_rows: dict[str, int], metric: str, positive: str | None) -> None:
    evaluation = completed(train_rows).evaluation
    assert (evaluation.metric, evaluation.positive) == (metric, positive)


def test_what_the_spec_says_stays() -> None:
    spec = completed(RARE, {"metric": "accuracy", "positive": "no"})
    assert (spec.evaluation.metric, spec.evaluation.positive, spec.reasons) == ("accuracy", "no", {})


@pytest.mark.parametrize(
    ("train_rows", "positive", "expected"),
    [
        (RARE, "Yes", "is 'Yes', and no train row has that label; did you mean 'yes'? They have 'no', 'yes'."),
        (RARE, "fraud", "and no train row has that label; take one that is there. They have 'no', 'yes'."),
        ({"a": 3, "b": 3, "c": 3}, "a", "is 'a', which is for two classes, and the train rows have 3; take it out, or ask for "),
    ],
)
def test_a_positive_class_that_is_not_there_or_of_more_than_two_is_refused(
    train_rows: dict[str, int], positive: str, expected: str
) -> None:
    with pytest.raises(InvalidSpec) as caught:
        completed(train_rows, {"positive": positive})
    assert expected in caught.value.message
