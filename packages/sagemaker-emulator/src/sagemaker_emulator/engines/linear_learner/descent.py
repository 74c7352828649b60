"""Minibatch descent of many linear models at once."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_matrix

from sagemaker_emulator.engines.linear_learner.losses import Loss
from sagemaker_emulator.engines.linear_learner.settings import Settings
from sagemaker_emulator.engines.shell.arrays import AnyArray, FloatArray

_DECAYS, _LAST_SHARE, _EPSILON = 100, 0.01, 1e-8


class Descent:
    """The models' weights ``float32[columns + 1, models * outputs]``, the last row their biases, and how they are improved.

    ``weights`` are the means of about the last epoch's steps: they do not jump about as single steps do.
    """

    def __init__(self, columns: int, settings: Settings) -> None:
        self._settings = settings
        self._rng = np.random.default_rng(0)
        width = settings.models * settings.outputs
        shape = (columns, settings.outputs)
        start = (
            self._rng.normal(0, settings.init_sigma, shape)
            if settings.init_method == "normal"
            else self._rng.uniform(-settings.init_scale, settings.init_scale, shape)
        )
        bias = np.full((1, width), settings.init_bias if settings.use_bias else 0.0)
        self.weights: FloatArray = np.concatenate([np.tile(start, settings.models), bias]).astype(np.float32)
        self._current = self.weights.copy()
        self._first = np.zeros_like(self.weights)
        self._second = np.zeros_like(self.weights)
        self._steps = 0
        each_output = np.repeat(np.arange(settings.models), settings.outputs)
        bias_rate = settings.bias_lr_mult if settings.use_bias else 0.0
        self._rates = _table(np.array(settings.learning_rate)[each_output], columns, bias_rate)
        self._decays = _table(np.array(settings.wd)[each_output], columns, settings.bias_wd_mult)

    def scores(self, rows: FloatArray | csr_matrix) -> FloatArray:
        """``float32[rows, models, outputs]``."""
        return self._scores(rows, self.weights)

    def _scores(self, rows: FloatArray | csr_matrix, weights: FloatArray) -> FloatArray:
        flat: FloatArray = rows @ weights[:-1] + weights[-1]
        return flat.reshape(-1, self._settings.models, self._settings.outputs)

    def epochs(
        self, rows: FloatArray | csr_matrix, labels: FloatArray, row_weights: FloatArray, loss: Loss
    ) -> Iterator[FloatArray]:
        """Improve the weights, an epoch at a time; yields each model's mean loss over the epoch."""
        size = self._settings.batch_size(len(labels))
        batches = math.ceil(len(labels) / size)
        schedule = _Schedule(self._settings, self._settings.epochs * batches)
        for _ in range(self._settings.epochs):
            order = self._rng.permutation(len(labels))
            total = np.zeros(self._settings.models)
            for start in range(0, len(order), size):
                chosen = order[start : start + size]
                batch = rows[chosen]
                value, slope = loss(self._scores(batch, self._current), labels[chosen])
                total += value.sum(axis=0)
                slope = (slope * row_weights[chosen, None, None]).reshape(len(chosen), -1).astype(np.float32)
                self._step(np.concatenate([batch.T @ slope, slope.sum(axis=0, keepdims=True)]) / len(chosen), schedule)
                self.weights += (self._current - self.weights) / min(self._steps, batches)
            if self._settings.l1:  # a mean is hardly ever exactly 0
                self.weights[self._current == 0] = 0
            yield (total / len(labels)).astype(np.float32)

    def _step(self, gradient: AnyArray, schedule: _Schedule) -> None:
        settings = self._settings
        self._steps += 1
        rates = schedule.at(self._steps, self._rates)
        gradient = gradient.astype(np.float32) + self._decays * self._current
        if settings.optimizer == "sgd":
            self._first = settings.momentum * self._first + gradient
            steps: AnyArray = rates
        elif settings.optimizer == "rmsprop":
            self._second += (1 - settings.beta_1) * (gradient**2 - self._second)
            self._first = gradient
            steps = rates / (np.sqrt(self._second) + _EPSILON)
        else:
            self._first += (1 - settings.beta_1) * (gradient - self._first)
            self._second += (1 - settings.beta_2) * (gradient**2 - self._second)
            unbiased = np.sqrt(self._second / (1 - settings.beta_2**self._steps))
            steps = rates / (1 - settings.beta_1**self._steps) / (unbiased + _EPSILON)
        self._current -= steps * self._first
        if settings.l1:  # each weight's own step, so that what the loss does not hold becomes exactly 0
            size = np.maximum(np.abs(self._current[:-1]) - settings.l1 * steps[:-1], 0)
            self._current[:-1] = np.sign(self._current[:-1]) * size


class _Schedule:
    """Learning rates that are multiplied by a factor every some steps; ``auto`` ends at a hundredth."""

    def __init__(self, settings: Settings, steps: int) -> None:
        self._step = settings.lr_scheduler_step or max(1, steps // _DECAYS)
        factor = settings.lr_scheduler_factor or _LAST_SHARE ** (self._step / max(steps, 1))
        self._factor = factor if settings.use_lr_scheduler else 1.0
        self._least = settings.lr_scheduler_minimum_lr

    def at(self, step: int, rates: FloatArray) -> FloatArray:
        decayed = np.maximum(rates * np.float32(self._factor ** (step // self._step)), np.float32(self._least))
        slower: FloatArray = np.minimum(rates, decayed)
        return slower


def _table(values: AnyArray, columns: int, bias_share: float) -> FloatArray:
    """``float32[columns + 1, models * outputs]``, the biases' row multiplied; views of one row for the columns."""
    weights = np.broadcast_to(values, (columns, len(values)))
    return np.concatenate([weights, values[None, :] * bias_share]).astype(np.float32)
