"""A row is encoded for a request bit for bit as it was for training, whatever is in it."""

from __future__ import annotations

import io
from collections import Counter
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.matrix import FloatArray, Matrix, SparseMatrix
from sageline.dataset.readers.source import open_blocks
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import InvalidDataset
from sageline.formats.csv import read_rows
from sageline.formats.recordio import read_records
from sageline.spec.model import Spec
from tests.unit.preparation.test_fit_and_encode import SOURCE, TEXT, as_csv, bits, prepare_csv, spec_of

NUMBER = st.one_of(
    st.floats(width=32, allow_nan=False, allow_infinity=False).map(str),
    st.floats(-3e38, 3e38).map(repr),
    st.integers(-(10**30), 10**30).map(str),
    st.sampled_from(["", "NA", " 1.5 ", "+7", "1e3", ".5", "5.", "?", "-0"]),
)
CATEGORY = st.one_of(st.sampled_from(["", "a", "b", "3", "3.0", "true"]), TEXT)


@pytest.mark.slow
@given(
    st.sampled_from(["count", "binary", "frequency", "tf-idf"]),
    st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=12),
)
def test_text_is_encoded_for_a_request_bit_for_bit_as_for_training(mode: str, rows: list[tuple[str, str]]) -> None:
    filler = [(f"word{index} {'again ' * (index % 4)}", "end") for index in range(40)]
    data = as_csv("a,b,label", [(*row, index % 2) for index, row in enumerate([*rows, *filler])])
    spec = spec_of(
        {"a": "text", "b": "text"},
        "label",
        "classification",
        encoder={"kind": "columns", "layout": "sparse", "text": {"mode": mode}},
    )

    assert_no_skew(data, spec)


@pytest.mark.slow
@given(st.lists(st.tuples(NUMBER, CATEGORY, NUMBER), min_size=1, max_size=12))
def test_a_table_is_encoded_for_a_request_bit_for_bit_as_for_training(rows: list[tuple[str, str, str]]) -> None:
    filler = [(str(index), "a", "1") for index in range(40)]
    data = as_csv("n,c,m,label", [(*row, index % 2) for index, row in enumerate([*rows, *filler])])

    assert_no_skew(data, spec_of({"n": "number", "c": "category", "m": "number"}, "label", "classification"))


COLUMNS_OPTIONS = st.fixed_dictionaries(
    {
        "kind": st.just("columns"),
        "layout": st.sampled_from(["dense", "sparse"]),
        "number": st.fixed_dictionaries(
            {
                "missing": st.sampled_from(["keep", "mean", "median", "value"]),
                "missing_value": st.floats(-1e9, 1e9),
                "scale": st.sampled_from(["none", "standard", "min-max"]),
                "indicator": st.booleans(),
            }
        ),
        "category": st.fixed_dictionaries({"encoding": st.sampled_from(["one-hot", "ordinal"])}),
        "text": st.fixed_dictionaries({"mode": st.sampled_from(["count", "tf-idf"]), "statistics": st.booleans()}),
        "join_texts": st.booleans(),
    }
)
DATE = st.dates(date(1, 1, 1)).map(str) | st.sampled_from(["", "n/a", "2021-05-30T12:30:00+02:00", "2021-05-30 23:59"])
KINDS = {"n": "number", "c": "category", "d": "date", "t": "text", "u": "text"}


@pytest.mark.slow
@given(COLUMNS_OPTIONS, st.lists(st.tuples(NUMBER, CATEGORY, DATE, TEXT, TEXT), min_size=1, max_size=12))
def test_whatever_the_options_a_table_is_encoded_for_a_request_as_for_training(
    options: dict[str, Any], rows: list[tuple[str, str, str, str, str]]
) -> None:
    filler = [(str(index / 7), "ab"[index % 2], f"2020-01-{index % 28 + 1:02}", f"word{index}", "again") for index in range(40)]
    data = as_csv("n,c,d,t,u,label", [(*row, index % 2) for index, row in enumerate([*rows, *filler])])

    assert_no_skew(data, spec_of(KINDS, "label", "classification", encoder=options))


PIXEL = st.integers(0, 255).map(str) | st.floats(0, 1, width=32).map(str) | st.sampled_from(["1e-3", " 7 ", "-0", "255.0"])


@pytest.mark.slow
@given(st.floats(1e-6, 10), st.lists(st.tuples(PIXEL, PIXEL, PIXEL, PIXEL), min_size=1, max_size=12))
def test_an_image_is_encoded_for_a_request_bit_for_bit_as_for_training(scale: float, rows: list[tuple[str, ...]]) -> None:
    filler = [(str(index), "1", "2", "3") for index in range(40)]
    data = as_csv("label,p,q,r,s", [(index % 2, *row) for index, row in enumerate([*rows, *filler])])
    features = dict.fromkeys("pqrs", "pixel")

    assert_no_skew(data, spec_of(features, "label", "classification", encoder={"kind": "image", "scale": scale}))


def read_body(body: bytes, encoder: FittedEncoder) -> Matrix:
    return read_rows(body).matrix if encoder.exchange.request_content_type == "text/csv" else read_records(body).matrix


def assert_no_skew(data: bytes, spec: Spec) -> None:
    """Every row of the file, sent alone as a request with a reloaded encoder, is what was written of it."""
    try:
        prepared, parts = prepare_csv(data, spec)
    except InvalidDataset as error:
        assert "beyond the range" in error.message or "the split leaves" in error.message  # noqa: PT017 - anything else is a bug
        return
    encoder = FittedEncoder.load(prepared.encoder.save())
    written = Counter[str]()
    evaluated = read_body(b"".join(piece.body for piece in parts.asked), encoder)
    for matrix in (*(parts.rows(channel, prepared).matrix for channel in ("train", "validation")), evaluated):
        for index in range(matrix.shape[0]):
            written[repr(bits(row_of(matrix, index)))] += 1
    sent = Counter[str]()
    for read in open_blocks(io.BytesIO(data), SOURCE, "csv"):
        columns = [read.columns[name].tolist() for name in encoder.feature_columns]
        for values in zip(*columns, strict=True):
            block = encoder.block_from_instances([dict(zip(encoder.feature_columns, values, strict=True))], [])
            sent[repr(bits(read_body(encoder.request_body(encoder.encode(block)), encoder)))] += 1
    assert sent == written
    for row in [line["features"] for line in parts.raw]:
        assert encoder.body_of([row], []) == encoder.request_body(encoder.encode_instances([row], []))


def row_of(matrix: FloatArray | SparseMatrix, index: int) -> FloatArray | SparseMatrix:
    if isinstance(matrix, np.ndarray):
        return matrix[index : index + 1]
    start, end = matrix.row_offsets[index : index + 2]
    offsets = np.array([0, end - start])
    return SparseMatrix(matrix.values[start:end], matrix.columns[start:end], offsets, (1, matrix.shape[1]))
