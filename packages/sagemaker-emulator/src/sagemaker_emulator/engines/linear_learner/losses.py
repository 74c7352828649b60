"""The loss functions, of many models at once.

Each takes scores ``[rows, models, outputs]`` and labels ``[rows]``, and gives the loss ``[rows, models]`` and its derivative
by the scores. Labels of a binary classifier are 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sagemaker_emulator.engines.linear_learner.settings import Settings
from sagemaker_emulator.engines.shell.arrays import AnyArray

Loss = Callable[[AnyArray, AnyArray], tuple[AnyArray, AnyArray]]

# How the log lines name the objective of a loss.
OBJECTIVES = {
    "logistic": "binary_classification_cross_entropy_objective",
    "softmax_loss": "multiclass_cross_entropy_objective",
    "squared_loss": "mse_objective",
}


def objective_name(loss: str) -> str:
    return OBJECTIVES.get(loss, f"{loss}_objective")


def sigmoid(scores: AnyArray) -> AnyArray:
    half: AnyArray = 0.5 * (1.0 + np.tanh(0.5 * scores))
    return half


def softmax(scores: AnyArray) -> AnyArray:
    """Along the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: AnyArray = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def loss_function(settings: Settings, label_scale: float = 1.0) -> Loss:
    """The loss; its widths (delta, insensitivity) are in units of the label, which may be divided by ``label_scale``."""
    if settings.loss == "softmax_loss":
        return _softmax_loss
    delta, width = settings.huber_delta / label_scale, settings.loss_insensitivity / label_scale
    functions: dict[str, Loss] = {
        "logistic": _logistic,
        "hinge_loss": lambda score, label: _hinge(score, label, settings.margin),
        "squared_loss": lambda score, label: _eps_squared(score - label, 0.0),
        "absolute_loss": lambda score, label: _eps_absolute(score - label, 0.0),
        "eps_insensitive_squared_loss": lambda score, label: _eps_squared(score - label, width),
        "eps_insensitive_absolute_loss": lambda score, label: _eps_absolute(score - label, width),
        "quantile_loss": lambda score, label: _quantile(score - label, settings.quantile),
        "huber_loss": lambda score, label: _huber(score - label, delta),
    }
    of_one_output = functions[settings.loss]

    def loss(scores: AnyArray, labels: AnyArray) -> tuple[AnyArray, AnyArray]:
        value, slope = of_one_output(scores[:, :, 0], labels[:, None])
        return value, slope[:, :, None]

    return loss


def _softmax_loss(scores: AnyArray, labels: AnyArray) -> tuple[AnyArray, AnyArray]:
    shares = softmax(scores)
    truth = np.arange(scores.shape[2]) == labels[:, None].astype(np.int64)
    likelihood = np.where(truth[:, None, :], shares, 0).sum(axis=2)
    return -np.log(np.maximum(likelihood, 1e-12)), shares - truth[:, None, :]


def _logistic(score: AnyArray, label: AnyArray) -> tuple[AnyArray, AnyArray]:
    return np.logaddexp(0, score) - label * score, sigmoid(score) - label


def _hinge(score: AnyArray, label: AnyArray, margin: float) -> tuple[AnyArray, AnyArray]:
    side = 2 * label - 1
    short = margin - side * score
    return np.maximum(short, 0), np.where(short > 0, -side, 0)


def _eps_squared(error: AnyArray, width: float) -> tuple[AnyArray, AnyArray]:
    beyond = np.maximum(np.abs(error) - width, 0)
    return beyond**2, 2 * beyond * np.sign(error)


def _eps_absolute(error: AnyArray, width: float) -> tuple[AnyArray, AnyArray]:
    beyond = np.abs(error) - width
    return np.maximum(beyond, 0), np.where(beyond > 0, np.sign(error), 0)


def _quantile(error: AnyArray, quantile: float) -> tuple[AnyArray, AnyArray]:
    slope = np.where(error > 0, 1 - quantile, -quantile)
    return slope * error, slope


def _huber(error: AnyArray, delta: float) -> tuple[AnyArray, AnyArray]:
    size = np.abs(error)
    return np.where(size <= delta, 0.5 * error**2, delta * (size - 0.5 * delta)), np.clip(error, -delta, delta)
