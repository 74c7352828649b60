"""The profiles of the pieces of a dataset, merged in order, tell what the profile of the whole does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sageline.arrays.number_spelling import SPELLINGS
from sageline.dataset import distinct, number_profile, row_sample
from sageline.dataset.profile import ColumnProfile, DatasetProfile
from sageline.dataset.profiles.findings import ColumnFindings, Findings
from sageline.dataset.shared_rows import MOST_KEPT, SharedRows
from sageline.dataset.split import hash_columns
from sageline.errors import SagelineError
from sageline.resolve.resolve import resolve_spec
from sageline.spec.model import validate_spec
from tests.unit.dataset.merging.pieces import CUTS, Rows, in_pieces, merged, told

VALUES = {
    "amount": ["1", "2.5", "-3", "007", "1e3", "1.234", "20210530", "", " 4 ", "\u22125", "1622376000"],
    "price": ["1,5", "1.234,5", "2", "3 %", "€ 3,50", "1'000", "NA", " na", "n/a", "soon", "x1", "x2", "1.250", "0.5"],
    "day": ["30.05.2021", "5/30/2021", "1/2/2021", "2021-05-30", "99-05-30", "", "?", "-", " - ", "31.02.2021", "soon", "12"],
    "created": ["20210530", "20210530123000", "1622376000", "2021-05-30T12:00:00+02:00", "12", "1.5", "null", "word"],
    "remark": ["some words", "other words here", " blank ", "  ", "", "unknown", "1,5", "7", "2021-05-30", "a\nb"],
    "y": ["yes", "no", "maybe", " yes"],
}
ROWS = st.lists(st.tuples(*map(st.sampled_from, VALUES.values())), min_size=1, max_size=25)
LAYOUTS = st.tuples(st.lists(st.integers(1, 60), max_size=3), st.integers(0, 30), st.integers(1, 40), st.booleans())


def rows_of(drawn: list[tuple[str, ...]], times: int, layout: tuple[list[int], int, int, bool]) -> Rows:
    """The rows so many times, with a column that counts them."""
    columns = {name: [row[index] for row in drawn] * times for index, name in enumerate(VALUES)}
    ends, test_rows, block_rows, dictionaries = layout
    files_before = [sum(end <= number for end in {*ends, test_rows}) for number in range(len(columns["y"]))]
    columns["id"] = [str(number + 17 + 5 * files) for number, files in enumerate(files_before)]
    return Rows(columns, tuple(ends), test_rows, block_rows, dictionaries)


DATASETS = st.builds(rows_of, ROWS, st.sampled_from([1, 1, 2, 7]), LAYOUTS)
FINDINGS = st.lists(st.builds(ColumnFindings, st.booleans(), st.booleans(), st.booleans()), min_size=7, max_size=7)
SPECS: list[dict[str, Any]] = [{}, {"kinds": {"day": "date"}}, {"kinds": {"price": "number"}, "decimal": ","}]
FEW = [
    (distinct, "MOST_DISTINCT", 5),
    (row_sample, "MOST_ROWS", 6),
    (row_sample, "MOST_CELLS", 35),
    (number_profile, "_AT_A_TIME", 7),
]
"""Limits so small that they are reached."""
SOME = settings(max_examples=min(40, settings().max_examples))  # each counts a dataset several times


def profiles_of(rows: Rows, cuts: Sequence[int], findings: Findings, most_shared: int) -> list[DatasetProfile]:
    """Of each piece; the rows of train files know the test rows of the pieces before."""
    profiles, before = [], SharedRows(most_shared)
    for piece in in_pieces(rows, cuts):
        profile = DatasetProfile(findings=findings)
        profile.shared = before.following()
        for block in piece:
            profile.add(block, hash_columns(block))
        before.merge(profile.shared)
        profiles.append(profile)
    return profiles


def told_of(profile: DatasetProfile) -> dict[str, Any]:
    found: dict[str, Any] = {"dataset": told_but(profile, "columns", "sample", "shared", "notes"), "names": list(profile.columns)}
    found |= {"sample": told(profile.sample), "shared": profile.shared.count()}
    found["columns"] = {name: told_of_column(column) for name, column in profile.columns.items()}
    found["specs"] = [resolved(profile, dataset) for dataset in SPECS]
    return found


def told_of_column(column: ColumnProfile) -> list[dict[str, str]]:
    numbers, dates = column.numbers, column.dates
    spelled = {
        "spellings": repr(numbers.spellings()),
        "spelled_otherwise": repr([numbers.spelled_otherwise(spelling) for spelling in SPELLINGS]),
        "format": repr([dates.read_as(order).format() for order in (None, "dmy", "mdy")]),
        "findings": repr(column.findings()),
    }
    of_dates = [told(dates.read_as(order)) for order in (None, "dmy", "mdy")]
    return [told_but(column, "numbers", "dates"), told(numbers), *of_dates, spelled]


def told_but(state: object, *names: str) -> dict[str, str]:
    return {name: value for name, value in told(state).items() if name not in names}


def resolved(profile: DatasetProfile, dataset: dict[str, Any]) -> str:
    spec = validate_spec({"dataset": {"label": "y", **dataset}}, "spec.json")
    try:
        return repr(resolve_spec(spec, profile, name="x", uri="s3://b/x/"))
    except SagelineError as error:
        return repr(error)


@pytest.mark.parametrize("few", [False, True])
@SOME
@given(DATASETS, FINDINGS, CUTS)
def test_profiles_of_pieces_tell_what_that_of_the_whole_does(
    few: bool, rows: Rows, known: list[ColumnFindings], cuts: list[int]
) -> None:
    findings = Findings.of(dict(zip(rows.columns, known, strict=True)))
    most_shared = 3 if few else MOST_KEPT
    with pytest.MonkeyPatch.context() as patch:
        for module, name, limit in FEW if few else []:
            patch.setattr(module, name, limit)
        (whole,) = profiles_of(rows, (), findings, most_shared)
        expected = told_of(whole)
        for profile in merged(profiles_of(rows, cuts, findings, most_shared), DatasetProfile.merge):
            assert told_of(profile) == expected


@SOME
@given(DATASETS, FINDINGS, st.integers(1, 40))
def test_with_findings_a_profile_is_the_same_in_whatever_blocks(rows: Rows, known: list[ColumnFindings], block_rows: int) -> None:
    findings = Findings.of(dict(zip(rows.columns, known, strict=True)))
    others = replace(rows, block_rows=block_rows, dictionaries=not rows.dictionaries)

    (first,), (second,) = (profiles_of(some, (), findings, MOST_KEPT) for some in (rows, others))

    assert told_of(second) == told_of(first)


def column_in_two(name: str, first: list[str], second: list[str]) -> list[ColumnProfile]:
    """The profile of the whole, and that of two pieces."""
    rows = Rows({name: [*first, *second]})
    found = [merged(profiles_of(rows, cuts, Findings(), MOST_KEPT), DatasetProfile.merge)[0] for cuts in ((), (len(first),))]
    return [profile.columns[name] for profile in found]


def test_numbers_behind_a_piece_without_any_do_not_count_the_rows() -> None:
    for column in column_in_two("x", ["", ""], [str(number) for number in range(40)]):
        assert not column.numbers.counts_rows


def test_numbers_are_no_dates_where_those_of_one_piece_are_not_whole() -> None:
    for first, second in ((["1622376000"], ["1622376000.5"]), (["1622376000.5"], ["1622376000"])):
        for column in column_in_two("created", first, second):
            assert not column.is_date


def test_what_was_noted_of_several_pieces_is_said_once() -> None:
    profile = DatasetProfile(["It is read as Latin-1.", "A line is blank."])

    profile.merge(DatasetProfile(["A line is blank.", "Another is too."]))

    assert profile.notes == ["It is read as Latin-1.", "A line is blank.", "Another is too."]
