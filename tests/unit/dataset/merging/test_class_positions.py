"""The outermost rows of each class, of the pieces of a dataset and of the whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sageline.arrays.factors import factors
from sageline.arrays.strings import StringArray
from sageline.dataset.splits.class_positions import ClassPositions

BOUNDS = (0.8, 0.9)
NAMES = {"a": "a", "b": "b"}


def positions_of(rows: Sequence[tuple[str, float]]) -> ClassPositions:
    found = ClassPositions(BOUNDS)
    if rows:
        labels, positions = zip(*rows, strict=True)
        found.add(factors(StringArray.from_list(list(labels))), np.array(positions))
    return found


def moved(positions: ClassPositions) -> list[tuple[float, int]]:
    """Where rows go, of classes that lack a share."""
    moves = positions.moves(NAMES, NAMES, validation=True, is_given=False)
    return [*zip(moves.positions.tolist(), moves.channels.tolist(), strict=True)]


def merged(first: Sequence[tuple[str, float]], second: Sequence[tuple[str, float]]) -> ClassPositions:
    found = positions_of(first)
    found.merge(positions_of(second))
    return found


def test_the_highest_row_before_the_test_rows_is_found_in_either_piece() -> None:
    # The one of 0.7 is the last before the test rows, and neither among the lowest of its class nor among the highest.
    lowest = [("a", 0.1), ("a", 0.2), ("a", 0.3), ("a", 0.7), ("a", 0.95), ("a", 0.97)]
    others = [("a", 0.5), ("a", 0.6), ("b", 0.4)]

    expected = moved(positions_of([*lowest, *others]))

    assert expected == [(0.7, 1)]
    assert moved(merged(lowest, others)) == expected
    assert moved(merged(others, lowest)) == expected


def test_a_label_that_one_piece_has_alone_keeps_its_rows() -> None:
    some, others = [("a", 0.1), ("a", 0.5)], [("b", 0.2), ("b", 0.3), ("b", 0.4)]
    expected = moved(positions_of([*some, *others]))

    assert {position for position, _ in expected} <= {position for _, position in [*some, *others]}
    assert len(expected) == 3  # one of two rows tests, and of three one tests and one validates
    assert moved(merged(some, others)) == moved(merged(others, some)) == expected
    assert moved(merged([], [*some, *others])) == moved(merged([*some, *others], [])) == expected
