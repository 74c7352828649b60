"""RecordIO against the writer and reader of the SageMaker Python SDK 2."""

from __future__ import annotations

import importlib
import io
import warnings
from types import ModuleType

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from sageline.arrays.matrix import FloatArray, SparseMatrix
from sageline.formats.recordio import read_records, write_dense, write_sparse


@pytest.fixture(scope="module")
def sdk() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the SDK's own, on its deprecation and on what it imports
        return importlib.import_module("sagemaker.amazon.common")


def a_table(rows: int, width: int) -> FloatArray:
    random = np.random.default_rng(width)
    table = random.normal(size=(rows, width)).astype(np.float32)
    table[random.random(table.shape) < 0.7] = 0
    return table


@pytest.mark.slow
@pytest.mark.parametrize("width", [1, 29, 30, 31, 500, 4100])
def test_dense_rows_equal_what_the_sdk_writes_and_it_reads_them(sdk: ModuleType, width: int) -> None:
    table, labels = a_table(20, width), np.arange(20, dtype=np.float32)
    theirs, theirs_unlabelled = io.BytesIO(), io.BytesIO()
    sdk.write_numpy_to_dense_tensor(theirs, table, labels)
    sdk.write_numpy_to_dense_tensor(theirs_unlabelled, table)

    assert write_dense(table, labels) == theirs.getvalue()
    assert write_dense(table) == theirs_unlabelled.getvalue()
    records = sdk.read_records(io.BytesIO(write_dense(table, labels)))
    assert [list(record.features["values"].float32_tensor.values) for record in records] == table.tolist()
    assert [list(record.label["values"].float32_tensor.values) for record in records] == labels[:, None].tolist()


@pytest.mark.parametrize("width", [2, 130, 500, 20_000])
def test_sparse_rows_equal_what_the_sdk_writes_and_it_reads_them(sdk: ModuleType, width: int) -> None:
    table, labels = a_table(20, width), np.arange(20, dtype=np.float32)
    table[3] = 0
    csr = csr_matrix(table)
    matrix = SparseMatrix(csr.data, csr.indices.astype(np.int64), csr.indptr.astype(np.int64), table.shape)
    theirs = io.BytesIO()
    sdk.write_spmatrix_to_sparse_tensor(theirs, csr, labels)

    assert write_sparse(matrix, labels) == theirs.getvalue()
    read = read_records(theirs.getvalue())
    assert isinstance(read.matrix, SparseMatrix)
    assert np.array_equal(read.matrix.to_dense(), table)
    records = sdk.read_records(io.BytesIO(write_sparse(matrix, labels)))
    assert [list(record.features["values"].float32_tensor.keys) for record in records] == [
        np.flatnonzero(row).tolist() for row in table
    ]
