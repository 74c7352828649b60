"""What each algorithm answers, as predictions."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from sageline.encoder.decoding import Prediction
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import PredictionFailed
from sageline.formats import npy
from tests.unit.encoder.encoders import table

JSON, LINES, CSV = "application/json", "application/jsonlines", "text/csv"


def encoder(answers: str, classes: list[str] | None) -> FittedEncoder:
    task = "regression" if classes is None else "classification"
    return FittedEncoder(task, {"x": "number", "y": "number"}, "label", classes, table({"x": None, "y": None}), answers)


def decode(
    answers: str, classes: list[str] | None, document: object, top_k: int = 3, content_type: str = JSON, **more: Any
) -> list[Prediction]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return encoder(answers, classes).decode(body, content_type, top_k, **more)


def top(prediction: Prediction) -> list[tuple[str, float | None]]:
    assert (prediction["label"], prediction["probability"]) == tuple(prediction["top"][0].values())
    return [(item["label"], item["probability"]) for item in prediction["top"]]


def test_linear_learner_chooses_the_label_by_its_own_threshold() -> None:
    rows = [{"score": 0.4, "predicted_label": 1}, {"score": 0.4, "predicted_label": 0}]

    first, second = decode("linear-learner", ["no", "yes"], {"predictions": rows})

    assert top(first) == [("yes", 0.4), ("no", 0.6)]
    assert top(second) == [("no", 0.6), ("yes", 0.4)]


def test_linear_learner_scores_every_class_of_many() -> None:
    row = {"score": [0.1, 0.2, 0.4, 0.3], "predicted_label": 2}

    [prediction] = decode("linear-learner", ["a", "b", "c", "d"], {"predictions": [row]}, 3)

    assert top(prediction) == [("c", 0.4), ("d", 0.3), ("b", 0.2)]


def test_margins_rank_the_classes_but_are_no_probabilities() -> None:
    [prediction] = decode("linear-learner", ["no", "yes"], {"predictions": [{"score": 2.5, "predicted_label": 1}]})

    assert top(prediction) == [("yes", None), ("no", None)]


@pytest.mark.parametrize("answers", ["linear-learner", "knn"])
def test_lines_of_a_transform_job_are_read_like_an_answer(answers: str) -> None:
    lines = b'{"predicted_label": 1.0}\n\n{"predicted_label": 0.0}\n'

    predictions = decode(answers, ["no", "yes"], lines, content_type=LINES, rows=2, batch=True)

    assert [top(prediction) for prediction in predictions] == [[("yes", None)], [("no", None)]]


def test_k_nn_gives_each_class_its_share_of_the_neighbours() -> None:
    rows = [
        {"predicted_label": 0.0, "distances": [1, 2, 3, 4], "labels": [0.0, 2.0, 0.0, 0.0]},
        # The container settles a tie by distance.
        {"predicted_label": 2.0, "distances": [1, 2, 3, 4], "labels": [2.0, 1.0, 1.0, 2.0]},
    ]

    first, second = decode("knn", ["a", "b", "c"], {"predictions": rows}, content_type="application/json; verbose=true")

    assert top(first) == [("a", 0.75), ("c", 0.25)]
    assert top(second) == [("c", 0.5), ("b", 0.5)]


def test_tensorflow_serving_answers_a_probability_per_class() -> None:
    [prediction] = decode("tensorflow", ["a", "b", "c"], {"predictions": [[0.125, 0.75, 0.125]]}, 2)

    assert top(prediction) == [("b", 0.75), ("a", 0.125)]


def test_a_single_probability_is_that_of_the_second_class() -> None:
    first, second = decode("tensorflow", ["no", "yes"], {"predictions": [[0.75], [1.0]]})

    assert top(first) == [("yes", 0.75), ("no", 0.25)]
    assert top(second) == [("yes", 1.0), ("no", 0.0)]


@pytest.mark.parametrize("row", [[-1.5, 4.0, 0.5], [0.5, 0.75, 0.5]])
def test_logits_of_a_script_rank_the_classes(row: list[float]) -> None:
    for answers, document in (("tensorflow", {"predictions": [row]}), ("pytorch", [row])):
        [prediction] = decode(answers, ["a", "b", "c"], document)
        assert prediction["label"] == "b"
        assert {item["probability"] for item in prediction["top"]} == {None}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"[2, 0]", JSON),
        (b'{"predictions": [2, 0]}', JSON),
        (b"[[2], [0]]", JSON),
        (b"2\n0\n", CSV),
        (npy.write_array(np.array([2, 0])), "application/x-npy"),
    ],
)
@pytest.mark.parametrize("answers", ["scikit-learn", "pytorch"])
def test_a_script_may_answer_the_class_alone(answers: str, body: bytes, content_type: str) -> None:
    predictions = decode(answers, ["a", "b", "c"], body, content_type=content_type, rows=2)

    assert [top(prediction) for prediction in predictions] == [[("c", None)], [("a", None)]]


def test_class_numbers_of_tensorflow_are_whole_numbers() -> None:
    [prediction] = decode("tensorflow", ["a", "b"], {"predictions": [1]})

    assert top(prediction) == [("b", None)]


@pytest.mark.parametrize(
    ("answers", "document"),
    [
        ("linear-learner", {"predictions": [{"score": 1.5}]}),
        ("knn", {"predictions": [{"predicted_label": 1.5}]}),
        ("knn", {"predictions": [{"predicted_label": 1.5, "distances": [1, 2], "labels": [1, 2]}]}),
        ("tensorflow", {"predictions": [[1.5]]}),
        ("tensorflow", {"predictions": [1.5]}),
        ("scikit-learn", [1.5]),
        ("pytorch", [[1.5]]),
    ],
)
def test_a_regression_is_answered_with_a_value(answers: str, document: object) -> None:
    assert decode(answers, None, document, rows=1) == [{"value": 1.5}]


def test_whole_numbers_are_values_of_a_regression_too() -> None:
    assert decode("scikit-learn", None, [2, 3]) == [{"value": 2.0}, {"value": 3.0}]
    assert decode("tensorflow", None, {"predictions": [2]}) == [{"value": 2.0}]


@pytest.mark.parametrize(
    ("answers", "document", "message"),
    [
        (
            "linear-learner",
            {"predictions": [{"score": 0.5, "predicted_label": 2}]},
            "the class 2; it was trained on classes 0 to 1",
        ),
        ("scikit-learn", [0, -1], "answered the class -1"),
        ("knn", {"predictions": [{"predicted_label": 0.5}]}, "answered the class 0.5"),
        ("knn", {"predictions": [{"predicted_label": 1, "labels": [1, 7], "distances": [1, 2]}]}, "answered the class 7"),
        ("tensorflow", {"predictions": [[0.1, 0.2, 0.7]]}, "answered 3 values per row; expected 2"),
        ("tensorflow", {"predictions": [[]]}, "answered 0 values per row; expected 2"),
        ("tensorflow", {"error": "no"}, "TensorFlow Serving says 'no'"),
        ("pytorch", {"code": 500}, "'predictions' is missing"),
        ("scikit-learn", ["ham"], "text where a number is expected"),
        ("pytorch", [[float("nan"), 1]], "not a finite number"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(answers: str, document: object, message: str) -> None:
    with pytest.raises(PredictionFailed, match=message):
        decode(answers, ["no", "yes"], document)


@pytest.mark.parametrize("answers", ["linear-learner", "knn", "tensorflow", "scikit-learn"])
def test_an_answer_for_fewer_rows_is_refused(answers: str) -> None:
    with pytest.raises(PredictionFailed, match="answered for 0 of the request's 1 rows"):
        decode(answers, ["no", "yes"], [] if answers == "scikit-learn" else {"predictions": []}, rows=1)


def test_an_array_of_text_is_refused() -> None:
    with pytest.raises(PredictionFailed, match="numbers are expected"):
        decode("pytorch", ["no", "yes"], npy.write_array(np.array(["a"])), content_type="application/x-npy")


@pytest.mark.parametrize(
    ("lines", "labels"),
    [(b"0.25\n\n0.75\n", ["no", "yes"]), (b"[0.75, 0.25]\n\n\n[0.25, 0.75]\n", ["no", "yes"])],
)
def test_xgboosts_lines_of_a_transform_job_may_have_gaps(lines: bytes, labels: list[str]) -> None:
    predictions = decode("xgboost", ["no", "yes"], lines, content_type=CSV, rows=2, batch=True)

    assert [prediction["label"] for prediction in predictions] == labels


def probabilities(answers: str, classes: list[str], document: object, **more: Any) -> list[dict[str, float | None]]:
    found = decode(answers, classes, document, 1, probabilities=True, **more)
    assert all(len(prediction["top"]) == 1 for prediction in found)
    assert all(list(prediction["probabilities"]) == classes for prediction in found), "in the classes' order"
    return [prediction["probabilities"] for prediction in found]


class TestProbabilitiesOfEveryClass:
    @pytest.mark.parametrize(
        ("answers", "document", "more"),
        [
            ("xgboost", b"0.1,0.7,0.2\n", {"content_type": CSV}),
            ("linear-learner", {"predictions": [{"score": [0.1, 0.7, 0.2], "predicted_label": 1}]}, {}),
            ("tensorflow", {"predictions": [[0.1, 0.7, 0.2]]}, {}),
            ("pytorch", [[0.1, 0.7, 0.2]], {}),
            ("blazingtext", [{"label": ["__label__b", "__label__c", "__label__a"], "prob": [0.7, 0.2, 0.1]}], {}),
        ],
    )
    def test_they_are_told_by_what_scores_every_class(self, answers: str, document: object, more: dict[str, Any]) -> None:
        assert probabilities(answers, ["a", "b", "c"], document, **more) == [{"a": 0.1, "b": 0.7, "c": 0.2}]

    @pytest.mark.parametrize("answers", ["xgboost", "linear-learner"])
    def test_of_two_classes_the_score_of_the_second_is_enough(self, answers: str) -> None:
        document = {"predictions": [{"score": 0.4}, {"score": 1.0}]}
        assert probabilities(answers, ["no", "yes"], document) == [{"no": 0.6, "yes": 0.4}, {"no": 0.0, "yes": 1.0}]

    def test_those_of_k_nn_are_shares_of_the_neighbours_and_0_for_classes_that_none_of_them_has(self) -> None:
        rows = [
            {"predicted_label": 1.0, "labels": [1.0, 0.0, 1.0], "distances": [1.0, 2.0, 3.0]},
            {"predicted_label": 2.0, "labels": [2.0, 0.0, 2.0], "distances": [1.0, 2.0, 3.0]},
        ]
        assert probabilities("knn", ["a", "b", "c"], {"predictions": rows}) == [
            {"a": 0.33333334, "b": 0.6666667, "c": 0.0},
            {"a": 0.33333334, "b": 0.0, "c": 0.6666667},
        ]

    @pytest.mark.parametrize(
        ("answers", "document"),
        [
            ("linear-learner", {"predictions": [{"score": 2.5, "predicted_label": 1}]}),
            ("knn", {"predictions": [{"predicted_label": 1.0}]}),
            ("tensorflow", {"predictions": [[-3.0, 2.0]]}),
            ("scikit-learn", [1]),
        ],
        ids=["margins", "neighbours-not-told", "logits", "label-alone"],
    )
    def test_none_are_told_where_the_answer_has_none(self, answers: str, document: object) -> None:
        assert probabilities(answers, ["no", "yes"], document) == [{"no": None, "yes": None}]

    def test_a_label_that_blazingtext_does_not_name_has_none(self) -> None:
        document = [{"label": ["__label__b"], "prob": [1.00001]}, {"label": ["__label__a", "__label__b"], "prob": [0.9, 0.1]}]
        assert probabilities("blazingtext", ["a", "b"], document) == [{"a": None, "b": 1.00001}, {"a": 0.9, "b": 0.1}]

    def test_a_label_that_was_not_trained_on_is_no_answer(self) -> None:
        with pytest.raises(PredictionFailed, match="the label 'z', which it was not trained on"):
            probabilities("blazingtext", ["a", "b"], [{"label": ["__label__z"], "prob": [1.0]}])

    def test_a_regression_has_none(self) -> None:
        assert decode("xgboost", None, b"1.5\n", content_type=CSV, probabilities=True) == [{"value": 1.5}]
