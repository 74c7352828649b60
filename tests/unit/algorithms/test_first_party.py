"""The tables of SageMaker's first-party algorithms: ranges, and what does not go together, as their guide has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from sageline.algorithms import blazingtext, knn, linear_learner

LINEAR = {"predictor_type": "binary_classifier"}
KNN = {"feature_dim": "10", "sample_size": "100", "k": "5", "predictor_type": "classifier"}
BLAZING = {"mode": "supervised"}

Validate = Callable[[Mapping[str, str]], list[str]]


@pytest.mark.parametrize(
    ("validate", "complete", "required"),
    [
        (linear_learner.validate, LINEAR, {"predictor_type"}),
        (knn.validate, KNN, {"feature_dim", "sample_size", "k", "predictor_type"}),
        (blazingtext.validate, BLAZING, {"mode"}),
    ],
)
def test_the_required_ones_are_enough_and_none_can_be_left_out(
    validate: Validate, complete: dict[str, str], required: set[str]
) -> None:
    assert validate(complete) == []
    assert set(validate({})) == {f"'{name}' is a required property" for name in required}


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("mini_batch_size", ["1", "5000"], ["0", "auto", "1.5"]),
        ("epochs", ["1"], ["0"]),
        ("feature_dim", ["auto", "784"], ["0", "-1"]),
        ("loss", ["auto", "logistic", "hinge_loss"], ["softmax_loss", "squared_loss", "x"]),
        ("optimizer", ["auto", "adam", "sgd", "rmsprop"], ["adagrad"]),
        ("learning_rate", ["auto", "0.1", "1e-5"], ["0", "-1", "x"]),
        ("wd", ["auto", "0"], ["-0.1"]),
        ("l1", ["auto", "0"], ["-0.1"]),
        ("beta_1", ["0", "0.9", "auto"], ["1"]),
        ("momentum", ["0"], ["1"]),
        ("use_bias", ["true", "False"], ["auto", "1"]),
        ("normalize_label", ["true", "false", "auto"], ["x"]),
        ("num_models", ["auto", "32"], ["0"]),
        ("target_recall", ["0.5"], ["0", "1"]),
        ("positive_example_weight_mult", ["balanced", "auto", "2"], ["0"]),
        ("accuracy_top_k", ["3"], ["0"]),
        ("early_stopping_tolerance", ["0.1"], ["0"]),
        ("lr_scheduler_factor", ["auto", "0.5"], ["1"]),
        ("quantile", ["0.5"], ["0", "1"]),
        ("init_bias", ["-1"], ["x"]),
        ("binary_classifier_model_selection_criteria", ["f1", "loss_function"], ["auc"]),
    ],
)
def test_linear_learner_takes_what_its_table_says(name: str, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if linear_learner.validate({**LINEAR, name: text})] == []
    assert [text for text in bad if not linear_learner.validate({**LINEAR, name: text})] == []


def test_linear_learner_needs_three_classes_or_more_for_several() -> None:
    several = {"predictor_type": "multiclass_classifier"}

    assert linear_learner.validate({**several, "num_classes": "3"}) == []
    assert "num_classes must be from 3" in linear_learner.validate(several)[0]
    assert "num_classes must be from 3" in linear_learner.validate({**several, "num_classes": "2"})[0]


@pytest.mark.parametrize(("predictor_type", "loss"), [("regressor", "logistic"), ("multiclass_classifier", "logistic")])
def test_linear_learner_refuses_a_loss_for_another_kind_of_label(predictor_type: str, loss: str) -> None:
    (message,) = linear_learner.validate({"predictor_type": predictor_type, "num_classes": "3", "loss": loss})

    assert message.startswith(f"loss {loss} does not go with the predictor_type {predictor_type}; use one of auto, ")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"k": "1025"}, "u'1025' is not valid"),
        ({"index_type": "faiss.HNSW"}, "u'faiss.HNSW' is not one of"),
        ({"index_metric": "COSINE", "index_type": "faiss.IVFPQ", "faiss_index_pq_m": "4"}, "index_metric must be L2"),
        ({"index_type": "faiss.IVFPQ"}, "faiss_index_pq_m is required"),
        ({"faiss_index_pq_m": "5"}, "u'5' is not one of"),
        ({"dimension_reduction_type": "sign"}, "dimension_reduction_target is required"),
        ({"dimension_reduction_target": "5"}, "dimension_reduction_type is required"),
        ({"dimension_reduction_type": "sign", "dimension_reduction_target": "10"}, "must be less than feature_dim (10)"),
        ({"k": "101"}, "k (101) must not be more than sample_size (100)"),
    ],
)
def test_knn_refuses_what_does_not_go_together(given: dict[str, str], message: str) -> None:
    messages = knn.validate({**KNN, **given})

    assert len(messages) == 1
    assert message in messages[0]


@pytest.mark.parametrize(
    "given",
    [
        {"index_metric": "COSINE"},
        {"index_type": "faiss.IVFPQ", "faiss_index_pq_m": "4"},
        {"dimension_reduction_type": "fjlt", "dimension_reduction_target": "9"},
        {"faiss_index_ivf_nlists": "auto"},
    ],
)
def test_knn_takes_what_its_table_says(given: dict[str, str]) -> None:
    assert knn.validate({**KNN, **given}) == []


def test_blazingtexts_modes_have_their_own_hyperparameters() -> None:
    assert blazingtext.validate({"mode": "skipgram", "negative_samples": "5", "subwords": "True"}) == []
    assert blazingtext.validate({"mode": "supervised", "early_stopping": "True", "patience": "4", "min_count": "0"}) == []
    assert blazingtext.validate({"mode": "supervised", "negative_samples": "5"}) == [
        "Additional properties are not allowed (u'negative_samples' was unexpected)"
    ]
    assert blazingtext.validate({"mode": "x"})[0].startswith("u'x' is not one of ['supervised', 'batch_skipgram', ")


def test_a_parsed_configuration_holds_the_containers_own_defaults() -> None:
    values = blazingtext.parse(BLAZING).values

    assert values == {
        "mode": "supervised",
        "buckets": 2_000_000,
        "early_stopping": "false",
        "epochs": 5,
        "learning_rate": 0.05,
        "min_count": 5,
        "min_epochs": 5,
        "patience": 4,
        "vector_dim": 100,
        "word_ngrams": 2,
    }
