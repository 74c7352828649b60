from __future__ import annotations

import numpy as np

from sageline.arrays.matrix import SparseMatrix


def test_absent_cells_are_zero_or_what_the_caller_says() -> None:
    matrix = SparseMatrix(np.array([5, 7], dtype=np.float32), np.array([1, 0]), np.array([0, 1, 1, 2]), (3, 2))

    assert matrix.to_dense().tolist() == [[0, 5], [0, 0], [7, 0]]
    assert np.array_equal(matrix.to_dense(np.nan), [[np.nan, 5], [np.nan, np.nan], [7, np.nan]], equal_nan=True)


def test_rows_without_a_cell_get_one_in_the_first_column() -> None:
    offsets = np.array([0, 0, 1, 1, 1, 2, 2])
    matrix = SparseMatrix(np.array([5, 7], dtype=np.float32), np.array([1, 0]), offsets, (6, 2))

    filled = matrix.fill_empty_rows(np.nan)

    assert filled.row_offsets.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert filled.columns.tolist() == [0, 1, 0, 0, 0, 0]
    assert str(filled.values.tolist()) == "[nan, 5.0, nan, nan, 7.0, nan]"
    assert (filled.values.dtype.name, filled.columns.dtype.name, filled.shape) == ("float32", "int64", (6, 2))


def test_a_matrix_without_empty_rows_stays_as_it_is() -> None:
    matrix = SparseMatrix(np.array([5], dtype=np.float32), np.array([1]), np.array([0, 1]), (1, 2))

    assert matrix.fill_empty_rows(0) is matrix
