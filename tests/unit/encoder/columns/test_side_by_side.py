from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.matrix import Matrix, SparseMatrix
from sageline.encoder.columns import side_by_side

CELLS = st.sampled_from([0.0, -0.0, 1.0, 2.5, math.nan])


def sparse_of(rows: list[list[float]], width: int) -> SparseMatrix:
    """NaN is no cell."""
    cells = [(value, column) for row in rows for column, value in enumerate(row) if not math.isnan(value)]
    counts = [sum(not math.isnan(value) for value in row) for row in rows]
    values, columns = np.array([value for value, _ in cells], np.float32), np.array([column for _, column in cells], np.int64)
    return SparseMatrix(values, columns, np.cumsum([0, *counts]), (len(rows), width))


@st.composite
def parts(draw: st.DrawFn) -> tuple[list[list[list[float]]], list[Matrix]]:
    """Parts as rows of cells, and as they are encoded: dense, one cell at most in each row, any cells."""
    rows = draw(st.integers(0, 5))
    lists, encoded = [], list[Matrix]()
    for kind in draw(st.lists(st.sampled_from(["dense", "one", "any"]), min_size=1, max_size=6)):
        width = draw(st.integers(1, 4))
        cells = [draw(st.lists(CELLS, min_size=width, max_size=width)) for _ in range(rows)]
        if kind == "one":
            kept = [draw(st.integers(0, width)) for _ in range(rows)]
            cells = [[v if at == place else math.nan for at, v in enumerate(row)] for row, place in zip(cells, kept, strict=True)]
        lists.append(cells)
        encoded.append(np.array(cells, dtype=np.float32).reshape(rows, width) if kind == "dense" else sparse_of(cells, width))
    return lists, encoded


@given(parts())
def test_a_row_has_the_cells_of_its_parts_one_part_after_the_other(drawn: tuple[list[list[list[float]]], list[Matrix]]) -> None:
    lists, encoded = drawn
    rows = len(lists[0])
    width = sum(part.shape[1] for part in encoded)
    expected = sparse_of([[value for part in lists for value in part[row]] for row in range(rows)], width)

    joined = side_by_side.sparse(encoded, rows)

    assert joined.shape == expected.shape
    for name in ("values", "columns", "row_offsets"):
        found, wanted = getattr(joined, name), getattr(expected, name)
        assert (found.dtype, found.tobytes()) == (wanted.dtype, wanted.tobytes())


@given(parts())
def test_a_dense_row_has_zeros_where_a_sparse_part_has_no_cell(drawn: tuple[list[list[list[float]]], list[Matrix]]) -> None:
    lists, encoded = drawn
    rows = len(lists[0])

    joined = side_by_side.dense(encoded, rows)

    absent = [0.0 if isinstance(part, SparseMatrix) else math.nan for part in encoded]
    for row in range(rows):
        expected = [its if math.isnan(value) else value for part, its in zip(lists, absent, strict=True) for value in part[row]]
        np.testing.assert_array_equal(joined[row], np.array(expected, dtype=np.float32))
