"""The same rows are the same in every format: the split, and what the encoder makes of them."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sageline.arrays.blocks import Block
from sageline.arrays.dates import DateFormat
from sageline.dataset.readers.source import open_blocks
from sageline.dataset.split import as_positions, hash_columns, joined_hashes
from sageline.encoder.fitting import finish_fit, start_fit
from sageline.spec.model import validate_spec
from tests.unit.dataset.tables import as_csv, as_json_lines, as_parquet, compressed

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
CELLS = {
    "number": st.none()
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.floats(-1e6, 1e6).map(lambda x: round(x, 2)),
    "whole": st.none() | st.integers(-(2**62), 2**62),
    "few": st.sampled_from([0.0, 1.0, 2.5, None]),
    "category": st.none() | st.sampled_from(["red", "green", "blue", "007"]),
    "truth": st.none() | st.booleans(),
    "text": TEXT,
    "date": st.none() | st.dates(datetime.date(1, 1, 1)),
    "moment": st.none() | st.datetimes(),
}
WRITERS: dict[str, Callable[[dict[str, list[Any]]], bytes]] = {
    "csv": as_csv,
    "tsv": lambda table: as_csv(table, "\t"),
    "jsonl": as_json_lines,
    "jsonl.zst": lambda table: compressed(as_json_lines(table), "zst"),
    "parquet": as_parquet,
}


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:  # Any: what a cell holds
    rows = draw(st.integers(2, 30))
    table = {name: draw(st.lists(cells, min_size=rows, max_size=rows)) for name, cells in CELLS.items()}
    return {**table, "label": ["a", "b"] * (rows // 2) + ["a"] * (rows % 2)}


def blocks(table: dict[str, list[Any]], data_format: str) -> Iterator[Block]:  # Any: what a cell holds
    data = WRITERS[data_format](table)
    return open_blocks(io.BytesIO(data), "data", data_format, 400)


def hashes(
    table: dict[str, list[Any]], data_format: str
) -> np.ndarray[Any, np.dtype[np.float64]]:  # Any: numpy's shape parameter
    return np.concatenate([as_positions(joined_hashes(hash_columns(block), 7)) for block in blocks(table, data_format)])


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(tables())
def test_the_split_is_the_same(table: dict[str, list[Any]]) -> None:  # Any: what a cell holds
    expected = hashes(table, "csv")
    for data_format in WRITERS:
        np.testing.assert_array_equal(hashes(table, data_format), expected, data_format)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(tables())
def test_the_encoding_is_the_same(table: dict[str, list[Any]]) -> None:  # Any: what a cell holds
    kinds = {"number": "number", "whole": "number", "few": "category", "category": "category", "truth": "category"}
    kinds |= {"text": "text", "date": "date", "moment": "date"}
    options: dict[str, Any] = {"kind": "columns", "layout": "sparse", "category": {"max_categories": 3}}  # Any: JSON
    dataset = {"label": "label", "features": kinds}
    document = {"name": "x", "task": "classification", "dataset": dataset, "encoder": options}
    spec = validate_spec({**document, "algorithm": {"name": "xgboost"}}, "x")
    formats = {"date": DateFormat("ymd"), "moment": DateFormat("ymd", True)}

    def encoded(data_format: str) -> list[bytes]:
        fit = start_fit(spec, {}, formats)
        for block in blocks(table, data_format):
            fit.update(block, np.ones(block.rows, dtype=np.bool_), block.columns["label"])
        encoder = finish_fit(fit, spec, {"a": 1, "b": 1}, "data")
        return [encoder.batch_body(encoder.encode(row)) for block in blocks(table, data_format) for row in _rows(block)]

    expected = encoded("csv")
    for data_format in WRITERS:
        assert encoded(data_format) == expected, data_format


def _rows(block: Block) -> Iterator[Block]:
    return (block.take(np.array([index])) for index in range(block.rows))


@pytest.mark.parametrize("rows", [3, 3000])
def test_long_columns_of_few_values_are_the_same_too(rows: int) -> None:
    """Of those a Parquet file gives a dictionary."""
    table: dict[str, list[Any]] = {  # Any: what a cell holds
        "f": [1.0, None, 2.5] * rows,
        "s": ["x", "", "y"] * rows,
        "d": [datetime.date(2024, 1, 2), None, datetime.date(2023, 1, 1)] * rows,
        "n": list(range(3 * rows)),
    }
    np.testing.assert_array_equal(hashes(table, "parquet"), hashes(table, "csv"))
