from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.factors import factors
from sageline.arrays.strings import StringArray
from sageline.dataset.split import channels_of
from sageline.dataset.splits.class_positions import ClassPositions
from sageline.dataset.splits.plan import Moves, SplitPlan
from sageline.dataset.splits.standing import Standing

POSITION = st.sampled_from([index / 40 for index in range(40)])
ROWS = st.lists(st.tuples(POSITION, st.sampled_from("abc")), min_size=1, max_size=40, unique_by=lambda row: row[0])


def kept(rows: list[tuple[float, str]], bounds: tuple[float, float], size: int = 100) -> ClassPositions:
    result = ClassPositions(bounds)
    for start in range(0, len(rows), size):
        some = rows[start : start + size]
        result.add(factors(StringArray.from_list([label for _, label in some])), np.array([position for position, _ in some]))
    return result


def channels_by_class(rows: list[tuple[float, str]], bounds: tuple[float, float], moves: Moves) -> dict[str, list[int]]:
    positions = np.array([position for position, _ in rows])
    standing = Standing(positions, np.zeros(len(rows), dtype=np.uint64), np.zeros(len(rows), dtype=np.int64))
    found = defaultdict(list)
    for channel, (_, label) in zip(SplitPlan(bounds, moves).assign(standing).channels.tolist(), rows, strict=True):
        found[label].append(channel)
    return found


def moves_of(of: ClassPositions, lacking: list[str], *, validation: bool = True, is_given: bool = False) -> Moves:
    return of.moves({label: label for label in "abc"}, lacking, validation=validation, is_given=is_given)


@given(ROWS, st.sampled_from([(0.8, 0.9), (0.3, 0.5), (0.05, 0.95)]))
def test_each_class_of_three_rows_is_in_each_share_and_one_of_two_tests_and_trains(
    rows: list[tuple[float, str]], bounds: tuple[float, float]
) -> None:
    before = channels_by_class(rows, bounds, Moves(np.zeros(0), np.zeros(0, dtype=np.int64)))
    lacking = [label for label, channels in before.items() if set(channels) != {0, 1, 2}]

    after = channels_by_class(rows, bounds, moves_of(kept(rows, bounds), lacking))

    for label, channels in after.items():
        if label not in lacking or len(channels) == 1:
            assert channels == before[label]
        elif len(channels) == 2:
            assert set(channels) == {0, 2}
        else:
            assert set(channels) == {0, 1, 2}
            assert sum(was != now for was, now in zip(before[label], channels, strict=True)) <= 3


@given(ROWS)
def test_without_validation_rows_a_class_of_two_rows_trains_and_tests(rows: list[tuple[float, str]]) -> None:
    after = channels_by_class(rows, (0.8, 0.8), moves_of(kept(rows, (0.8, 0.8)), list("abc"), validation=False))

    assert all(set(channels) == {0, 2} for channels in after.values() if len(channels) > 1)


@given(ROWS)
def test_rows_that_are_said_to_test_are_the_only_ones_that_do(rows: list[tuple[float, str]]) -> None:
    bounds = (0.8, 0.9)

    moves = moves_of(kept(rows, bounds), list("abc"), is_given=True)

    positions = np.array([position for position, _ in rows])
    standing = Standing(positions, np.zeros(len(rows), dtype=np.uint64), np.zeros(len(rows), dtype=np.int64))
    channels = SplitPlan(bounds, moves).assign(standing).channels
    assert ((channels == 2) == (channels_of(positions, bounds) == 2)).all()
    for label in "abc":
        others = [channel for channel, (_, its) in zip(channels.tolist(), rows, strict=True) if its == label and channel != 2]
        assert len(others) < 2 or set(others) == {0, 1}


@given(ROWS, st.integers(1, 9))
def test_the_moves_do_not_depend_on_order_and_blocks(rows: list[tuple[float, str]], size: int) -> None:
    backwards = [*rows[::-1], *rows]  # equal rows stand at one position

    one, other = kept(rows, (0.8, 0.9)), kept(backwards, (0.8, 0.9), size)

    for lacking in (["a"], ["a", "b", "c"]):
        assert [part.tolist() for part in moves_of(one, lacking)] == [part.tolist() for part in moves_of(other, lacking)]


def test_labels_of_one_class_are_moved_together() -> None:
    of = kept([(0.1, "a"), (0.2, "b"), (0.3, "a")], (0.8, 0.9))

    moves = of.moves({"a": "yes", "b": "yes"}, ["yes"], validation=True, is_given=False)

    assert (moves.positions.tolist(), moves.channels.tolist()) == ([0.2, 0.3], [1, 2])
