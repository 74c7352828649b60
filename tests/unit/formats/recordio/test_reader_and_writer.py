from __future__ import annotations

import struct
from typing import Any
from unittest import mock

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_matrix

from sageline.arrays.matrix import FloatArray, SparseMatrix
from sageline.formats.recordio import read_records, write_dense, write_sparse
from sageline.formats.recordio import reader as recordio_reader
from sageline.formats.recordio.packing import unpack_varints, varint
from tests.unit.formats.recordio import plain_recordio as plain

DENSE_EXAMPLE = bytes.fromhex(
    "0a23d7ce 2c000000 0a16 0a06 76616c756573 120c 120a 0a08 00000040 000040401212 0a06 76616c756573 1208 1206 0a04 0000803f"
)
SPARSE_EXAMPLE = bytes.fromhex(
    "0a23d7ce 35000000 0a1f 0a06 76616c756573 1215 1213 0a08 0000a040 0000e040 1203 01ac02 1a02 e807"
    "1212 0a06 76616c756573 1208 1206 0a04 00000000 000000"
)
FLOATS = st.floats(width=32)


def f4(*values: Any) -> FloatArray:
    return np.array(values, dtype=np.float32)


def sparse(rows: list[dict[int, float]], width: int) -> SparseMatrix:
    ordered = [sorted(row.items()) for row in rows]
    offsets = np.cumsum([0, *[len(row) for row in ordered]])
    columns = np.array([column for row in ordered for column, _ in row], dtype=np.int64)
    return SparseMatrix(f4(*[value for row in ordered for _, value in row]), columns, offsets, (len(rows), width))


def same_bits(one: FloatArray, other: FloatArray) -> bool:
    return one.shape == other.shape and one.tobytes() == other.tobytes()


def test_a_dense_row_is_written_as_the_published_example() -> None:
    assert write_dense(f4([2, 3]), f4(1)) == DENSE_EXAMPLE


def test_a_sparse_row_is_written_as_the_published_example() -> None:
    assert write_sparse(sparse([{1: 5, 300: 7}], 1000), f4(0)) == SPARSE_EXAMPLE


def test_the_published_examples_are_read() -> None:
    dense, labels = read_records(DENSE_EXAMPLE)
    assert isinstance(dense, np.ndarray)
    assert labels is not None
    assert (dense.tolist(), labels.tolist()) == ([[2, 3]], [1])
    matrix, labels = read_records(SPARSE_EXAMPLE)
    assert isinstance(matrix, SparseMatrix)
    assert labels is not None
    assert (matrix.columns.tolist(), matrix.values.tolist(), matrix.shape, labels.tolist()) == ([1, 300], [5, 7], (1, 1000), [0])


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("width", [0, 1, 2, 20, 29, 30, 31, 32, 33, 500, 5000])
def test_dense_rows_of_any_width_equal_the_spelled_out_bytes(width: int, labelled: bool) -> None:
    matrix = np.random.default_rng(width).normal(size=(3, width)).astype(np.float32)
    labels = f4(0, 1, 2) if labelled else None

    data = write_dense(matrix, labels)

    assert data == b"".join(plain.record(row.tolist(), index if labelled else None) for index, row in enumerate(matrix))
    read = read_records(data)
    assert isinstance(read.matrix, np.ndarray)
    assert same_bits(read.matrix, matrix)
    assert read.labels is labels is None or same_bits(read.labels, labels)  # type: ignore[arg-type]  # both are arrays here


ROWS = st.lists(st.dictionaries(st.integers(0, 70_000) | st.integers(0, 300), FLOATS, max_size=40), max_size=8)


@pytest.mark.slow
@given(ROWS, st.booleans())
def test_sparse_rows_equal_the_spelled_out_bytes(rows: list[dict[int, float]], labelled: bool) -> None:
    width = 70_001
    matrix = sparse(rows, width)
    labels = np.arange(len(rows), dtype=np.float32) if labelled else None

    data = write_sparse(matrix, labels)

    assert data == b"".join(
        plain.record([row[key] for key in sorted(row)], index if labelled else None, sorted(row), width)
        for index, row in enumerate(rows)
    )
    if rows:
        read = read_records(data)
        assert isinstance(read.matrix, SparseMatrix)
        assert read.matrix.columns.tolist() == matrix.columns.tolist()
        assert read.matrix.row_offsets.tolist() == matrix.row_offsets.tolist()
        assert same_bits(read.matrix.values, matrix.values)
        assert read.matrix.shape == (len(rows), width)
        assert (read.labels is None) == (not labelled)


@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=FLOATS))
def test_dense_rows_are_read_back_bit_for_bit(matrix: FloatArray) -> None:
    read = read_records(write_dense(matrix, matrix[:, 0]))

    assert isinstance(read.matrix, np.ndarray)
    assert read.labels is not None
    assert same_bits(read.matrix, matrix)
    assert same_bits(read.labels, np.ascontiguousarray(matrix[:, 0]))


def test_no_rows_are_no_bytes() -> None:
    assert write_dense(np.empty((0, 3), dtype=np.float32)) == write_sparse(sparse([], 3)) == b""
    assert read_records(b"").matrix.shape == (0, 0)


def test_other_number_types_are_cast() -> None:
    double = plain.tensor(struct.pack("<2d", 0.1, 1e300))
    whole = plain.tensor(plain.varint(-3) + plain.varint(70_000))
    data = plain.frame(plain.entry(1, double, 3)) + plain.frame(plain.entry(1, whole, 7))

    assert read_records(data).matrix.tolist() == [[np.float32(0.1), np.inf], [-3, 70_000]]  # type: ignore[union-attr]  # dense


def test_fields_in_another_order_and_fields_of_no_interest_are_read() -> None:
    unpacked = plain.varint(1 << 3 | 5) + plain.floats([1.5]) + plain.varint(2 << 3) + plain.varint(300)
    features = plain.field(1, plain.field(2, plain.field(2, plain.field(3, plain.varint(400)) + unpacked)) + plain.field(1, b"k"))
    extra = plain.field(3, b"uid") + plain.varint(9 << 3 | 1) + bytes(8) + plain.field(4, b"metadata")
    payload = plain.entry(2, plain.tensor(plain.floats([4]))) + extra + features

    matrix, labels = read_records(plain.frame(payload))

    assert isinstance(matrix, SparseMatrix)
    assert labels is not None
    assert (matrix.columns.tolist(), matrix.values.tolist(), matrix.shape, labels.tolist()) == ([300], [1.5], (1, 400), [4])


def test_keys_in_any_order_and_no_shape_make_a_matrix_as_wide_as_the_largest_key() -> None:
    data = plain.record([3, 1], keys=[7, 2]) + plain.record([9], keys=[7])

    matrix = read_records(data).matrix

    assert isinstance(matrix, SparseMatrix)
    assert (matrix.columns.tolist(), matrix.values.tolist(), matrix.shape) == ([2, 7, 7], [1, 3, 9], (2, 8))


def test_a_dense_row_with_a_shape_is_dense() -> None:
    matrix = read_records(plain.record([1, 2], shape=2) * 2).matrix

    assert isinstance(matrix, np.ndarray)
    assert matrix.tolist() == [[1, 2], [1, 2]]


def test_rows_that_only_look_uniform_are_read_one_by_one() -> None:
    first, other = plain.record([1, 2], 3), plain.record([4, 5], 6).replace(b"\x0a\x06values", b"\x0a\x06Values", 1)

    matrix, labels = read_records(first + other)

    assert isinstance(matrix, np.ndarray)
    assert labels is not None
    assert (matrix.tolist(), labels.tolist()) == ([[1, 2], [4, 5]], [3, 6])


GOOD = plain.record([1, 2], 3)
LABEL = plain.entry(2, plain.tensor(plain.floats([1])))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"1,2,3\n4,5,6\n", "record 1 at byte 0: the frame begins with 0x2C322C31, not 0xCED7230A"),
        (GOOD + b"\x0a\x23", "record 2 at byte 52: 2 bytes are left, a frame begins with 8"),
        (GOOD[:-4], "record 1 at byte 0: the frame says 44 bytes, 40 are left"),
        (plain.frame(b"\x1a\x01u" + GOOD[8:])[:-1], "the 47 bytes of the frame are not followed by zeros up to"),
        (plain.frame(LABEL), "record 1 at byte 0: no features"),
        (plain.frame(plain.field(1, b"")), "record 1 at byte 0: a value without a tensor of numbers"),
        (plain.frame(b"\x0b"), "record 1 at byte 0: field 1 has wire type 3, which is not in use"),
        (plain.frame(b"\x0a\x05abc"), "record 1 at byte 0: field 1 is cut off"),
        (plain.frame(b"\x0a"), "record 1 at byte 0: a varint is cut off or too long"),
        (plain.frame(b"\xff" * 12), "record 1 at byte 0: a varint is cut off or too long"),
        (plain.frame(plain.entry(1, plain.tensor(b"abc"))), "record 1 at byte 0: 3 bytes of numbers of 4 bytes"),
        (
            plain.frame(plain.entry(1, plain.field(3, b"\x02\x03"))),
            "record 1 at byte 0: a tensor of 2 dimensions, one is expected",
        ),
        (plain.frame(plain.entry(1, b"") + plain.entry(2, plain.tensor(plain.floats([1, 2])))), "the label has 2 values, one is"),
        (GOOD + plain.record([1, 2]), "2 records, of which only 1 have a label"),
        (GOOD + plain.record([1, 2, 3], 1), "record 2 has 3 values, the first one has 2"),
        (plain.record([1, 2], keys=[5]), "record 1 has 2 values and 1 keys"),
        (plain.record([1], keys=[2], shape=5) + plain.record([1], keys=[2], shape=7), "record 1 has 5 columns, others have 7"),
        (plain.record([1], keys=[7]) + plain.record([1], keys=[2]), "record 2 has 3 columns, others have 8"),
        (plain.record([1], keys=[5], shape=5), "a key of 5 in rows of 5 columns"),
        (
            plain.frame(plain.entry(1, plain.tensor(plain.floats([1])) + plain.field(2, b"\x80"))),
            "record 1 has 1 values and 0 keys",
        ),
        (plain.frame(plain.entry(1, plain.field(1, b"\x80"), 7)), "record 1 at byte 0: a varint is cut off"),
    ],
)
def test_what_is_no_recordio_is_named_with_record_and_byte(data: bytes, expected: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_records(data)
    assert str(caught.value).startswith(expected) or expected in str(caught.value)


@given(st.binary(max_size=80))
def test_any_payload_is_read_or_refused(payload: bytes) -> None:
    for data in (payload, plain.frame(payload), GOOD[:20] + payload):
        try:
            read_records(data)
        except ValueError as error:
            assert str(error)  # noqa: PT017 - either outcome is right


SPARSE_ROWS = sparse([{1: 5, 300: 7}, {}, {0: 1.5, 127: 2, 128: 3, 999: 4}], 1000)


def described(data: bytes) -> object:
    """What is read, such that equal means the same; None when it is refused."""
    try:
        matrix, labels = read_records(data)
    except ValueError:
        return None
    dense = matrix.to_dense() if isinstance(matrix, SparseMatrix) else matrix
    return type(matrix), dense.shape, dense.tobytes(), None if labels is None else labels.tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("change", [1, 2, 128])
def test_sparse_rows_with_any_byte_damaged_are_read_at_once_as_they_are_one_by_one(change: int, labelled: bool) -> None:
    data = write_sparse(SPARSE_ROWS, f4(1, 2, 3) if labelled else None)
    # A width in the millions takes memory when a matrix is made dense.
    with mock.patch.object(SparseMatrix, "to_dense", lambda matrix: np.concatenate([matrix.values, f4(*matrix.columns)])):
        for place in range(len(data)):
            damaged = bytes([*data[:place], data[place] ^ change, *data[place + 1 :]])
            at_once = described(damaged)
            with mock.patch.object(recordio_reader, "_read_alike", return_value=None):
                assert described(damaged) == at_once, f"byte {place}"


def test_sparse_rows_are_read_without_a_look_at_each_record() -> None:
    data = write_sparse(SPARSE_ROWS, f4(1, 2, 3))

    with mock.patch.object(recordio_reader, "_sparse", side_effect=AssertionError):
        matrix, labels = read_records(data)

    assert np.array_equal(matrix.to_dense(), SPARSE_ROWS.to_dense())  # type: ignore[union-attr]  # sparse
    assert labels is not None
    assert labels.tolist() == [1, 2, 3]


@given(st.lists(st.integers(0, 2**63 - 1)))
def test_varints_are_unpacked_as_they_were_packed(values: list[int]) -> None:
    packed = b"".join(map(plain.varint, values))

    assert [varint(value) for value in values] == [plain.varint(value) for value in values]
    assert unpack_varints(np.frombuffer(packed, dtype=np.uint8)).tolist() == values


def test_a_varint_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="a varint of 11 bytes"):
        unpack_varints(np.frombuffer(b"\x80" * 10 + b"\x01", dtype=np.uint8))


def test_xgboost_learns_the_same_from_what_is_read_back() -> None:
    random = np.random.default_rng(0)
    dense = np.where(random.random((200, 9)) < 0.3, random.normal(size=(200, 9)), 0).astype(np.float32)
    labels = (dense[:, 0] + dense[:, 3] > 0).astype(np.float32)
    scipy = csr_matrix(dense)
    ours = SparseMatrix(scipy.data, scipy.indices.astype(np.int64), scipy.indptr.astype(np.int64), dense.shape)

    read, read_labels = read_records(write_sparse(ours, labels))

    assert isinstance(read, SparseMatrix)
    again = csr_matrix((read.values, read.columns, read.row_offsets), shape=read.shape)
    parameters = {"objective": "binary:logistic", "nthread": 1}
    models = [
        xgboost.train(parameters, xgboost.DMatrix(features, label=target), 5)
        for features, target in ((scipy, labels), (again, read_labels))
    ]
    assert models[0].save_raw() == models[1].save_raw()
