"""Rows and answers to count, as a model might give them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from hypothesis import strategies as st

from sageline.arrays.matrix import DoubleArray, FloatArray
from sageline.arrays.strings import IntArray
from sageline.evaluation.answer_arrays import ClassAnswers
from sageline.evaluation.classification import ClassificationSums
from sageline.evaluation.regression import RegressionSums

Case = tuple[IntArray, FloatArray]


def probabilities(expected: IntArray, classes: int, skill: float, seed: int) -> FloatArray:
    """``float32[rows, classes]``; the higher the skill, the more often the highest is that of the expected class."""
    scores = np.random.default_rng(seed).normal(size=(len(expected), classes))
    scores[np.arange(len(expected)), expected] += skill
    powers = np.exp(scores)
    shares: FloatArray = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def labels(rows: int, classes: int, seed: int = 0) -> IntArray:
    """``int64[rows]``, the classes not equally frequent."""
    return (np.random.default_rng(seed).random(rows) ** 1.5 * classes).astype(np.int64)


@st.composite
def classifications(draw: st.DrawFn) -> Case:
    """Expected classes, and a probability of each class."""
    classes, rows = draw(st.integers(2, 6)), draw(st.integers(2, 300))
    seed = draw(st.integers(0, 2**32 - 1))
    expected = labels(rows, classes, seed)
    return expected, probabilities(expected, classes, draw(st.floats(-1, 4)), seed)


@st.composite
def coarse_classifications(draw: st.DrawFn) -> Case:
    """Few rows, probabilities in eighths: full of ties, of 0 and 1, of classes that no row has and that are never predicted."""
    classes, rows = draw(st.integers(2, 6)), draw(st.integers(1, 30))
    expected = draw(st.lists(st.integers(0, draw(st.integers(0, classes - 1))), min_size=rows, max_size=rows))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shares = random.dirichlet(np.full(classes, draw(st.sampled_from([0.1, 1.0, 10.0]))), rows)
    eighths = np.array([random.multinomial(8, row) for row in shares])
    return np.array(expected, dtype=np.int64), (eighths / 8).astype(np.float32)


def answers(scores: FloatArray) -> ClassAnswers:
    return ClassAnswers(scores.argmax(axis=1).astype(np.int64), scores, are_probabilities=True)


def names(classes: int) -> list[str]:
    return [f"class {number}" for number in range(classes)]


def counted(expected: IntArray, scores: FloatArray, block: int = 64) -> ClassificationSums:
    """Counted block by block."""
    sums = ClassificationSums(names(scores.shape[1]))
    for start, end in _bounds(len(expected), block):
        sums.update(expected[start:end], answers(scores[start:end]))
    return sums


def summed(expected: DoubleArray, predicted: FloatArray, block: int = 64, sample_size: int = 100_000) -> RegressionSums:
    """Counted block by block."""
    sums = RegressionSums(sample_size)
    for start, end in _bounds(len(expected), block):
        sums.update(expected[start:end], predicted[start:end])
    return sums


def _bounds(rows: int, block: int) -> Iterator[tuple[int, int]]:
    return ((start, min(start + block, rows)) for start in range(0, rows, block))
