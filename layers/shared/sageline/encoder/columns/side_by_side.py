"""Encoded columns joined to rows: dense or sparse."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sageline.arrays.matrix import AnyArray, FloatArray, Matrix, SparseMatrix
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
    pieces = [part if isinstance(part, SparseMatrix) else _as_sparse(part) for part in _dense_joined(parts, rows)]
    if len(pieces) == 1:
        return pieces[0]
    row_offsets: IntArray = np.sum([piece.row_offsets for piece in pieces], axis=0, dtype=np.int64)
    values = np.empty(int(row_offsets[-1]), dtype=np.float32)
    columns = np.empty(len(values), dtype=np.int64)
    starts, at = row_offsets[:-1].copy(), 0
    for piece in pieces:
        counts = np.diff(piece.row_offsets)
        to = np.repeat(starts - piece.row_offsets[:-1], counts) + np.arange(len(piece.values))
        values[to], columns[to] = piece.values, piece.columns + at
        starts += counts
        at += piece.shape[1]
    return SparseMatrix(values, columns, row_offsets, (rows, at))


def _dense_joined(parts: Sequence[Matrix], rows: int) -> list[Matrix]:
    """The parts, neighbouring dense ones as one."""
    joined: list[Matrix] = []
    neighbours: list[Matrix] = []
    for part in [*parts, None]:
        if part is not None and not isinstance(part, SparseMatrix):
            neighbours.append(part)
            continue
        if neighbours:
            joined.append(neighbours[0] if len(neighbours) == 1 else dense(neighbours, rows))
            neighbours = []
        if part is not None:
            joined.append(part)
    return joined


def _as_sparse(part: FloatArray) -> SparseMatrix:
    is_there = ~np.isnan(part)
    row_offsets = np.zeros(len(part) + 1, dtype=np.int64)
    np.cumsum(np.count_nonzero(is_there, axis=1), out=row_offsets[1:])
    columns: AnyArray = np.broadcast_to(np.arange(part.shape[1]), part.shape)[is_there]
    return SparseMatrix(part[is_there], columns, row_offsets, (part.shape[0], part.shape[1]))
