"""What is counted of the pieces of a dataset for its split, merged in order, makes the split that the whole makes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sageline.arrays.blocks import Block
from sageline.dataset.label_column import LabelColumn
from sageline.dataset.split import as_positions, bounds_of, hash_columns
from sageline.dataset.splits import copies, different_rows, survey
from sageline.dataset.splits.copies import ContentFilters, ContentPositions
from sageline.dataset.splits.plan import NOT_USED, SplitPlan
from sageline.dataset.splits.standing import Standing, StandingReader, row_keys
from sageline.dataset.splits.survey import SplitSurvey, fill
from sageline.dataset.splits.time_counts import TimeCounts
from sageline.dataset.tally import Tally
from sageline.errors import InvalidDataset
from sageline.spec.model import SplitSpec
from tests.unit.dataset.merging.pieces import CUTS, Rows, in_pieces, merged

VALUES = {
    "when": ["1", "2", "3", "4.5", "-6", "7", ""],
    "who": ["a", "b", " b", "c", "d", "", "NA"],
    "part": ["train", "test", "dev", ""],
    "x": ["p", "q", "r", "s", "t", "u"],
    "y": ["1", "1.0", "2", "7"],
}
ROWS = st.lists(st.tuples(*map(st.sampled_from, VALUES.values())), min_size=1, max_size=60)
LAYOUTS = st.tuples(st.lists(st.integers(1, 60), max_size=3), st.integers(0, 30), st.integers(1, 40), st.booleans())
SHARES = st.sampled_from([(0.8, 0.1, 0.1), (0.6, 0.2, 0.2), (0.9, 0.0, 0.1), (0.01, 0.01, 0.98)])
SPLITS = st.one_of(
    st.builds(lambda shares: split_of("hash", None, shares), SHARES),
    st.builds(lambda by, shares: split_of(by[0], by[1], shares), st.sampled_from([("time", "when"), ("group", "who")]), SHARES),
    st.builds(lambda shares: split_of("given", "part", shares), SHARES),
)
SOME = settings(max_examples=min(60, settings().max_examples))  # each counts a dataset several times


def split_of(by: str, column: str | None, shares: tuple[float, float, float]) -> SplitSpec:
    train, validation, test = shares
    return SplitSpec.model_validate({"by": by, "column": column, "train": train, "validation": validation, "test": test})


def rows_of(drawn: list[tuple[str, ...]], layout: tuple[list[int], int, int, bool]) -> Rows:
    ends, test_rows, block_rows, dictionaries = layout
    columns = {name: [row[index] for row in drawn] for index, name in enumerate(VALUES)}
    return Rows(columns, tuple(ends), test_rows, block_rows, dictionaries)


DATASETS = st.builds(rows_of, ROWS, LAYOUTS)


def standings(blocks: Iterable[Block], split: SplitSpec) -> Iterable[tuple[Block, Standing]]:
    reader = StandingReader(split)
    for block in blocks:
        yield block, reader.read(block, row_keys(block, hash_columns(block), split))


def tally_of(blocks: Iterable[Block], split: SplitSpec, plan: SplitPlan, task: str) -> Tally:
    label = LabelColumn("y", task)
    tally = Tally(label, split, plan)
    for block, standing in standings(blocks, split):
        assigned = plan.assign(standing)
        tally.leave_out(0, assigned)
        used = assigned.channels != NOT_USED
        tally.add(block.take(used), standing.positions[used], assigned.channels[used])
    return tally


def survey_of(blocks: Iterable[Block], split: SplitSpec) -> SplitSurvey:
    found = SplitSurvey(split)
    for _, standing in standings(blocks, split):
        found.add(standing)
    return found


def of_plan(plan: SplitPlan) -> tuple[object, ...]:
    moves = (plan.moves.positions.tolist(), plan.moves.channels.tolist())
    first = plan.first_channels
    shared = (first.contents.tolist(), first.channels.tolist()) if isinstance(first, copies.SharedContents) else repr(first)
    return (plan.bounds, moves, shared, plan.uses_copies)


def refusal(check: Callable[[], object]) -> str | None:
    try:
        check()
    except InvalidDataset as error:
        return error.message
    return None


def told_of_tally(tally: Tally) -> tuple[object, ...]:
    settled = of_plan(tally.settle())
    classes = {channel: list(counts.items()) for channel, counts in tally.classes.items()}
    return settled, refusal(lambda: tally.check("data")), tally.warnings(), repr(tally.profile()), classes, tally.unlabelled


def told_of_survey(found: SplitSurvey) -> tuple[object, ...]:
    refused = refusal(lambda: found.plan("data"))
    return refused, None if refused else of_plan(found.plan("data")), found.needs_filters


def plan_of(rows: Rows, split: SplitSpec) -> SplitPlan:
    if split.column is None:
        return SplitPlan(bounds_of(split))
    found = survey_of(rows.blocks(0, len(rows)), split)
    return SplitPlan(bounds_of(split)) if refusal(lambda: found.plan("data")) else found.plan("data")


@pytest.mark.parametrize("most", [8, different_rows.MOST_ROWS])
@SOME
@given(DATASETS, SPLITS, st.sampled_from(["classification", "regression"]), CUTS)
def test_tallies_of_pieces_settle_as_that_of_the_whole(
    most: int, rows: Rows, split: SplitSpec, task: str, cuts: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(different_rows, "MOST_ROWS", most)
        plan = plan_of(rows, split)
        expected = told_of_tally(tally_of(rows.blocks(0, len(rows)), split, plan, task))
        tallies = [tally_of(piece, split, plan, task) for piece in in_pieces(rows, cuts)]
        for tally in merged(tallies, Tally.merge):
            assert told_of_tally(tally) == expected


@pytest.mark.parametrize("few", [False, True])
@SOME
@given(DATASETS, SPLITS.filter(lambda split: split.by != "hash"), CUTS)
def test_surveys_of_pieces_make_the_plan_of_the_whole(few: bool, rows: Rows, split: SplitSpec, cuts: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if few:
            patch.setattr(survey, "_MOST_RANKED", 4)
            patch.setattr(survey, "TimeCounts", lambda: TimeCounts(most=4))
            patch.setattr(survey, "ContentPositions", lambda: ContentPositions(most=9))
        expected = told_of_survey(survey_of(rows.blocks(0, len(rows)), split))
        for found in merged([survey_of(piece, split) for piece in in_pieces(rows, cuts)], SplitSurvey.merge):
            assert told_of_survey(found) == expected


@SOME
@given(DATASETS, SPLITS, CUTS)
def test_filters_of_pieces_say_what_that_of_the_whole_does(rows: Rows, split: SplitSpec, cuts: list[int]) -> None:
    plan = SplitPlan(bounds_of(split))

    def filters_of(blocks: Iterable[Block]) -> ContentFilters:
        filters = ContentFilters(train_bits=9, validation_bits=8)
        for _, standing in standings(blocks, split):
            fill(filters, plan, standing)
        return filters

    asked = np.random.default_rng(3).integers(0, 2**63, 500).astype(np.uint64)
    asked = np.concatenate([asked, *(standing.contents for _, standing in standings(rows.blocks(0, len(rows)), split))])
    expected = filters_of(rows.blocks(0, len(rows))).of(asked).tolist()
    for filters in merged([filters_of(piece) for piece in in_pieces(rows, cuts)], ContentFilters.merge):
        assert filters.of(asked).tolist() == expected


@pytest.mark.parametrize("most", [4, 16, 1 << 20])
@SOME
@given(st.lists(st.lists(st.floats(-10, 10), max_size=30), min_size=1, max_size=6), st.booleans())
def test_times_of_pieces_are_parted_where_those_of_the_whole_are(most: int, pieces: Sequence[list[float]], near: bool) -> None:
    def counts_of(times: list[float]) -> TimeCounts:
        counts = TimeCounts(most)
        for start in range(0, len(times), 7):
            counts.add(np.array([1 + time * 1e-13 if near else time for time in times[start : start + 7]]))
        return counts

    def told(counts: TimeCounts) -> tuple[object, ...]:
        bounds = counts.bounds(0.6, 0.2) if counts.different >= 3 else None
        return counts.different, counts.is_exact, bounds

    expected = told(counts_of([time for piece in pieces for time in piece]))
    for counts in merged([counts_of(piece) for piece in pieces], TimeCounts.merge):
        assert told(counts) == expected


def test_rows_that_are_there_many_times_are_split_by_rank_however_many_rows_they_are() -> None:
    different = [tuple(values[index % len(values)] for values in VALUES.values()) for index in range(84)]
    rows = rows_of(different * 200, ([], 0, 5000, False))
    split = split_of("hash", None, (0.998, 0.001, 0.001))

    tally = tally_of(rows.blocks(0, len(rows)), split, SplitPlan(bounds_of(split)), "regression")

    assert len(rows) > different_rows.MOST_ROWS
    assert len(np.unique(as_positions_of(rows, split))) >= 20
    assert tally.written("test") == 0
    tally.settle()
    assert min(tally.written(channel) for channel in ("train", "validation", "test")) > 0


def as_positions_of(rows: Rows, split: SplitSpec) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    (block,) = Rows(rows.columns, block_rows=len(rows)).blocks(0, len(rows))
    return as_positions(row_keys(block, hash_columns(block), split).contents)
