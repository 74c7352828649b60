"""Training: epochs of descent, the best model so far, early stopping, the threshold."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from sagemaker_emulator.engines.first_party.channels import Data
from sagemaker_emulator.engines.linear_learner.calibration import BY_LOSS, calibrate
from sagemaker_emulator.engines.linear_learner.descent import Descent
from sagemaker_emulator.engines.linear_learner.losses import loss_function, objective_name
from sagemaker_emulator.engines.linear_learner.model import LinearModel
from sagemaker_emulator.engines.linear_learner.scaling import Scaling, fit_scaling
from sagemaker_emulator.engines.linear_learner.settings import BINARY, MULTICLASS, Settings
from sagemaker_emulator.engines.shell.arrays import FloatArray

logger = logging.getLogger(__name__)

# Numbers that the models compute of the rows on which they are compared after an epoch.
_MOST_SCORES = 20_000_000
# Losses of the second degree in the label grow with the square of its scale.
_SQUARED = ("squared_loss", "eps_insensitive_squared_loss", "huber_loss")


@dataclass(frozen=True)
class _Standing:
    """How a model does after an epoch. Of ``score`` more is better, and what differs by less than ``error`` is the same."""

    model: int
    score: float
    loss: float
    error: float

    def beats(self, other: _Standing | None) -> bool:
        """By its score; with the same score, by its loss."""
        if other is None:
            return True
        if abs(self.score - other.score) > max(self.error, other.error):
            return self.score > other.score
        return self.loss < other.loss

    def improves(self, score: float, loss: float, tolerance: float) -> bool:
        """On what was best so far, by more than a share of it."""
        return self.score > score + tolerance * abs(score) or self.loss < loss - tolerance * abs(loss)


def fit(train: Data, validation: Data | None, settings: Settings, host: str) -> LinearModel:
    """The best model of all epochs and all combinations of what is ``auto``, with its threshold."""
    scaling = fit_scaling(train.features, train.labels, settings)
    rows, labels = scaling.features(train.features), scaling.labels(train.labels)
    descent = Descent(train.width, settings)
    comparing = _Comparing(validation or train, scaling, settings)
    best: _Standing | None = None
    best_weights = descent.weights
    best_score, best_loss, waited, started = -math.inf, math.inf, 0, time.monotonic()
    losses = descent.epochs(rows, labels, _row_weights(train, settings), loss_function(settings, scaling.label_deviation))
    for epoch, train_losses in enumerate(losses):
        standing = comparing.best(descent)
        where = f"host={host}, epoch={epoch}"
        train_loss = float(train_losses[standing.model]) * _loss_scale(scaling, settings)
        logger.info("#quality_metric: %s, train %s <loss>=%s", where, objective_name(settings.loss), train_loss)
        if validation is not None:
            logger.info("#quality_metric: %s, validation %s <loss>=%s", where, objective_name(settings.loss), standing.loss)
        logger.info("#early_stopping_criteria_metric: %s, criteria=%s, value=%s", where, comparing.criteria, standing.score)
        if standing.beats(best):
            logger.info("Epoch %d: Loss improved. Updating best model", epoch)
            best, best_weights = standing, descent.weights.copy()
        logger.info("#progress_metric: host=%s, completed %d %% of epochs", host, round(100 * (epoch + 1) / settings.epochs))
        seconds = max(time.monotonic() - started, 1e-6)
        logger.info("#throughput_metric: host=%s, train throughput=%s records/second", host, len(train) * (epoch + 1) / seconds)
        improves = not epoch or standing.improves(best_score, best_loss, settings.early_stopping_tolerance)
        waited = 0 if improves else waited + 1
        best_score, best_loss = max(best_score, standing.score), min(best_loss, standing.loss)
        if waited >= settings.early_stopping_patience:
            logger.info("Early stop condition met. Stopping training.")
            break
    chosen = best.model if best else 0
    logger.info(
        'Best model found for hyperparameters: {"optimizer": "%s", "learning_rate": %s, "wd": %s, "l1": %s}',
        settings.optimizer,
        settings.learning_rate[chosen],
        settings.wd[chosen],
        settings.l1,
    )
    return _calibrated(scaling, best_weights, chosen, validation or train, settings)


class _Comparing:
    """Compares all models on some rows: on the validation channel if there is one, else on the train channel."""

    def __init__(self, data: Data, scaling: Scaling, settings: Settings) -> None:
        most = max(1000, _MOST_SCORES // (settings.models * settings.outputs))
        chosen = slice(None) if len(data) <= most else np.sort(np.random.default_rng(1).permutation(len(data))[:most])
        self._rows: FloatArray | csr_matrix = scaling.features(data.features[chosen])
        self._labels = data.labels[chosen]
        self._scaled = scaling.labels(self._labels)
        self._loss = loss_function(settings, scaling.label_deviation)
        self._loss_scale = _loss_scale(scaling, settings)
        self._settings = settings
        by_loss = settings.predictor_type != MULTICLASS and (settings.predictor_type != BINARY or settings.criteria in BY_LOSS)
        self.criteria = objective_name(settings.loss) if by_loss else f"sampled_{self._criteria_name()}"
        self._by_loss = by_loss

    def _criteria_name(self) -> str:
        return "accuracy" if self._settings.predictor_type == MULTICLASS else self._settings.criteria

    def best(self, descent: Descent) -> _Standing:
        scores = descent.scores(self._rows)
        losses = self._loss(scores, self._scaled)[0].mean(axis=0) * self._loss_scale
        best: _Standing | None = None
        for model, loss in enumerate(losses.tolist()):
            score = -loss if self._by_loss else self._score(scores[:, model])
            error = 0.0 if self._by_loss else math.sqrt(max(0.0, score * (1 - score)) / len(self._labels))
            standing = _Standing(model, score, loss, error)
            best = standing if standing.beats(best) else best
        if best is None:
            raise AssertionError("there is at least one model")
        return best

    def _score(self, margins: FloatArray) -> float:
        if self._settings.predictor_type == MULTICLASS:
            return float(np.mean(margins.argmax(axis=1) == self._labels))
        return calibrate(margins[:, 0], self._labels, self._settings, 0.0)[1]


def _loss_scale(scaling: Scaling, settings: Settings) -> float:
    """What a loss on scaled labels is multiplied by to be one on labels."""
    return scaling.label_deviation**2 if settings.loss in _SQUARED else scaling.label_deviation


def _row_weights(train: Data, settings: Settings) -> FloatArray:
    """How much each row counts."""
    labels = train.labels
    weights = np.ones(len(labels), dtype=np.float32)
    if settings.predictor_type == BINARY:
        ones = max(1, int(np.sum(labels > 0.5)))
        balanced = (len(labels) - ones) / ones
        weights[labels > 0.5] = (
            balanced if settings.positive_example_weight_mult is None else settings.positive_example_weight_mult
        )
    elif settings.predictor_type == MULTICLASS and settings.balance_multiclass_weights:
        counts = np.bincount(labels.astype(np.int64), minlength=settings.num_classes)
        weights = (len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[labels.astype(np.int64)].astype(np.float32)
    return weights / max(float(weights.mean()), 1e-12)


def _calibrated(scaling: Scaling, weights: FloatArray, chosen: int, data: Data, settings: Settings) -> LinearModel:
    outputs = slice(chosen * settings.outputs, (chosen + 1) * settings.outputs)
    weight, bias = scaling.raw(weights[:-1, outputs], weights[-1, outputs])
    model = LinearModel(settings.predictor_type, settings.loss, weight, bias, 0.0)
    if settings.predictor_type != BINARY:
        return model
    most = settings.num_calibration_samples
    threshold, _ = calibrate(model.margins(data.features[:most])[:, 0], data.labels[:most], settings, 0.0)
    return LinearModel(settings.predictor_type, settings.loss, weight, bias, threshold)
