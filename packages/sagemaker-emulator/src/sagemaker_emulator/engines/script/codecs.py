"""The decoders and encoders of ``sagemaker-containers``: JSON, CSV and npy, each to and from one array.

The package itself, which the images of scikit-learn and XGBoost still have, needs Flask 1 and fails to be imported by Python
3.10 and later (``collections.Mapping``); and it reads npy with pickles in it.
"""

from __future__ import annotations

import csv
import io
import json

import numpy as np
from numpy.typing import NDArray
from sagemaker_inference.errors import UnsupportedFormatError

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
ANY = "*/*"
# What a function of the customer gets as text; anything else it gets as bytes.
TEXTS = (JSON, CSV)

Array = NDArray[np.generic]


def decode(body: str | bytes, content_type: str) -> Array:
    """As the containers decode it. CSV loses its dimensions of length 1: one row alone is an array of one dimension."""
    if content_type == JSON:
        return np.array(json.loads(body))
    if content_type == CSV:
        text = body.decode() if isinstance(body, bytes) else body
        return np.array(list(csv.reader(io.StringIO(text), strict=True))).squeeze().astype(np.float64)
    if content_type == NPY and isinstance(body, bytes):
        return np.asarray(np.load(io.BytesIO(body), allow_pickle=False))
    raise UnsupportedFormatError(content_type)


def encode(prediction: object, accept: str) -> bytes:
    """A prediction (anything that numpy makes an array of) in the accepted type."""
    if accept == JSON:
        return json.dumps(prediction, default=_plain).encode()
    array = np.asarray(prediction)
    if accept == CSV:
        rows = array.reshape(-1, 1) if array.ndim == 1 else array
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        return text.getvalue().encode()
    if accept == NPY:
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        return buffer.getvalue()
    raise UnsupportedFormatError(accept)


def _plain(value: object) -> object:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
