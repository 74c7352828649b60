"""Selectable inference: what ``SAGEMAKER_INFERENCE_OUTPUT`` asks of each prediction."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from sagemaker_emulator.engines.xgboost.answers import CSV, JSON, JSON_LINES, NotAcceptable

Answer = dict[str, object]

_REGRESSION = ("predicted_score",)
_LABELS = ("predicted_label", "labels", "raw_score", "raw_scores")
_PROBABILITIES = ("predicted_label", "labels", "probability", "probabilities", "raw_score", "raw_scores")
# Which keys an objective's predictions can answer; the container gives NaN for the others.
KEYS = {
    "reg:squarederror": _REGRESSION,
    "reg:logistic": _REGRESSION,
    "reg:gamma": _REGRESSION,
    "reg:absoluteerror": _REGRESSION,
    "reg:tweedie": _REGRESSION,
    "binary:logistic": _PROBABILITIES,
    "binary:logitraw": _LABELS,
    "binary:hinge": _LABELS,
    "multi:softmax": _LABELS,
    "multi:softprob": _PROBABILITIES,
}


class NotSelectable(Exception):
    """The model's objective has no selectable content: the container answers 500."""


def wanted_keys(setting: str) -> list[str]:
    """The keys of the environment variable's comma-separated list."""
    return setting.replace(" ", "").lower().split(",")


def select(predictions: NDArray[np.float32], keys: list[str], objective: str, num_class: int) -> list[Answer]:
    """One object per row; raises :class:`NotSelectable`."""
    possible = KEYS.get(objective)
    if possible is None:
        raise NotSelectable(f"Objective `{objective}` unsupported for selectable inference predictions.")
    return [
        {key: _value(key, row, objective, num_class) if key in possible else math.nan for key in keys}
        for row in predictions.tolist()
    ]


def _value(key: str, row: float | list[float], objective: str, num_class: int) -> object:
    scores = row if isinstance(row, list) else [1.0 - row, row]
    best = max(row) if isinstance(row, list) else row
    if key == "predicted_label":
        return _label(row, objective)
    if key == "labels":
        return list(range(num_class)) if objective.startswith("multi:") else [0, 1]
    return {"predicted_score": row, "probability": best, "raw_score": best}.get(key, scores)


def _label(row: float | list[float], objective: str) -> float:
    if isinstance(row, list):
        return int(np.argmax(row))
    if objective == "binary:logistic":
        return int(row > 0.5)
    return int(row > 0) if objective == "binary:logitraw" else row


def encode_selected(answers: Iterable[Answer], keys: list[str], accept: str) -> bytes:
    """The objects in the accepted type; columns of CSV are in the order of the keys, lists quoted."""
    if accept == JSON:
        return json.dumps({"predictions": list(answers)}).encode()
    if accept == JSON_LINES:
        return "".join(f"{json.dumps(answer)}\n" for answer in answers).encode()
    if accept == CSV:
        return "\n".join(",".join(_cell(answer[key]) for key in keys) for answer in answers).encode()
    raise NotAcceptable(f"The local SageMaker service does not answer selectable inference as {accept}.")


def _cell(value: object) -> str:
    return f'"{value}"' if isinstance(value, list) else str(value)
