"""What the log says of a model on a channel, by the names in SageMaker's log lines."""

from __future__ import annotations

import numpy as np

from sagemaker_emulator.engines.linear_learner.losses import loss_function, objective_name, softmax
from sagemaker_emulator.engines.linear_learner.settings import BINARY, MULTICLASS, Settings
from sagemaker_emulator.engines.shell.arrays import AnyArray

LOSSES = ("mse", "absolute_loss", "rmse")


def is_loss(name: str) -> bool:
    """Whether less is better."""
    return name in LOSSES or name.endswith("_objective")


def channel_scores(margins: AnyArray, labels: AnyArray, settings: Settings, threshold: float | None) -> dict[str, float]:
    """Of the model's margins ``[rows, outputs]``; ``threshold`` of a binary classifier is one on margins."""
    truth = labels.astype(np.float64)
    margins = margins.astype(np.float64)
    objective = float(loss_function(settings)(margins[:, None, :], truth)[0].mean())
    rest = {BINARY: _binary, MULTICLASS: _multiclass}.get(settings.predictor_type, _regression)
    return {objective_name(settings.loss): objective, **rest(margins, truth, settings, threshold or 0.0)}


def _binary(margins: AnyArray, labels: AnyArray, settings: Settings, threshold: float) -> dict[str, float]:
    positive, claimed = labels > 0.5, margins[:, 0] >= threshold
    hits = float(np.sum(positive & claimed))
    precision, recall = hits / max(1, int(claimed.sum())), hits / max(1, int(positive.sum()))
    return {
        "binary_classification_accuracy": float(np.mean(positive == claimed)),
        f"binary_f_{settings.f_beta:.3f}": float(_f_beta(precision, recall, settings.f_beta)),
        "precision": precision,
        "recall": recall,
        "roc_auc_score": roc_auc(margins[:, 0], positive),
    }


def roc_auc(scores: AnyArray, positive: AnyArray) -> float:
    """The share of pairs of a positive and a negative row that are in order, ties by half; 0.5 where there is no pair."""
    _, group, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[group]
    ones = int(positive.sum())
    pairs = ones * (len(positive) - ones)
    return float((ranks[positive].sum() - ones * (ones + 1) / 2) / pairs) if pairs else 0.5


def _multiclass(margins: AnyArray, labels: AnyArray, settings: Settings, _: float) -> dict[str, float]:
    truth = labels.astype(np.int64)
    own = margins[np.arange(len(truth)), truth]
    rank = 1 + np.sum(margins > own[:, None], axis=1)
    predicted = margins.argmax(axis=1)
    classes = np.union1d(truth, predicted)
    hits = np.array([np.sum((truth == one) & (predicted == one)) for one in classes], dtype=np.float64)
    actual = np.array([np.sum(truth == one) for one in classes])
    precision = hits / np.maximum(1, [np.sum(predicted == one) for one in classes])
    recall = hits / np.maximum(1, actual)
    balanced = float(recall[actual > 0].mean())
    shares = np.maximum(softmax(margins)[np.arange(len(truth)), truth], 1e-12)
    return {
        "multiclass_accuracy": float(np.mean(predicted == truth)),
        f"multiclass_top_k_accuracy_{settings.accuracy_top_k}": float(np.mean(rank <= settings.accuracy_top_k)),
        "dcg": float(np.mean(1 / np.log2(1 + rank))),
        "macro_recall": float(recall.mean()),
        "macro_precision": float(precision.mean()),
        f"macro_f_{settings.f_beta:.3f}": float(np.mean(_f_beta(precision, recall, settings.f_beta))),
        "multiclass_balanced_accuracy": balanced,
        "multiclass_log_loss": float(-np.log(shares).mean()),
    }


def _f_beta(precision: AnyArray | float, recall: AnyArray | float, beta: float) -> AnyArray | float:
    bottom = np.maximum(beta**2 * np.asarray(precision) + recall, 1e-12)
    score: AnyArray = (1 + beta**2) * np.asarray(precision) * recall / bottom
    return score


def _regression(margins: AnyArray, labels: AnyArray, _: Settings, __: float) -> dict[str, float]:
    error = margins[:, 0] - labels
    mse, spread = float(np.mean(error**2)), float(np.var(labels))
    return {
        "mse": mse,
        "absolute_loss": float(np.mean(np.abs(error))),
        "rmse": mse**0.5,
        "r2": 1 - mse / spread if spread else 0.0,
    }
