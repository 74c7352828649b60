"""Encoded columns joined to rows: dense or sparse."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sageline.arrays.matrix import FloatArray, Matrix, SparseMatrix
from sageline.arrays.strings import IntArray


def dense(parts: Sequence[Matrix], rows: int) -> FloatArray:
    """``float32[rows, columns]`` with all columns of the parts in their order; an absent cell of a sparse part is 0."""
    joined = np.zeros((rows, sum(part.shape[1] for part in parts)), dtype=np.float32)
    at = 0
    for part in parts:
        width = part.shape[1]
        if isinstance(part, SparseMatrix):
            row = np.repeat(np.arange(rows), np.diff(part.row_offsets))
            joined[row, at + part.columns] = part.values
        else:
            joined[:, at : at + width] = part
        at += width
    return joined


def sparse(parts: Sequence[Matrix], rows: int) -> SparseMatrix:
    """The same as a sparse matrix: every number of a dense part is a cell, a zero too, and NaN is none."""
    pieces = _pieces(parts, rows)
    if len(pieces) == 1:
        return pieces[0]
    counts = np.stack([np.diff(piece.row_offsets) for piece in pieces], axis=1)
    row_offsets = np.zeros(rows + 1, dtype=np.int64)
    np.cumsum(counts.sum(axis=1), out=row_offsets[1:])
    values = np.empty(int(row_offsets[-1]), dtype=np.float32)
    columns = np.empty(len(values), dtype=np.int64)
    # The pieces of a row stand one after the other.
    numbers = np.broadcast_to(np.arange(len(pieces), dtype=np.min_scalar_type(len(pieces))), counts.shape)
    piece_of = np.repeat(numbers.ravel(), counts.ravel())
    at = 0
    for number, piece in enumerate(pieces):
        to = piece_of == number
        values[to], columns[to] = piece.values, piece.columns + at
        at += piece.shape[1]
    return SparseMatrix(values, columns, row_offsets, (rows, at))


def _pieces(parts: Sequence[Matrix], rows: int) -> list[SparseMatrix]:
    """The parts as sparse ones, of which neighbours that have few cells in each row are one."""
    pieces: list[SparseMatrix] = []
    neighbours: list[Matrix] = []
    for part in parts:
        if not isinstance(part, SparseMatrix) or _has_one_at_most(part):
            neighbours.append(part)
            continue
        if neighbours:
            pieces.append(_joined(neighbours, rows))
            neighbours = []
        pieces.append(part)
    return [*pieces, _joined(neighbours, rows)] if neighbours else pieces


def _has_one_at_most(part: SparseMatrix) -> bool:
    """Whether no row has more than one cell, as those of a category have."""
    return len(part.values) < len(part.row_offsets) and int(np.diff(part.row_offsets).max(initial=0)) <= 1


def _joined(parts: Sequence[Matrix], rows: int) -> SparseMatrix:
    """Dense parts, and those of one cell at most in each row, as one sparse one."""
    most = sum(1 if isinstance(part, SparseMatrix) else part.shape[1] for part in parts)
    values, columns = np.empty((rows, most), dtype=np.float32), np.empty((rows, most), dtype=np.int64)
    cell = column = 0
    for part in parts:
        width = part.shape[1]
        if not isinstance(part, SparseMatrix):
            values[:, cell : cell + width] = part
            columns[:, cell : cell + width] = np.arange(column, column + width)
            cell += width
        else:
            is_there = slice(None) if len(part.values) == rows else np.diff(part.row_offsets) > 0
            values[:, cell] = np.nan
            values[is_there, cell], columns[is_there, cell] = part.values, part.columns + column
            cell += 1
        column += width
    is_cell = values == values  # noqa: PLR0124 - no NaN
    if is_cell.all():
        return SparseMatrix(values.ravel(), columns.ravel(), most * np.arange(rows + 1), (rows, column))
    row_offsets: IntArray = np.zeros(rows + 1, dtype=np.int64)
    np.cumsum(np.count_nonzero(is_cell, axis=1), out=row_offsets[1:])
    return SparseMatrix(values[is_cell], columns[is_cell], row_offsets, (rows, column))
