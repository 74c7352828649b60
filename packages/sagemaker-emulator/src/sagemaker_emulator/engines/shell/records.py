"""The rows of RecordIO-protobuf as the containers read them.

Source: ``recordio_protobuf.py`` of aws/sagemaker-xgboost-container, which takes a record without keys for dense, of no columns,
and lets it pass only in front of all others. Whether the first-party images do so is not published; here none lets it pass.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sagemaker_emulator.engines.shell.arrays import FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

RECORDIO = "application/x-recordio-protobuf"

FLOAT32, FLOAT64, INT32 = "float32_tensor", "float64_tensor", "int32_tensor"
TENSORS = (FLOAT32, FLOAT64, INT32)
_KEY = "values"
_TITLES = {FLOAT32: "Float32", FLOAT64: "Float64", INT32: "Int32"}


class Rows(NamedTuple):
    """``float32[rows, columns]``, sparse if the records are; ``float32[rows]`` labels, or None without any."""

    matrix: FloatArray | csr_matrix
    labels: FloatArray | None


def read_rows(data: bytes, tensors: Collection[str] = TENSORS) -> Rows:
    """All records of a file or a request, as float32.

    Raises:
        ValueError: not RecordIO-protobuf, tensors of another kind than ``tensors``, or records that do not go together.
    """
    # A fifth of a second for protobuf, which a server that nobody sends records to does without.
    from sagemaker_emulator.engines.shell.recordio import read_messages  # noqa: PLC0415

    features, labels = [], []
    for number, record in enumerate(read_messages(data), start=1):
        tensor = _tensor(record.features, number, tensors)
        if tensor is None:
            raise ValueError(f"record {number} has no features")
        features.append(tensor)
        label = _tensor(record.label, number, tensors)
        if label is not None:
            labels.append(label)
    if labels and len(labels) != len(features):
        raise ValueError(f"{len(features)} records, of which only {len(labels)} have a label")
    if any(len(label.values) != 1 for label in labels):
        raise ValueError("a label must be one number")
    matrix = _sparse(features) if any(len(tensor.keys) for tensor in features) else _dense(features)
    return Rows(matrix, _numbers(labels) if labels else None)


def _tensor(values: Any, number: int, taken: Collection[str]) -> Any:  # Any: protobuf's map of strings to Values, and a tensor
    if _KEY not in values:
        return None
    kind = values[_KEY].WhichOneof("value")
    if kind not in TENSORS:
        raise ValueError(f"record {number} has no tensor of numbers")
    if kind not in taken:
        kinds = " or ".join(_TITLES[name] for name in taken)
        raise ValueError(
            f"the numbers of features and label must be {kinds} tensors, not {_TITLES[kind]} (numpy: astype('float32'))"
        )
    return getattr(values[_KEY], kind)


def _numbers(tensors: list[Any]) -> FloatArray:  # Any: protobuf's tensors
    """The values of all tensors, one after the other."""
    return np.fromiter(chain.from_iterable(tensor.values for tensor in tensors), dtype=np.float32)


def _dense(tensors: list[Any]) -> FloatArray:  # Any: protobuf's tensors
    widths = sorted({len(tensor.values) for tensor in tensors})
    if len(widths) > 1:
        raise ValueError(f"incompatible column dimensions: records of {widths} columns")
    return _numbers(tensors).reshape(len(tensors), *(widths or [0]))


def _sparse(tensors: list[Any]) -> csr_matrix:  # Any: protobuf's tensors
    from scipy.sparse import csr_matrix  # noqa: PLC0415  # as long, which dense rows do without

    counts = np.array([len(tensor.keys) for tensor in tensors])
    widths = np.array([tensor.shape[0] if tensor.shape else max(tensor.keys, default=-1) + 1 for tensor in tensors])
    without = np.flatnonzero(counts == 0)
    if len(without):
        raise ValueError(
            f"incompatible column dimensions: record {without[0] + 1} has no keys, so it counts as dense, of 0 columns, "
            f"others have {widths.max()}"
        )
    if len(set(widths.tolist())) > 1:
        raise ValueError(f"incompatible column dimensions: records of {sorted(set(widths.tolist()))} columns")
    if any(len(tensor.values) != len(tensor.keys) for tensor in tensors):
        raise ValueError("a record has not as many keys as values")
    keys = np.fromiter(chain.from_iterable(tensor.keys for tensor in tensors), dtype=np.int64)
    if keys.max() >= widths[0]:
        raise ValueError(f"a key is {keys.max()}, beyond the {widths[0]} columns")
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return csr_matrix((_numbers(tensors), keys, offsets), shape=(len(tensors), int(widths[0])))
