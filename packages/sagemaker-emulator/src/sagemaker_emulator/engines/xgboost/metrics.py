"""The metrics that the container adds to XGBoost's own: scikit-learn's, as in its ``metrics/custom_metrics.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from sagemaker_emulator.engines.xgboost.library import xgboost


def _averaged(function: str, average: str) -> tuple[str, Mapping[str, object]]:
    """Zero, without scikit-learn's warning, for a class that is never predicted or never there."""
    return function, {"average": average, "zero_division": 0}


# Functions of scikit-learn with their arguments: of labels and predicted labels, and of labels and predictions.
_OF_LABELS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "accuracy": ("accuracy_score", {}),
    "balanced_accuracy": ("balanced_accuracy_score", {}),
    "f1": _averaged("f1_score", "macro"),
    "f1_binary": _averaged("f1_score", "binary"),
    "f1_macro": _averaged("f1_score", "macro"),
    "precision": _averaged("precision_score", "binary"),
    "precision_macro": _averaged("precision_score", "macro"),
    "precision_micro": _averaged("precision_score", "micro"),
    "recall": _averaged("recall_score", "binary"),
    "recall_macro": _averaged("recall_score", "macro"),
    "recall_micro": _averaged("recall_score", "micro"),
}
_OF_NUMBERS = {
    "mae": "mean_absolute_error",
    "mse": "mean_squared_error",
    "rmse": "root_mean_squared_error",
    "r2": "r2_score",
}
CUSTOM_METRICS = frozenset((*_OF_LABELS, *_OF_NUMBERS))


def custom_metric(names: Iterable[str]) -> Callable[[NDArray[np.float32], xgboost.DMatrix], list[tuple[str, float]]]:
    """A function for ``xgboost.train`` that computes these metrics."""
    from sklearn import metrics  # noqa: PLC0415  # more than a second, which a job without these metrics does without

    wanted = list(names)

    def score(name: str, labels: NDArray[np.float32], predictions: NDArray[np.float32]) -> float:
        if name in _OF_NUMBERS:
            return float(getattr(metrics, _OF_NUMBERS[name])(labels, predictions))
        function, arguments = _OF_LABELS[name]
        return float(getattr(metrics, function)(labels, _predicted_labels(predictions), **arguments)) if predictions.size else 0.0

    def evaluate(predictions: NDArray[np.float32], matrix: xgboost.DMatrix) -> list[tuple[str, float]]:
        labels = matrix.get_label()
        return [(name, score(name, labels, predictions)) for name in wanted]

    return evaluate


def _predicted_labels(predictions: NDArray[np.float32]) -> NDArray[np.int64]:
    """The likeliest class of a row of probabilities, else whether the number is above zero.

    The container takes what it is given for log-odds, which since its versions of XGBoost 3 are probabilities: of two classes
    every row counts as class 1.
    """
    return np.argmax(predictions, axis=-1) if predictions.ndim == 2 else (predictions > 0).astype(np.int64)
