"""The XGBoost engine's answers to requests."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from scipy.sparse import csr_matrix

from emulator_tests.recordio import write_dense, write_sparse
from emulator_tests.support import served
from sagemaker_emulator.engines.shell.serving import CannotLoad
from sagemaker_emulator.engines.xgboost.library import xgboost
from sagemaker_emulator.engines.xgboost.models import load_models
from sagemaker_emulator.engines.xgboost.serve import application

ROWS = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
LABELS = (ROWS[:, 0] > 0).astype(np.float32)


def booster(objective: str, **more: int) -> xgboost.Booster:
    return xgboost.train({"objective": objective, **more}, xgboost.DMatrix(ROWS, label=LABELS), 5)


def posting(models: list[xgboost.Booster], environment: dict[str, str] | None = None) -> Iterator[httpx.Client]:
    with served(application(models, environment or {})) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def binary() -> Iterator[httpx.Client]:
    yield from posting([booster("binary:logistic")])


@pytest.fixture(scope="module")
def multi() -> Iterator[httpx.Client]:
    yield from posting([booster("multi:softprob", num_class=3)])


def test_it_is_healthy(binary: httpx.Client) -> None:
    assert binary.get("/ping").status_code == 200


def test_one_probability_a_line_for_a_binary_model(binary: httpx.Client) -> None:
    answer = binary.post("/invocations", content=b"2,0,0\n-2,0,0\n", headers={"content-type": "text/csv"})

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    high, low = (float(line) for line in answer.text.splitlines())
    assert high > 0.5 > low


def test_a_probability_for_each_class_on_a_line_for_softprob(multi: httpx.Client) -> None:
    answer = multi.post("/invocations", content=b"2,0,0\n-2,0,0", headers={"content-type": "text/csv", "accept": "*/*"})

    rows = [[float(cell) for cell in line.split(",")] for line in answer.text.splitlines()]
    assert [len(row) for row in rows] == [3, 3]
    assert [sum(row) for row in rows] == pytest.approx([1, 1], abs=1e-5)


def test_json_when_it_is_accepted(multi: httpx.Client) -> None:
    answer = multi.post("/invocations", content=b"2,0,0", headers={"content-type": "text/csv", "accept": "application/json"})

    (prediction,) = answer.json()["predictions"]
    assert len(prediction["score"]) == 3
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.slow
def test_every_request_type_gives_the_same_answer(binary: httpx.Client) -> None:
    row = np.array([[1.5, 0, -2]], dtype=np.float32)
    sparse = csr_matrix((row[0], np.arange(3), np.array([0, 3])), shape=(1, 3))
    bodies = [
        (b"1.5,0,-2", "text/csv"),
        (b"1.5;0;-2\n", "text/csv"),
        (b"0:1.5 1:0 2:-2", "text/libsvm"),
        (b"0 0:1.5 1:0 2:-2", "text/x-libsvm"),
        (b"0:1.5 1:0 2:-2", None),
        (write_dense(row), "application/x-recordio-protobuf"),
        (write_sparse(sparse), "application/x-recordio-protobuf"),
    ]

    answers = {
        binary.post("/invocations", content=body, headers={"content-type": kind} if kind else {}).text for body, kind in bodies
    }

    assert len(answers) == 1


def test_an_empty_cell_is_missing_and_a_wide_libsvm_row_counts_from_one(binary: httpx.Client) -> None:
    missing = binary.post("/invocations", content=b"1.5,,-2", headers={"content-type": "text/csv"})
    absent = binary.post("/invocations", content=b"1:1.5 3:-2", headers={"content-type": "text/libsvm"})

    assert missing.text == absent.text


WITH_AN_EMPTY_ROW = csr_matrix((np.ones(1, np.float32), ([0], [0])), shape=(2, 3))


@pytest.mark.parametrize(
    ("body", "headers", "status", "text"),
    [
        (b"", {"content-type": "text/csv"}, 204, ""),
        (b"{}", {"content-type": "application/json"}, 415, "application/json is not an accepted ContentType: csv, libsvm"),
        (b"x", {"content-type": "application/x-parquet"}, 415, "Content-type application/x-parquet is not supported."),
        (b"1,2", {"content-type": "text/csv;label_size=0"}, 415, "text/csv;label_size=0 is not an accepted csv ContentType"),
        (
            b"a,b,c",
            {"content-type": "text/csv"},
            415,
            "Loading csv data failed with Exception, please ensure data is in csv format",
        ),
        (b"1, ,2", {"content-type": "text/csv"}, 415, "could not convert string to float"),
        (b"  ", {"content-type": "text/csv"}, 415, "Could not determine delimiter"),
        (b"1", {"content-type": "text/libsvm"}, 415, "Loading libsvm data failed with Exception"),
        (b"1,2\n1", {"content-type": "text/csv"}, 415, "Loading csv data failed with Exception"),
        (
            b"junk",
            {"content-type": "application/x-recordio-protobuf"},
            415,
            "Loading recordio-protobuf data failed with Exception",
        ),
        (
            write_sparse(WITH_AN_EMPTY_ROW),
            {"content-type": "application/x-recordio-protobuf"},
            415,
            "record 2 has no keys, so it counts as dense",
        ),
        (b"1,2,3,4,5", {"content-type": "text/csv"}, 400, "Unable to evaluate payload provided: "),
        (
            b"1,2,3,4",
            {"content-type": "text/csv"},
            400,
            "num_feature >= p_fmat->Info().num_col_ (3 vs. 4) : Number of columns does not match number of features in booster.",
        ),
        (b"0:1 3:1", {"content-type": "text/libsvm"}, 400, "Number of columns does not match"),
        (b"x,y", {"content-type": "text/csv", "accept": "image/png"}, 415, "Loading csv data failed with Exception"),
        (b"1,2,3", {"content-type": "text/csv", "accept": "image/png"}, 406, "Accept type image/png is not supported."),
        (
            b"1,2,3",
            {"content-type": "text/csv", "accept": "Application/JSON, text/csv;q=0.5"},
            406,
            "Accept type Application/JSON, text/csv is not supported. Please use supported accept types: ['application/json', ",
        ),
        (
            b"1,2,3",
            {"content-type": "text/csv", "accept": "application/jsonlines"},
            500,
            "only together with SAGEMAKER_INFERENCE",
        ),
        (b"1" * 6_291_457, {"content-type": "text/csv"}, 413, "more than the 6291456 that are accepted"),
    ],
)
def test_what_is_refused_and_how(binary: httpx.Client, body: bytes, headers: dict[str, str], status: int, text: str) -> None:
    answer = binary.post("/invocations", content=body, headers=headers)

    assert answer.status_code == status
    assert text in answer.text
    assert "Stack trace" not in answer.text


def test_a_transform_jobs_payload_is_limited_like_any_other() -> None:
    environment = {"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "20"}
    for client in posting([booster("binary:logistic")], environment):
        answer = client.post("/invocations", content=b"1" * 6_291_457, headers={"content-type": "text/csv"})

        assert answer.status_code == 413


def test_several_models_that_answer_labels_fail_as_in_the_container() -> None:
    for client in posting([booster("multi:softmax", num_class=3), booster("multi:softmax", num_class=3)]):
        answer = client.post("/invocations", content=b"2,0,0", headers={"content-type": "text/csv"})

        assert answer.status_code == 500
        assert "several models of multi:softmax" in answer.text


def test_libsvm_rows_after_the_last_one_with_a_cell_get_no_answer(binary: httpx.Client) -> None:
    answer = binary.post("/invocations", content=b"0:1 1:2\n1\n0:3\n1", headers={"content-type": "text/libsvm"})

    assert len(answer.text.splitlines()) == 3


@pytest.mark.parametrize(
    ("objective", "more", "expected"),
    [
        ("binary:logistic", {}, {"predicted_label": 1, "labels": [0, 1], "predicted_score": None}),
        ("multi:softprob", {"num_class": 3}, {"predicted_label": 1, "labels": [0, 1, 2], "predicted_score": None}),
        ("multi:softmax", {"num_class": 3}, {"predicted_label": 1.0, "labels": [0, 1, 2], "predicted_score": None}),
        ("binary:logitraw", {}, {"predicted_label": 1, "labels": [0, 1], "predicted_score": None}),
        ("reg:squarederror", {}, {"predicted_label": None, "labels": None, "predicted_score": 1}),
    ],
)
def test_selected_content_by_objective(objective: str, more: dict[str, int], expected: dict[str, object]) -> None:
    environment = {"SAGEMAKER_INFERENCE_OUTPUT": "predicted_label, labels, predicted_score"}
    for client in posting([booster(objective, **more)], environment):
        answer = client.post("/invocations", content=b"2,0,0", headers={"content-type": "text/csv", "accept": "application/json"})

        (prediction,) = json.loads(answer.text.replace("NaN", "null"))["predictions"]
        score = prediction.pop("predicted_score")
        assert {**prediction, "predicted_score": score and round(score)} == expected


@pytest.mark.slow
def test_selected_content_as_csv_and_json_lines() -> None:
    for client in posting(
        [booster("binary:logistic")], {"SAGEMAKER_INFERENCE_OUTPUT": "predicted_label,probabilities,probability"}
    ):
        ask = {"content": b"2,0,0\n-2,0,0", "headers": {"content-type": "text/csv"}}
        lines = client.post("/invocations", **ask).text.splitlines()  # type: ignore[arg-type]  # keywords of two types
        ask["headers"] = {"content-type": "text/csv", "accept": "application/jsonlines"}
        objects = [json.loads(line) for line in client.post("/invocations", **ask).text.splitlines()]  # type: ignore[arg-type]  # as above
        ask["headers"] = {"content-type": "text/csv", "accept": "application/x-recordio-protobuf"}
        refused = client.post("/invocations", **ask)  # type: ignore[arg-type]  # as above

    assert lines[0].startswith('1,"[')
    assert [answer["predicted_label"] for answer in objects] == [1, 0]
    assert objects[0]["probabilities"][1] == objects[0]["probability"]
    assert refused.status_code == 406


def test_an_objective_without_selectable_content_is_a_server_error() -> None:
    for client in posting([booster("count:poisson")], {"SAGEMAKER_INFERENCE_OUTPUT": "predicted_score"}):
        assert client.post("/invocations", content=b"2,0,0", headers={"content-type": "text/csv"}).status_code == 500


def test_a_batch_transform_gets_lists_whatever_it_accepts() -> None:
    for client in posting([booster("multi:softprob", num_class=3)], {"SAGEMAKER_BATCH": "true"}):
        answer = client.post("/invocations", content=b"2,0,0", headers={"content-type": "text/csv"})

        assert len(json.loads(answer.text)) == 3


def test_the_default_accept_is_set_by_the_environment() -> None:
    for client in posting([booster("binary:logistic")], {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/json"}):
        assert "predictions" in client.post("/invocations", content=b"2,0,0", headers={"content-type": "text/csv"}).json()


def test_several_models_answer_with_their_mean() -> None:
    with tempfile.TemporaryDirectory() as directory:
        models = [booster("binary:logistic", max_depth=depth) for depth in (1, 3)]
        for number, trained in enumerate(models):
            (Path(directory) / f"xgboost-model-{number}").write_bytes(trained.save_raw())
        loaded = load_models(Path(directory))
    alone = [float(model.predict(xgboost.DMatrix(ROWS[:1]))[0]) for model in models]

    for client in posting(loaded):
        body = ",".join(map(str, ROWS[0].tolist())).encode()
        answer = client.post("/invocations", content=body, headers={"content-type": "text/csv"})

        assert float(answer.text) == pytest.approx(sum(alone) / 2, abs=1e-6)


def test_columns_that_a_row_does_not_have_are_missing(binary: httpx.Client) -> None:
    """The container does not count them, and XGBoost minds only those that are too many."""
    short = binary.post("/invocations", content=b"1.5,0", headers={"content-type": "text/csv"})
    missing = binary.post("/invocations", content=b"1.5,0,", headers={"content-type": "text/csv"})

    assert (short.status_code, short.text) == (200, missing.text)


@pytest.mark.parametrize("accept", ["text/csv;q=0.5, application/json", "text/csv;q=0.5"])
def test_what_follows_the_first_semicolon_of_accept_is_not_read(binary: httpx.Client, accept: str) -> None:
    answer = binary.post("/invocations", content=b"1,2,3", headers={"content-type": "text/csv", "accept": accept})

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")


def test_hidden_files_are_no_models(tmp_path: Path) -> None:
    (tmp_path / "xgboost-model").write_bytes(booster("binary:logistic").save_raw())
    (tmp_path / ".DS_Store").write_bytes(b"\0")

    assert len(load_models(tmp_path)) == 1


@pytest.mark.slow
def test_a_model_directory_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotLoad, match="must hold 'xgboost-model' at its root"):
        load_models(tmp_path)
    (tmp_path / "xgboost-model").write_bytes(b"abc")
    with pytest.raises(CannotLoad, match="cannot be loaded"):
        load_models(tmp_path)
