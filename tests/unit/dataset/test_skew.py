"""What is trained on is what is asked for: for every algorithm, bit for bit, by an endpoint's request and by a transform job."""

from __future__ import annotations

import io
import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sageline.arrays.matrix import SparseMatrix
from sageline.dataset.readers.source import open_blocks
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import InvalidDataset
from sageline.formats.csv import read_rows
from sageline.formats.npy import read_array
from sageline.formats.recordio import read_records
from sageline.preparation.first_read import Prepared
from tests.unit.preparation.test_fit_and_encode import SOURCE, TEXT, Parts, as_csv, prepare_csv, spec_of
from tests.unit.preparation.test_requests_as_training import CATEGORY, NUMBER, PIXEL

pytestmark = pytest.mark.slow

TARGZ = "s3://b/x.tar.gz"
ALGORITHMS: dict[str, dict[str, Any]] = {  # the spec's JSON
    "xgboost": {"name": "xgboost"},
    "linear-learner": {"name": "linear-learner"},
    "knn": {"name": "knn"},
    "tensorflow": {"name": "tensorflow"},
    "scikit-learn": {"name": "script", "script": {"framework": "scikit-learn", "source_dir": TARGZ}},
    "pytorch": {"name": "script", "script": {"framework": "pytorch", "source_dir": TARGZ, "channel_format": "csv"}},
    "tensorflow-csv": {"name": "tensorflow", "script": {"source_dir": TARGZ, "channel_format": "csv"}},
}
TABLE = {"n": "number", "c": "category", "m": "number"}
PIXELS = dict.fromkeys("pqrs", "pixel")

each_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS)
few = settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])


@each_algorithm
@few
@given(rows=st.lists(st.tuples(NUMBER, CATEGORY, NUMBER), min_size=1, max_size=8))
def test_tables(algorithm: str, rows: list[tuple[str, str, str]]) -> None:
    filler = [(str(index), "a", "1") for index in range(40)]
    data = as_csv("n,c,m,label", [(*row, index % 2) for index, row in enumerate([*rows, *filler])])
    encoder = {"kind": "columns", "number": {"missing": "mean", "scale": "standard"}}

    assert_no_skew(data, TABLE, encoder, algorithm)


@each_algorithm
@few
@given(rows=st.lists(TEXT, min_size=1, max_size=8))
def test_texts(algorithm: str, rows: list[str]) -> None:
    texts = [*rows, *(f"word{index} {'again ' * (index % 4)}" for index in range(40))]
    data = as_csv("post,label", [(text, index % 2) for index, text in enumerate(texts)])

    assert_no_skew(data, {"post": "text"}, {"kind": "columns", "layout": "sparse", "text": {"mode": "tf-idf"}}, algorithm)


@each_algorithm
@few
@given(rows=st.lists(st.tuples(PIXEL, PIXEL, PIXEL, PIXEL), min_size=1, max_size=8))
def test_images(algorithm: str, rows: list[tuple[str, ...]]) -> None:
    filler = [(str(index), "1", "2", "3") for index in range(40)]
    data = as_csv("label,p,q,r,s", [(index % 2, *row) for index, row in enumerate([*rows, *filler])])

    assert_no_skew(data, PIXELS, {"kind": "image"}, algorithm)


@few
@given(rows=st.lists(TEXT, min_size=1, max_size=8))
def test_lines_of_words(rows: list[str]) -> None:
    data = as_csv("post,label", [(text, index % 2) for index, text in enumerate([*rows, *map("word {}".format, range(40))])])
    spec = spec_of({"post": "text"}, "label", "classification", encoder={"kind": "tokens"}, algorithm={"name": "blazingtext"})

    prepared, parts = prepare_csv(data, spec)

    encoder = FittedEncoder.load(prepared.encoder.save())
    lines = [line for channel in ("train", "validation") for line in parts.channels.get(channel, b"").decode().split("\n")[:-1]]
    asked = [json.loads(line)["source"] for piece in parts.asked for line in piece.body.decode().split("\n")[:-1]]
    written = Counter([*(line.partition(" ")[2] for line in lines), *asked])
    requests, batch = Counter[str](), Counter[str]()
    for block in open_blocks(io.BytesIO(data), SOURCE, "csv"):
        for text in block.columns["post"].tolist():
            requests.update(json.loads(encoder.request_body(encoder.encode_instances([text])))["instances"])
        batch_lines = encoder.batch_body(encoder.encode(block)).decode().split("\n")[:-1]
        batch.update(json.loads(line)["source"] for line in batch_lines)
    assert requests == written == batch


def assert_no_skew(data: bytes, features: dict[str, str], encoder_spec: dict[str, Any], algorithm: str) -> None:
    spec = spec_of(features, "label", "classification", encoder=encoder_spec, algorithm=ALGORITHMS[algorithm])
    try:
        prepared, parts = prepare_csv(data, spec)
    except InvalidDataset as error:
        assert "beyond the range" in error.message or "the split leaves" in error.message  # noqa: PT017 - anything else is a bug
        return
    encoder = FittedEncoder.load(prepared.encoder.save())
    kept, sent, as_json, batch = written(prepared, parts), Counter[bytes](), Counter[bytes](), Counter[bytes]()
    for block in open_blocks(io.BytesIO(data), SOURCE, "csv"):
        columns = [block.columns[name].tolist() for name in features]
        for values in zip(*columns, strict=True):
            texts = dict(zip(features, values, strict=True))
            numbers = {name: as_number(text, features[name]) for name, text in texts.items()}
            for instance, counted in ((texts, sent), (numbers, as_json)):
                body = encoder.request_body(encoder.encode_instances([instance], []))
                counted.update(rows_in(body, encoder.exchange.request_content_type, encoder))
        for chunk in encoder.chunks(block):
            body = encoder.batch_body(encoder.encode(chunk))
            batch.update(rows_in(body, encoder.exchange.batch_content_type, encoder))
    assert sent == kept
    assert as_json == kept
    assert batch == kept


def written(prepared: Prepared, parts: Parts) -> Counter[bytes]:
    """Rows of all channels, those of the test rows as the evaluation sends them."""
    encoder = prepared.encoder
    rows = Counter[bytes]()
    for piece in parts.asked:
        rows.update(rows_in(piece.body, encoder.exchange.batch_content_type, encoder))
    for channel in ("train", "validation"):
        for pair in parts.pairs.get(channel, []):
            rows.update(bits(pair.x))
        if channel in parts.channels:
            rows.update(bits(parts.rows(channel, prepared).matrix))
    return rows


def rows_in(body: bytes, content_type: str, encoder: FittedEncoder) -> list[bytes]:
    """The rows that a container reads in a request."""
    match content_type:
        case "text/csv":
            return bits(read_rows(body).matrix)
        case "application/json":
            rows = np.array(json.loads(body, parse_int=float)["instances"], dtype=np.float64).astype(np.float32)
        case "application/x-npy":
            rows = read_array(body)
        case _:
            return bits(read_records(body).matrix)
    shape = encoder.image_shape if encoder.image_shape and encoder.channel_format != "csv" else (encoder.feature_dim,)
    assert rows.shape[1:] == shape
    return bits(rows)


def bits(matrix: Any) -> list[bytes]:  # Any: dense rows of any shape, or a sparse matrix
    """Each row such that equal means the same bits, a missing cell that of NaN."""
    dense = matrix.to_dense(np.nan) if isinstance(matrix, SparseMatrix) else matrix
    assert dense.dtype == np.float32
    return [np.where(np.isnan(row), np.float32("nan"), row).tobytes() for row in dense]


def as_number(text: str, kind: str) -> object:
    """The value as JSON says it: a number where the text is one."""
    if kind not in ("number", "pixel"):
        return text
    try:
        return float(text)
    except ValueError:
        return None
