"""RecordIO-protobuf into a DMatrix, dense and sparse: cells that a sparse record leaves out are missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, vstack

from sagemaker_emulator.engines.shell.arrays import FloatArray
from sagemaker_emulator.engines.shell.records import Rows, read_rows
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


def _matrix(parts: list[Rows], labels: FloatArray | None) -> xgboost.DMatrix:
    widths = sorted({rows.matrix.shape[1] for rows in parts})
    if len(widths) > 1:
        raise ValueError(f"incompatible column dimensions: the files have records of {' and '.join(map(str, widths))} columns")
    if all(isinstance(rows.matrix, np.ndarray) for rows in parts):
        return xgboost.DMatrix(np.concatenate([rows.matrix for rows in parts]), label=labels)
    return xgboost.DMatrix(vstack([_as_sparse(rows.matrix) for rows in parts], format="csr"), label=labels)


def _as_sparse(matrix: FloatArray | csr_matrix) -> csr_matrix:
    """With every cell of a dense one, the zeros too: a cell that is not there is missing."""
    if not isinstance(matrix, np.ndarray):
        return matrix
    rows, columns = matrix.shape
    return csr_matrix((matrix.ravel(), np.tile(np.arange(columns), rows), np.arange(rows + 1) * columns), shape=matrix.shape)
