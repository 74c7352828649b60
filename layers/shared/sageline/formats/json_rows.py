"""Requests to SageMaker's own algorithms, to BlazingText and to TensorFlow Serving, as JSON and JSON Lines.

Sources: SageMaker developer guide, "Common data formats for inference" (``instances`` of ``features``), "BlazingText
algorithm" (inference); https://www.tensorflow.org/tfx/serving/api_rest (predict).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from sageline.arrays.matrix import FloatArray, Matrix, SparseMatrix
from sageline.formats.csv import write_rows

JSON, JSON_LINES = "application/json", "application/jsonlines"


def _numbers(matrix: FloatArray) -> list[bytes]:
    """Each row's numbers, separated by commas."""
    if not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        raise ValueError(f"row {row}, column {column} is {matrix[row, column]}, which JSON cannot say")
    return write_rows(matrix).split(b"\n")[:-1]


def read_json(body: bytes) -> Matrix:
    """The rows of ``{"instances": [...]}``, in every spelling of an instance that the algorithms take.

    Raises:
        ValueError: not such a document; names the instance.
    """
    document = json.loads(body)
    if not isinstance(document, dict) or not isinstance(document.get("instances"), list):
        raise ValueError('expected {"instances": [...]}')
    return _matrix(document["instances"])


def read_json_lines(body: bytes) -> Matrix:
    """The rows of lines with an instance each; ValueError names the instance."""
    return _matrix([json.loads(line) for line in body.splitlines() if line.strip()])


def _matrix(instances: list[object]) -> Matrix:
    rows = [_features(index, instance) for index, instance in enumerate(instances)]
    if len({"keys" in row for row in rows}) > 1:
        raise ValueError("some instances have keys, some have not")
    if not any("keys" in row for row in rows):
        widths = {len(row["values"]) for row in rows}
        if len(widths) > 1:
            raise ValueError(f"instances of differing width: {sorted(widths)}")
        return np.array([row["values"] for row in rows], dtype=np.float32).reshape(len(rows), *(widths or {0}))
    counts = [len(row["values"]) for row in rows]
    columns = np.array([key for row in rows for key in row["keys"]], dtype=np.int64)
    values = np.array([value for row in rows for value in row["values"]], dtype=np.float32)
    width = max(row["shape"][0] for row in rows)
    if len(columns) and not 0 <= columns.min() <= columns.max() < width:
        raise ValueError(f"a key that is not among the {width} columns")
    order = np.lexsort((columns, np.repeat(np.arange(len(rows)), counts)))
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)])
    return SparseMatrix(values[order], columns[order], offsets, (len(rows), width))


def _features(index: int, instance: object) -> dict[str, Any]:  # Any: JSON
    match instance:
        case {"features": list(values)}:
            return {"values": values}
        case {"data": {"features": {"keys": list(keys), "shape": [int()] as shape, "values": list(values)}}}:
            if len(keys) == len(values):
                return {"values": values, "keys": keys, "shape": shape}
        case {"data": {"features": {"values": list(values), **rest}}} if not rest:
            return {"values": values}
    raise ValueError(f"instance {index} has no features, or not as many keys as values")


def write_texts(texts: Sequence[str], top_k: int) -> bytes:
    """Texts for BlazingText as JSON; the answer names ``top_k`` labels for each."""
    document = {"instances": list(texts), "configuration": {"k": top_k}}
    return json.dumps(document, ensure_ascii=False).encode()


def write_text_lines(texts: Sequence[str], top_k: int) -> bytes:
    """Texts for BlazingText as JSON Lines, as batch transform takes them."""
    return "".join(json.dumps({"source": text, "k": top_k}, ensure_ascii=False) + "\n" for text in texts).encode()


def write_tensors(matrix: FloatArray, shape: Sequence[int]) -> bytes:
    """Rows for TensorFlow Serving, each nested as ``shape`` says; ValueError for NaN and infinities."""
    rows = b",".join(_nested(_numbers(matrix.reshape(-1, shape[-1])), list(shape[:-1])))
    return b'{"instances":[' + rows + b"]}"


def _nested(lines: list[bytes], shape: list[int]) -> list[bytes]:
    lists = [b"[%b]" % line for line in lines]
    for size in reversed(shape):
        lists = [b"[%b]" % b",".join(lists[start : start + size]) for start in range(0, len(lists), size)]
    return lists
