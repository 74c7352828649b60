from __future__ import annotations

import numpy as np

from sageline.formats.matrix import SparseMatrix


def test_absent_cells_are_zero_or_what_the_caller_says() -> None:
    matrix = SparseMatrix(np.array([5, 7], dtype=np.float32), np.array([1, 0]), np.array([0, 1, 1, 2]), (3, 2))

    assert matrix.to_dense().tolist() == [[0, 5], [0, 0], [7, 0]]
    assert np.array_equal(matrix.to_dense(np.nan), [[np.nan, 5], [np.nan, np.nan], [7, np.nan]], equal_nan=True)
