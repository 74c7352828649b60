"""k-NN: what it finds, with each hyperparameter, its log, its model, its answers."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestNeighbors

from emulator_tests.first_party import RECORDIO, job_directory, post, posting
from emulator_tests.recordio import read_answer, write_csv, write_dense
from sagemaker_emulator.engines.first_party.channels import Data
from sagemaker_emulator.engines.first_party.failures import CustomerError
from sagemaker_emulator.engines.knn import METRIC_DEFINITIONS
from sagemaker_emulator.engines.knn.model import KnnModel
from sagemaker_emulator.engines.knn.projection import projection
from sagemaker_emulator.engines.knn.serve import application, load
from sagemaker_emulator.engines.knn.train import make_model, score, train
from sagemaker_emulator.engines.shell.arrays import FloatArray
from sagemaker_emulator.engines.shell.serving import CannotLoad
from sagemaker_emulator.training.metrics import MetricScanner

pytestmark = pytest.mark.slow

DIGITS = {"feature_dim": "64", "k": "5", "sample_size": "2000", "predictor_type": "classifier"}


def split(features: FloatArray, labels: FloatArray) -> tuple[Data, Data]:
    rows, test, row_labels, test_labels = train_test_split(
        features.astype(np.float32), labels.astype(np.float32), test_size=0.25, random_state=0
    )
    return Data(rows, row_labels), Data(test, test_labels)


@pytest.fixture(scope="module")
def digits() -> tuple[Data, Data]:
    return split(*load_digits(return_X_y=True))


def test_a_job_scores_what_scikit_learn_scores(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, digits: tuple[Data, Data]
) -> None:
    rows, test = digits
    channels = {"train": write_dense(rows.features, rows.labels), "test": write_dense(test.features, test.labels)}
    root = job_directory(tmp_path, DIGITS, channels, content_type=RECORDIO)

    with caplog.at_level(logging.INFO):
        train(root)

    direct = KNeighborsClassifier(5, algorithm="brute").fit(rows.features, rows.labels).score(test.features, test.labels)
    assert f"#test_score (algo-1) : ('accuracy', {direct})" in caplog.messages
    scanner = MetricScanner(METRIC_DEFINITIONS)
    for message in caplog.messages:
        scanner.scan(message, 0.0)
    assert {metric["MetricName"]: metric["Value"] for metric in scanner.final()} == {"test:accuracy": pytest.approx(direct)}
    assert load(root / "model").width == 64


def test_a_regressor_scores_what_scikit_learn_scores() -> None:
    rows, test = split(*load_diabetes(return_X_y=True))

    model, _ = make_model(rows, {"k": "10", "sample_size": "1000", "predictor_type": "regressor"})

    direct = KNeighborsRegressor(10).fit(rows.features, rows.labels).predict(test.features)
    name, value = score(model, test)
    assert name == "mse"
    assert value == pytest.approx(np.mean((direct - test.labels) ** 2), rel=1e-5)


@pytest.mark.parametrize(("metric", "theirs"), [("L2", "sqeuclidean"), ("COSINE", "cosine"), ("INNER_PRODUCT", None)])
def test_neighbours_and_distances_are_exact(metric: str, theirs: str | None) -> None:
    rng = np.random.default_rng(0)
    index, rows = rng.normal(100, 1, (500, 8)).astype(np.float32), rng.normal(100, 1, (40, 8)).astype(np.float32)
    strings = {"k": "7", "sample_size": "500", "predictor_type": "regressor", "index_metric": metric}

    model, _ = make_model(Data(index, np.arange(500, dtype=np.float32)), strings)
    neighbours = model.search(rows)

    if theirs:
        distances, positions = NearestNeighbors(n_neighbors=7, metric=theirs, algorithm="brute").fit(index).kneighbors(rows)
        distances = 1 - distances if metric == "COSINE" else distances
    else:
        products = rows.astype(np.float64) @ index.T.astype(np.float64)
        positions = np.argsort(-products, axis=1)[:, :7]
        distances = np.take_along_axis(products, positions, axis=1)
    if metric != "COSINE":  # float32 rows of length 1 do not tell all of these apart
        np.testing.assert_array_equal(neighbours.labels, positions)
    np.testing.assert_allclose(neighbours.distances, distances, rtol=1e-5)


def test_of_equally_near_rows_the_first_ones_count_and_of_equally_many_labels_the_smallest() -> None:
    index = np.zeros((40, 2), dtype=np.float32)
    labels = np.arange(40, 0, -1, dtype=np.float32)

    model, _ = make_model(Data(index, labels), {"k": "3", "sample_size": "40", "predictor_type": "classifier"})
    neighbours = model.search(np.ones((2, 2), dtype=np.float32))

    assert neighbours.labels.tolist() == [[40, 39, 38]] * 2
    assert neighbours.distances.tolist() == [[2, 2, 2]] * 2
    assert model.predict(neighbours).tolist() == [38, 38]


def test_a_sample_of_the_rows_is_indexed(digits: tuple[Data, Data]) -> None:
    rows, test = digits

    model, _ = make_model(rows, {**DIGITS, "sample_size": "200"})

    assert model.index.shape == (200, 64)
    assert {tuple(row) for row in model.index} <= {tuple(row) for row in np.asarray(rows.features)}
    assert 0.8 < score(model, test)[1] < score(make_model(rows, DIGITS)[0], test)[1]


def test_sparse_rows_are_found_as_dense_ones_are(digits: tuple[Data, Data]) -> None:
    rows, test = digits

    sparse, _ = make_model(Data(csr_matrix(rows.features), rows.labels), DIGITS)

    assert score(sparse, Data(csr_matrix(test.features), test.labels)) == score(make_model(rows, DIGITS)[0], test)


@pytest.mark.parametrize("kind", ["sign", "fjlt"])
def test_a_projection_keeps_distances_about_as_they_are(kind: str, digits: tuple[Data, Data], tmp_path: Path) -> None:
    rows, test = digits
    reduced = {**DIGITS, "dimension_reduction_type": kind, "dimension_reduction_target": "32"}

    model, reduction = make_model(rows, reduced)
    model.save(tmp_path, reduction)
    loaded = load(tmp_path)

    assert model.index.shape[1] == 32
    assert score(model, test)[1] > 0.9
    assert loaded.width == 64
    assert score(loaded, test) == score(model, test)
    document = json.loads((tmp_path / "model_algo-1.json").read_text())
    assert document["dimension_reduction"] == {"type": kind, "seed": 0, "target_dim": 32, "input_dim": 64}
    assert (document["k"], document["predictor_type"], document["version"]) == (5, "classifier", "1.0")


@pytest.mark.parametrize("kind", ["sign", "fjlt"])
def test_a_projections_lengths_are_right_on_the_average(kind: str) -> None:
    rows = np.random.default_rng(1).normal(size=(300, 100)).astype(np.float32)

    short = rows @ projection(kind, 100, 60, seed=0)

    ratio = np.linalg.norm(short, axis=1) / np.linalg.norm(rows, axis=1)
    assert ratio.mean() == pytest.approx(1, abs=0.05)
    assert ratio.std() < 0.2


@pytest.mark.parametrize("index_type", ["faiss.IVFFlat", "faiss.IVFPQ"])
def test_other_indices_are_answered_exactly(index_type: str, digits: tuple[Data, Data], caplog: pytest.LogCaptureFixture) -> None:
    rows, test = digits
    with caplog.at_level(logging.INFO):
        model, _ = make_model(rows, {**DIGITS, "index_type": index_type})

    assert score(model, test) == score(make_model(rows, DIGITS)[0], test)
    assert f"The local index is exact: {index_type} answers as faiss.Flat." in caplog.messages


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"k": None}, "No value(s) were specified for 'k' which are required hyperparameter(s)"),
        ({"neighbours": "3"}, "Additional properties are not allowed (u'neighbours' was unexpected)"),
        ({"k": "0"}, "u'0' is not valid under any of the given schemas"),
        ({"feature_dim": "3"}, "The feature dimension of its rows is 2, not 3 as the hyperparameter feature_dim says."),
        ({"k": "3"}, "k is 3, more than the 2 rows that are indexed."),
    ],
)
def test_what_cannot_be_trained_is_the_customers_fault(tmp_path: Path, changes: dict[str, str | None], message: str) -> None:
    strings = {**DIGITS, "feature_dim": "2", "k": "1", **changes}
    given = {name: value for name, value in strings.items() if value is not None}

    with pytest.raises(CustomerError) as refused:
        train(job_directory(tmp_path, given, {"train": b"0,1,2\n1,2,3\n"}))

    assert message in str(refused.value)


def test_all_hosts_rows_are_in_the_one_index(tmp_path: Path) -> None:
    strings = {**DIGITS, "feature_dim": "2", "k": "1"}
    job_directory(tmp_path, strings, {"train": b"0,1,2\n"}, distribution="ShardedByS3Key", hosts=("algo-1", "algo-2"))

    train(tmp_path / "algo-2")
    train(tmp_path / "algo-1")

    assert list((tmp_path / "algo-2" / "model").iterdir()) == []
    assert len(load(tmp_path / "algo-1" / "model").index) == 2


@pytest.fixture(scope="module")
def small() -> KnnModel:
    rows = np.array([[0, 0], [0, 1], [0, 3]], dtype=np.float32)
    strings = {"k": "3", "sample_size": "3", "predictor_type": "classifier"}
    return make_model(Data(rows, np.array([1, 0, 0], dtype=np.float32)), strings)[0]


@pytest.mark.parametrize(
    ("accept", "body"),
    [
        (None, b'{"predictions": [{"predicted_label": 0.0}, {"predicted_label": 0.0}]}'),
        ("application/jsonlines", b'{"predicted_label": 0.0}\n{"predicted_label": 0.0}\n'),
        (
            "application/json; verbose=true",
            b'{"predictions": [{"predicted_label": 0.0, "distances": [0.0, 1.0, 9.0], "labels": [1.0, 0.0, 0.0]}, '
            b'{"predicted_label": 0.0, "distances": [0.0, 4.0, 9.0], "labels": [0.0, 0.0, 1.0]}]}',
        ),
        (
            "application/jsonlines;verbose=true",
            b'{"predicted_label": 0.0, "distances": [0.0, 1.0, 9.0], "labels": [1.0, 0.0, 0.0]}\n'
            b'{"predicted_label": 0.0, "distances": [0.0, 4.0, 9.0], "labels": [0.0, 0.0, 1.0]}\n',
        ),
    ],
)
def test_the_bytes_of_answers(small: KnnModel, accept: str | None, body: bytes) -> None:
    with posting(application(small, {})) as client:
        answer = post(client, b"0,0\n0,3\n", accept=accept)

    assert answer.content == body
    assert answer.headers["content-type"] == (accept or "application/json").partition(";")[0]


@pytest.mark.slow
def test_recordio_answers_are_verbose_when_that_is_accepted(small: KnnModel) -> None:
    with posting(application(small, {})) as client:
        plain = post(client, b"0,0\n", accept=RECORDIO)
        verbose = post(client, b"0,0\n", accept=f"{RECORDIO}; verbose=true")

    assert {key: value.tolist() for key, value in read_answer(plain.content).items()} == {"predicted_label": [[0.0]]}
    assert {key: value.tolist() for key, value in read_answer(verbose.content).items()} == {
        "predicted_label": [[0.0]],
        "distances": [[0.0, 1.0, 9.0]],
        "labels": [[1.0, 0.0, 0.0]],
    }


@pytest.mark.slow
def test_a_transform_job_is_answered_in_lines_and_its_environment_says_what_is_accepted(small: KnnModel) -> None:
    with posting(application(small, {"SAGEMAKER_BATCH": "true"})) as client:
        assert post(client, b"0,0\n").content == b'{"predicted_label": 0.0}\n'
    environment = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/json; verbose=true"}
    with posting(application(small, environment)) as client:
        assert "distances" in post(client, b"0,0\n").json()["predictions"][0]


def test_a_request_of_another_width_or_type_is_the_clients_error(small: KnnModel) -> None:
    with posting(application(small, {})) as client:
        wide, text = post(client, b"1,2,3"), post(client, b"1,2", "text/plain")

    assert (wide.status_code, text.status_code) == (400, 415)
    assert wide.text == "unable to evaluate payload provided: the rows have 3 features, the model was trained with 2"


def test_a_model_of_another_making_is_not_loaded(tmp_path: Path, small: KnnModel) -> None:
    small.save(tmp_path, {"type": "none"})
    (tmp_path / "model_algo-1").write_bytes(b"IxF2")

    with pytest.raises(CannotLoad, match="model_algo-1 is not a model of the local k-NN"):
        load(tmp_path)


def test_csv_is_read_for_training_too(tmp_path: Path, digits: tuple[Data, Data]) -> None:
    rows, _ = digits
    train(job_directory(tmp_path, DIGITS, {"train": write_csv(np.asarray(rows.features), rows.labels)}))

    np.testing.assert_array_equal(load(tmp_path / "algo-1" / "model").index, rows.features)
