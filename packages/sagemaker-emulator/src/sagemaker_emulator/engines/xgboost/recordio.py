"""RecordIO-protobuf into a DMatrix, dense and sparse: cells that a sparse record leaves out are missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, vstack

from sageline.arrays.matrix import Rows, SparseMatrix
from sagemaker_emulator.engines.shell.records import read_rows
from sagemaker_emulator.engines.xgboost.failures import UserError
from sagemaker_emulator.engines.xgboost.library import xgboost


def training_matrix(files: list[Path]) -> xgboost.DMatrix:
    """All rows of all files with their labels; UserError when a file has none, ValueError when it is malformed."""
    parts = []
    for path in files:
        rows = _read(path.read_bytes(), path.name)
        if rows.labels is None:
            raise UserError(f"The records of file '{path.name}' have no labels.")
        parts.append(rows)
    labels = np.concatenate([rows.labels for rows in parts if rows.labels is not None])
    return _matrix(parts, labels)


def request_matrix(body: bytes) -> xgboost.DMatrix:
    """The rows of a request; labels, if there are any, are ignored."""
    return _matrix([_read(body, "the request body")], None)


def _read(data: bytes, what: str) -> Rows:
    try:
        return read_rows(data)
    except Exception as error:
        raise ValueError(f"{what}: {error}") from error


def _matrix(parts: list[Rows], labels: np.ndarray[tuple[int], np.dtype[np.float32]] | None) -> xgboost.DMatrix:
    widths = sorted({rows.matrix.shape[1] for rows in parts})
    if len(widths) > 1:
        raise ValueError(f"incompatible column dimensions: the files have records of {' and '.join(map(str, widths))} columns")
    if all(isinstance(rows.matrix, np.ndarray) for rows in parts):
        return xgboost.DMatrix(np.concatenate([rows.matrix for rows in parts]), label=labels)
    sparse = [_as_scipy(rows.matrix) for rows in parts]
    return xgboost.DMatrix(vstack(sparse, format="csr") if len(sparse) > 1 else sparse[0], label=labels)


def _as_scipy(matrix: np.ndarray[tuple[int, int], np.dtype[np.float32]] | SparseMatrix) -> csr_matrix:
    if isinstance(matrix, np.ndarray):
        rows, columns = matrix.shape
        positions = np.tile(np.arange(columns), rows)
        return csr_matrix((matrix.ravel(), positions, np.arange(rows + 1) * columns), shape=matrix.shape)
    return csr_matrix((matrix.values, matrix.columns, matrix.row_offsets), shape=matrix.shape)
