"""Request bodies of first-party algorithms into rows, and predictions into answers.

Source: SageMaker developer guide, "Common data formats for inference". Answers are JSON, JSON Lines or RecordIO-protobuf; a
transform job that names no type is answered in JSON Lines, one line for each row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter

import numpy as np
from werkzeug.http import parse_options_header

from sagemaker_emulator.engines.first_party.tables import read_csv, read_json, read_json_lines
from sagemaker_emulator.engines.shell.arrays import FloatArray
from sagemaker_emulator.engines.shell.records import RECORDIO, read_rows
from sagemaker_emulator.engines.shell.serving import Invocation, Refused

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
_ANSWERS = (JSON, JSON_LINES, RECORDIO)
Prediction = Mapping[str, float | Sequence[float]]


def _read_records(body: bytes) -> FloatArray:
    matrix = read_rows(body).matrix
    dense: FloatArray = matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
    return dense


_READERS: Mapping[str, Callable[[bytes], FloatArray]] = {
    CSV: read_csv,
    JSON: read_json,
    JSON_LINES: read_json_lines,
    RECORDIO: _read_records,
}


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
        rows = reader(invocation.body)
    except (ValueError, TypeError, KeyError) as error:
        raise _not_evaluated(f"{error}") from error
    if len(rows) == 0:
        raise _not_evaluated("the body has no rows")
    if rows.shape[1] != width:
        raise _not_evaluated(f"the rows have {rows.shape[1]} features, the model was trained with {width}")
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
    """The media type to answer in: of those that are offered the one of the highest q, the first of equals.

    :class:`Refused` (406) when there is none.
    """
    qualities = [(_quality(one), one) for one in wanted(accept, environment).split(",")]
    for quality, one in sorted(qualities, key=itemgetter(0), reverse=True):
        kind = _media_type(wanted(one, environment))
        if kind in _ANSWERS and quality > 0:
            return kind
    raise Refused(406, f"Accept type {accept} is not supported. Supported accept types are {', '.join(_ANSWERS)}.")


def _quality(media_range: str) -> float:
    try:
        return float(parse_options_header(media_range)[1].get("q", 1))
    except ValueError:
        return 0.0


def _media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def write_answer(predictions: Sequence[Prediction], kind: str) -> bytes:
    """``{"predictions": [...]}``, one object per line, or records with the values in the label map as float32."""
    if kind == JSON:
        return json.dumps({"predictions": predictions}).encode()
    if kind == JSON_LINES:
        return "".join(f"{json.dumps(prediction)}\n" for prediction in predictions).encode()
    return _records(predictions)


def _records(predictions: Sequence[Prediction]) -> bytes:
    # As in read_rows: an answer that is not wanted as records does without protobuf.
    from sagemaker_emulator.engines.shell.recordio import Record, write_messages  # noqa: PLC0415

    records = [Record() for _ in predictions]
    for record, prediction in zip(records, predictions, strict=True):
        for key, value in prediction.items():
            record.label[key].float32_tensor.values.extend(np.atleast_1d(value).tolist())
    return write_messages(records)
