"""The index of a k-NN model: search, answers, and the files that it is kept in.

The files have SageMaker's names: ``model_algo-1`` (there FAISS's index; here ``.npz`` with ``index``, ``float32[rows, columns]``,
and ``projection``, ``float32[features, columns]``, if there is one), ``model_algo-1.labels`` (here ``.npy``, ``float32[rows]``)
and ``model_algo-1.json``.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sagemaker_emulator.engines.first_party.requests import Prediction
from sagemaker_emulator.engines.shell.arrays import AnyArray, FloatArray

MODEL_NAME = "model_algo-1"
CLASSIFIER = "classifier"
# Distances that are computed at once, and how many more candidates than k are measured exactly.
_MOST_DISTANCES, _MORE = 8_000_000, 16


class Neighbours(NamedTuple):
    """Of each row, the nearest first: ``float32[rows, k]`` labels, and distances in FAISS's sense.

    A distance is the squared one for L2; for INNER_PRODUCT and COSINE it is the product, of which more is nearer.
    """

    labels: FloatArray
    distances: FloatArray


def prepared(rows: FloatArray, projection: FloatArray | None, metric: str) -> FloatArray:
    """Rows as they are in the index: projected, and of length 1 for COSINE."""
    rows = rows if projection is None else rows @ projection
    if metric == "COSINE":
        rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return rows.astype(np.float32, copy=False)


@dataclass(frozen=True)
class KnnModel:
    """The indexed rows, :func:`prepared`; ``metric`` is L2, INNER_PRODUCT or COSINE."""

    predictor_type: str
    k: int
    metric: str
    index: FloatArray
    labels: FloatArray
    projection: FloatArray | None

    @property
    def width(self) -> int:
        return int(self.index.shape[1] if self.projection is None else self.projection.shape[0])

    def search(self, rows: FloatArray) -> Neighbours:
        """The k nearest of each row; of equally near ones, those that come first in the index."""
        found = [
            _nearest(self.index, chunk, self.k, self.metric)
            for chunk in _chunks(prepared(rows, self.projection, self.metric), len(self.index))
        ]
        positions, distances = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return Neighbours(self.labels[positions], distances.astype(np.float32))

    def predict(self, neighbours: Neighbours) -> FloatArray:
        """The label that most neighbours have (the smallest of several), or their mean."""
        if self.predictor_type != CLASSIFIER:
            mean: FloatArray = neighbours.labels.mean(axis=1, dtype=np.float64).astype(np.float32)
            return mean
        classes, codes = np.unique(neighbours.labels, return_inverse=True)
        rows = np.arange(len(neighbours.labels))[:, None]
        cells = rows * len(classes) + codes.reshape(neighbours.labels.shape)
        votes = np.bincount(cells.ravel(), minlength=len(rows) * len(classes)).reshape(len(rows), len(classes))
        likeliest: FloatArray = classes[votes.argmax(axis=1)]
        return likeliest

    def predictions(self, rows: FloatArray, *, verbose: bool) -> list[Prediction]:
        """One answer per row; a verbose one names the neighbours' distances and labels."""
        neighbours = self.search(rows)
        predicted = self.predict(neighbours).tolist()
        if not verbose:
            return [{"predicted_label": label} for label in predicted]
        return [
            {"predicted_label": label, "distances": distances, "labels": labels}
            for label, distances, labels in zip(predicted, neighbours.distances.tolist(), neighbours.labels.tolist(), strict=True)
        ]

    def save(self, directory: Path, reduction: dict[str, object]) -> None:
        arrays = {"index": self.index} | ({} if self.projection is None else {"projection": self.projection})
        # Written to open files: to a path, numpy adds a suffix.
        with (directory / MODEL_NAME).open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        with (directory / f"{MODEL_NAME}.labels").open("wb") as file:
            np.save(file, self.labels, allow_pickle=False)
        document = {
            "k": self.k,
            "predictor_type": self.predictor_type,
            "dimension_reduction": reduction,
            "metric": self.metric,
            "normalize": self.metric == "COSINE",
            "version": "1.0",
        }
        (directory / f"{MODEL_NAME}.json").write_text(json.dumps(document))

    @classmethod
    def load(cls, directory: Path) -> KnnModel:
        """Raises ValueError for files that are not of this module's making."""
        try:
            document = json.loads((directory / f"{MODEL_NAME}.json").read_text())
            with np.load(directory / MODEL_NAME, allow_pickle=False) as arrays:
                index, projection = arrays["index"], arrays.get("projection")
            labels = np.load(directory / f"{MODEL_NAME}.labels", allow_pickle=False)
            return cls(document["predictor_type"], document["k"], document["metric"], index, labels, projection)
        except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError(f"{MODEL_NAME} is not a model of the local k-NN: {error}") from error


def _chunks(rows: FloatArray, indexed: int) -> Iterator[FloatArray]:
    size = max(1, _MOST_DISTANCES // max(indexed, 1))
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _nearest(index: FloatArray, rows: FloatArray, k: int, metric: str) -> tuple[AnyArray, AnyArray]:
    """Positions in the index and distances, ``[rows, k]``.

    Products of whole arrays find the candidates, in float32; what decides among them is computed in float64, from the
    differences, which loses nothing where rows are close to each other.
    """
    rough = -(rows @ index.T)
    if metric == "L2":
        rough = 2 * rough + np.einsum("ij,ij->i", index, index)
    most = min(k + _MORE, len(index))
    candidates = np.sort(np.argpartition(rough, most - 1, axis=1)[:, :most], axis=1)
    exact = np.empty(candidates.shape)
    for row, chosen in enumerate(candidates):
        near, here = index[chosen].astype(np.float64), rows[row].astype(np.float64)
        exact[row] = ((near - here) ** 2).sum(axis=1) if metric == "L2" else -(near @ here)
    order = np.argsort(exact, axis=1, kind="stable")[:, :k]
    distances = np.take_along_axis(exact, order, axis=1)
    return np.take_along_axis(candidates, order, axis=1), distances if metric == "L2" else -distances
