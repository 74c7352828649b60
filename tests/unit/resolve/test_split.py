"""What a split needs of the data, what it does to the features, and which split is proposed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from rich.console import Console

from sageline.arrays.dates import DateFormat
from sageline.dataset.profile import DatasetProfile
from sageline.errors import InvalidDataset, InvalidSpec
from sageline.resolve.candidates import ResolvedRun
from sageline.resolve.inspection import inspect
from sageline.resolve.resolution import Resolution
from sageline.resolve.resolve import resolve_spec
from sageline.spec.model import validate_spec
from sageline_cli.inspection_page import page
from tests.unit.dataset.reading import block_of

RANDOM = Random(0)
ROWS = 400
VISITS = {
    "visited": [f"{date(2021, 1, 1) + timedelta(days=index)}" for index in range(ROWS)],
    "patient_id": [f"p{RANDOM.randint(0, 90)}" for _ in range(ROWS)],
    "fold": [RANDOM.choice(["train", "Val", "TEST"]) for _ in range(ROWS)],
    "hour": [str(RANDOM.randint(0, 23)) for _ in range(ROWS)],
    "pressure": [f"{RANDOM.gauss(120, 9):.1f}" for _ in range(ROWS)],
    "ill": [RANDOM.choice(["yes", "no"]) for _ in range(ROWS)],
}


def resolved(columns: dict[str, list[str]] | None = None, *, files: bool = False, **spec: Any) -> Resolution:
    block = block_of(columns or VISITS)
    blocks = [
        replace(block.take(block.row_numbers > 300), side="test"),
        replace(block.take(block.row_numbers <= 300), side="train"),
    ]
    document = {"dataset": {"label": "ill"}} | spec
    profile = DatasetProfile.of(blocks if files else [block])
    return resolve_spec(validate_spec(document, "spec.json"), profile, name="visits", uri="s3://b/visits.csv")


def test_a_column_of_times_stays_a_feature_and_what_that_means_is_said() -> None:
    resolution = resolved(split={"by": "time", "column": "visited"})

    assert (resolution.spec.dataset.features or {})["visited"] == "date"
    assert resolution.date_formats["visited"] == DateFormat("ymd")
    reason = resolution.spec.reasons["split.column"]
    assert "goes beyond what train has" in reason
    assert '{"dataset": {"exclude": ["visited"]}} leaves it out' in reason


def test_times_that_are_left_out_are_read_all_the_same() -> None:
    dates = resolved(split={"by": "time", "column": "visited"}, dataset={"label": "ill", "exclude": ["visited"]})
    spelled = [f"{index // 1000},{index % 1000:03d}5" for index in range(ROWS)]
    numbers = resolved(
        {**VISITS, "day": spelled}, split={"by": "time", "column": "day"}, dataset={"label": "ill", "exclude": ["day"]}
    )

    assert "visited" not in (dates.spec.dataset.features or {})
    assert dates.date_formats["visited"] == DateFormat("ymd")
    assert numbers.spelling("day").decimal == ","
    assert "split.column" not in dates.spec.reasons


@pytest.mark.parametrize(
    ("by", "column", "words"), [("group", "patient_id", "none of the values"), ("given", "fold", "goes by it")]
)
def test_groups_and_words_that_say_the_split_are_no_features(by: str, column: str, words: str) -> None:
    spec = resolved(split={"by": by, "column": column}).spec

    assert column not in (spec.dataset.features or {})
    assert words in spec.reasons[f"dataset.features.{column}"]
    assert column in spec.left_out
    again = resolve_spec(spec, DatasetProfile.of([block_of(VISITS)]), name="visits", uri="s3://b/visits.csv").spec
    assert (again.split, again.dataset.features) == (spec.split, spec.dataset.features)


def test_train_files_and_test_files_are_a_split_that_is_given() -> None:
    spec = resolved(files=True).spec

    assert (spec.split.by, spec.split.column) == ("given", None)
    assert spec.reasons["split.by"] == "the files train* and test* say which rows test"
    with pytest.raises(InvalidSpec, match=r'`split.by` is "time", and the files of s3://b/visits.csv say which rows test'):
        resolved(files=True, split={"by": "time", "column": "visited"})
    with pytest.raises(InvalidSpec, match="has no files train"):
        resolved(split={"by": "given"})


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ({"by": "time", "column": "visitd"}, "`split.column` names 'visitd', .* Did you mean 'visited'"),
        ({"by": "time", "column": "patient_id"}, "needs a column of dates or numbers; .* such as p[0-9]+"),
        ({"by": "group", "column": "ill"}, "names 'ill', which is the label"),
        ({"by": "group"}, '`"by": "group"` needs `column`'),
        ({"by": "time"}, '`"by": "time"` needs `column`'),
        ({"column": "visited"}, '`column` is \'visited\', and `"by": "hash"` reads no single column'),
        ({"by": "day", "column": "visited"}, "`split.by` is .day."),
    ],
)
def test_a_split_that_cannot_be_is_refused(split: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidSpec, match=message):
        resolved(split=split)


def test_a_feature_that_the_split_takes_away_is_refused() -> None:
    split = {"by": "group", "column": "patient_id"}

    with pytest.raises(InvalidSpec, match=r"`dataset.kinds` names 'patient_id'.* Take it out of `kinds`"):
        resolved(split=split, dataset={"label": "ill", "kinds": {"patient_id": "category"}})
    with pytest.raises(InvalidSpec, match=r"`dataset.features` names 'patient_id'"):
        resolved(split=split, dataset={"label": "ill", "features": {"patient_id": "category", "hour": "number"}})


@pytest.mark.parametrize("by", ["time", "group", "given"])
def test_a_column_of_one_value_parts_nothing(by: str) -> None:
    with pytest.raises(InvalidDataset, match="goes by the column 'one', which holds only '2021', so there is nothing to part"):
        resolved({**VISITS, "one": ["2021"] * ROWS}, split={"by": by, "column": "one"})


def test_validation_rows_that_a_column_says_count_whatever_the_shares_are() -> None:
    eta = {"type": "continuous", "min": 0.1, "max": 0.3}
    tuned: dict[str, Any] = {"algorithm": {"name": "xgboost"}, "tuning": {"max_jobs": 2, "ranges": {"eta": eta}}}
    shares = {"train": 0.9, "validation": 0, "test": 0.1}

    assert resolved(split={"by": "given", "column": "fold", **shares}, **tuned).spec.tuning
    with pytest.raises(Exception, match=r"give `split.validation` a larger share"):
        resolved(split=shares, **tuned)


def test_rows_without_a_group_are_counted() -> None:
    groups = ["" if index < 3 else "N/A" if index < 5 else text for index, text in enumerate(VISITS["patient_id"])]

    warnings = resolved({**VISITS, "patient_id": groups}, split={"by": "group", "column": "patient_id"}).warnings

    assert "5 rows have nothing in 'patient_id', by which the split goes; each is taken for a group of its own." in warnings


def proposal(columns: dict[str, Sequence[str]]) -> str:
    return resolved({**{name: list(column) for name, column in columns.items()}, "ill": VISITS["ill"]}).spec.reasons["split.by"]


def test_a_split_by_time_and_by_group_is_proposed_with_what_it_would_change_and_not_made() -> None:
    resolution = resolved()

    reason = resolution.spec.reasons["split.by"]
    assert resolution.spec.split.by == "hash"
    assert "the rows are in the order of 'visited'" in reason
    assert '{"split": {"by": "time", "column": "visited"}} trains on the earlier rows and tests on the last 10%' in reason
    assert "those from about 2021-12-" in reason
    assert "values of 'patient_id' come 4." in reason
    assert '{"split": {"by": "group", "column": "patient_id"}} keeps each on one side' in reason


@pytest.mark.parametrize(
    "columns",
    [
        {"birth_date": VISITS["visited"], "pressure": VISITS["pressure"]},
        {"id": [str(index) for index in range(ROWS)], "pressure": VISITS["pressure"]},
        {"zip_code": [f"{index % 50:05d}" for index in range(ROWS)], "pressure": VISITS["pressure"]},
        {"hour": VISITS["hour"], "customer_type": [str(index % 3) for index in range(ROWS)]},
    ],
)
def test_nothing_is_proposed_where_no_column_says_when_or_whose_the_rows_are(columns: dict[str, Sequence[str]]) -> None:
    assert proposal(columns) == "by hash, the usual one: any row may test"


def test_a_split_is_not_proposed_by_dates_in_two_orders_by_which_a_run_is_refused() -> None:
    days = [f"{day:02d}/{month:02d}/2024" for day in range(1, 29) for month in range(1, 13)] * 2
    days = days[:ROWS]
    days[0], days[1] = "25/12/2024", "12/25/2024"

    found = resolved({**VISITS, "visited": days}, dataset={"label": "ill", "exclude": ["visited"]})

    assert "visited" not in found.spec.reasons["split.by"]


def test_all_columns_of_dates_in_two_orders_are_named_at_once_with_what_leaves_them_out() -> None:
    days = ["25/12/2024", "12/25/2024"] * (ROWS // 2)

    with pytest.raises(InvalidDataset) as refused:
        resolved({**VISITS, "visited": days, "left": days[::-1]})

    assert "column 'visited': 25/12/2024 (row 1) is a date with the day before the month" in refused.value.message
    assert "column 'left': 25/12/2024 (row 2) is a date" in refused.value.message
    assert refused.value.message.endswith(
        'leave out of the features what stays so: {"dataset": {"exclude": ["visited", "left"]}}.'
    )


def test_numbers_that_are_called_a_time_are_one_only_where_the_rows_are_in_their_order() -> None:
    seconds = [str(index * 7 + index % 3) for index in range(ROWS)]

    assert '"column": "Time"' in proposal({"Time": seconds, "pressure": VISITS["pressure"]})
    assert (
        proposal({"Time": seconds[::2] + seconds[1::2][::-1], "x": VISITS["pressure"]})
        == "by hash, the usual one: any row may test"
    )


def test_a_split_by_hash_that_is_asked_for_gets_no_proposal() -> None:
    assert "split.by" not in resolved(split={"by": "hash"}).spec.reasons


def test_an_inspection_shows_the_proposal_and_names_words_that_are_no_channel() -> None:
    columns = {**VISITS, "fold": [*VISITS["fold"][:2], "Extra", *VISITS["fold"][3:5], "extra", *VISITS["fold"][6:]]}
    profile, given = DatasetProfile.of([block_of(columns)]), validate_spec({"dataset": {"label": "ill"}}, "spec.json")

    proposed = inspect("visits.csv", profile, ResolvedRun(resolved(columns)), given)
    mistaken = inspect("visits.csv", profile, ResolvedRun(resolved(columns, split={"by": "given", "column": "fold"})), given)

    printed = Console(file=io.StringIO(), width=200)
    printed.print(page(proposed, None))
    assert isinstance(printed.file, io.StringIO)
    assert "any row may test; the rows are in the order of 'visited'" in printed.file.getvalue()
    [mistake] = mistaken["mistakes"]
    assert "train, validate and test, and holds 'Extra' (row 3), 'extra' (row 6). A run stops there" in mistake


def test_validation_rows_that_are_taken_out_of_the_train_rows_are_told() -> None:
    columns = {**VISITS, "fold": ["test" if index % 5 == 0 else "train" for index in range(ROWS)]}
    by_fold = {"by": "given", "column": "fold"}

    told, without = resolved(columns, split=by_fold), resolved(columns, split={**by_fold, "validation": 0, "train": 0.9})

    assert any(note.startswith("No row is called a validation row in 'fold': some are taken out") for note in told.notes)
    assert not any("validation" in note for note in (*without.notes, *resolved(split=by_fold).notes))
