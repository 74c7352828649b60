"""Defaults from the data, and what is refused before anything is started, for every algorithm of a spec."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, get_args

import pytest

from sageline.algorithms import catalog
from sageline.algorithms.catalog import DataFacts
from sageline.errors import InvalidHyperparameter
from sageline.spec.training import AlgorithmName, AlgorithmSpec

SOURCE = "s3://bucket/source.tar.gz"
SCRIPT = {"framework": "pytorch", "source_dir": SOURCE, "metrics": {"validation:f1": "f1=(.+)"}}
TWO = DataFacts("classification", num_class=2, feature_dim=30, train_rows=455)
SEVERAL = DataFacts("classification", num_class=20, feature_dim=2000, train_rows=3351, encoder="columns")
VALUES = DataFacts("regression", feature_dim=10, train_rows=353)
IMAGES = DataFacts("classification", num_class=10, feature_dim=64, train_rows=1437, image_shape=(8, 8, 1), encoder="image")
TEXTS = DataFacts("classification", num_class=20, train_rows=3351, encoder="tokens")
ALL = (TWO, SEVERAL, VALUES, IMAGES)
NAMES = [name for name in get_args(AlgorithmName) if name != "auto"]


def algorithm(name: str, hyperparameters: dict[str, Any] | None = None) -> AlgorithmSpec:
    script = SCRIPT if name == "script" else None
    return AlgorithmSpec.model_validate({"name": name, "hyperparameters": hyperparameters or {}, "script": script})


def problems(name: str, facts: DataFacts, tuned: Collection[str] = (), **hyperparameters: Any) -> str:
    """What the check says; nothing where it takes them."""
    try:
        catalog.check(algorithm(name, hyperparameters), facts, tuned)
    except InvalidHyperparameter as error:
        return error.message
    return ""


def facts_for(name: str) -> tuple[DataFacts, ...]:
    return (TEXTS,) if name == "blazingtext" else ALL


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("has_validation", [True, False])
def test_the_defaults_of_every_algorithm_pass_its_own_check(name: str, has_validation: bool) -> None:
    for facts in facts_for(name):
        found = DataFacts(**{**vars(facts), "has_validation": has_validation})
        complete = catalog.with_defaults(algorithm(name), found)

        catalog.check(algorithm(name, complete), found)
        assert catalog.with_defaults(algorithm(name, complete), found) == complete


@pytest.mark.parametrize("name", NAMES)
def test_before_the_data_is_read_nothing_is_missing(name: str) -> None:
    for facts in facts_for(name):
        assert problems(name, DataFacts(facts.task, encoder=facts.encoder)) == ""


@pytest.mark.parametrize(
    ("name", "facts", "expected"),
    [
        ("xgboost", SEVERAL, {"objective": "multi:softprob", "num_class": 20}),
        ("linear-learner", TWO, {"predictor_type": "binary_classifier", "feature_dim": 30}),
        ("linear-learner", SEVERAL, {"predictor_type": "multiclass_classifier", "num_classes": 20, "feature_dim": 2000}),
        ("linear-learner", VALUES, {"predictor_type": "regressor", "mini_batch_size": 32, "epochs": 100}),
        ("knn", TWO, {"predictor_type": "classifier", "k": 5, "feature_dim": 30, "sample_size": 455}),
        ("knn", VALUES, {"predictor_type": "regressor", "k": 10, "feature_dim": 10, "sample_size": 353}),
        ("blazingtext", TEXTS, {"mode": "supervised", "early_stopping": True}),
        ("tensorflow", SEVERAL, {"task": "classification", "num_class": 20, "feature_dim": 2000, "hidden_units": "128,64"}),
        ("tensorflow", IMAGES, {"image_shape": "8,8,1", "num_class": 10, "feature_dim": 64, "filters": "32,64"}),
    ],
)
def test_what_is_required_comes_from_the_data(name: str, facts: DataFacts, expected: dict[str, Any]) -> None:
    assert catalog.with_defaults(algorithm(name), facts).items() >= expected.items()


def test_only_several_classes_are_counted() -> None:
    assert "num_classes" not in catalog.with_defaults(algorithm("linear-learner"), TWO)
    assert "num_class" not in catalog.with_defaults(algorithm("tensorflow"), VALUES)


@pytest.mark.parametrize(("rows", "batch", "epochs"), [(100, 32, 100), (353, 32, 100), (50_000, 500, 15), (10**6, 1000, 15)])
def test_linear_learner_makes_steps_enough_of_little_data(rows: int, batch: int, epochs: int) -> None:
    complete = catalog.with_defaults(algorithm("linear-learner"), DataFacts("regression", feature_dim=3, train_rows=rows))

    assert (complete["mini_batch_size"], complete["epochs"]) == (batch, epochs)


def test_fewer_rows_than_neighbours_are_all_neighbours() -> None:
    complete = catalog.with_defaults(algorithm("knn"), DataFacts("regression", feature_dim=3, train_rows=4))

    assert (complete["k"], complete["sample_size"]) == (4, 4)


def test_blazingtext_learns_many_lines_with_the_containers_own_steps() -> None:
    many = catalog.with_defaults(algorithm("blazingtext"), DataFacts("classification", train_rows=10**6, has_validation=False))

    assert many == {"mode": "supervised", "epochs": 10}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_given_stays_and_what_is_tuned_gets_no_default(name: str) -> None:
    facts = facts_for(name)[0]
    given = {"script": "trees", "knn": "index_type", "xgboost": "learning_rate"}.get(name, "epochs")
    tuned = {"script": "depth", "knn": "k", "xgboost": "max_depth"}.get(name, "learning_rate")
    value = "faiss.Flat" if name == "knn" else 1

    complete = catalog.with_defaults(algorithm(name, {given: value}), facts, [tuned])

    assert complete[given] == value
    assert tuned not in complete
    assert "eta" not in complete
    catalog.check(algorithm(name, {given: value}), facts, [tuned])


def test_a_tuned_hyperparameter_is_not_missing() -> None:
    assert problems("knn", TWO, ["k", "sample_size"]) == ""
    assert problems("xgboost", TWO, ["num_round"]) == ""


@pytest.mark.parametrize(
    ("name", "facts", "given", "problem"),
    [
        ("linear-learner", TWO, {"epoch": 1}, "there is no hyperparameter epoch; did you mean epochs?"),
        ("linear-learner", TWO, {"epochs": 0}, "epochs is '0'; it takes a whole number from 1."),
        ("linear-learner", TWO, {"predictor_type": "regressor"}, "predictor_type regressor does not fit 2 classes"),
        ("linear-learner", TWO, {"predictor_type": "multiclass_classifier"}, "does not fit 2 classes"),
        ("linear-learner", VALUES, {"predictor_type": "binary_classifier"}, "does not fit a regression"),
        ("linear-learner", SEVERAL, {"num_classes": 5}, "num_classes is 5, the data has 20 classes; leave it out."),
        ("linear-learner", TWO, {"feature_dim": 5}, "feature_dim is 5, the data has 30 columns; leave it out."),
        ("linear-learner", TWO, {"loss": "hinge_loss"}, "loss hinge_loss gives no probabilities"),
        ("linear-learner", TWO, {"loss": "softmax_loss"}, "loss softmax_loss does not go with the predictor_type"),
        ("linear-learner", SEVERAL, {"f_beta": 2}, "f_beta is for two classes and does not fit 20 classes; leave it out."),
        ("linear-learner", SEVERAL, {"binary_classifier_model_selection_criteria": "f1"}, "does not fit 20 classes; leave it"),
        ("linear-learner", TWO, {"accuracy_top_k": 3}, "accuracy_top_k is for three or more classes and does not fit 2 classes"),
        ("linear-learner", DataFacts("classification"), {"quantile": 0.9}, "quantile is for a regression and does not fit a cl"),
        ("linear-learner", DataFacts("classification"), {"loss": "huber_loss"}, "loss huber_loss does not go with"),
        ("knn", TWO, {"k": 2000}, "k is '2000'; it takes a whole number from 1 to 1,024."),
        ("knn", TWO, {"k": 500}, "k is 500, and there are 455 rows to train on; give less."),
        ("knn", TWO, {"sample_size": 500}, "sample_size is 500, and there are 455 rows to train on"),
        ("knn", TWO, {"predictor_type": "regressor"}, "predictor_type regressor does not fit a classification; leave it out."),
        ("knn", TWO, {"feature_dim": 5}, "feature_dim is 5, the data has 30 columns"),
        ("blazingtext", TEXTS, {"mode": "skipgram"}, "mode skipgram makes vectors of words, not labels; leave it out."),
        ("blazingtext", TEXTS, {"word_ngrams": 0}, "word_ngrams is '0'; it takes a whole number from 1."),
        ("tensorflow", TWO, {"hidden_units": "128;64"}, "hidden_units is '128;64'; it takes whole numbers from 1, sep"),
        ("tensorflow", TWO, {"dropout": 1}, "dropout is '1'; it takes a number from 0 to below 1."),
        ("tensorflow", TWO, {"num_class": 3}, "num_class comes from the data; leave it out."),
        ("tensorflow", TWO, {"filters": "32"}, "there is no hyperparameter filters"),
        ("tensorflow", IMAGES, {"image_shape": "4,16,1"}, "image_shape comes from the data; leave it out."),
        ("xgboost", TWO, {"eta": 3}, "Hyperparameter eta: 3.0 is not in [0, 1]"),
        ("xgboost", VALUES, {"objective": "multi:softprob"}, "objective multi:softprob does not fit a regression"),
        ("xgboost", VALUES, {"csv_weights": 1}, "csv_weights is 1, and the training data has no weights"),
        ("script", VALUES, {"sagemaker_program": "x.py"}, "sagemaker_program is a name that SageMaker's training toolkit keeps"),
        ("script", VALUES, {"text": "x" * 3000}, "text has a value of 3002 characters; SageMaker takes 2500."),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_what_to_do(name: str, facts: DataFacts, given: dict[str, Any], problem: str) -> None:
    message = problems(name, facts, **given)

    assert message.startswith("`algorithm.hyperparameters`: ")
    assert problem in message


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("xgboost", {"early_stopping_rounds": 5}),
        ("blazingtext", {"early_stopping": True}),
        ("tensorflow", {"patience": 3}),
    ],
)
def test_stopping_early_needs_validation_rows(name: str, given: dict[str, Any]) -> None:
    facts = DataFacts(**{**vars(facts_for(name)[0]), "has_validation": False})

    assert f"{next(iter(given))} needs validation rows: give `split.validation` a larger share." in problems(name, facts, **given)


def test_what_depends_on_the_data_waits_until_it_is_read() -> None:
    unread = DataFacts("classification")

    assert problems("linear-learner", unread, predictor_type="multiclass_classifier", num_classes=7) == ""
    assert problems("linear-learner", unread, loss="softmax_loss", accuracy_top_k=2) == ""
    assert problems("linear-learner", unread, loss="logistic", f_beta=2) == ""
    assert problems("linear-learner", unread, feature_dim=7) == ""
    assert problems("knn", unread, k=1000, feature_dim=7) == ""
    assert problems("tensorflow", unread, num_class=7) == ""


def test_every_problem_is_named_at_once() -> None:
    message = problems("linear-learner", TWO, epochs=0, wd=-1)

    assert "epochs is '0'" in message
    assert "wd is '-1'" in message


@pytest.mark.parametrize(
    ("name", "facts", "expected"),
    [
        ("xgboost", TWO, ("validation:logloss", "Minimize")),
        ("xgboost", SEVERAL, ("validation:mlogloss", "Minimize")),
        ("xgboost", VALUES, ("validation:rmse", "Minimize")),
        ("linear-learner", TWO, ("validation:binary_classification_accuracy", "Maximize")),
        ("linear-learner", SEVERAL, ("validation:multiclass_accuracy", "Maximize")),
        ("linear-learner", VALUES, ("validation:rmse", "Minimize")),
        ("knn", TWO, ("test:accuracy", "Maximize")),
        ("knn", VALUES, ("test:mse", "Minimize")),
        ("blazingtext", TEXTS, ("validation:accuracy", "Maximize")),
        ("tensorflow", TWO, ("validation:accuracy", "Maximize")),
        ("tensorflow", VALUES, ("validation:rmse", "Minimize")),
    ],
)
def test_trials_are_compared_by_the_algorithms_usual_metric(name: str, facts: DataFacts, expected: tuple[str, str]) -> None:
    assert catalog.default_objective(algorithm(name), facts) == expected


def test_only_the_user_knows_what_is_better_for_a_script() -> None:
    assert catalog.metrics(algorithm("script"), TWO) == {"validation:f1": None}
    with pytest.raises(InvalidHyperparameter, match=r"`tuning\.objective` is missing"):
        catalog.default_objective(algorithm("script"), TWO)


def test_metrics_of_scripts_are_found_by_regular_expressions() -> None:
    assert catalog.metric_definitions(algorithm("xgboost")) == {}
    assert catalog.metric_definitions(algorithm("script")) == {"validation:f1": "f1=(.+)"}
    assert catalog.metric_definitions(algorithm("tensorflow"))["validation:accuracy"] == r"\bvalidation_accuracy=([0-9.eE+-]+)"


@pytest.mark.parametrize(
    ("name", "encoder", "script"),
    [
        ("xgboost", "columns", None),
        ("knn", "image", None),
        ("tensorflow", "image", "cnn"),
        ("tensorflow", "columns", "dense"),
        ("script", "columns", None),
    ],
)
def test_images_are_learnt_by_another_network(name: str, encoder: str, script: str | None) -> None:
    assert catalog.own_script(algorithm(name), encoder) == script


def test_a_users_tensorflow_script_is_told_only_what_the_user_says() -> None:
    given = {"name": "tensorflow", "hyperparameters": {"lr": 0.1}, "script": {"source_dir": SOURCE}}
    mine = AlgorithmSpec.model_validate(given)

    assert catalog.own_script(mine, "columns") is None
    assert catalog.with_defaults(mine, TWO) == {"lr": 0.1}
    catalog.check(mine, TWO)


def test_validation_rows_go_to_the_channel_that_the_algorithm_reads() -> None:
    assert {name: catalog.validation_channel(name) for name in ("xgboost", "knn", "script")} == {
        "xgboost": "validation",
        "knn": "test",
        "script": "validation",
    }


def test_values_become_strings_and_for_a_script_json() -> None:
    values: catalog.Hyperparameters = {"a": True, "b": 0.1, "c": 3, "d": "x,y"}

    assert catalog.as_strings("knn", values) == {"a": "true", "b": "0.1", "c": "3", "d": "x,y"}
    encoded = catalog.as_strings("script", values)
    assert encoded == {"a": "true", "b": "0.1", "c": "3", "d": '"x,y"'}
    assert {name: json.loads(text) for name, text in encoded.items()} == values


def test_an_objective_of_old_goes_to_the_container_by_its_name_of_today() -> None:
    """Which XGBoost 3 needs to keep the best rounds, and Sageline asks for these."""
    complete = catalog.with_defaults(algorithm("xgboost", {"objective": "reg:linear"}), VALUES)

    assert complete["objective"] == "reg:squarederror"
    assert "early_stopping_rounds" in complete
