from __future__ import annotations

import numpy as np
import pytest

from sageline.dataset.shared_rows import Shared, SharedRows
from sageline.dataset.split import PositionArray


def positions(*rows: int) -> PositionArray:
    """Of rows that are equal where the numbers are."""
    return np.random.default_rng(7).random(1_000_000)[list(rows)]


def test_test_rows_that_train_has_too_are_counted_each_time_they_are_in_test() -> None:
    shared = SharedRows()
    shared.add("test", positions(1, 2, 2, 3))
    shared.add("test", positions(3, 4))
    shared.add("train", positions(2, 9, 2))
    shared.add("train", positions(3, 8))
    assert shared.count() == Shared(4, 6, estimated=False)


def test_rows_of_a_dataset_without_sides_share_nothing() -> None:
    shared = SharedRows()
    shared.add(None, positions(1, 1))
    assert shared.count() == Shared(0, 0, estimated=False)


def test_train_rows_alone_and_test_rows_alone_share_nothing() -> None:
    for side in ("train", "test"):
        shared = SharedRows()
        shared.add(side, positions(1, 2))
        assert shared.count().rows == 0


@pytest.mark.parametrize("block", [1_000, 7_919, 100_000])
def test_of_more_test_rows_than_are_kept_the_number_is_estimated(block: int) -> None:
    shared = SharedRows(most=5_000)
    for start in range(0, 100_000, block):
        shared.add("test", positions(*range(start, min(start + block, 100_000))))
    for start in range(80_000, 180_000, block):
        shared.add("train", positions(*range(start, min(start + block, 180_000))))

    counted = shared.count()

    assert (counted.test_rows, counted.estimated) == (100_000, True)
    assert abs(counted.rows - 20_000) < 2_000
    assert len(shared._kept) <= 5_000


def test_train_rows_in_pieces_are_looked_for_among_the_test_rows_of_all_pieces_before_them() -> None:
    counted, second, third = SharedRows(), SharedRows(), SharedRows()
    counted.add("test", positions(1, 2))
    second.add("test", positions(2, 3))
    counted.merge(second)
    third = counted.following()
    third.add("test", positions(4))
    third.add("train", positions(2, 4))
    counted.merge(third)
    for rows in ([3, 9], [3, 2]):
        piece = counted.following()
        piece.add("train", positions(*rows))
        assert piece.count() == Shared(0, 0, estimated=False)
        counted.merge(piece)

    assert counted.count() == Shared(4, 5, estimated=False)
