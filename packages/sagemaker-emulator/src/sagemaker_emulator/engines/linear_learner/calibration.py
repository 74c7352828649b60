"""The threshold of a binary classifier, by ``binary_classifier_model_selection_criteria``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix_at_thresholds

from sagemaker_emulator.engines.linear_learner.settings import Settings

BY_LOSS = ("cross_entropy_loss", "loss_function")


def calibrate(
    scores: NDArray[np.floating], labels: NDArray[np.floating], settings: Settings, middle: float
) -> tuple[float, float]:
    """The threshold at and above which a score is a 1, and what the criteria make of it (the more, the better).

    Of thresholds that do equally well, the one nearest to ``middle`` is taken; with criteria on the loss it is ``middle``, and 0.
    """
    if settings.criteria in BY_LOSS:
        return middle, 0.0
    # A model of several may have diverged.
    thresholds, hits, claimed = _cuts(np.nan_to_num(np.asarray(scores, dtype=np.float64)), labels > 0.5)
    values = _values(hits, claimed, labels, settings)
    best = np.flatnonzero(values >= values.max() - 1e-12)
    chosen = best[np.argmin(np.abs(thresholds[best] - middle))]
    return float(thresholds[chosen]), float(values[chosen])


def _cuts(
    scores: NDArray[np.float64], positive: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Every threshold that makes a difference, with the true positives and all positives that it gives."""
    _, false, _, true, ranked = confusion_matrix_at_thresholds(positive, scores)
    below = np.append(ranked[1:], ranked[-1])
    thresholds = np.append(np.nextafter(ranked[0], np.inf), (ranked + below) / 2)
    return thresholds, np.append(0.0, true), np.append(0.0, true + false)


def _values(
    hits: NDArray[np.float64], claimed: NDArray[np.float64], labels: NDArray[np.floating], settings: Settings
) -> NDArray[np.float64]:
    actual = float(np.sum(labels > 0.5))
    recall = hits / max(actual, 1)
    precision = np.divide(hits, claimed, out=np.zeros_like(hits), where=claimed > 0)
    if settings.criteria in ("f1", "f_beta"):
        squared = settings.f_beta**2 if settings.criteria == "f_beta" else 1.0
        return (1 + squared) * hits / np.maximum(claimed + squared * actual, 1)
    # Where the target is out of reach, the threshold that comes nearest to it: what is missing counts below zero.
    if settings.criteria == "precision_at_target_recall":
        return np.where(recall >= settings.target_recall, precision, recall - settings.target_recall)
    if settings.criteria == "recall_at_target_precision":
        return np.where(precision >= settings.target_precision, recall, precision - settings.target_precision)
    right = 2 * hits - claimed + len(labels) - actual
    return right / len(labels)
