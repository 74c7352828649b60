"""What the log says of a model on a channel, by the names in SageMaker's log lines: scikit-learn's metrics."""

from __future__ import annotations

import numpy as np
from sklearn import metrics

from sagemaker_emulator.engines.linear_learner.losses import loss_function, objective_name, softmax
from sagemaker_emulator.engines.linear_learner.settings import BINARY, MULTICLASS, REGRESSOR, Settings
from sagemaker_emulator.engines.shell.arrays import AnyArray

LOSSES = ("mse", "absolute_loss", "rmse")


def is_loss(name: str) -> bool:
    """Whether less is better."""
    return name in LOSSES or name.endswith("_objective")


def channel_scores(margins: AnyArray, labels: AnyArray, settings: Settings, threshold: float | None) -> dict[str, float]:
    """Of the model's margins ``[rows, outputs]``; ``threshold`` of a binary classifier is one on margins."""
    truth = labels.astype(np.float64)
    margins = margins.astype(np.float64)
    if not np.isfinite(margins).all():  # training has diverged, and scikit-learn refuses to score that
        margins = np.nan_to_num(margins) if settings.predictor_type != REGRESSOR else np.full_like(margins, np.nan)
    objective = loss_function(settings)(margins[:, None, :], truth)[0].mean()
    rest = {BINARY: _binary, MULTICLASS: _multiclass}.get(settings.predictor_type, _regression)
    scores = {objective_name(settings.loss): objective, **rest(margins, truth, settings, threshold or 0.0)}
    return {name: float(value) for name, value in scores.items()}


def _binary(margins: AnyArray, labels: AnyArray, settings: Settings, threshold: float) -> dict[str, float]:
    positive, claimed = labels > 0.5, margins[:, 0] >= threshold
    return {
        "binary_classification_accuracy": metrics.accuracy_score(positive, claimed),
        f"binary_f_{settings.f_beta:.3f}": metrics.fbeta_score(positive, claimed, beta=settings.f_beta, zero_division=0),
        "precision": metrics.precision_score(positive, claimed, zero_division=0),
        "recall": metrics.recall_score(positive, claimed, zero_division=0),
        "roc_auc_score": roc_auc(margins[:, 0], positive),
    }


def roc_auc(scores: AnyArray, positive: AnyArray) -> float:
    """0.5 where all rows are of one class, of which scikit-learn says nothing."""
    return float(metrics.roc_auc_score(positive, scores)) if len(np.unique(positive)) > 1 else 0.5


def _multiclass(margins: AnyArray, labels: AnyArray, settings: Settings, _: float) -> dict[str, float]:
    truth, classes = labels.astype(np.int64), np.arange(settings.num_classes)
    predicted, k = margins.argmax(axis=1), settings.accuracy_top_k
    precision, recall, f_beta, _rows = metrics.precision_recall_fscore_support(
        truth, predicted, beta=settings.f_beta, average="macro", zero_division=0
    )
    rank = 1 + np.sum(margins > margins[np.arange(len(truth)), truth, None], axis=1)
    return {
        "multiclass_accuracy": metrics.accuracy_score(truth, predicted),
        f"multiclass_top_k_accuracy_{k}": np.mean(rank <= k),  # scikit-learn has none for k as large as the classes are many
        "dcg": metrics.dcg_score(truth[:, None] == classes, margins),
        "macro_recall": recall,
        "macro_precision": precision,
        f"macro_f_{settings.f_beta:.3f}": f_beta,
        "multiclass_balanced_accuracy": metrics.recall_score(
            truth, predicted, labels=np.unique(truth), average="macro", zero_division=0
        ),
        "multiclass_log_loss": metrics.log_loss(truth, softmax(margins), labels=classes),
    }


def _regression(margins: AnyArray, labels: AnyArray, _: Settings, __: float) -> dict[str, float]:
    values = margins[:, 0]
    if np.isnan(values).any():
        return dict.fromkeys((*LOSSES, "r2"), np.nan)
    return {
        "mse": metrics.mean_squared_error(labels, values),
        "absolute_loss": metrics.mean_absolute_error(labels, values),
        "rmse": metrics.root_mean_squared_error(labels, values),
        "r2": metrics.r2_score(labels, values) if len(labels) > 1 else 0.0,
    }
