"""libsvm text: ``label index:value index:value ...``, one line per row; an absent cell is zero, for XGBoost missing.

Source: https://xgboost.readthedocs.io/en/stable/tutorials/input_format.html. Indexes count from 0 there. SageMaker's
XGBoost container takes the smallest index of a request for 1 when it is not 0, so rows that happen not to use column 0 go
astray: for requests, RecordIO or CSV is the safe choice.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sageline.arrays.matrix import FloatArray, Matrix, Rows, SparseMatrix
from sageline.arrays.strings import BoolArray
from sageline.formats.decimals import write_lines

CONTENT_TYPE = "text/libsvm"


def write_rows(matrix: Matrix, labels: FloatArray, *, first_index: int = 0) -> bytes:
    """Lines of labels and cells.

    Args:
        matrix: ``float32[rows, columns]``, of which NaN and zeros are left out, or sparse, of which every value is written.
        labels: ``float32[rows]``.
        first_index: what the first column is called: 0 or 1.
    """
    sparse = matrix if isinstance(matrix, SparseMatrix) else _sparse(matrix)
    if len(labels) == 0:
        return b""
    keys = (sparse.columns + first_index).tolist()
    cells = [b"%d:%b" % pair for pair in zip(keys, _texts(sparse.values), strict=True)]
    rows = zip(_texts(labels), pairwise(sparse.row_offsets.tolist()), strict=True)
    return b"".join(b" ".join([label, *cells[start:end]]) + b"\n" for label, (start, end) in rows)


def _texts(numbers: FloatArray) -> list[bytes]:
    return write_lines(numbers[:, None], None).split(b"\n")[:-1]


def read_rows(data: bytes, *, columns: int | None = None, first_index: int = 0) -> Rows:
    """What :func:`write_rows` wrote, and any such text.

    Args:
        columns: width of the rows; None for the largest index that occurs.

    Returns:
        A :class:`SparseMatrix` and ``float32[rows]``.

    Raises:
        ValueError: a label, index or value that is no number, or an index beyond the columns; names the line.
    """
    labels: list[float] = []
    offsets, keys, values = [0], [], []
    for number, line in enumerate(data.decode().splitlines(), start=1):
        label, *pairs = line.split()[: _comment(line)] or [""]
        try:
            labels.append(float(label))
            row = sorted((int(key) - first_index, float(value)) for key, value in (pair.split(":") for pair in pairs))
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
        if row and (row[0][0] < 0 or (columns is not None and row[-1][0] >= columns)):
            raise ValueError(f"line {number}: an index that is not among the {columns} columns")
        keys += [key for key, _ in row]
        values += [value for _, value in row]
        offsets.append(len(keys))
    width = max(keys, default=-1) + 1 if columns is None else columns
    cells = (np.array(values, dtype=np.float32), np.array(keys, dtype=np.int64), np.array(offsets, dtype=np.int64))
    return Rows(SparseMatrix(*cells, (len(labels), width)), np.array(labels, dtype=np.float32))


def _comment(line: str) -> int | None:
    """Number of words before a ``#``, None when there is no comment."""
    before, mark, _ = line.partition("#")
    return len(before.split()) if mark else None


def _sparse(table: FloatArray) -> SparseMatrix:
    present: BoolArray = ~np.isnan(table) & (table != 0)
    rows, columns = np.nonzero(present)
    offsets = np.searchsorted(rows, np.arange(len(table) + 1))
    return SparseMatrix(table[present], columns, offsets, (len(table), table.shape[1]))
