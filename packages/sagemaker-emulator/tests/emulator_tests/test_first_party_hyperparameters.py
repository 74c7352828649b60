"""The tables of the first-party algorithms' hyperparameters: required ones, ranges, and what does not go together."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from sagemaker_emulator.engines.blazingtext import hyperparameters as blazingtext
from sagemaker_emulator.engines.first_party.failures import CustomerError
from sagemaker_emulator.engines.knn import hyperparameters as knn
from sagemaker_emulator.engines.linear_learner import hyperparameters as linear_learner

Read = Callable[[Mapping[str, str]], dict[str, int | float | str]]

LINEAR = {"predictor_type": "binary_classifier"}
KNN = {"feature_dim": "10", "sample_size": "100", "k": "5", "predictor_type": "classifier"}
PQ = {**KNN, "index_type": "faiss.IVFPQ"}
SUPERVISED, CBOW = {"mode": "supervised"}, {"mode": "cbow"}


def is_taken(read: Read, strings: Mapping[str, str]) -> bool:
    try:
        read(strings)
    except CustomerError:
        return False
    return True


@pytest.mark.parametrize(
    ("read", "complete"),
    [(linear_learner.read, LINEAR), (knn.read, KNN), (blazingtext.read, SUPERVISED), (blazingtext.read, CBOW)],
)
def test_the_required_ones_are_enough_and_none_can_be_left_out(read: Read, complete: dict[str, str]) -> None:
    assert set(complete) <= set(read(complete))
    for name in complete:
        assert not is_taken(read, {key: text for key, text in complete.items() if key != name})


@pytest.mark.parametrize(
    ("read", "base", "name", "good", "bad"),
    [
        (linear_learner.read, LINEAR, "mini_batch_size", ["1", "5000"], ["0", "auto", "1.5"]),
        (linear_learner.read, LINEAR, "feature_dim", ["auto", "784"], ["0", "-1"]),
        (linear_learner.read, LINEAR, "loss", ["auto", "logistic", "hinge_loss"], ["softmax_loss", "squared_loss", "x"]),
        (linear_learner.read, LINEAR, "optimizer", ["auto", "adam", "sgd", "rmsprop"], ["adagrad"]),
        (linear_learner.read, LINEAR, "learning_rate", ["auto", "0.1", "1e-5"], ["0", "-1", "x", "nan", "inf"]),
        (linear_learner.read, LINEAR, "wd", ["auto", "0"], ["-0.1"]),
        (linear_learner.read, LINEAR, "beta_1", ["0", "0.9", "auto"], ["1"]),
        (linear_learner.read, LINEAR, "use_bias", ["true", "False"], ["auto", "1"]),
        (linear_learner.read, LINEAR, "normalize_label", ["true", "auto"], ["x"]),
        (linear_learner.read, LINEAR, "target_recall", ["0.5"], ["0", "1"]),
        (linear_learner.read, LINEAR, "positive_example_weight_mult", ["balanced", "auto", "2"], ["0"]),
        (linear_learner.read, LINEAR, "binary_classifier_model_selection_criteria", ["f1", "loss_function"], ["auc"]),
        (linear_learner.read, {"predictor_type": "multiclass_classifier"}, "num_classes", ["3", "1000000"], ["2", "1000001"]),
        (knn.read, KNN, "k", ["1", "100"], ["0", "101", "1025"]),
        (knn.read, KNN, "index_metric", ["L2", "INNER_PRODUCT", "COSINE"], ["l2"]),
        (knn.read, {**KNN, "dimension_reduction_type": "sign"}, "dimension_reduction_target", ["1", "9"], ["0", "10"]),
        (knn.read, KNN, "dimension_reduction_type", [], ["sign"]),  # needs a target
        (knn.read, KNN, "dimension_reduction_target", [], ["5"]),  # needs a type
        (knn.read, PQ, "faiss_index_pq_m", ["1", "96"], ["5"]),
        (knn.read, {**PQ, "faiss_index_pq_m": "4"}, "index_metric", ["L2"], ["COSINE"]),
        (knn.read, KNN, "index_type", ["faiss.IVFFlat"], ["faiss.IVFPQ"]),  # needs faiss_index_pq_m
        (blazingtext.read, SUPERVISED, "early_stopping", ["True"], ["x"]),
        (blazingtext.read, SUPERVISED, "word_ngrams", ["1"], ["0"]),
        (blazingtext.read, SUPERVISED, "window_size", [], ["5"]),
        (blazingtext.read, CBOW, "window_size", ["5"], ["0"]),
        (blazingtext.read, CBOW, "sampling_threshold", ["0", "0.1"], ["1"]),
        (blazingtext.read, CBOW, "word_ngrams", [], ["1"]),
    ],
)
def test_every_algorithm_takes_what_its_table_says(
    read: Read, base: dict[str, str], name: str, good: list[str], bad: list[str]
) -> None:
    assert [text for text in good if not is_taken(read, {**base, name: text})] == []
    assert [text for text in bad if is_taken(read, {**base, name: text})] == []


def test_what_is_not_given_has_the_guides_default() -> None:
    assert linear_learner.read(LINEAR) | {"epochs": 15, "mini_batch_size": 1000, "wd": "auto"} == linear_learner.read(LINEAR)
    assert knn.read(KNN) | {"index_type": "faiss.Flat", "index_metric": "L2"} == knn.read(KNN)
    assert blazingtext.read(SUPERVISED) | {"learning_rate": 0.05, "word_ngrams": 2} == blazingtext.read(SUPERVISED)
