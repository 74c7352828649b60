"""Request bodies of first-party algorithms into rows, and predictions into answers.

Source: SageMaker developer guide, "Common data formats for inference". Answers are JSON, JSON Lines or RecordIO-protobuf; a
transform job that names no type is answered in JSON Lines, one line for each row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sageline.arrays.matrix import FloatArray, Matrix, SparseMatrix
from sageline.formats import csv, recordio
from sageline.formats.json_rows import read_json, read_json_lines
from sagemaker_emulator.engines.shell.records import read_rows
from sagemaker_emulator.engines.shell.serving import Invocation, Refused

CSV, JSON, JSON_LINES, RECORDIO = "text/csv", "application/json", "application/jsonlines", recordio.CONTENT_TYPE
_ANSWERS = (JSON, JSON_LINES, RECORDIO)
_READERS: Mapping[str, Callable[[bytes], Matrix]] = {
    CSV: lambda body: csv.read_rows(body).matrix,
    JSON: read_json,
    JSON_LINES: read_json_lines,
    RECORDIO: lambda body: read_rows(body).matrix,
}

Prediction = Mapping[str, float | Sequence[float]]


def read_request(invocation: Invocation, width: int) -> FloatArray:
    """The rows, ``float32[rows, width]``.

    Raises:
        Refused: 415 for a content type that is not taken, 400 for a body that is not of its type or rows of another width.
    """
    reader = _READERS.get(_media_type(invocation.content_type or ""))
    if reader is None:
        raise Refused(
            415, f"Content type {invocation.content_type} is not supported. Supported content types are {', '.join(_READERS)}."
        )
    try:
        matrix: Matrix = reader(invocation.body)
    except (ValueError, TypeError, KeyError) as error:
        raise _not_evaluated(f"{error}") from error
    if matrix.shape[0] == 0:
        raise _not_evaluated("the body has no rows")
    if matrix.shape[1] != width:
        raise _not_evaluated(f"the rows have {matrix.shape[1]} features, the model was trained with {width}")
    rows = matrix.to_dense() if isinstance(matrix, SparseMatrix) else matrix.astype(np.float32, copy=False)
    if not np.isfinite(rows).all():
        raise _not_evaluated("a value is missing or infinite")
    return rows


def _not_evaluated(why: str) -> Refused:
    return Refused(400, f"unable to evaluate payload provided: {why}")


def wanted(accept: str | None, environment: Mapping[str, str]) -> str:
    """The request's Accept; where that leaves it open, what the model's environment or a transform job has by default."""
    if accept and _media_type(accept) not in ("*/*", "application/*"):
        return accept
    return environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", JSON_LINES if environment.get("SAGEMAKER_BATCH") else JSON)


def accepted(accept: str | None, environment: Mapping[str, str]) -> str:
    """The media type to answer in: the first one that is offered. :class:`Refused` (406) when there is none."""
    for one in wanted(accept, environment).split(","):
        kind = _media_type(one)
        if kind in _ANSWERS:
            return kind
    raise Refused(406, f"Accept type {accept} is not supported. Supported accept types are {', '.join(_ANSWERS)}.")


def _media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def write_answer(predictions: Sequence[Prediction], kind: str) -> bytes:
    """``{"predictions": [...]}``, one object per line, or records with the values in the label map as float32."""
    if kind == JSON:
        return json.dumps({"predictions": predictions}).encode()
    if kind == JSON_LINES:
        return "".join(f"{json.dumps(prediction)}\n" for prediction in predictions).encode()
    return b"".join(_record(prediction) for prediction in predictions)


def _record(prediction: Prediction) -> bytes:
    """A frame with a Record of label entries; the layout is in :mod:`sageline.formats.recordio`."""
    entries = []
    for key, value in prediction.items():
        numbers = np.atleast_1d(np.asarray(value, dtype="<f4")).tobytes()
        tensor = _field(b"\x12", _field(b"\x0a", numbers))
        entries.append(_field(b"\x12", _field(b"\x0a", key.encode()) + _field(b"\x12", tensor)))
    payload = b"".join(entries)
    padding = b"\0" * (-len(payload) % 4)
    return recordio.MAGIC.to_bytes(4, "little") + len(payload).to_bytes(4, "little") + payload + padding


def _field(tag: bytes, content: bytes) -> bytes:
    length, left = b"", len(content)
    while left > 0x7F:
        length, left = length + bytes([left & 0x7F | 0x80]), left >> 7
    return tag + length + bytes([left]) + content
