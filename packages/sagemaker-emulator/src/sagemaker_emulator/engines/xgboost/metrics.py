"""The metrics that the container adds to XGBoost's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from sagemaker_emulator.engines.xgboost.library import xgboost

Labels = NDArray[np.float64]
Metric = Callable[[Labels, Labels], float]


def _classes(predictions: NDArray[np.float32]) -> Labels:
    """Predicted labels: the likeliest class of a row of probabilities, else whether the number is above zero.

    The container takes what it is given for log-odds, which since its versions of XGBoost 3 are probabilities: of two classes
    every row counts as class 1.
    """
    if predictions.ndim == 2:
        return np.asarray(np.argmax(predictions, axis=1), dtype=np.float64)
    return (predictions > 0).astype(np.float64)


def _per_class(labels: Labels, predicted: Labels) -> tuple[Labels, Labels, Labels]:
    """True positives, predicted and actual counts of every class that occurs."""
    classes = np.union1d(labels, predicted)
    hits = np.array([np.sum((labels == c) & (predicted == c)) for c in classes], dtype=np.float64)
    claimed = np.array([np.sum(predicted == c) for c in classes], dtype=np.float64)
    actual = np.array([np.sum(labels == c) for c in classes], dtype=np.float64)
    return hits, claimed, actual


def _ratio(top: Labels, bottom: Labels) -> Labels:
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)


def _accuracy(labels: Labels, predicted: Labels) -> float:
    return float(np.mean(labels == predicted))


def _balanced_accuracy(labels: Labels, predicted: Labels) -> float:
    hits, _, actual = _per_class(labels, predicted)
    return float(np.mean(_ratio(hits, actual)[actual > 0]))


def _precision(labels: Labels, predicted: Labels) -> float:
    hits, claimed, _ = _per_class(labels, predicted)
    return float(np.mean(_ratio(hits, claimed)))


def _recall(labels: Labels, predicted: Labels) -> float:
    hits, _, actual = _per_class(labels, predicted)
    return float(np.mean(_ratio(hits, actual)))


def _f1(labels: Labels, predicted: Labels) -> float:
    hits, claimed, actual = _per_class(labels, predicted)
    return float(np.mean(_ratio(2 * hits, claimed + actual)))


def _of_class_one(metric: str) -> Metric:
    def score(labels: Labels, predicted: Labels) -> float:
        if len(np.union1d(labels, predicted)) > 2:
            raise ValueError("Target is multiclass but average='binary'. Please choose another average setting.")
        hits = float(np.sum((labels == 1) & (predicted == 1)))
        claimed, actual = float(np.sum(predicted == 1)), float(np.sum(labels == 1))
        bottom = {"precision": claimed, "recall": actual, "f1": (claimed + actual) / 2}[metric]
        return hits / bottom if bottom else 0.0

    return score


_CLASSIFICATION: dict[str, Metric] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "f1_macro": _f1,
    "f1_binary": _of_class_one("f1"),
    "precision": _of_class_one("precision"),
    "precision_macro": _precision,
    "precision_micro": _accuracy,
    "recall": _of_class_one("recall"),
    "recall_macro": _recall,
    "recall_micro": _accuracy,
}


def _r2(labels: Labels, predicted: Labels) -> float:
    spread = float(np.sum((labels - labels.mean()) ** 2))
    return 1.0 - float(np.sum((labels - predicted) ** 2)) / spread if spread else 0.0


_REGRESSION: dict[str, Metric] = {
    "mae": lambda labels, predicted: float(np.mean(np.abs(labels - predicted))),
    "mse": lambda labels, predicted: float(np.mean((labels - predicted) ** 2)),
    "rmse": lambda labels, predicted: float(np.sqrt(np.mean((labels - predicted) ** 2))),
    "r2": _r2,
}
CUSTOM_METRICS = frozenset((*_CLASSIFICATION, *_REGRESSION))


def custom_metric(names: Iterable[str]) -> Callable[[NDArray[np.float32], xgboost.DMatrix], list[tuple[str, float]]]:
    """A function for ``xgboost.train`` that computes these metrics."""
    wanted = list(names)

    def evaluate(predictions: NDArray[np.float32], matrix: xgboost.DMatrix) -> list[tuple[str, float]]:
        labels = matrix.get_label().astype(np.float64)
        results = []
        for name in wanted:
            if name in _CLASSIFICATION:
                results.append((name, _CLASSIFICATION[name](labels, _classes(predictions))))
            else:
                results.append((name, _REGRESSION[name](labels, predictions.astype(np.float64).reshape(-1))))
        return results

    return evaluate
