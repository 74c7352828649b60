"""CSV as SageMaker's algorithms read it: numbers only, no header, the label first, an empty cell for a missing value.

Source: SageMaker developer guide, "Common data formats for training" and "for inference" (a request has no label).
Every number is written with the fewest digits that read back as the same float32, in labelled rows by XGBoost's reader too.
"""

from __future__ import annotations

import numpy as np

from sageline.arrays.matrix import DoubleArray, FloatArray, Rows
from sageline.formats.spelling.decimals import write_lines

CONTENT_TYPE = "text/csv"


def write_rows(matrix: FloatArray, labels: FloatArray | None = None, weights: FloatArray | None = None) -> bytes:
    """One line per row, each ended by a line feed.

    Args:
        matrix: ``float32[rows, columns]``; NaN becomes an empty cell.
        labels: ``float32[rows]``, written in front of the features; None for a request.
        weights: ``float32[rows]`` of labelled rows, written between label and features; XGBoost reads them with ``csv_weights``.
    """
    return write_lines(matrix if weights is None else np.column_stack([weights, matrix]), labels)


def read_rows(data: bytes, *, labelled: bool = False) -> Rows:
    """What :func:`write_rows` wrote, and any such table of numbers; a blank cell is NaN, and so is a line of none.

    Args:
        labelled: the first column is the label.

    Returns:
        ``float32[rows, columns]`` and, when labelled, ``float32[rows]``.

    Raises:
        ValueError: a cell that is no number, or a line of another width; names line and column.
    """
    text = data.decode().replace("\r\n", "\n").removesuffix("\n")
    lines = text.split("\n") if data else []
    width = lines[0].count(",") + 1 if lines else 0
    for index, line in enumerate(lines):
        if line.count(",") + 1 != width:
            raise ValueError(f"line {index + 1} has {line.count(',') + 1} cells, the first line has {width}")
    numbers = _numbers(",".join(lines), len(lines), width)
    with np.errstate(over="ignore"):  # beyond float32 is infinity, as in any cast
        table = numbers.astype(np.float32).reshape(len(lines), width)
    return Rows(table[:, 1:], table[:, 0]) if labelled and width else Rows(table, None)


def _numbers(text: str, rows: int, width: int) -> DoubleArray:
    """The cells of all rows, joined. numpy reads plain numbers at twice the speed; it takes a cell of blanks for a -1, so where
    there are blanks, or anything that is no plain number, cell by cell."""
    if not any(blank in text for blank in " \t\n\r\v\f"):
        try:
            numbers = np.fromstring(text, dtype=np.float64, sep=",")
        except ValueError:
            numbers = np.empty(0)
        if len(numbers) == rows * width:
            return numbers
    return _numbers_by_cell(text.split(",") if rows else [], width)


def _numbers_by_cell(cells: list[str], width: int) -> DoubleArray:
    try:
        return np.array([float(cell or "nan") for cell in cells], dtype=np.float64)
    except ValueError:
        return np.array([_number(cell, *divmod(index, width)) for index, cell in enumerate(cells)], dtype=np.float64)


def _number(cell: str, line: int, column: int) -> float:
    try:
        return float(cell) if cell.strip() else np.nan
    except ValueError:
        raise ValueError(f"line {line + 1}, column {column + 1}: {cell!r} is not a number") from None
