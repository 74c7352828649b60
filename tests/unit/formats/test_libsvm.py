from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sageline.arrays.matrix import FloatArray, SparseMatrix
from sageline.formats.libsvm import read_rows, write_rows, write_weighted_rows


def f4(*values: object) -> FloatArray:
    return np.array(values, dtype=np.float32)


def test_absent_cells_are_left_out_and_columns_count_from_zero() -> None:
    table = f4([0, 1.5, np.nan], [0, 0, 0], [7, -0.25, 1e-7])

    assert write_rows(table, f4(1, 0, 2.5)) == b"1 1:1.5\n0\n2.5 0:7 1:-0.25 2:0.0000001\n"
    assert write_rows(table, f4(1, 0, 2.5), first_index=1) == b"1 2:1.5\n0\n2.5 1:7 2:-0.25 3:0.0000001\n"


def test_no_rows_are_no_bytes() -> None:
    assert write_rows(np.empty((0, 2), dtype=np.float32), f4()) == b""
    assert read_rows(b"").matrix.shape == (0, 0)


@given(
    hnp.arrays(
        np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(width=32, allow_infinity=False)
    ),
    st.sampled_from([0, 1]),
)
def test_every_value_is_read_back_exactly(table: FloatArray, first_index: int) -> None:
    labels = np.nan_to_num(table[:, 0])

    read, read_labels = read_rows(
        write_rows(table, labels, first_index=first_index), columns=table.shape[1], first_index=first_index
    )

    assert isinstance(read, SparseMatrix)
    assert np.array_equal(read.to_dense(), np.nan_to_num(table))
    assert np.array_equal(labels, read_labels)  # type: ignore[arg-type]  # there are labels


def test_large_indexes_are_written() -> None:
    columns = np.array([0, 9, 9999, 10_000, 10_001, 12_345_678], dtype=np.int64)
    matrix = SparseMatrix(np.ones(6, dtype=np.float32), columns, np.array([0, 6]), (1, 20_000_000))

    assert write_rows(matrix, f4(0)) == b"0 0:1 9:1 9999:1 10000:1 10001:1 12345678:1\n"


def test_comments_blank_ends_and_columns_in_any_order_are_read() -> None:
    matrix, labels = read_rows(b"1 3:2 0:1  # first\n-1\n")

    assert isinstance(matrix, SparseMatrix)
    assert matrix.to_dense().tolist() == [[1, 0, 0, 2], [0, 0, 0, 0]]
    assert labels is not None
    assert labels.tolist() == [1, -1]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"1 0:1\nx 0:1\n", "line 2: could not convert"),
        (b"1 0:a\n", "line 1: could not convert"),
        (b"1 0\n", "line 1: "),
        (b"1 5:1\n", "line 1: an index that is not among the 3 columns"),
        (b"1 -1:1\n", "line 1: an index that is not among the 3 columns"),
        (b"1 0:1\n\n", "line 2: "),
    ],
)
def test_what_is_no_libsvm_is_named_with_its_line(data: bytes, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        read_rows(data, columns=3)


def test_xgboost_loads_the_file_and_learns_the_same(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    # Eighths: the reader of these files in XGBoost rounds longer decimals to a neighbour at times.
    table = (random.integers(-80, 80, (300, 30)) / 8).astype(np.float32)
    table[table == 0] = np.nan
    table[random.random(table.shape) < 0.6] = np.nan
    labels = np.nan_to_num(table[:, 0])
    (tmp_path / "rows.libsvm").write_bytes(write_rows(table, labels))

    with xgboost.config_context(verbosity=0):  # it would rather be given something else than a file
        loaded = xgboost.DMatrix(f"{tmp_path / 'rows.libsvm'}?format=libsvm")

    assert loaded.get_label().tolist() == labels.tolist()
    present = loaded.get_data()
    assert np.array_equal(present.toarray(), np.nan_to_num(table))
    models = [
        xgboost.train({"objective": "reg:squarederror", "nthread": 1}, data, 5).get_dump()
        for data in (loaded, xgboost.DMatrix(table, label=labels))
    ]
    assert models[0] == models[1]


def test_xgboost_reads_labels_and_weights_to_the_bit(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    labels, weights = (random.uniform(0, 2_000, (2, 5_000)).round(4)).astype(np.float32)
    matrix = SparseMatrix(np.ones(5_000, np.float32), np.zeros(5_000, np.int64), np.arange(5_001), (5_000, 1))

    (tmp_path / "rows.libsvm").write_bytes(write_weighted_rows(matrix, labels, weights))

    with xgboost.config_context(verbosity=0):
        loaded = xgboost.DMatrix(f"{tmp_path / 'rows.libsvm'}?format=libsvm")
    assert (loaded.get_label() == labels).all()
    assert (loaded.get_weight() == weights).all()


@pytest.mark.parametrize("is_sparse", [True, False])
def test_xgboost_reads_weighted_rows_with_their_zeros_and_their_width(is_sparse: bool, tmp_path: Path) -> None:
    table = f4([0, 1.5, np.nan, np.nan], [np.nan, 0, 3, np.nan], [np.nan, np.nan, np.nan, np.nan])
    values, columns = f4(0, 1.5, np.nan, 0, 3), np.array([0, 1, 2, 1, 2])
    matrix = SparseMatrix(values, columns, np.array([0, 3, 5, 5]), (3, 4)) if is_sparse else table

    written = write_weighted_rows(matrix, f4(1, 0, 1), f4(0.5, 0, 2))

    assert written == b"1:0.5 0:0 1:1.5\n0:0 1:0 2:3\n1:2\n1:0 3:0\n"
    (tmp_path / "rows.libsvm").write_bytes(written)
    with xgboost.config_context(verbosity=0):
        loaded = xgboost.DMatrix(f"{tmp_path / 'rows.libsvm'}?format=libsvm")
    assert (loaded.num_row(), loaded.num_col(), loaded.num_nonmissing()) == (4, 4, 5)
    assert loaded.get_weight().tolist() == [0.5, 0, 2, 0]


def test_a_line_that_is_only_there_for_the_width_changes_no_model() -> None:
    random = np.random.default_rng(0)
    table, labels = random.normal(size=(200, 4)).astype(np.float32), random.integers(0, 2, 200).astype(np.float32)
    more = np.vstack([table, f4(0, 0, 0, 0)])
    weights = np.append(random.random(200), 0)

    without = xgboost.DMatrix(table, labels, weight=weights[:-1])
    with_line = xgboost.DMatrix(more, np.append(labels, 1), weight=weights)
    models = [xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 5).get_dump() for data in (without, with_line)]

    assert models[0] == models[1]


@pytest.mark.parametrize("cells", [{1: 2.0}, {}])
def test_rows_that_a_model_is_watched_by_may_be_narrower_but_are_never_without_a_cell(
    cells: dict[int, float], tmp_path: Path
) -> None:
    random = np.random.default_rng(0)
    values, columns = f4(*cells.values()), np.array([*cells], dtype=np.int64)
    watched = SparseMatrix(values, columns, np.array([0, len(cells), len(cells)]), (2, 4))
    table = random.normal(size=(50, 4)).astype(np.float32)
    train = write_weighted_rows(table, table[:, 0], np.ones_like(table[:, 0]))

    written = write_weighted_rows(watched, f4(1, 0), f4(1, 1), keeps_width=False)

    assert written == (b"1:1 1:2\n0:1\n" if cells else b"1:1\n0:1\n1:0 3:0\n")
    matrices = []
    for name, body in (("train", train), ("watched", written)):
        (tmp_path / name).write_bytes(body)
        with xgboost.config_context(verbosity=0):
            matrices.append(xgboost.DMatrix(f"{tmp_path / name}?format=libsvm"))
    trained, watching = matrices
    evals_result: dict[str, dict[str, list[float]]] = {}
    xgboost.train({"nthread": 1}, trained, 2, evals=[(watching, "watched")], evals_result=evals_result, verbose_eval=False)
    assert len(evals_result["watched"]["rmse"]) == 2
