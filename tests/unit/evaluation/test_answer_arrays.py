"""What each algorithm's transform job answers, as whole arrays: the same as its predictions one by one."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.text.tokens import TokenLines
from sageline.errors import PredictionFailed
from sageline.evaluation.answer_arrays import ClassAnswers, read_classes, read_values
from tests.unit.encoder.encoders import table_encoder

CLASSES = ["a", "b", "c"]


def encoder(answers: str, classes: list[str] | None = CLASSES) -> FittedEncoder:
    if answers == "blazingtext":
        return FittedEncoder("classification", {"post": "text"}, "label", classes, TokenLines(), "blazingtext")
    return replace(table_encoder(classes), answers=answers)


def jsonl(*documents: object) -> bytes:
    return "".join(f"{json.dumps(document)}\n" for document in documents).encode()


OUTPUTS = {
    "xgboost": b"[0.1, 0.2, 0.7]\n[0.5, 0.25, 0.25]\n",
    "linear-learner": jsonl({"score": [0.1, 0.2, 0.7], "predicted_label": 2}, {"score": [0.5, 0.25, 0.25], "predicted_label": 1}),
    "knn": jsonl({"predicted_label": 2.0}, {"predicted_label": 0.0}),
    "blazingtext": jsonl(
        {"label": ["__label__c", "__label__b", "__label__a"], "prob": [0.7, 0.2, 0.1]},
        {"label": ["__label__a"], "prob": [1.00001]},
    ),
    "tensorflow": b'{"predictions": [[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]]}',
    "scikit-learn": b"[[2], [0]]",
    "pytorch": b"[[-3.5, 2.0, 9.5], [4.0, 1.0, 2.0]]",
}


@pytest.mark.parametrize("answers", OUTPUTS)
def test_whole_arrays_say_what_the_predictions_say(answers: str) -> None:
    fitted, body = encoder(answers), OUTPUTS[answers]

    found = read_classes(fitted, body, 2).after

    predictions = fitted.decode(body, fitted.exchange.batch_accept, 3, rows=2, batch=True)
    assert [CLASSES[number] for number in found.chosen] == [prediction["label"] for prediction in predictions]
    known = [prediction["probability"] is not None for prediction in predictions]
    assert known == [found.are_probabilities] * 2
    if found.are_probabilities and found.scores is not None:
        for row, prediction in zip(found.scores, predictions, strict=True):
            told = {item["label"]: min(item["probability"], 1) for item in prediction["top"]}
            assert row.tolist() == pytest.approx([told.get(name, 0) for name in CLASSES])


def test_scores_that_are_no_probabilities_are_kept_as_ranks() -> None:
    found = read_classes(encoder("pytorch"), OUTPUTS["pytorch"], 2).after
    assert found.scores is not None
    assert found.scores.tolist() == [[-3.5, 2.0, 9.5], [4.0, 1.0, 2.0]]


def test_one_probability_of_two_classes_is_that_of_the_second() -> None:
    found = read_classes(encoder("xgboost", ["a", "b"]), b"0.25\n0.75\n", 2).after
    assert found.scores is not None
    assert (found.chosen.tolist(), found.scores.tolist()) == ([0, 1], [[0.75, 0.25], [0.25, 0.75]])


@pytest.mark.parametrize(
    ("answers", "body", "expected"),
    [
        ("xgboost", b"[0.1, 0.2, 0.7]\n", "answered for 1 of 2 rows"),
        ("xgboost", b"[1, 2, 7]\n[0.5, 0.25, 0.25]\n", "outside 0 to 1"),
        ("knn", jsonl({"predicted_label": 2.0}, {"predicted_label": 3.0}), "the class 3"),
        (
            "blazingtext",
            jsonl({"label": ["__label__x"], "prob": [1]}, {"label": [], "prob": []}),
            "named the label 'x', which it",
        ),
        ("blazingtext", jsonl({"label": ["__label__a"], "prob": [1]}, {"label": [], "prob": []}), "no label for row 2"),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(answers: str, body: bytes, expected: str) -> None:
    with pytest.raises(PredictionFailed, match=expected):
        read_classes(encoder(answers), body, 2)


def test_a_regression_answers_a_value_per_row() -> None:
    assert read_values(encoder("xgboost", None), b"1.5\n-2\n", 2).tolist() == [1.5, -2]
    assert read_values(encoder("knn", None), jsonl({"predicted_label": 3.5}), 1).tolist() == [3.5]
    with pytest.raises(PredictionFailed, match="2 values per row"):
        read_values(encoder("xgboost", None), b"[1.5, 2]\n", 1)


def test_another_models_classes_are_found_by_their_names() -> None:
    scores = np.array([[0.25, 0.75], [1.0, 0.0]], dtype=np.float32)
    found = ClassAnswers(np.array([1, 0]), scores, are_probabilities=True).among(["x", "b"], ["a", "b", "x"])
    assert found.scores is not None
    assert (found.chosen.tolist(), found.scores.tolist()) == ([1, 2], [[-np.inf, 0.75, 0.25], [-np.inf, 0.0, 1.0]])


def test_a_class_that_a_model_does_not_know_ranks_last() -> None:
    scores = np.array([[-5.0, -7.0]], dtype=np.float32)
    found = ClassAnswers(np.array([0]), scores, are_probabilities=False).among(["a", "b"], ["a", "b", "c"])
    assert found.scores is not None
    assert found.scores.tolist() == [[-5.0, -7.0, -np.inf]]
    labels = ClassAnswers(np.array([1]), None, are_probabilities=False)
    assert labels.among(["a", "b"], ["b", "a"]).chosen.tolist() == [0]
    assert labels.among(["a", "b"], ["a", "b"]) is labels
