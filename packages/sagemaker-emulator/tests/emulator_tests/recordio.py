"""Tables as SageMaker's own SDK writes them into RecordIO-protobuf and reads answers back, and as CSV."""

from __future__ import annotations

import importlib
import io
import warnings

import numpy as np
from scipy.sparse import csr_matrix

from sagemaker_emulator.engines.shell.arrays import AnyArray, FloatArray

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK's own, on its deprecation and on what it imports
    _SDK = importlib.import_module("sagemaker.amazon.common")


def write_dense(rows: AnyArray, labels: FloatArray | None = None) -> bytes:
    """``float32[rows, columns]`` and ``float32[rows]``."""
    file = io.BytesIO()
    _SDK.write_numpy_to_dense_tensor(file, rows, labels)
    return file.getvalue()


def write_sparse(rows: csr_matrix, labels: FloatArray | None = None) -> bytes:
    """The same of a sparse matrix, with every cell that it holds."""
    file = io.BytesIO()
    _SDK.write_spmatrix_to_sparse_tensor(file, rows, labels)
    return file.getvalue()


def read_answer(data: bytes) -> dict[str, FloatArray]:
    """What an algorithm answers: the label map of each record, ``float32[rows, numbers]`` by key."""
    records = _SDK.RecordDeserializer().deserialize(io.BytesIO(data), "application/x-recordio-protobuf")
    keys = list(records[0].label)
    return {key: np.array([list(record.label[key].float32_tensor.values) for record in records], np.float32) for key in keys}


def write_csv(rows: FloatArray, labels: FloatArray) -> bytes:
    """The label first, every number with the digits that a float32 needs."""
    file = io.BytesIO()
    np.savetxt(file, np.column_stack([labels, rows]), delimiter=",", fmt="%.9g")
    return file.getvalue()
