"""libsvm text: ``label index:value ...`` or ``label:weight index:value ...``, one line per row; an absent cell is zero, for
XGBoost missing.

Source: https://xgboost.readthedocs.io/en/stable/tutorials/input_format.html. Indexes count from 0 there. SageMaker's
XGBoost container takes the smallest index of a request for 1 when it is not 0, so rows that happen not to use column 0 go
astray: for requests, RecordIO or CSV is the safe choice.
"""

from __future__ import annotations

import numpy as np

from sageline.arrays.matrix import FloatArray, Matrix, Rows, SparseMatrix
from sageline.arrays.strings import BoolArray
from sageline.formats.spelling.decimals import write_lines, write_pairs

CONTENT_TYPE = "text/libsvm"


def write_rows(matrix: Matrix, labels: FloatArray, weights: FloatArray | None = None, *, first_index: int = 0) -> bytes:
    """Lines of labels and cells.

    Args:
        matrix: ``float32[rows, columns]``, of which NaN and zeros are left out, or sparse, of which every value is written.
        labels: ``float32[rows]``.
        weights: ``float32[rows]``, written behind the labels: ``label:weight``.
        first_index: what the first column is called: 0 or 1.
    """
    sparse = matrix if isinstance(matrix, SparseMatrix) else _sparse(matrix)
    if len(labels) == 0:
        return b""
    has_cells = np.diff(sparse.row_offsets) > 0
    ends = np.full(len(sparse.values), ord(" "), dtype=np.uint8)
    ends[sparse.row_offsets[1:][has_cells] - 1] = ord("\n")
    cells = iter(write_pairs(sparse.columns + first_index, sparse.values, ends).split(b"\n"))
    heads = labels if weights is None else np.column_stack([labels, weights])
    starts = write_lines(heads.reshape(len(labels), -1), None, summed=True)
    labelled = starts.replace(b",", b":").split(b"\n")
    return b"".join(
        b"%b %b\n" % (start, next(cells)) if has_some else start + b"\n"
        for start, has_some in zip(labelled[:-1], has_cells.tolist(), strict=True)
    )


def write_weighted_rows(matrix: Matrix, labels: FloatArray, weights: FloatArray, *, keeps_width: bool = True) -> bytes:
    """Lines from which XGBoost learns what it would learn from the matrix: zeros are cells, since an absent one is missing, and
    NaN is absent, since the reader takes it for 0.

    The reader takes the largest index for the width. Where no row has a cell in the last column, one more line has it, of weight
    0, which training does not notice. All lines have weights, as the reader takes them for all rows of a channel or for none.

    Args:
        keeps_width: False for rows that a model of the whole width is watched by: they may be narrower, and some of the
            container's own metrics count rows without asking for their weights. Then a line is added only where there is no cell
            at all.
    """
    table = _sparse(matrix, with_zeros=True) if not isinstance(matrix, SparseMatrix) else _without_nan(matrix)
    rows, columns = table.shape
    lacks_width = not (table.columns == columns - 1).any() if keeps_width else not len(table.columns)
    if rows and columns and lacks_width:
        offsets = np.append(table.row_offsets, table.row_offsets[-1] + 1)
        values, last = np.append(table.values, np.float32(0)), np.append(table.columns, columns - 1)
        table = SparseMatrix(values, last, offsets, (rows + 1, columns))
        labels, weights = np.append(labels, labels[0]), np.append(weights, np.float32(0))
    return write_rows(table, labels, weights)


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


def _sparse(table: FloatArray, *, with_zeros: bool = False) -> SparseMatrix:
    present: BoolArray = ~np.isnan(table) & ((table != 0) | with_zeros)
    rows, columns = np.nonzero(present)
    offsets = np.searchsorted(rows, np.arange(len(table) + 1))
    return SparseMatrix(table[present], columns, offsets, (len(table), table.shape[1]))


def _without_nan(matrix: SparseMatrix) -> SparseMatrix:
    present = ~np.isnan(matrix.values)
    if present.all():
        return matrix
    before = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(present)])
    return SparseMatrix(matrix.values[present], matrix.columns[present], before[matrix.row_offsets], matrix.shape)
