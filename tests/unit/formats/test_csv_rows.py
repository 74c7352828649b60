from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sageline.arrays.matrix import FloatArray
from sageline.formats import libsvm
from sageline.formats.csv import read_rows, write_rows


def f4(*values: object) -> FloatArray:
    return np.array(values, dtype=np.float32)


def test_rows_are_written_without_a_header_and_with_the_label_first() -> None:
    matrix = f4([1, np.nan, -0.5], [0.1, 1e20, 12345])

    assert write_rows(matrix, f4(3, 0)) == b"3,1,,-0.5\n0,0.1,1e+20,12345\n"
    assert write_rows(matrix) == b"1,,-0.5\n0.1,1e+20,12345\n"
    assert write_rows(f4([1e-5, 1.67, 1e-12]), f4(0)) == b"0,0.00001,1.66999996,1e-12\n"
    assert write_rows(f4([1e-5, 1.67, 1e-12])) == b"1e-05,1.67,1e-12\n"


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=5),
        elements=st.floats(width=32, allow_infinity=False, allow_nan=False) | st.just(np.nan),
    ),
    st.booleans(),
)
def test_every_float32_is_read_back_exactly(matrix: FloatArray, labelled: bool) -> None:
    labels = np.nan_to_num(matrix[:, 0]) if labelled else None

    rows = read_rows(write_rows(matrix, labels), labelled=labelled)

    assert isinstance(rows.matrix, np.ndarray)
    assert np.isnan(rows.matrix).tolist() == np.isnan(matrix).tolist()
    assert np.nan_to_num(rows.matrix).tobytes() == np.nan_to_num(matrix).tobytes()
    assert rows.labels is labels is None or np.array_equal(rows.labels, labels)  # type: ignore[arg-type]  # both are arrays here


SHORT = st.builds(
    lambda units, decimals: float(np.float32(units / 10**decimals)), st.integers(-(10**9), 10**9), st.integers(0, 8)
)
WHOLE = st.integers(0, 1100).map(float)


@given(hnp.arrays(np.float32, st.integers(1, 12), elements=st.floats(width=32) | SHORT | WHOLE))
def test_numbers_have_the_fewest_digits_that_read_back(values: FloatArray) -> None:
    written = write_rows(values[:, None]).decode().splitlines()
    labelled = write_rows(values[:, None], np.zeros_like(values)).decode().splitlines()

    for text, line, value in zip(written, labelled, values, strict=True):
        cell = line.removeprefix("0,")
        assert np.isnan(value) if text == cell == "" else {np.float32(one).tobytes() for one in (text, cell)} == {value.tobytes()}
        if 1e-4 <= abs(value) < 2**24:
            assert len(text) == len(np.format_float_positional(value, unique=True, trim="-"))
            assert adds_up(cell, value)
            assert len(cell) == len(text) or not adds_up(text, value)


def adds_up(text: str, value: np.float32) -> bool:
    """Whether XGBoost's reader, which adds two float32, has the number."""
    whole, _, decimals = text.lstrip("-").partition(".")
    return bool(np.float32(whole) + np.float32(f"0.{decimals}0") == abs(value))


@pytest.mark.parametrize("kind", ["csv", "libsvm"])
def test_xgboost_reads_all_numbers_to_the_bit(kind: str, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    cents = (random.integers(0, 10**7, 40_000) / 100).astype(np.float32)
    logarithms = np.log1p(random.integers(0, 10**4, 40_000)).astype(np.float32)
    everywhere = (random.uniform(-1, 1, 80_000) * 10.0 ** random.integers(-9, 19, 80_000)).astype(np.float32)
    sizes = random.integers(0, 0x7F800000, 40_000, dtype=np.uint32).view(np.float32)
    least, most = np.finfo(np.float32).smallest_subnormal, np.finfo(np.float32).max
    extremes = f4(least, -least, 3 * least, np.finfo(np.float32).tiny, most, -most, np.nextafter(most, np.float32(0)), 1e38)
    table = np.concatenate([cents, logarithms, everywhere, sizes, -sizes, extremes]).reshape(-1, 4)
    labels, ones = table[::-1, 0].copy(), np.ones(len(table), dtype=np.float32)
    written = write_rows(table, labels) if kind == "csv" else libsvm.write_weighted_rows(table, labels, ones)
    (tmp_path / "rows").write_bytes(written)

    with xgboost.config_context(verbosity=0):
        read = xgboost.DMatrix(f"{tmp_path / 'rows'}?format={kind}{'&label_column=0' if kind == 'csv' else ''}")

    assert np.array_equal(read.get_data().toarray(), table)
    assert np.array_equal(read.get_label(), labels)


def test_float32_from_all_over_are_read_back_exactly_by_way_of_float64_and_without() -> None:
    random = np.random.default_rng(0)
    values = random.integers(0, 2**32, 100_000, dtype=np.uint32).view(np.float32)
    around_one = (random.normal(size=100_000) * 10.0 ** random.integers(-4, 8, 100_000)).astype(np.float32)
    values = np.concatenate([values[np.isfinite(values)], around_one])

    texts = write_rows(values[:, None]).decode().splitlines()

    assert np.array([float(text) for text in texts]).astype(np.float32).tobytes() == values.tobytes()
    assert np.loadtxt(texts, dtype=np.float32).tobytes() == values.tobytes()


def test_a_number_is_written_the_same_way_whatever_is_beside_it() -> None:
    values = f4(0, 7, 255, 1000, 12345678, 0.5, 0.25, 1.0001, 1e-4, 9.9e-5, 1e8, 0.12345678, -0.0, -3, 2**24 + 2, 1e-40)

    alone = [write_rows(f4(value)[None]) for value in values]

    assert write_rows(values[:, None]) == b"".join(alone)
    assert write_rows(values[None]) == b",".join(text.removesuffix(b"\n") for text in alone) + b"\n"


def test_tables_of_more_cells_than_one_pass_takes_and_of_no_columns() -> None:
    table = np.random.default_rng(0).integers(0, 300, (70, 1000)).astype(np.float32)

    assert np.array_equal(read_rows(write_rows(table)).matrix, table)  # type: ignore[arg-type]  # dense
    assert write_rows(table[:, :0]) == b"\n" * 70
    assert write_rows(table[:2, :0], f4(1, 2.5)) == b"1\n2.5\n"


def test_no_rows_are_no_bytes() -> None:
    assert write_rows(np.empty((0, 2), dtype=np.float32)) == b""
    assert read_rows(b"").matrix.shape == (0, 0)


def test_other_writers_of_csv_are_read() -> None:
    assert read_rows(b"1, 2.50 ,+3\r\n4,5,1e39").matrix.tolist() == [[1, 2.5, 3], [4, 5, np.inf]]  # type: ignore[union-attr]  # dense


@given(
    st.lists(
        st.sampled_from(["1", "-0.5", "2e3", "nan", "inf", "1e400", "", " ", "\t", " 3 ", "1_0", "\u0661"]),
        min_size=2,
        max_size=6,
    )
)
def test_every_cell_is_read_as_python_reads_numbers_and_blanks_are_missing(cells: list[str]) -> None:
    found = read_rows(f"{','.join(cells)}\n{','.join(reversed(cells))}\n".encode()).matrix

    with np.errstate(over="ignore"):
        expected = np.array([float(cell) if cell.strip() else np.nan for cell in cells]).astype(np.float32)
    assert np.array_equal(found, [expected, expected[::-1]], equal_nan=True)  # type: ignore[arg-type]  # dense


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"1,2\n3\n", "line 2 has 1 cells, the first line has 2"),
        (b"1,2\n3,x\n", "line 2, column 2: 'x' is not a number"),
        (b"1,2\n\n", "line 2 has 1 cells, the first line has 2"),
        (b"1,0x10\n", "line 1, column 2: '0x10' is not a number"),
        (b"\xff", "utf-8"),
    ],
)
def test_what_is_no_table_of_numbers_is_named(data: bytes, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        read_rows(data)


def test_xgboost_learns_the_same_from_what_is_read_back() -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(200, 6)).astype(np.float32)
    matrix[random.random((200, 6)) < 0.2] = np.nan
    target = np.nan_to_num(matrix[:, 0]) * 3

    read, labels = read_rows(write_rows(matrix, target), labelled=True)

    models = [
        xgboost.train({"objective": "reg:squarederror", "nthread": 1}, xgboost.DMatrix(features, label=values), 5)
        for features, values in ((matrix, target), (read, labels))
    ]
    assert models[0].save_raw() == models[1].save_raw()
