"""Requests to first-party algorithms and their answers, byte by byte."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from emulator_tests.first_party import CSV, RECORDIO
from emulator_tests.recordio import read_answer, write_dense, write_sparse
from sagemaker_emulator.engines.first_party.requests import Prediction, accepted, read_request, write_answer
from sagemaker_emulator.engines.shell.serving import Invocation, Refused

ROWS = np.array([[1.5, 0, 2]], dtype=np.float32)
SPARSE = csr_matrix(ROWS)
EMPTY_ROW = csr_matrix(np.array([[1, 0, 0], [0, 0, 0]], dtype=np.float32))
JSON, LINES = "application/json", "application/jsonlines"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (CSV, b"1.5,0,2"),
        ("text/csv;label_size=0", b"1.5,0,2\n"),
        ("Text/CSV; charset=utf-8", b"1.5,0,2\r\n"),
        (JSON, b'{"instances": [{"features": [1.5, 0, 2]}]}'),
        (JSON, b'{"instances": [{"data": {"features": {"values": [1.5, 0, 2]}}}]}'),
        (JSON, b'{"instances": [{"data": {"features": {"keys": [2, 0], "shape": [3], "values": [2, 1.5]}}}]}'),
        (LINES, b'{"features": [1.5, 0, 2]}\n'),
        (LINES, b'{"data": {"features": {"values": [1.5, 0, 2]}}}'),
        (RECORDIO, write_dense(ROWS)),
        (RECORDIO, write_dense(ROWS, np.array([1], dtype=np.float32))),
        (RECORDIO, write_sparse(SPARSE)),
    ],
)
def test_every_request_type_gives_the_same_rows(content_type: str, body: bytes) -> None:
    np.testing.assert_array_equal(read_request(Invocation(body, content_type, None), 3), ROWS)


@pytest.mark.parametrize(
    ("content_type", "body", "status", "message"),
    [
        (None, b"1,2,3", 415, "Content type None is not supported. Supported content types are text/csv, application/json, "),
        ("text/libsvm", b"1,2,3", 415, "Content type text/libsvm is not supported."),
        (CSV, b"1,2", 400, "unable to evaluate payload provided: the rows have 2 features, the model was trained with 3"),
        (CSV, b"a,b,c", 400, "unable to evaluate payload provided: line 1, column 1: 'a' is not a number"),
        (CSV, b"", 400, "unable to evaluate payload provided: the body has no rows"),
        (CSV, b"1,,3", 400, "unable to evaluate payload provided: a value is missing or infinite"),
        (CSV, b"\xff", 400, "unable to evaluate payload provided: "),
        (JSON, b"[1,2,3]", 400, 'unable to evaluate payload provided: expected {"instances": [...]}'),
        (JSON, b'{"instances": [{"features": [1, "x", 3]}]}', 400, "unable to evaluate payload provided: "),
        (RECORDIO, write_sparse(EMPTY_ROW), 400, "unable to evaluate payload provided: incompatible column dimensions: record 2"),
        (RECORDIO, b"1,2,3", 400, "unable to evaluate payload provided: record 1 at byte 0"),
    ],
)
def test_what_cannot_be_evaluated_is_the_clients_error(content_type: str | None, body: bytes, status: int, message: str) -> None:
    with pytest.raises(Refused) as refused:
        read_request(Invocation(body, content_type, None), 3)

    assert refused.value.status == status
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("accept", "environment", "kind"),
    [
        (None, {}, JSON),
        ("*/*", {}, JSON),
        ("application/json; verbose=true", {}, JSON),
        ("text/html, application/jsonlines", {}, LINES),
        ("application/json, text/csv;q=0.5", {}, JSON),
        ("application/json;q=0.5, application/jsonlines", {}, LINES),
        ("application/json;q=0.5, application/jsonlines;q=0.5", {}, JSON),
        ("application/json;q=0, application/jsonlines;q=0.1", {}, LINES),
        ("application/json;q=much, application/jsonlines;q=0.1", {}, LINES),
        ("text/html, */*;q=0.1", {}, JSON),
        ("text/html, */*;q=0.1", {"SAGEMAKER_BATCH": "true"}, LINES),
        (RECORDIO, {}, RECORDIO),
        (None, {"SAGEMAKER_BATCH": "true"}, LINES),
        (JSON, {"SAGEMAKER_BATCH": "true"}, JSON),
        (None, {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": RECORDIO}, RECORDIO),
    ],
)
def test_the_type_of_the_answer(accept: str | None, environment: dict[str, str], kind: str) -> None:
    assert accepted(accept, environment) == kind


@pytest.mark.parametrize("accept", ["text/csv", "text/csv, application/json;q=0"])
def test_csv_is_not_an_answer(accept: str) -> None:
    with pytest.raises(Refused) as refused:
        accepted(accept, {})

    assert refused.value.status == 406


def test_the_bytes_of_answers() -> None:
    predictions: list[Prediction] = [{"score": 0.5, "predicted_label": 0}, {"score": [0.25, 0.75], "predicted_label": 1}]

    assert write_answer(predictions, JSON) == (
        b'{"predictions": [{"score": 0.5, "predicted_label": 0}, {"score": [0.25, 0.75], "predicted_label": 1}]}'
    )
    assert write_answer(predictions, LINES) == (
        b'{"score": 0.5, "predicted_label": 0}\n{"score": [0.25, 0.75], "predicted_label": 1}\n'
    )
    # A record with the label map {"score": [0.5]}, as the worked bytes of a labelled record have it, without features.
    assert write_answer([{"score": 0.5}], RECORDIO) == bytes.fromhex(
        "0a23d7ce 13000000 1211 0a05 73636f7265 1208 1206 0a04 0000003f 00"
    )


def test_recordio_answers_are_read_back_with_lengths_of_two_bytes() -> None:
    scores = np.linspace(0, 1, 100, dtype=np.float32)

    answer = read_answer(write_answer([{"score": scores.tolist(), "predicted_label": 7}] * 2, RECORDIO))

    np.testing.assert_array_equal(answer["score"], np.stack([scores, scores]))
    assert answer["predicted_label"].tolist() == [[7.0], [7.0]]
