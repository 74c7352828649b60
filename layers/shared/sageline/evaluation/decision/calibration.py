"""Fitting calibrations on rows whose labels are known."""

from __future__ import annotations

import numpy as np

from sageline.arrays.matrix import DoubleArray, FloatArray
from sageline.arrays.strings import BoolArray, IntArray
from sageline.encoder.decision import Isotonic, Temperature

_LEAST_PROBABILITY = float(np.finfo(np.float32).eps)
"""As in the log-loss: what models answer in single precision tells no less from 0."""

_SHARPEST, _FLATTEST = 0.05, 20.0
_STEPS = 50
_MOST_BINS, _ROWS_PER_BIN = 256, 10
_OWN_SHARE = 0.01
"""Of an isotonic calibration, the model's own probability: rows of one bin keep their order, on which ROC AUC and average
precision depend, and no probability becomes 0 or 1."""


def fit_temperature(probabilities: FloatArray, expected: IntArray, weights: DoubleArray) -> Temperature:
    """The temperature of the least log-loss, where each row counts as wrong by one in as many rows as there are, and two more.

    Without that, rows of which none is wrong would make every probability 1, and so many rows cannot show it. Source: Platt,
    Probabilistic Outputs for Support Vector Machines (1999), which takes the same share for two classes.

    With ``z`` the logarithms of the probabilities, the log-loss is convex in ``1 / temperature``; its derivative is the mean of
    ``z`` as the model expects it less that as the row has it. Newton's method, and halving where that would leave the bracket.
    """
    logs = np.log(np.maximum(probabilities, _LEAST_PROBABILITY, dtype=np.float64))
    logs -= logs.max(axis=1, keepdims=True)
    own = logs[np.arange(len(expected)), expected]
    others = (logs.sum(axis=1) - own) / (logs.shape[1] - 1)
    wrong = 1 / (len(expected) + 2)
    wanted = (1 - wrong) * own + wrong * others
    low, high, at = 1 / _FLATTEST, 1 / _SHARPEST, 1.0
    for _ in range(_STEPS):
        shares = np.exp(at * logs)
        shares /= shares.sum(axis=1, keepdims=True)
        mean = (shares * logs).sum(axis=1)
        slope = float(weights @ (mean - wanted))
        low, high = (low, at) if slope > 0 else (at, high)
        curvature = float(weights @ ((shares * logs**2).sum(axis=1) - mean**2))
        step = at - slope / curvature if curvature > 0 else np.nan
        following = step if low < step < high else (low + high) / 2
        if abs(following - at) < 1e-9 * at:
            break
        at = following
    return Temperature(1 / at)


def fit_isotonic(scores: FloatArray, is_positive: BoolArray, weights: DoubleArray) -> Isotonic:
    """The rising line of the least squared error through bins of equally many rows, by pooling bins that would make it fall.

    Bins keep single rows from making steps of their own, and hold all rows of equal scores. A bin's share of positive rows counts
    one row more, of the overall share. Source: Ayer, Brunk, Ewing, Reid and Silverman, An Empirical Distribution Function for
    Sampling with Incomplete Information (1955); Zadrozny and Elkan, Transforming Classifier Scores into Accurate Multiclass
    Probability Estimates (2002).

    Args:
        scores: ``float32[rows]``: probabilities of the positive class.
    """
    order = np.argsort(scores, kind="stable")
    ordered, positive, weight = scores[order].astype(np.float64), is_positive[order].astype(np.float64), weights[order]
    weight = weight / weight.mean()
    size = max(-(-len(order) // _MOST_BINS), _ROWS_PER_BIN)
    first_of_equal = np.searchsorted(ordered, ordered, side="left")
    numbers = np.unique(first_of_equal // size, return_inverse=True)[1]
    rows, summed, hits = (np.bincount(numbers, sums) for sums in (weight, weight * ordered, weight * positive))
    filled = rows > 0
    pooled: list[tuple[float, float, float]] = []
    for block in zip(rows[filled].tolist(), summed[filled].tolist(), hits[filled].tolist(), strict=True):
        last = block
        while pooled and pooled[-1][2] * last[0] >= last[2] * pooled[-1][0]:
            before = pooled.pop()
            last = (before[0] + last[0], before[1] + last[1], before[2] + last[2])
        pooled.append(last)
    blocks = np.array(pooled)
    overall = float(weight @ positive / weight.sum())
    at = blocks[:, 1] / blocks[:, 0]
    shares = np.maximum.accumulate((blocks[:, 2] + overall) / (blocks[:, 0] + 1))
    knots = np.concatenate([[0.0], at, [1.0]])
    values = np.concatenate([shares[:1], shares, shares[-1:]])
    distinct = np.concatenate([[True], np.diff(knots) > 0])
    knots, values = knots[distinct], values[distinct]
    blended = (1 - _OWN_SHARE) * values + _OWN_SHARE * knots
    return Isotonic(tuple(knots.tolist()), tuple(blended.tolist()))


def log_losses(probabilities: FloatArray, expected: IntArray) -> DoubleArray:
    """``float64[rows]``: what each row adds to the log-loss."""
    given = probabilities[np.arange(len(expected)), expected].astype(np.float64)
    losses: DoubleArray = -np.log(np.clip(given, _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY))
    return losses
