"""However the rows are cut, into blocks and into shards, the same is said of them, to the last digit."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sageline.arrays.matrix import DoubleArray
from sageline.arrays.strings import IntArray
from sageline.evaluation.answer_arrays import ClassAnswers, ReadClasses
from sageline.evaluation.baseline import compare_with_baseline
from sageline.evaluation.classification import ClassificationSums
from sageline.evaluation.comparison import Sums
from sageline.evaluation.decision.validation_sample import ValidationSample
from sageline.evaluation.document import evaluation_json
from sageline.evaluation.regression import RegressionSums
from sageline.storage.shards.state_codec import decode_state, encode_state
from tests.unit.evaluation.cases import answers, names, probabilities

CountedT = TypeVar("CountedT", ClassificationSums, RegressionSums, ValidationSample)
Cuts = list[list[int]]
"""Of each shard where its blocks begin, and where the last one ends."""


@st.composite
def cuts(draw: st.DrawFn, most: int = 400) -> Cuts:
    rows = draw(st.integers(2, most))
    inner = st.lists(st.integers(0, rows), max_size=4)
    ends = sorted({0, rows, *draw(inner)})
    return [sorted({first, last, *(cut for cut in draw(inner) if first < cut < last)}) for first, last in pairwise(ends)]


def in_shards(make: Callable[[int, int], CountedT], count: Callable[[CountedT, slice], None], shards: Cuts) -> CountedT:
    """Counted block by block in each shard; the states of the shards are stored, read and merged."""
    rows, states = shards[-1][-1], []
    for blocks in reversed(shards):
        counted = make(blocks[0], rows)
        for first, last in pairwise(blocks):
            count(counted, slice(first, last))
        states.append(encode_state(counted))
    merged, *others = map(decode_state, reversed(states))
    for other in others:
        merged.merge(other)
    return merged  # type: ignore[no-any-return] # what was encoded


def said_of(sums: Sums) -> bytes:
    """All that evaluation.json says of some rows."""
    metric = "accuracy" if isinstance(sums, ClassificationSums) else "rmse"
    return evaluation_json(
        run_id="r",
        created_at="2026-11-20T10:00:00Z",
        metric=metric,
        sums=sums,
        warnings=[],
        baseline=compare_with_baseline(metric, sums),
        decision=None,
        before=None,
        champion=None,
        gate=None,
    )


def weights_of(random: np.random.Generator, rows: int, *, are_there: bool) -> DoubleArray | None:
    return random.choice([0.1, 0.7, 1.0, 3.3, 1e-9], rows) if are_there else None


def part_of(weights: DoubleArray | None, rows: slice) -> DoubleArray | None:
    return None if weights is None else weights[rows]


@settings(max_examples=60, deadline=None)
@given(cuts(), st.integers(2, 5), st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([(None, 60), (1, 60), (1, 1 << 20)]))
def test_a_classification_is_the_same_in_any_shards(
    shards: Cuts, classes: int, seed: int, weighted: bool, ranked: tuple[int | None, int]
) -> None:
    positive, most_scores = ranked
    random, rows = np.random.default_rng(seed), shards[-1][-1]
    expected = random.integers(0, classes, rows)
    scores = probabilities(expected, classes, 1.0, seed)
    weights = weights_of(random, rows, are_there=weighted)

    def count(sums: ClassificationSums, some: slice) -> None:
        sums.update(expected[some], answers(scores[some]), part_of(weights, some))

    alone = ClassificationSums(names(classes), positive, most_scores=most_scores)
    count(alone, slice(0, rows))
    merged = in_shards(
        lambda first, of: ClassificationSums(names(classes), positive, most_scores=most_scores, first_row=first, of_rows=of),
        count,
        shards,
    )

    assert said_of(merged) == said_of(alone)
    assert (merged.holds_per_row("accuracy") == alone.holds_per_row("accuracy")).all()
    assert (merged.holds_per_row("top_3_accuracy") == alone.holds_per_row("top_3_accuracy")).all()


@settings(max_examples=60, deadline=None)
@given(
    cuts(),
    st.integers(0, 2**32 - 1),
    st.booleans(),
    st.sampled_from([(0.0, 1.0), (1e9, 0.01), (-3e6, 1e5)]),
    st.sampled_from([(0.0, 50), (0.0, 100_000), (1e12, 50), (np.inf, 50), (np.nan, 50)]),
)
def test_a_regression_is_the_same_in_any_shards(
    shards: Cuts, seed: int, weighted: bool, around: tuple[float, float], wild: tuple[float, int]
) -> None:
    outlier, sample_size = wild
    random, rows = np.random.default_rng(seed), shards[-1][-1]
    expected = around[0] + around[1] * random.normal(size=rows)
    expected[-1] += 1e7  # an outlier that would be the center of its shard
    predicted = (expected + around[1] * random.normal(size=rows)).astype(np.float32)
    predicted[random.integers(rows)] += outlier
    weights = weights_of(random, rows, are_there=weighted)

    def count(sums: RegressionSums, some: slice) -> None:
        sums.update(expected[some], predicted[some], part_of(weights, some))

    alone = RegressionSums(sample_size)
    count(alone, slice(0, rows))
    merged = in_shards(lambda first, of: RegressionSums(sample_size, first_row=first, of_rows=of), count, shards)

    if np.isfinite(outlier):
        assert said_of(merged) == said_of(alone)
    assert (merged.metrics(), merged.standard_errors()) == (alone.metrics(), alone.standard_errors())


@settings(max_examples=30, deadline=None)
@given(cuts(), st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([60, 1 << 20]))
def test_a_decision_is_chosen_on_the_same_rows_in_any_shards(shards: Cuts, seed: int, weighted: bool, most_scores: int) -> None:
    random, rows = np.random.default_rng(seed), shards[-1][-1]
    expected = random.integers(0, 3, rows)
    scores = probabilities(expected, 3, 1.0, seed)
    weights = weights_of(random, rows, are_there=weighted)

    def count(sample: ValidationSample, some: slice) -> None:
        told = answers(scores[some])
        sample.add(expected[some], ReadClasses(told, told, told.chosen), part_of(weights, some))

    alone = ValidationSample(3, most_scores=most_scores)
    count(alone, slice(0, rows))
    merged = in_shards(lambda first, of: ValidationSample(3, most_scores=most_scores, first_row=first, of_rows=of), count, shards)

    found, right = merged.chosen(), alone.chosen()
    assert len(right.expected) == min(rows, most_scores // 3)
    for name in ("expected", "probabilities", "own", "weights"):
        assert np.array_equal(getattr(found, name), getattr(right, name)), name


def of_labels(chosen: IntArray) -> ClassAnswers:
    return ClassAnswers(chosen, None, are_probabilities=False)


def test_answers_without_scores_are_merged_too() -> None:
    expected, chosen = np.array([0, 1, 1, 0, 2]), np.array([0, 1, 0, 0, 2])

    def count(sums: ClassificationSums, some: slice) -> None:
        sums.update(expected[some], of_labels(chosen[some]))

    alone = ClassificationSums(names(3))
    count(alone, slice(0, 5))
    merged = in_shards(lambda first, of: ClassificationSums(names(3), first_row=first, of_rows=of), count, [[0, 2], [2, 3, 5]])

    assert said_of(merged) == said_of(alone)
    assert merged.metrics()["roc_auc"] is None


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 200), st.integers(1, 3), st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([60, 1 << 20]))
def test_labels_that_another_model_knows_can_be_added_afterwards(
    rows: int, more: int, seed: int, looked_for: bool, most_scores: int
) -> None:
    random = np.random.default_rng(seed)
    expected = random.integers(0, 3, rows)
    told = answers(probabilities(expected, 3, 1.0, seed))
    positive = 2 if looked_for else None
    sums = ClassificationSums(names(3), positive, most_scores=most_scores)
    sums.update(expected, told, random.random(rows))
    random = np.random.default_rng(seed)
    random.integers(0, 3, rows)
    at_once = ClassificationSums(names(3 + more), positive, most_scores=most_scores)
    at_once.update(expected, told.among(names(3), names(3 + more)), random.random(rows))

    assert said_of(sums.among(names(3 + more))) == said_of(at_once)


def test_a_sum_of_very_many_shards_loses_nothing() -> None:
    values = np.array([1e16, 1.0, -1e16, 1.0] * 25)
    sums = RegressionSums()
    for number in range(100):
        other = RegressionSums(first_row=number, of_rows=100)
        other.update(values[number : number + 1], values[number : number + 1].astype(np.float32))
        sums.merge(other)

    assert sums.document()["baseline"]["value"] == 0.5
