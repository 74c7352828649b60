"""Splits by time, by group, and as a column says, from the file to what is written."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sageline.arrays.blocks import Block
from sageline.arrays.dates import DateFormat
from sageline.dataset.readers.source import open_blocks
from sageline.dataset.splits import copies, survey
from sageline.errors import InvalidDataset
from sageline.preparation.first_read import Prepared
from sageline.preparation.fit_and_encode import prepare, read_and_fit
from sageline.preparation.means import ALONE, Means
from sageline.preparation.spill import Spill
from sageline.resolve.resolution import Resolution
from sageline.spec.model import Spec
from tests.unit.preparation.test_fit_and_encode import SOURCE, Parts, as_csv, spec_of

Rows = Sequence[Sequence[object]]
HEADER = "when,who,x,y"


def spec_by(by: str, column: str | None, **split: Any) -> Spec:
    shares = {"train": 0.6, "validation": 0.2, "test": 0.2} | split
    return spec_of({"x": "number"}, "y", "regression", split={"by": by, "column": column, **shares})


def prepared(
    rows: Rows, spec: Spec, *, header: str = HEADER, block_bytes: int = 1 << 20, means: Means = ALONE
) -> tuple[Prepared, Parts, list[str]]:
    data = as_csv(header, rows)

    def read_blocks() -> Iterator[Block]:
        return open_blocks(io.BytesIO(data), SOURCE, "csv", block_bytes)

    parts = Parts()
    first = read_and_fit(read_blocks, Resolution(spec, date_formats={"day": DateFormat("ymd")}), means=means)
    return prepare(read_blocks, first, parts, parts.asked.append, means), parts, first.tally.warnings()


def channels_of(rows: Rows, spec: Spec, **more: Any) -> dict[float, str]:
    """Where the rows are, by their numbers x, all of which differ."""
    done, parts, _ = prepared(rows, spec, **more)
    train, validation = (np.asarray(parts.rows(name, done).matrix)[:, 0].tolist() for name in ("train", "validation"))
    test = [row["features"]["x"] for row in parts.raw]
    found = {name: dict.fromkeys(values, name) for name, values in (("train", train), ("validation", validation), ("test", test))}
    assert sum(map(len, found.values())) == sum(done.rows.values()) == len(train) + len(validation) + len(test)
    return {float(x): name for of_channel in found.values() for x, name in of_channel.items()}


ORDER = {"train": 0, "validation": 1, "test": 2}
TIMES = st.lists(st.integers(0, 12), min_size=12, max_size=50).filter(lambda times: len(set(times)) >= 3)
FEW = settings(max_examples=8, deadline=None)  # each prepares a dataset twice


@given(TIMES, st.integers(0, 2**32), st.integers(40, 4000))
@FEW
def test_no_later_row_is_on_an_earlier_side_in_whatever_order_and_blocks(times: list[int], seed: int, block_bytes: int) -> None:
    rows = [(time, "a", index, index % 3) for index, time in enumerate(times)]
    spec = spec_by("time", "when")
    shuffled = list(rows)
    Random(seed).shuffle(shuffled)

    channels = channels_of(rows, spec)

    of_time = [(time, ORDER[channels[float(index)]]) for time, _, index, _ in rows]
    assert all(one[1] <= other[1] for one in of_time for other in of_time if one[0] <= other[0])
    assert set(channels.values()) == set(ORDER)
    assert channels_of(shuffled, spec, block_bytes=block_bytes) == channels


@given(st.lists(st.integers(0, 12), min_size=20, max_size=50), st.integers(0, 2**32), st.integers(40, 4000))
@FEW
def test_no_group_is_on_two_sides_in_whatever_order_and_blocks(groups: list[int], seed: int, block_bytes: int) -> None:
    rows = [
        (index, f" g{group}" if index % 5 == 0 else f"g{group}", index, index % 3)
        for index, group in enumerate([*groups, 20, 21, 22])
    ]
    spec = spec_by("group", "who", seed=seed % 7)
    shuffled = list(rows)
    Random(seed).shuffle(shuffled)

    channels = channels_of(rows, spec)

    sides: dict[str, set[str]] = {}
    for _, group, index, _ in rows:
        sides.setdefault(str(group).strip(), set()).add(channels[float(index)])
    assert {len(found) for found in sides.values()} == {1}
    assert set(channels.values()) == set(ORDER)
    assert channels_of(shuffled, spec, block_bytes=block_bytes) == channels


def test_groups_get_the_shares_that_the_spec_says() -> None:
    rows = [(0, f"g{index // 4}", index, index % 3) for index in range(8000)]

    channels = Counter(channels_of(rows, spec_by("group", "who")).values())

    assert {name: count / 8000 for name, count in channels.items()} == pytest.approx(
        {"train": 0.6, "validation": 0.2, "test": 0.2}, abs=0.03
    )


def test_another_seed_groups_otherwise_and_leaves_a_split_by_time_as_it_is() -> None:
    rows = [(index, f"g{index // 4}", index, index % 3) for index in range(200)]

    of_group, of_time = (
        [channels_of(rows, spec_by(by, column, seed=seed)) for seed in (1, 2)]
        for by, column in (("group", "who"), ("time", "when"))
    )

    assert of_group[0] != of_group[1]
    assert of_time[0] == of_time[1]


def test_rows_without_a_group_are_each_one_of_their_own() -> None:
    rows = [(0, f"g{index // 2}" if index < 100 else "n/a" if index % 2 else "", index, 1.5) for index in range(300)]

    channels = channels_of(rows, spec_by("group", "who"))

    assert {channels[float(index)] for index in range(100, 300)} == set(ORDER)


def test_dates_are_compared_as_dates_and_rows_without_one_are_not_used_and_counted() -> None:
    rows = [(f"{2020 + index // 12}-{index % 12 + 1}-1", "a", index, index % 3) for index in range(50)]
    rows += [("", "a", 100 + index, 1) for index in range(7)]
    spec = spec_by("time", "day")

    done, _, warnings = prepared(rows, spec, header="day,who,x,y")

    assert done.rows == {"train": 30, "validation": 10, "test": 10}
    assert done.profile["rows"]["without_place"] == 7
    assert warnings == ["7 rows have no time in 'day'; they are not used."]
    assert channels_of(rows, spec, header="day,who,x,y") == {
        float(index): "train" if index < 30 else "validation" if index < 40 else "test" for index in range(50)
    }


@pytest.mark.parametrize(
    ("when", "words"),
    [("20x", "row 31, column 'when': '20x' is not"), ("2020-02-31", "row 31, column 'day': '2020-02-31'")],
)
def test_a_time_that_cannot_be_read_is_named_with_its_row(when: str, words: str) -> None:
    column = "day" if "-" in when else "when"
    rows = [(f"2020-01-{index + 1}" if column == "day" else index, "a", index, index) for index in range(30)]

    with pytest.raises(InvalidDataset) as caught:
        prepared([*rows, (when, "a", 5, 5)], spec_by("time", column), header=f"{column},who,x,y")

    assert words in caught.value.message


SAME = [(index, "a", index % 4, index % 2) for index in range(100)]


@pytest.mark.parametrize("most", [1 << 20, 1])
def test_equal_rows_are_on_the_earliest_side_only_and_those_dropped_are_counted(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether contents are compared one by one or by filters."""
    monkeypatch.setattr(survey, "ContentPositions", lambda: copies.ContentPositions(most))
    rows = [*SAME, (70, "a", 50, 1), (71, "a", 51, 1), (90, "a", 50, 1), (91, "a", 51, 0), (92, "a", 52, 1)]

    done, parts, warnings = prepared(rows, spec_by("time", "when"))

    assert done.rows == {"train": 63, "validation": 2, "test": 2}
    assert [row["features"]["x"] for row in parts.raw] == [51, 52]
    assert {name: done.profile["rows"][f"{name}_copies"] for name in ("validation", "test")} == {"validation": 19, "test": 19}
    assert "38 rows (19 of validation and 19 of test) equal rows of an earlier share in all columns but 'when'" in warnings[0]
    assert "and are not used" in warnings[0]
    assert ("Some may only be taken for equal" in warnings[0]) == (most == 1)


def test_a_share_of_which_only_copies_are_left_says_so() -> None:
    with pytest.raises(InvalidDataset, match=r"leaves none for validation .*\(20 not used: an earlier share has equal rows\)"):
        prepared(SAME, spec_by("time", "when"))


@pytest.mark.parametrize(
    ("by", "column", "there"),
    [("time", "when", "1 different time "), ("group", "who", "2 different groups "), ("time", "x", "no time ")],
)
def test_too_few_times_or_groups_for_the_shares_are_refused(by: str, column: str, there: str) -> None:
    rows = [(1, "ab"[index % 2], "", index) for index in range(30)]

    with pytest.raises(InvalidDataset) as caught:
        prepared(rows, spec_by(by, column))

    assert f"the column {column!r}, which has {there}in the rows with a label, and there are 3 shares" in caught.value.message


def test_shares_that_large_groups_make_uneven_are_said() -> None:
    rows = [(0, "large" if index < 900 else f"g{index}", index, index % 5) for index in range(1000)]

    done, _, [warning] = prepared(rows, spec_by("group", "who"))

    largest = max(done.rows.values()) / 1000
    assert f"{largest:.1%}" in warning
    assert "60.0%, 20.0% and 20.0% were asked for: the split goes by 'who', and some of its values have many rows." in warning


def test_a_few_groups_are_shared_out_by_rank() -> None:
    rows = [(0, "abc"[index % 3], index, index % 5) for index in range(30)]

    for seed in range(5):
        channels = channels_of(rows, spec_by("group", "who", seed=seed))

        assert sorted(Counter(channels.values()).values()) == [10, 10, 10]


def test_a_column_says_which_rows_train_validate_and_test_in_usual_words() -> None:
    words = ["train", "Training ", "VAL", "dev", "test", "Holdout"]
    rows = [(words[index % 6], "a", index, index % 5) for index in range(60)]

    channels = channels_of(rows, spec_by("given", "when"))

    of_word = ["train", "train", "validation", "validation", "test", "test"]
    assert channels == {float(index): of_word[index % 6] for index in range(60)}


def test_rows_that_a_column_puts_on_two_sides_stay_on_both_and_are_warned_of() -> None:
    rows = [
        (word, "a", index, index % 5) for index in range(30) for word in (("train", "test") if index < 4 else ("train", "val"))
    ]

    done, _, warnings = prepared(rows, spec_by("given", "when"))

    assert done.rows == {"train": 30, "validation": 26, "test": 4}
    assert "30 rows (26 of validation and 4 of test) equal rows of an earlier share in all columns but 'when'." in warnings[0]
    assert "They are used in both" in warnings[0]


def test_without_validation_rows_some_are_taken_out_of_the_train_rows() -> None:
    rows = [("test" if index % 4 == 0 else "train", "a", index, index % 5) for index in range(400)]

    channels = channels_of(rows, spec_by("given", "when"))

    assert {index for index, name in channels.items() if name == "test"} == {float(index) for index in range(0, 400, 4)}
    assert Counter(channels.values())["validation"] / 300 == pytest.approx(0.25, abs=0.08)


def test_a_row_that_says_no_channel_is_not_used_and_another_word_is_refused_with_its_rows() -> None:
    rows = [(word, "a", index, index % 5) for index in range(20) for word in ("train", "val", "test", "")]

    done, _, warnings = prepared(rows, spec_by("given", "when"))
    with pytest.raises(InvalidDataset) as caught:
        prepared([*rows, ("extra", "a", 1, 1), ("1", "a", 1, 1)], spec_by("given", "when"))

    assert done.rows == {"train": 20, "validation": 20, "test": 20}
    assert warnings[0] == "20 rows have neither train, validation nor test in 'when'; they are not used."
    assert "row 81: 'extra'; " in caught.value.message
    assert "row 82: '1'. Write train, validation or test there" in caught.value.message


@pytest.mark.parametrize("by", ["time", "group", "given"])
@pytest.mark.parametrize("processes", [1, 2])
def test_one_process_and_two_with_a_spill_write_the_same(by: str, processes: int, tmp_path: Path) -> None:
    random = Random(1)
    column = {"time": "when", "group": "who", "given": "fold"}[by]
    rows = [
        (
            random.randint(0, 200),
            f"g{random.randint(0, 40)}",
            random.randint(0, 50),
            random.randint(0, 2),
            random.choice(["train", "val", "test"]),
        )
        for _ in range(600)
    ]
    spec, header = spec_by(by, column), "when,who,x,y,fold"
    alone, expected, said = prepared(rows, spec, header=header, block_bytes=2000)

    with Spill(tmp_path, 1 << 30) as spill:
        done, parts, warnings = prepared(rows, spec, header=header, block_bytes=2000, means=Means(processes, spill))

    assert (done.rows, done.profile, warnings) == (alone.rows, alone.profile, said)
    assert (parts.channels, [rows.body for rows in parts.asked]) == (expected.channels, [rows.body for rows in expected.asked])


@given(st.lists(st.sampled_from("abcde"), min_size=60, max_size=90), st.integers(0, 2**32))
@FEW
def test_each_class_of_three_rows_is_in_each_share_and_what_cannot_be_is_said(labels: list[str], seed: int) -> None:
    rows = [(index, "", index, label) for index, label in enumerate([*labels, "rare", "rare", "single", "a", "b"])]
    spec = spec_of({"x": "number"}, "y", "classification", split={"seed": seed % 11})
    shuffled = list(rows)
    Random(seed).shuffle(shuffled)

    done, _, warnings = prepared(rows, spec)

    counted = done.profile["label"]["classes"]
    for label, count in Counter(label for *_, label in rows).items():
        shares = {channel for channel in counted if counted[channel].get(label)}
        assert shares == set(ORDER) if count >= 3 else {"train", "test"} if count == 2 else len(shares) == 1
    assert len(warnings) == 1
    assert "'rare'" in warnings[0] or "'single'" in warnings[0]
    assert prepared(shuffled, spec, block_bytes=300)[0].profile["label"]["classes"] == counted


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("val", "test"), "of 40 rows that go by 'who' the split leaves no row for train, of 2 classes. Say in the column 'who'"),
        (("train", "val"), "of 40 rows that go by 'who' the split leaves none for test. Say in the column 'who'"),
    ],
)
def test_what_a_column_leaves_empty_is_not_put_down_to_few_rows(words: tuple[str, str], said: str) -> None:
    rows = [(index // 2, words[index % 2], index, "ab"[index % 3 == 0]) for index in range(40)]
    spec = spec_of({"x": "number"}, "y", "classification", split={"by": "given", "column": "who"})

    with pytest.raises(InvalidDataset) as caught:
        prepared(rows, spec)

    assert caught.value.message.startswith(f"{SOURCE}: {said}")


def test_times_that_many_rows_have_are_not_taken_for_equal_rows() -> None:
    rows = [(index // 4, "a", index, "ab"[index >= 90]) for index in range(100)]

    with pytest.raises(InvalidDataset) as caught:
        prepared(rows, spec_of({"x": "number"}, "y", "classification", split={"by": "time", "column": "when"}))

    said = "of 100 rows that go by 'when' the split leaves only the class 'a' for train, of 2 classes. Add rows"
    assert caught.value.message.startswith(f"{SOURCE}: {said}")


def test_dates_that_cannot_be_read_are_named_with_their_rows_and_nothing_that_would_not_help() -> None:
    odd = {7: "soon", 9: "2021-02-30", 11: "later", 20: "never"}
    rows = [(odd.get(index, f"2021-03-{index % 28 + 1:02}"), "a", index, index % 3) for index in range(60)]
    spec = spec_of({"day": "date", "x": "number"}, "y", "regression", split={"by": "time", "column": "day"})

    with pytest.raises(InvalidDataset) as caught:
        prepared(rows, spec, header="day,who,x,y")

    assert "row 8, column 'day': 'soon' is no date; " in caught.value.message
    assert "row 10, column 'day': '2021-02-30' " in caught.value.message
    assert "row 12, column 'day': 'later' is no date, and 1 more row near them. The split goes by" in caught.value.message
    assert "kinds" not in caught.value.message
