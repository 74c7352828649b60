from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sageline.arrays.matrix import SparseMatrix
from sageline.arrays.strings import StringArray
from sageline.encoder import fitted, saved
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import InvalidEncoder, PredictionFailed
from sageline.formats.recordio import read_records
from tests.unit.encoder.encoders import one_number_encoder, table_encoder, text_encoder
from tests.unit.encoder.text.test_tokens import encoder as tokens_encoder

ENCODERS = [text_encoder(), text_encoder(mode="tf-idf"), table_encoder(), table_encoder(["1", "2", "10"]), one_number_encoder()]
CSV = "text/csv; charset=utf-8"


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_saved_encoder_is_loaded_as_it_was(encoder: FittedEncoder) -> None:
    loaded = FittedEncoder.load(encoder.save())

    assert loaded.save() == encoder.save()
    for attribute in ("task", "feature_columns", "label_column", "classes", "feature_dim", "answers", "exchange"):
        assert getattr(loaded, attribute) == getattr(encoder, attribute)
    assert list(loaded.feature_columns) == list(encoder.feature_columns)


def test_a_loaded_encoder_encodes_as_the_saved_one() -> None:
    encoder = text_encoder(mode="tf-idf")
    block = encoder.block_from_instances(["hello hello wörld", "x"])

    loaded = FittedEncoder.load(encoder.save())

    assert loaded.request_body(loaded.encode(block)) == encoder.request_body(encoder.encode(block))


def without(name: str) -> Callable[[dict[str, bytes]], object]:
    return lambda files: files.pop(name)


def rewrite(**changes: object) -> Callable[[dict[str, bytes]], object]:
    def change(files: dict[str, bytes]) -> None:
        files["encoder.json"] = json.dumps(json.loads(files["encoder.json"]) | changes).encode()

    return change


def put(name: str, content: bytes) -> Callable[[dict[str, bytes]], object]:
    return lambda files: files.update({name: content})


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (without("encoder.npz"), "encoder.npz is missing beside encoder.json; train the model again."),
        (lambda files: files.clear(), "encoder.json is missing beside nothing"),
        (put("encoder.json", b'{"version": 1'), "encoder.json is damaged: it is no encoder document"),
        (put("encoder.json", b"[1]"), "encoder.json is damaged: it is no encoder document"),
        (put("encoder.json", b"\xff"), "encoder.json is damaged: it is no encoder document"),
        (rewrite(version=7), "encoder.json has version 7, this code reads up to 6; deploy the newer Sageline."),
        (rewrite(classes=["spam", "ham"]), "encoder.json is damaged: its checksum differs"),
        (put("encoder.npz", b"PK"), "encoder.npz is damaged, or belongs to another encoder.json"),
        (put("encoder.npz", table_encoder().save()["encoder.npz"]), "encoder.npz is damaged, or belongs to another"),
    ],
)
def test_a_damaged_encoder_is_refused(damage: Callable[[dict[str, bytes]], object], expected: str) -> None:
    files = text_encoder().save()
    damage(files)

    with pytest.raises(InvalidEncoder) as caught:
        FittedEncoder.load(files)
    assert caught.value.message.startswith(expected)


@pytest.mark.parametrize(("encoder", "answers"), [(table_encoder(), "xgboost"), (tokens_encoder(["a", "b"]), "blazingtext")])
def test_an_encoder_of_before_there_were_other_algorithms_is_xgboosts(
    encoder: FittedEncoder, answers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, arrays = saved.unpack(encoder.save())
    monkeypatch.setattr(saved, "VERSION", 2)
    files = saved.pack(
        {name: document[name] for name in document if name not in ("version", "answers", "channel_format")}, arrays
    )
    monkeypatch.undo()

    loaded = FittedEncoder.load(files)

    assert json.loads(files["encoder.json"])["version"] == 2
    assert (loaded.answers, loaded.channel_format) == (answers, None)


def test_an_encoder_that_goes_with_no_algorithm_is_refused() -> None:
    document, arrays = saved.unpack(table_encoder().save())
    for answers in ("blazingtext", "prophet"):
        with pytest.raises(InvalidEncoder, match="lacks something or holds a wrong value"):
            FittedEncoder.load(saved.pack(document | {"answers": answers}, arrays))


def test_an_encoder_that_lacks_something_is_refused() -> None:
    with pytest.raises(InvalidEncoder, match=r"lacks something or holds a wrong value: 'feature_columns'"):
        FittedEncoder.load(saved.pack({"kind": "table"}, {}))


def test_arrays_that_would_be_unpickled_are_refused() -> None:
    arrays = io.BytesIO()
    np.savez(arrays, words_data=np.array([object], dtype=object))
    for content, expected in ((arrays.getvalue(), "allow_pickle=False"), (b"PK\x03\x04", "not a zip file")):
        document: dict[str, object] = {"version": 1, "arrays_sha256": hashlib.sha256(content).hexdigest()}
        document["sha256"] = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
        files = {"encoder.json": json.dumps(document).encode(), "encoder.npz": content}

        with pytest.raises(InvalidEncoder, match=f"encoder.npz cannot be read: .*{expected}"):
            FittedEncoder.load(files)


def test_a_request_holds_no_label() -> None:
    text, table, one = text_encoder(), table_encoder(), one_number_encoder()

    body = table.request_body(table.encode(table.block_from_instances([[1, "red", None], [2.5, "?", -1]], [])))
    assert (table.exchange.request_content_type, body) == ("text/csv", b"1,1,0,0,\n2.5,0,0,0,-1\n")
    rows = read_records(text.request_body(text.encode(text.block_from_instances(["hello", "x"]))))
    assert (text.exchange.request_content_type, rows.labels, rows.matrix.shape) == (
        "application/x-recordio-protobuf",
        None,
        (2, 2),
    )
    rows = read_records(one.request_body(one.encode(one.block_from_instances([[5.1], [None]]))))
    assert (one.exchange.request_content_type, rows.matrix.shape) == ("application/x-recordio-protobuf", (2, 1))


@pytest.mark.parametrize(("answers", "cell"), [("xgboost", np.nan), ("linear-learner", 0.0), ("knn", 0.0)])
def test_a_text_without_a_known_word_has_a_cell_that_changes_nothing(answers: str, cell: float) -> None:
    """A record without keys is refused by the container among others that have some."""
    encoder = replace(text_encoder(), answers=answers)
    encoded = encoder.encode(encoder.block_from_instances(["unknown", "wörld", ""]))
    labels = np.array([0, 1, 0], dtype=np.float32)
    written = encoder.write(encoded, labels)
    assert isinstance(written, bytes)

    if answers == "xgboost":
        assert written == b"0:1\n1:1 1:1\n0:1\n"
    for body in ((written,) if answers != "xgboost" else ()) + (encoder.request_body(encoded), encoder.batch_body(encoded)):
        matrix = read_records(body).matrix
        assert isinstance(matrix, SparseMatrix)
        assert matrix.row_offsets.tolist() == [0, 1, 2, 3]
        assert matrix.columns.tolist() == [0, 1, 0]
        assert np.array_equal(matrix.values, [cell, 1, cell], equal_nan=True)


def test_labels_are_class_numbers_or_the_numbers_themselves() -> None:
    column = StringArray.from_list(["10", "2", "7"])

    assert str(table_encoder(["1", "2", "10"]).encode_labels(column).tolist()) == "[2.0, 1.0, nan]"
    assert table_encoder().encode_labels(column).tolist() == [10, 2, 7]


def test_a_binary_answer_is_the_probability_of_the_second_class() -> None:
    ham, spam = text_encoder().decode(b"0.43\n0.875\n", CSV, 2, rows=2)

    assert ham == {"label": "ham", "probability": 0.57, "top": [ham["top"][0], {"label": "spam", "probability": 0.43}]}
    assert ham["top"][0] == {"label": "ham", "probability": 0.57}
    assert [(entry["label"], entry["probability"]) for entry in spam["top"]] == [("spam", 0.875), ("ham", 0.125)]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"0.1,0.2,0.7\n0.4,0.4,0.2\n", CSV),
        (b"0.1,0.2,0.7\n0.4,0.4,0.2", "text/csv"),
        (b'{"predictions": [{"score": [0.1, 0.2, 0.7]}, {"score": [0.4, 0.4, 0.2]}]}', "application/json"),
    ],
)
def test_the_most_probable_classes_come_first_and_ties_in_class_order(body: bytes, content_type: str) -> None:
    answers = text_encoder(["a", "b", "c"]).decode(body, content_type, 2, rows=2)

    assert [[entry["label"] for entry in answer["top"]] for answer in answers] == [["c", "b"], ["a", "b"]]
    assert [(answer["label"], answer["probability"]) for answer in answers] == [("c", 0.7), ("a", 0.4)]


def test_a_regression_is_answered_with_values() -> None:
    assert table_encoder().decode(b"1.5\n-2e10\n", CSV, rows=2) == [{"value": 1.5}, {"value": -2e10}]
    assert table_encoder().decode(b'{"predictions": [{"score": 1.5}]}', "application/json") == [{"value": 1.5}]
    assert table_encoder().decode(b"", CSV) == text_encoder().decode(b"", CSV) == []


@pytest.mark.parametrize(
    ("encoder", "body", "content_type", "expected"),
    [
        (text_encoder(), b"0.5\n", CSV, "the model answered for 1 of the request's 2 rows."),
        (text_encoder(), b"0.5\n0.5\n0.5\n", CSV, "the model answered for 3 of the request's 2 rows."),
        (text_encoder(), b"", CSV, "the model answered for 0 of the request's 2 rows."),
        (
            text_encoder(),
            b"<html>\n</html>\n",
            CSV,
            "the model's answer cannot be read as text/csv: line 1, column 1: '<html>' is no",
        ),
        (text_encoder(), b"0.5\n\xff\n", CSV, "the model's answer cannot be read as text/csv"),
        (text_encoder(), b"0.5\n0.5,0.5\n", CSV, "the model's answer cannot be read as text/csv: line 2 has 2 cells"),
        (text_encoder(), b"nan\n0.5\n", CSV, "the model's answer holds a score that is not a finite number."),
        (text_encoder(), b"2.5\n-1\n", CSV, "the model answered numbers outside 0 to 1, which are no probabilities"),
        (text_encoder(), b"0.1,0.2,0.7\n0.1,0.2,0.7\n", CSV, "the model answered 3 values per row; expected 2 probabilities."),
        (table_encoder(), b"0.1,0.2\n0.1,0.2\n", CSV, "the model answered 2 values per row; a regression has one."),
        (text_encoder(), b"{", "application/json", "the model's answer cannot be read as application/json"),
        (
            text_encoder(),
            b'{"error": 1}',
            "application/json",
            "the model's answer cannot be read as application/json: 'predictions'",
        ),
        (text_encoder(), b"[1, 2]", "application/json", "the model's answer cannot be read as application/json"),
        (
            text_encoder(),
            b'{"predictions": [{"score": 1}, {"score": [1, 2]}]}',
            "application/json",
            "the model's answer cannot be",
        ),
        (text_encoder(), b"0.5", "text/html", "the model answered 'text/html'; expected text/csv or application/json or"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(encoder: FittedEncoder, body: bytes, content_type: str, expected: str) -> None:
    with pytest.raises(PredictionFailed) as caught:
        encoder.decode(body, content_type, rows=2)
    assert caught.value.message.startswith(expected)


def test_the_prediction_path_imports_neither_pydantic_nor_boto3() -> None:
    heavy = "('pydantic', 'boto3', 'botocore')"
    program = f"import sys, sageline.encoder.fitted; print([m for m in sys.modules if m.split('.')[0] in {heavy}])"

    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "[]"


@pytest.mark.parametrize(
    ("answers", "most_rows"),
    [("xgboost", 300), ("tensorflow", 100), ("scikit-learn", 100)],
)
def test_a_block_is_encoded_in_pieces_that_stay_small(answers: str, most_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitted, "_CHUNK_CELLS", 200)  # of two columns
    encoder = replace(text_encoder(), answers=answers)
    block = encoder.block_from_instances(["hello"] * 300)

    chunks = list(encoder.chunks(block))

    assert max(chunk.rows for chunk in chunks) == most_rows
    assert np.concatenate([chunk.row_numbers for chunk in chunks]).tolist() == list(range(300))
    rows = [encoder.encode(chunk) for chunk in chunks]
    assert sum(len(encoder.batch_body(row)) > 0 for row in rows) == len(chunks)
