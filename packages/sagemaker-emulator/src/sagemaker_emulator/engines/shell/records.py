"""RecordIO-protobuf as the containers read it.

Source: ``recordio_protobuf.py`` of aws/sagemaker-xgboost-container, which takes a record without keys for dense, of no columns,
and lets it pass only in front of all others. Whether the first-party images do so is not published; here none lets it pass.
"""

from __future__ import annotations

import numpy as np

from sageline.arrays.matrix import Rows
from sageline.formats.recordio import read_records


def read_rows(data: bytes) -> Rows:
    """All records of a file or a request; rows of which none has a key are ``float32[rows, 0]``.

    Raises:
        ValueError: not RecordIO-protobuf, or a record without keys among sparse ones.
    """
    matrix, labels = read_records(data)
    if isinstance(matrix, np.ndarray):
        return Rows(matrix, labels)
    without_keys = np.flatnonzero(np.diff(matrix.row_offsets) == 0)
    if len(without_keys) == matrix.shape[0]:
        return Rows(np.empty((len(without_keys), 0), dtype=np.float32), labels)
    if len(without_keys):
        raise ValueError(
            f"incompatible column dimensions: record {without_keys[0] + 1} has no keys, so it counts as dense, of 0 columns, "
            f"others have {matrix.shape[1]}"
        )
    return Rows(matrix, labels)
