"""Predictions into response bodies."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
SUPPORTED = (JSON, JSON_LINES, "application/x-recordio-protobuf", CSV)


class NotAcceptable(Exception):
    """The container does not answer in the wanted type: 406."""


class CannotEncode(Exception):
    """The container fails to write an answer in a type that it accepts: 500."""


def accepted_type(accept: str | None, default: str) -> str:
    """The type to answer in; raises :class:`NotAcceptable`, also for a list of types, which the container takes for one."""
    wanted = (accept or "").partition(";")[0].strip()
    if not wanted or wanted == "*/*":
        return default
    if wanted.lower() not in SUPPORTED:
        raise NotAcceptable(f"Accept type {wanted} is not supported. Please use supported accept types: {list(SUPPORTED)}.")
    return wanted.lower()


def encode_batch(predictions: NDArray[np.float32]) -> bytes:
    """What the container answers in a batch transform, whatever Accept says: a row of probabilities is a Python list."""
    return ("\n".join(map(str, predictions.tolist())) + "\n").encode()


def encode_one_line(predictions: NDArray[np.float32]) -> bytes:
    """What images up to 1.2-1 answer: all rows on one line, a row of probabilities as a Python list."""
    return ",".join(map(str, predictions.tolist())).encode()


def encode(predictions: NDArray[np.float32], accept: str) -> bytes:
    """One line or one object per row; raises :class:`CannotEncode` for the types that need selectable inference."""
    rows = predictions.tolist()
    if accept == CSV:
        lines = [",".join(map(str, row)) if isinstance(row, list) else str(row) for row in rows]
        return ("\n".join(lines) + "\n").encode()
    if accept == JSON:
        return json.dumps({"predictions": [{"score": row} for row in rows]}).encode()
    raise CannotEncode(f"{accept} is an accepted type only together with SAGEMAKER_INFERENCE_OUTPUT.")
