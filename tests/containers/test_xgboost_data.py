"""The XGBoost image's readers of channels and requests, on what Sageline writes; and the emulator's beside them."""

from __future__ import annotations

import contextlib
import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sageline.arrays.matrix import FloatArray, SparseMatrix
from sageline.encoder.fitted import FittedEncoder
from sageline.formats.csv import write_rows
from sagemaker_emulator.engines.xgboost import data as emulated
from sagemaker_emulator.engines.xgboost.failures import UserError
from sagemaker_emulator.engines.xgboost.library import xgboost
from sagemaker_emulator.engines.xgboost.requests import UndecodableRequest, decode
from tests.unit.encoder.encoders import one_number_encoder, table_encoder, text_encoder
from tests.unit.formats.recordio.plain_recordio import record

RECORDIO, CSV, LIBSVM = "application/x-recordio-protobuf", "text/csv", "text/libsvm"
TEXTS = ["unknown", "hello wörld hello", "", "wörld", "unknown"]


@pytest.fixture(scope="module")
def serving() -> ModuleType:
    return importlib.import_module("sagemaker_xgboost_container.algorithm_mode.serve_utils")


@pytest.fixture(scope="module")
def training() -> ModuleType:
    return importlib.import_module("sagemaker_xgboost_container.data_utils")


def cells(matrix: xgboost.DMatrix) -> FloatArray:
    """``float32[rows, columns]``, NaN for what is missing."""
    found = matrix.get_data()
    rows = np.repeat(np.arange(found.shape[0]), np.diff(found.indptr))
    dense = np.full((matrix.num_row(), matrix.num_col()), np.nan, dtype=np.float32)
    dense[rows, found.indices] = found.data
    return dense


def same(one: FloatArray, other: FloatArray) -> bool:
    return np.array_equal(one, other, equal_nan=True)


def test_texts_without_a_known_word_are_read_beside_others(serving: ModuleType, training: ModuleType, tmp_path: Path) -> None:
    encoder = text_encoder()
    encoded = encoder.encode(encoder.block_from_instances(list(TEXTS)))
    assert isinstance(encoded, SparseMatrix)
    expected = encoded.to_dense(np.nan)
    labels = np.arange(len(TEXTS), dtype=np.float32)
    written = encoder.write(encoded, labels)
    assert isinstance(written, bytes)
    (tmp_path / "part-00000.libsvm").write_bytes(written)
    content_type = training.get_content_type(encoder.exchange.channel_content_type)
    training.validate_data_file_path(str(tmp_path), content_type)

    trained = training.get_dmatrix(str(tmp_path), content_type)

    assert same(cells(trained), expected)
    assert trained.get_label().tolist() == labels.tolist()
    for body in (encoder.request_body(encoded), encoder.batch_body(encoded)):
        assert same(cells(serving.parse_content_data(body, RECORDIO)[0]), expected)
    for index in range(len(TEXTS)):
        alone = encoder.request_body(encoder.encode_instances([TEXTS[index]]))
        assert same(cells(serving.parse_content_data(alone, RECORDIO)[0]), expected[index : index + 1])


@pytest.mark.parametrize("encoder", [table_encoder(), one_number_encoder(), replace(table_encoder(["a", "b", "c"]))])
def test_tables_are_read(serving: ModuleType, training: ModuleType, tmp_path: Path, encoder: FittedEncoder) -> None:
    width = len(encoder.feature_columns)
    rows: list[object] = [[5.1, "red", None][:width], [None, "?", -1e-30][:width], [1e30, None, 0][:width]]
    encoded = encoder.encode_instances(rows)
    assert isinstance(encoded, np.ndarray)
    written = encoder.write(encoded, np.array([1, 0, 2], dtype=np.float32))
    assert isinstance(written, bytes)
    (tmp_path / "part-00000").write_bytes(written)
    content_type = training.get_content_type(encoder.exchange.channel_content_type)
    training.validate_data_file_path(str(tmp_path), content_type)

    trained = training.get_dmatrix(str(tmp_path), content_type)

    assert same(cells(trained), encoded)
    assert trained.get_label().tolist() == [1, 0, 2]
    for index in range(len(rows)):
        body = encoder.request_body(encoder.encode_instances(rows[index : index + 1]))
        read, _ = serving.parse_content_data(body, encoder.exchange.request_content_type)
        assert same(cells(read), encoded[index : index + 1])


@given(
    st.lists(st.lists(st.none() | st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=2, max_size=5)),
    st.integers(2, 5),
)
def test_any_table_of_two_columns_or_more_is_read_from_csv(
    serving: ModuleType, rows: list[list[float | None]], width: int
) -> None:
    matrix = np.full((len(rows) + 1, width), np.nan, dtype=np.float32)
    for index, row in enumerate(rows):
        matrix[index, : len(row[:width])] = [np.nan if value is None else value for value in row[:width]]

    read, _ = serving.parse_content_data(write_rows(matrix), CSV)

    assert same(cells(read), matrix)


REFUSED = "refused"
SPARSE = st.dictionaries(st.integers(0, 6), st.floats(-9, 9, width=32), max_size=4)


@settings(deadline=None)  # the first request imports protobuf
@given(st.lists(st.tuples(SPARSE, st.sampled_from([7, 7, 7, 9, None])), min_size=1, max_size=4))
def test_the_emulator_refuses_the_records_that_the_image_refuses(
    serving: ModuleType, rows: list[tuple[dict[int, float], int | None]]
) -> None:
    body = b"".join(
        record([row[key] for key in sorted(row)], keys=sorted(row), shape=shape if row else None) for row, shape in rows
    )

    image = outcome_of_image(serving, body, RECORDIO)
    # scipy lets records of no columns pass in front of all others, which the emulator does not.
    expected = image if rows[0][0] or not any(row for row, _ in rows) else REFUSED
    assert outcome_of_emulator(body, RECORDIO) == expected


def outcome_of_image(serving: ModuleType, body: bytes, content_type: str | None) -> object:
    try:
        return described(serving.parse_content_data(body, content_type)[0])
    except Exception:
        return REFUSED


def outcome_of_emulator(body: bytes, content_type: str | None) -> object:
    try:
        return described(decode(body, content_type))
    except UndecodableRequest:
        return REFUSED


def described(matrix: xgboost.DMatrix) -> object:
    return (matrix.num_row(), matrix.num_col(), str(cells(matrix).tolist()) if matrix.num_col() else "")


@pytest.mark.parametrize(
    "content_type", [CSV, "csv", "csv;label_size=1", "text/csv; charset=utf-8", "TEXT/CSV", "text/csv;label_size=0"]
)
@pytest.mark.parametrize(
    "body",
    [
        *(b"1,2\n", b"1,2,3\n4,5,6", b"1;2\n3;4", b"1 2\n3 4", b"1\t2", b"1|2", b",", b",,\n", b"1,\n,2", b" 1, 2", b"1, ,2"),
        *(b"5", b"5.1", b"-1", b"1e5", b"-0.5\n2", b"1\n2\n3", b"abc", b"a,b", b"1,2\n3", b"\n\n1,2\n\n", b"1,2\n\n3,4", b"\xff"),
        *(b"1,nan", b"1,NaN,inf", b"0x1F,2", b'"1","2"', b"1,2\r\n3,4\r\n", b"1:2", b"1.5-2", b"-;-", b"   "),
    ],
)
def test_csv_requests_are_taken_and_refused_alike(serving: ModuleType, body: bytes, content_type: str) -> None:
    assert outcome_of_emulator(body, content_type) == outcome_of_image(serving, body, content_type)


@pytest.mark.parametrize("content_type", [LIBSVM, "text/x-libsvm", None, "libsvm"])
@pytest.mark.parametrize(
    "body",
    [
        *(b"0:1 2:3", b"1:1 3:-2", b"1 0:1 2:3\n0 1:5", b"0:1\n\n1:2", b"0:1\n1", b"1", b"0:1:2", b"0:x", b"a:1", b"0:1\t1:2"),
        *(b"-1:2", b"0:1  1:2", b" 0:1", b"0:1\n"),
    ],
)
def test_libsvm_requests_are_taken_and_refused_alike(serving: ModuleType, body: bytes, content_type: str | None) -> None:
    assert outcome_of_emulator(body, content_type) == outcome_of_image(serving, body, content_type)


@pytest.mark.parametrize(
    ("content_type", "files"),
    [
        ("csv", {"a": b"1,2,3\n0,4,5\n"}),
        ("csv", {"a": b"1;2;3\n"}),
        ("csv", {"a": b"1\n"}),
        ("csv", {"a": b"5.1\n0.5\n"}),
        ("csv", {"a": b"1,2\n", "b": b""}),
        ("csv", {"_a": b"1,2\n"}),
        ("csv", {"a": b"1,2\n", "_b": b"1,3\n"}),
        ("csv", {"x/y/a": b"1,2\n"}),
        ("csv", {"x/y/z/a": b"1,2\n"}),
        ("csv", {"x/a": b"1,2\n", "b": b"0,2\n"}),
        ("csv", {".a": b"1,2\n"}),
        ("csv", {"a": b"label,x\n1,2\n"}),
        ("csv", {"a": b"1,2\n1\n"}),
        ("csv", {"a": b"1,\n,2\n"}),
        ("libsvm", {"a": b"1 0:1 1:2\n0 1:3\n"}),
        ("libsvm", {"a": b"1 0:1 1:2\n0 x\n"}),
        ("libsvm", {"a": b"1\n0\n"}),
        ("libsvm", {"a": b"1:0.5 0:1\n"}),
        ("libsvm", {"a": b"1,2\n"}),
        ("libsvm", {"a": b"0 a:1 b:2\n"}),
        ("recordio-protobuf", {"a": record([1, 2], 1)}),
        ("recordio-protobuf", {"a": record([1, 2], 1), "b": record([1], 0, [1], 2)}),
        ("recordio-protobuf", {"a": record([1, 2], 1), "b": record([1], 0, [1], 3)}),
        ("recordio-protobuf", {"a": record([1, 2])}),
        ("recordio-protobuf", {"a": record([1, 2], 1), "b": record([1, 2])}),
        ("recordio-protobuf", {"a": record([1, 2], 1), "_b": record([1, 2], 0)}),
        ("recordio-protobuf", {"a": b"1,2"}),
    ],
)
def test_channels_are_taken_and_refused_alike(
    training: ModuleType, tmp_path: Path, content_type: str, files: dict[str, bytes]
) -> None:
    train = importlib.import_module("sagemaker_xgboost_container.algorithm_mode.train")
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)

    image: object = REFUSED
    emulator: object = REFUSED
    with contextlib.suppress(Exception):
        image = described_channel(train.get_validated_dmatrices(str(tmp_path), None, content_type)[0])
    with contextlib.suppress(UserError):
        emulator = described_channel(emulated.read_matrix(tmp_path, content_type, weights=False))

    assert emulator == image


def described_channel(matrix: xgboost.DMatrix | None) -> object:
    """Labels and rows, in any order: the image's files are linked under names with a hash."""
    if matrix is None:
        return REFUSED
    rows = zip(matrix.get_label().tolist(), cells(matrix).tolist(), strict=True)
    return matrix.num_col(), sorted(map(str, rows))
