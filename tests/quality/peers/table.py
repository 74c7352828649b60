"""A table as a careful person reads it in an afternoon: numbers, categories, dates and texts, each told apart by looking."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sageline.arrays.strings import IntArray

_WORDS = 3
"""Words a cell from which on a column of different values is text."""

_PARTS = ("year", "month", "day", "day_of_week", "hour", "day_of_year")


@dataclass(frozen=True, eq=False)
class Table:
    """Rows with their features by kind.

    Attributes:
        features: numbers as float64, categories as strings with NaN, texts as strings without; of each date its parts.
        labels: of each row.
        is_test: ``bool[rows]``.
    """

    features: pd.DataFrame
    numbers: list[str]
    categories: list[str]
    texts: list[str]
    labels: pd.Series
    is_test: np.ndarray[tuple[int], np.dtype[np.bool_]]


def read_table(data: bytes, label: str, exclude: Sequence[str], test_rows: Sequence[int], *, values: bool) -> Table:
    """The table, of which rows without a label are left out.

    Args:
        data: CSV.
        test_rows: numbers of rows.
        values: the label is a number.
    """
    frame = pd.read_csv(io.BytesIO(data))
    is_test = np.zeros(len(frame), dtype=np.bool_)
    is_test[list(test_rows)] = True
    labels = pd.read_csv(io.BytesIO(data), usecols=[label], dtype=float if values else str, keep_default_na=values)[label]
    there = labels.notna() if values else labels.str.strip() != ""
    frame, labels, is_test = frame[there.to_numpy()], labels[there], is_test[there.to_numpy()]
    columns: dict[str, pd.Series] = {}
    kinds: dict[str, list[str]] = {"number": [], "category": [], "text": []}
    for name in frame.columns:
        if name == label or name in exclude:
            continue
        for part, (kind, values_of_part) in _read(str(name), frame[name]).items():
            columns[part] = values_of_part
            kinds[kind].append(part)
    labels = labels if values else labels.str.strip()
    return Table(pd.DataFrame(columns), kinds["number"], kinds["category"], kinds["text"], labels, is_test)


def _read(name: str, column: pd.Series) -> dict[str, tuple[str, pd.Series]]:
    """A column by its kind; of a date the parts."""
    if column.dtype == bool or pd.api.types.is_numeric_dtype(column):
        return {name: ("number", column.astype(float))}
    cells = column.dropna().astype(str)
    dates = _dates(column)
    if dates is not None:
        parts = {f"{name}.{part}": ("number", getattr(dates.dt, part).astype(float)) for part in _PARTS}
        days = (dates - pd.Timestamp("1970-01-01")).dt.total_seconds() / 86_400
        return {f"{name}.days": ("number", days), **parts}
    words = cells.str.split().str.len().mean()
    if words >= _WORDS and cells.nunique() > 0.2 * len(cells):
        return {name: ("text", column.fillna("").astype(str))}
    return {name: ("category", column.astype(object).where(column.notna(), np.nan))}


def _dates(column: pd.Series) -> pd.Series | None:
    """The column as dates without time zone; None where it does not hold dates."""
    cells = column.dropna().astype(str)
    if not len(cells) or not cells.str.contains(r"\d{4}").mean() > 0.9 or not cells.str.contains(r"\d[-/:]\d").mean() > 0.9:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dates = pd.to_datetime(column, errors="coerce", utc=True).dt.tz_localize(None)
    return dates if dates.notna().sum() >= 0.95 * len(cells) else None


def test_numbers(table: Table) -> IntArray:
    """``int64[rows]``: where the test rows are."""
    return np.flatnonzero(table.is_test).astype(np.int64)
