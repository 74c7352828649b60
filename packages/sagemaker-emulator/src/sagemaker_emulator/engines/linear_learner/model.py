"""A trained linear model: what it answers, and the file that it is kept in.

The file has the name and the outline of SageMaker's, a zip with ``manifest.json`` and ``additional-params.json``; in place of
SageMaker's MXNet module there are ``weight.npy`` (``float32[columns, outputs]``) and ``bias.npy`` (``float32[outputs]``),
for raw rows.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sagemaker_emulator.engines.first_party.requests import Prediction
from sagemaker_emulator.engines.linear_learner.losses import sigmoid, softmax
from sagemaker_emulator.engines.linear_learner.settings import BINARY, MULTICLASS
from sagemaker_emulator.engines.shell.arrays import AnyArray, FloatArray

MODEL_NAME = "model_algo-1"
_KIND, _VERSION = "linear-learner", 1


@dataclass(frozen=True)
class LinearModel:
    """``threshold`` of a binary classifier is one on margins: the rows' products with the weights."""

    predictor_type: str
    loss: str
    weight: FloatArray
    bias: FloatArray
    threshold: float

    @property
    def width(self) -> int:
        return len(self.weight)

    def margins(self, rows: Any) -> FloatArray:  # Any: an array, or a matrix of scipy, which serving does not import
        """``float32[rows, outputs]``."""
        margins: FloatArray = rows @ self.weight + self.bias
        return margins

    def predictions(self, rows: FloatArray) -> list[Prediction]:
        """One answer per row; a score is a probability, a margin of the hinge loss, or a regressor's value."""
        margins = self.margins(rows).astype(np.float64)
        if self.predictor_type == MULTICLASS:
            return _with_labels(softmax(margins), margins.argmax(axis=1))
        scores = (sigmoid(margins) if self.loss == "logistic" else margins)[:, 0]
        if self.predictor_type == BINARY:
            return _with_labels(scores, margins[:, 0] >= self.threshold)
        return [{"score": score} for score in scores.astype(np.float32).tolist()]

    def save(self, path: Path) -> None:
        parameters = {"predictor_type": self.predictor_type, "loss": self.loss, "threshold": self.threshold}
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("manifest.json", json.dumps({"format": f"sagemaker-emulator-{_KIND}", "version": _VERSION}))
            archive.writestr("additional-params.json", json.dumps(parameters))
            archive.writestr("weight.npy", _npy(self.weight))
            archive.writestr("bias.npy", _npy(self.bias))

    @classmethod
    def load(cls, path: Path) -> LinearModel:
        """Raises ValueError for a file that is not of this module's making."""
        try:
            with zipfile.ZipFile(path) as archive:
                manifest = json.loads(archive.read("manifest.json"))
                # Earlier ones have another name in front.
                if not str(manifest["format"]).endswith(f"-{_KIND}") or manifest["version"] != _VERSION:
                    raise ValueError("it is not a model of the local linear learner")
                parameters = json.loads(archive.read("additional-params.json"))
                weight, bias = (
                    np.load(io.BytesIO(archive.read(f"{name}.npy")), allow_pickle=False) for name in ("weight", "bias")
                )
                return cls(**parameters, weight=weight, bias=bias)
        except (OSError, EOFError, KeyError, TypeError, zipfile.BadZipFile, ValueError) as error:
            raise ValueError(f"{path.name}: {error}") from error


def _npy(array: FloatArray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _with_labels(scores: AnyArray, labels: AnyArray) -> list[Prediction]:
    """Scores have the precision of float32."""
    pairs = zip(scores.astype(np.float32).tolist(), labels.astype(int).tolist(), strict=True)
    return [{"score": score, "predicted_label": label} for score, label in pairs]
