"""Requests to BlazingText and to TensorFlow Serving, as JSON and JSON Lines.

Sources: SageMaker developer guide, "BlazingText algorithm" (inference);
https://www.tensorflow.org/tfx/serving/api_rest (predict).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from sageline.arrays.matrix import FloatArray
from sageline.formats.csv import write_rows

JSON, JSON_LINES = "application/json", "application/jsonlines"


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


def _numbers(matrix: FloatArray) -> list[bytes]:
    """Each row's numbers, separated by commas."""
    if not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        raise ValueError(f"row {row}, column {column} is {matrix[row, column]}, which JSON cannot say")
    return write_rows(matrix).split(b"\n")[:-1]


def _nested(lines: list[bytes], shape: list[int]) -> list[bytes]:
    lists = [b"[%b]" % line for line in lines]
    for size in reversed(shape):
        lists = [b"[%b]" % b",".join(lists[start : start + size]) for start in range(0, len(lists), size)]
    return lists
