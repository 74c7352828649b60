"""The linear learner: what it learns with each hyperparameter, its log, its model, its answers."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, make_regression
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emulator_tests.first_party import RECORDIO, job_directory, post, posting
from emulator_tests.recordio import read_answer, write_csv
from sagemaker_emulator.engines.first_party.channels import Data
from sagemaker_emulator.engines.first_party.failures import CustomerError
from sagemaker_emulator.engines.linear_learner import METRIC_DEFINITIONS, hyperparameters
from sagemaker_emulator.engines.linear_learner.calibration import calibrate
from sagemaker_emulator.engines.linear_learner.fit import fit
from sagemaker_emulator.engines.linear_learner.losses import loss_function
from sagemaker_emulator.engines.linear_learner.model import LinearModel
from sagemaker_emulator.engines.linear_learner.scores import channel_scores, roc_auc
from sagemaker_emulator.engines.linear_learner.serve import application, load
from sagemaker_emulator.engines.linear_learner.settings import Settings, read_settings
from sagemaker_emulator.engines.linear_learner.train import train
from sagemaker_emulator.engines.shell.arrays import FloatArray
from sagemaker_emulator.engines.shell.serving import CannotLoad
from sagemaker_emulator.training.metrics import MetricScanner

pytestmark = pytest.mark.slow

BINARY, REGRESSOR = {"predictor_type": "binary_classifier"}, {"predictor_type": "regressor"}
DIGITS = {"predictor_type": "multiclass_classifier", "num_classes": "10"}


def settings(**strings: str) -> Settings:
    return read_settings(strings, hyperparameters.read(strings))


def split(features: FloatArray, labels: FloatArray, seed: int = 0) -> tuple[Data, Data, Data]:
    """Train, validation, test."""
    rest, test, rest_labels, test_labels = train_test_split(
        features.astype(np.float32), labels.astype(np.float32), test_size=0.25, random_state=seed
    )
    rows, validation, row_labels, validation_labels = train_test_split(rest, rest_labels, test_size=0.2, random_state=seed)
    return Data(rows, row_labels), Data(validation, validation_labels), Data(test, test_labels)


def test_scores(settings_of: Settings, model: LinearModel, test: Data) -> dict[str, float]:
    return channel_scores(model.margins(test.features), test.labels, settings_of, model.threshold)


test_scores.__test__ = False  # type: ignore[attr-defined]  # pytest's own switch


def logged(root: Path, caplog: pytest.LogCaptureFixture) -> tuple[dict[str, float], list[str]]:
    """Trains; what the image's regular expressions find in its log, and the log."""
    with caplog.at_level(logging.INFO):
        train(root)
    scanner = MetricScanner(METRIC_DEFINITIONS)
    for message in caplog.messages:
        scanner.scan(message, 0.0)
    return {str(metric["MetricName"]): float(str(metric["Value"])) for metric in scanner.final()}, caplog.messages


@pytest.mark.parametrize(("load_set", "given"), [(load_digits, DIGITS), (load_breast_cancer, BINARY)])
def test_a_classifier_scores_what_logistic_regression_scores(load_set: object, given: dict[str, str]) -> None:
    """With the same regularisation: scikit-learn's C is 1 / (rows * weight decay)."""
    features, labels = load_set(return_X_y=True)  # type: ignore[operator]  # a function of scikit-learn
    rows, validation, test = split(features, labels)
    decay = {"wd": "0.001", "learning_rate": "0.05"}
    asked = settings(**given, **decay, binary_classifier_model_selection_criteria="cross_entropy_loss")

    model = fit(rows, validation, asked, "algo-1")

    logistic = LogisticRegression(C=1 / (len(rows) * 0.001), max_iter=2000)
    direct = make_pipeline(StandardScaler(), logistic).fit(rows.features, rows.labels)
    scores = test_scores(asked, model, test)
    accuracy = next(value for name, value in scores.items() if name.endswith("_accuracy"))
    assert accuracy == pytest.approx(direct.score(test.features, test.labels), abs=0.01)


@pytest.mark.slow
def test_what_is_left_to_it_is_chosen_about_as_well() -> None:
    """Of five splits of a small set, on the average, with nothing but the predictor type given."""
    features, labels = load_breast_cancer(return_X_y=True)
    differences = []
    for seed in range(5):
        rows, validation, test = split(features, labels, seed)
        asked = settings(**BINARY)
        accuracy = test_scores(asked, fit(rows, validation, asked, "a"), test)["binary_classification_accuracy"]
        direct = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(rows.features, rows.labels)
        differences.append(accuracy - direct.score(test.features, test.labels))

    assert np.mean(differences) > -0.01


@pytest.mark.parametrize("given", [BINARY, REGRESSOR])
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value", "ignore:divide by zero")
def test_training_that_diverges_ends_with_what_it_has(tmp_path: Path, given: dict[str, str]) -> None:
    rows, _, _ = split(*load_breast_cancer(return_X_y=True))
    steep = {"optimizer": "sgd", "learning_rate": "1e30", "normalize_data": "false", "loss": "auto", "epochs": "2"}
    root = job_directory(tmp_path, {**given, **steep}, {"train": write_csv(np.asarray(rows.features), rows.labels)})

    train(root)

    assert load(root / "model").width == 30


def test_a_regressor_scores_what_least_squares_score() -> None:
    rows, validation, test = split(*make_regression(3000, 20, noise=10, bias=50, random_state=0))
    asked = settings(**REGRESSOR)

    model = fit(rows, validation, asked, "algo-1")

    direct = LinearRegression().fit(rows.features, rows.labels).score(test.features, test.labels)
    assert test_scores(asked, model, test)["r2"] == pytest.approx(direct, abs=0.01)


def test_a_job_scores_what_its_engine_scores_when_called_directly(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows, validation, test = split(*load_diabetes(return_X_y=True))
    channels = {
        name: write_csv(np.asarray(data.features), data.labels)
        for name, data in {"train": rows, "validation": validation, "test": test}.items()
    }
    root = job_directory(tmp_path, REGRESSOR, channels)

    metrics, _ = logged(root, caplog)

    direct = test_scores(settings(**REGRESSOR), fit(rows, validation, settings(**REGRESSOR), "algo-1"), test)
    assert metrics["test:mse"] == pytest.approx(direct["mse"])
    assert load(root / "model").margins(test.features) == pytest.approx(
        fit(rows, validation, settings(**REGRESSOR), "algo-1").margins(test.features)
    )


def test_sparse_rows_are_learnt_from_as_dense_ones_are() -> None:
    rows, validation, test = split(*load_digits(return_X_y=True))
    asked = settings(**DIGITS)

    model = fit(
        Data(csr_matrix(rows.features), rows.labels), Data(csr_matrix(validation.features), validation.labels), asked, "a"
    )

    assert channel_scores(model.margins(csr_matrix(test.features)), test.labels, asked, None)["multiclass_accuracy"] > 0.94


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "best"),
    [
        ("squared_loss", 3.6),  # the mean
        ("absolute_loss", 2.0),  # the median
        ("huber_loss", 2.75),  # between them, with a delta of 3
        ("quantile_loss", 4.0),  # what 70 % are not above
        ("eps_insensitive_absolute_loss", 2.0),
        ("eps_insensitive_squared_loss", 3.6),
    ],
)
def test_every_regression_loss_has_its_own_answer(loss: str, best: float) -> None:
    """Of labels 1, 1, 2, 4, 10 without features, a constant is learnt: the loss says which."""
    labels = np.tile(np.array([1, 1, 2, 4, 10], dtype=np.float32), 40)
    rows = Data(np.zeros((200, 1), dtype=np.float32), labels)

    model = fit(
        rows,
        None,
        settings(**REGRESSOR, loss=loss, huber_delta="3", quantile="0.7", wd="0", epochs="200", early_stopping_patience="200"),
        "a",
    )

    assert model.bias[0] == pytest.approx(best, abs=0.12)


@pytest.mark.parametrize("name", ["logistic", "hinge_loss", "squared_loss", "huber_loss", "quantile_loss", "softmax_loss"])
def test_derivatives_are_those_of_the_losses(name: str) -> None:
    kind = {"softmax_loss": "multiclass_classifier", "logistic": "binary_classifier", "hinge_loss": "binary_classifier"}
    predictor = kind.get(name, "regressor")
    asked = settings(predictor_type=predictor, loss=name, num_classes="3", quantile="0.3")
    loss = loss_function(asked)
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(5, 2, asked.outputs))
    labels = rng.integers(0, 2, 5).astype(np.float64)

    value, slope = loss(scores, labels)

    step = np.zeros_like(scores)
    step[:, :, 0] = 1e-6
    numeric = (loss(scores + step, labels)[0] - loss(scores - step, labels)[0]) / 2e-6
    np.testing.assert_allclose(slope[:, :, 0], numeric, atol=1e-5)
    assert value.shape == (5, 2)


def weights(**strings: str) -> FloatArray:
    rows, validation, _ = split(*load_breast_cancer(return_X_y=True))
    return fit(rows, validation, settings(**BINARY, **strings), "a").weight


def test_regularisation_makes_weights_smaller_or_zero() -> None:
    plain, decayed, sparse = weights(wd="0"), weights(wd="1"), weights(wd="0", l1="0.1")

    assert np.abs(decayed).sum() < 0.5 * np.abs(plain).sum()
    assert np.count_nonzero(sparse == 0) > 10 > np.count_nonzero(plain == 0)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_every_optimizer_learns(optimizer: str) -> None:
    rows, validation, test = split(*load_breast_cancer(return_X_y=True))
    asked = settings(**BINARY, optimizer=optimizer, init_method="normal")

    assert test_scores(asked, fit(rows, validation, asked, "a"), test)["roc_auc_score"] > 0.98


def test_without_a_bias_the_answer_to_nothing_is_nothing() -> None:
    rows, validation, _ = split(*make_regression(300, 3, bias=100, random_state=0))

    assert fit(rows, validation, settings(**REGRESSOR, use_bias="false"), "a").bias[0] == 0
    assert fit(rows, validation, settings(**REGRESSOR), "a").bias[0] == pytest.approx(100, abs=5)


def test_positive_rows_count_more_when_that_is_asked_for() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2000, 2)).astype(np.float32)
    data = Data(rows, (rows[:, 0] + rng.normal(size=2000) > 2).astype(np.float32))

    def recall(mult: str) -> float:
        asked = settings(**BINARY, positive_example_weight_mult=mult, binary_classifier_model_selection_criteria="loss_function")
        return test_scores(asked, fit(data, None, asked, "a"), data)["recall"]

    assert recall("1.0") < recall("5.0") < recall("100")
    assert recall("balanced") > recall("1.0")


def test_classes_count_alike_when_that_is_asked_for() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0.0, 1.0, 2.0], [1500, 60, 60]).astype(np.float32)
    data = Data((labels[:, None] + rng.normal(size=(1620, 1))).astype(np.float32), labels)

    def recall(balanced: str) -> float:
        asked = settings(predictor_type="multiclass_classifier", num_classes="3", balance_multiclass_weights=balanced)
        return test_scores(asked, fit(data, None, asked, "a"), data)["macro_recall"]

    assert recall("true") > recall("false") + 0.1


@pytest.mark.slow
def test_training_stops_early_and_not_without_patience(caplog: pytest.LogCaptureFixture) -> None:
    rows, validation, _ = split(*load_breast_cancer(return_X_y=True))

    def epochs(**strings: str) -> int:
        caplog.clear()
        with caplog.at_level(logging.INFO):
            fit(rows, validation, settings(**BINARY, epochs="60", **strings), "a")
        return sum("#progress_metric" in message for message in caplog.messages)

    assert epochs(early_stopping_patience="2") < 60
    assert epochs(early_stopping_patience="60") == 60


SCORES = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])
LABELS = np.array([0, 0, 1, 0, 1, 0, 1, 1], dtype=np.float32)


@pytest.mark.parametrize(
    ("criteria", "more", "value"),
    [
        ("accuracy", {}, 0.75),
        ("f1", {}, 0.8),  # all from 0.3 on: 4 of 6 right, all 4 found
        ("f_beta", {"f_beta": "0.5"}, 1.25 * 2 / (2 + 0.25 * 4)),  # 0.8 and 0.9 only: precise
        ("precision_at_target_recall", {"target_recall": "0.9"}, 4 / 6),
        ("recall_at_target_precision", {"target_precision": "0.9"}, 0.5),
    ],
)
def test_the_threshold_is_the_best_by_its_criteria(criteria: str, more: dict[str, str], value: float) -> None:
    asked = settings(**BINARY, binary_classifier_model_selection_criteria=criteria, **more)

    threshold, reached = calibrate(SCORES, LABELS, asked, 0.5)

    assert reached == pytest.approx(value)
    claimed = threshold <= SCORES
    found = {
        "accuracy": np.mean(claimed == (LABELS > 0)),
        "f1": f1_score(LABELS, claimed),
        "f_beta": value,
        "precision_at_target_recall": precision_score(LABELS, claimed),
        "recall_at_target_precision": recall_score(LABELS, claimed),
    }
    assert found[criteria] == pytest.approx(value)


def test_criteria_on_the_loss_leave_the_threshold_in_the_middle() -> None:
    asked = settings(**BINARY, binary_classifier_model_selection_criteria="cross_entropy_loss")

    assert calibrate(SCORES, LABELS, asked, 0.5)[0] == 0.5


def test_the_area_under_the_curve_counts_ties_by_half() -> None:
    scores = np.round(np.random.default_rng(0).normal(size=200), 1)
    positive = np.random.default_rng(1).random(200) > 0.5

    assert roc_auc(scores, positive) == pytest.approx(roc_auc_score(positive, scores))
    assert roc_auc(scores, np.ones(200, dtype=bool)) == 0.5


def test_the_log_of_a_binary_classifier_is_that_of_the_container(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows, validation, test = split(*load_breast_cancer(return_X_y=True))
    channels = {"train": rows, "validation": validation, "test": test}
    data = {name: write_csv(np.asarray(part.features), part.labels) for name, part in channels.items()}
    root = job_directory(tmp_path, {**BINARY, "epochs": "3", "learning_rate": "0.1"}, data)

    metrics, lines = logged(root, caplog)

    objective = "binary_classification_cross_entropy_objective"
    patterns = (
        rf"#quality_metric: host=algo-1, epoch=0, train {objective} <loss>=\d+\.\d+",
        rf"#quality_metric: host=algo-1, epoch=0, validation {objective} <loss>=\d+\.\d+",
        r"#early_stopping_criteria_metric: host=algo-1, epoch=0, criteria=sampled_accuracy, value=\d\.\d+",
        r"Epoch 0: Loss improved\. Updating best model",
        r"#progress_metric: host=algo-1, completed 33 % of epochs",
        r"#throughput_metric: host=algo-1, train throughput=\d+\.\d+ records/second",
        r"#progress_metric: host=algo-1, completed 100 % of epochs",
        r'Best model found for hyperparameters: \{"optimizer": "adam", "learning_rate": 0.1, "wd": [0-9.e-]+, "l1": 0.0\}',
        rf"#validation_score \(algo-1\) : \('{objective}', \d+\.\d+\)",
        r"#validation_score \(algo-1\) : \('binary_classification_accuracy', \d\.\d+\)",
        r"#quality_metric: host=algo-1, validation binary_f_1\.000 <score>=\d\.\d+",
        r"#quality_metric: host=algo-1, test roc_auc_score <score>=\d\.\d+",
    )
    positions = [next(i for i, line in enumerate(lines) if re.fullmatch(pattern, line)) for pattern in patterns]
    assert positions == sorted(positions)
    model = load(root / "model")
    claimed = model.margins(test.features)[:, 0] >= model.threshold
    assert metrics["test:binary_classification_accuracy"] == pytest.approx(float(np.mean(claimed == (test.labels > 0))))
    assert metrics["test:precision"] == pytest.approx(precision_score(test.labels, claimed))
    assert metrics["test:recall"] == pytest.approx(recall_score(test.labels, claimed))
    assert metrics["test:binary_f_beta"] == pytest.approx(f1_score(test.labels, claimed))
    assert metrics["train:progress"] == 100
    assert metrics["train:throughput"] > 0
    assert metrics["validation:objective_loss"] > 0
    assert metrics["validation:objective_loss:final"] > 0


def test_the_log_of_the_other_predictors_has_their_metrics(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows, validation, _ = split(*load_digits(return_X_y=True))
    data = {"train": write_csv(np.asarray(rows.features), rows.labels)}
    data["validation"] = write_csv(np.asarray(validation.features), validation.labels)

    classes, lines = logged(job_directory(tmp_path / "classes", {**DIGITS, "epochs": "4"}, data), caplog)
    caplog.clear()
    values, _ = logged(job_directory(tmp_path / "values", {**REGRESSOR, "epochs": "4"}, data), caplog)

    for name in ("multiclass_accuracy", "multiclass_top_k_accuracy", "dcg", "macro_f_beta", "macro_precision", "macro_recall"):
        assert 0.8 < classes[f"validation:{name}"] <= 1
    assert any("multiclass_top_k_accuracy_3 <score>=" in line for line in lines)
    assert any(line.startswith("#validation_score (algo-1) : ('multiclass_log_loss', ") for line in lines)
    assert "Test data is not provided." in lines
    assert values["validation:rmse"] == pytest.approx(values["validation:mse"] ** 0.5)
    assert values["validation:objective_loss:final"] == pytest.approx(values["validation:mse"])
    assert values["train:absolute_loss"] > 0


@pytest.mark.parametrize(
    ("given", "train_rows", "message"),
    [
        ({}, b"0,1\n1,2\n", "'predictor_type' is a required property"),
        ({**BINARY, "epoch": "3"}, b"0,1\n1,2\n", "Additional properties are not allowed (u'epoch' was unexpected)"),
        ({**BINARY, "epochs": "0"}, b"0,1\n1,2\n", "u'0' is not valid under any of the given schemas"),
        ({**BINARY, "feature_dim": "2"}, b"0,1\n1,2\n", "The feature dimension of its rows is 1, not 2 as expected."),
        (BINARY, b"1,1\n2,2\n", "must be whole numbers from 0 to 1: row 2 has 2."),
        ({**DIGITS, "num_classes": "3"}, b"1,1\n2.5,2\n", "must be whole numbers from 0 to 2: row 2 has 2.5."),
    ],
)
def test_what_cannot_be_trained_is_the_customers_fault(
    tmp_path: Path, given: dict[str, str], train_rows: bytes, message: str
) -> None:
    with pytest.raises(CustomerError) as refused:
        train(job_directory(tmp_path, given, {"train": train_rows}))

    assert message in str(refused.value)


def test_a_host_that_is_not_the_first_leaves_training_to_it(tmp_path: Path) -> None:
    job_directory(tmp_path, BINARY, {"train": b"0,1\n1,2\n"}, distribution="ShardedByS3Key", hosts=("algo-1", "algo-2"))

    train(tmp_path / "algo-2")
    train(tmp_path / "algo-1")

    assert [path.name for path in (tmp_path / "algo-2" / "model").iterdir()] == []
    assert [path.name for path in (tmp_path / "algo-1" / "model").iterdir()] == ["model_algo-1"]


def test_a_tuned_job_trains_one_model_and_others_many() -> None:
    assert settings(**BINARY).models == 9
    assert settings(**BINARY, num_models="4").models == 4
    assert settings(**BINARY, _tuning_objective_metric="validation:recall").models == 1
    assert settings(**BINARY, learning_rate="0.3", wd="0.1").learning_rate == (0.3,)


def linear(predictor: str, loss: str, outputs: int, threshold: float = 0.0) -> LinearModel:
    weight = np.arange(2 * outputs, dtype=np.float32).reshape(2, outputs) - outputs / 2
    return LinearModel(predictor, loss, weight, np.zeros(outputs, dtype=np.float32), threshold)


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (
            linear("binary_classifier", "logistic", 1),
            b'{"predictions": [{"score": 0.5, "predicted_label": 1}, {"score": 0.2689414322376251, "predicted_label": 0}]}',
        ),
        (
            linear("binary_classifier", "logistic", 1, threshold=-2.0),
            b'{"predictions": [{"score": 0.5, "predicted_label": 1}, {"score": 0.2689414322376251, "predicted_label": 1}]}',
        ),
        (
            linear("binary_classifier", "hinge_loss", 1),
            b'{"predictions": [{"score": 0.0, "predicted_label": 1}, {"score": -1.0, "predicted_label": 0}]}',
        ),
        (linear("regressor", "squared_loss", 1), b'{"predictions": [{"score": 0.0}, {"score": -1.0}]}'),
    ],
)
def test_the_bytes_of_answers(model: LinearModel, body: bytes) -> None:
    with posting(application(model, {})) as client:
        answer = post(client, b"0,0\n2,0\n" if model.weight[0, 0] == -0.5 else b"0,0\n1,0\n")

    assert answer.content == body
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.slow
def test_a_multiclass_answer_has_every_classs_probability() -> None:
    model = linear("multiclass_classifier", "softmax_loss", 3)

    with posting(application(model, {"SAGEMAKER_BATCH": "true"})) as client:
        lines = post(client, b"0,0\n1,1\n")
        record = post(client, b"1,1\n", accept=RECORDIO)

    first, second = (json.loads(line) for line in lines.text.splitlines())
    assert lines.headers["content-type"] == "application/jsonlines"
    assert first["score"] == pytest.approx([1 / 3] * 3)
    assert second["predicted_label"] == 2
    assert sum(second["score"]) == pytest.approx(1)
    assert record.headers["content-type"] == RECORDIO
    np.testing.assert_allclose(read_answer(record.content)["score"][0], second["score"], rtol=1e-6)
    assert read_answer(record.content)["predicted_label"].tolist() == [[2.0]]


@pytest.mark.slow
def test_a_request_of_another_width_or_type_is_the_clients_error() -> None:
    with posting(application(linear("regressor", "squared_loss", 1), {"MAX_CONTENT_LENGTH": "100"})) as client:
        wide, xml, large = post(client, b"1,2,3"), post(client, b"<a/>", "text/xml"), post(client, b"1,1\n" * 100)
        unacceptable = post(client, b"1,2", accept="text/csv")

    assert (wide.status_code, wide.text) == (
        400,
        "unable to evaluate payload provided: the rows have 3 features, the model was trained with 2",
    )
    assert (xml.status_code, large.status_code, unacceptable.status_code) == (415, 413, 406)


def test_a_model_comes_back_as_it_was_saved_and_another_file_does_not(tmp_path: Path) -> None:
    model = linear("multiclass_classifier", "softmax_loss", 3)
    model.save(tmp_path / "model_algo-1")

    loaded = load(tmp_path)

    assert (loaded.predictor_type, loaded.loss, loaded.threshold) == ("multiclass_classifier", "softmax_loss", 0.0)
    np.testing.assert_array_equal(loaded.weight, model.weight)
    (tmp_path / "model_algo-1").write_bytes(b"MXNet")
    with pytest.raises(CannotLoad, match="model_algo-1: File is not a zip file"):
        load(tmp_path)
    with pytest.raises(CannotLoad, match="No such file"):
        load(tmp_path / "empty")
