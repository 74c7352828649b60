from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from sageline.dataset import date_profile, number_profile
from sageline.dataset.profile import ColumnProfile, DatasetProfile
from sageline.dataset.profiles.findings import ColumnFindings, Findings
from sageline.resolve.resolve import resolve_spec
from sageline.spec.model import validate_spec
from tests.unit.dataset.reading import block_of

WORDS = [f"word {index}" for index in range(60)]
NUMBERS = [str(index * 1.5) for index in range(60)]
DATES = [f"{1 + index % 28}.{1 + index % 12}.2021" for index in range(60)]


def sampled(values: list[str], name: str = "x") -> ColumnFindings:
    return DatasetProfile.of([block_of({name: values})]).findings()[name]


def profiled(values: list[str], known: ColumnFindings, name: str = "x") -> ColumnProfile:
    """The profile of all rows, of which a sample has found this."""
    profile = DatasetProfile(findings=Findings.of({name: known}))
    block = block_of({name: values})
    profile.add(block, {name: np.arange(len(values), dtype=np.uint64)})
    return profile.columns[name]


@pytest.mark.parametrize(
    ("values", "known"),
    [
        (WORDS, ColumnFindings(of_words=True, no_dates=True, no_compact_dates=True)),
        (WORDS[:12], ColumnFindings(of_words=True, no_dates=True, no_compact_dates=True)),
        (WORDS[:9], ColumnFindings()),
        (NUMBERS, ColumnFindings(no_dates=True, no_compact_dates=True)),
        ([*NUMBERS, *WORDS[:40]], ColumnFindings(no_dates=True, no_compact_dates=True)),
        (["1,5", "2,25", "-"] * 30, ColumnFindings(no_dates=True, no_compact_dates=True)),
        (DATES, ColumnFindings(of_words=True)),
        ([*DATES, *WORDS[:40]], ColumnFindings(of_words=True)),
        ([*DATES[:20], *WORDS[:40]], ColumnFindings(of_words=True, no_dates=True)),
        (["20210530", "20210601"] * 20, ColumnFindings()),
        (["1622376000", "1622376001"] * 20, ColumnFindings(no_compact_dates=True)),
        (["", "NA"] * 40, ColumnFindings()),
    ],
)
def test_a_sample_says_what_need_not_be_looked_for(values: list[str], known: ColumnFindings) -> None:
    assert sampled(values) == known


def test_what_has_been_found_is_not_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    of_words, of_numbers = sampled(WORDS), sampled(NUMBERS)

    def refuse(*_: object) -> None:
        raise AssertionError("a value was looked at")

    monkeypatch.setattr(date_profile, "read_dates", refuse)
    monkeypatch.setattr(number_profile, "shape_of", refuse)

    words = profiled(WORDS, of_words)
    numbers = profiled(["20210530", *NUMBERS], of_numbers)

    assert (words.is_numeric, words.is_date, words.numbers.odd) == (False, False, 60)
    assert [example.text for example in words.numbers.odd_values] == WORDS[:3]
    assert (numbers.is_numeric, numbers.is_date) == (True, False)


def test_a_column_whose_sample_is_not_like_the_rest_is_still_of_the_right_kind() -> None:
    assert not profiled([*NUMBERS, *WORDS], sampled(NUMBERS)).is_numeric
    assert profiled([*WORDS[:10], *NUMBERS * 4], sampled(WORDS)).is_numeric
    assert profiled(["1,5"] * 200 + NUMBERS, sampled(NUMBERS)).numbers.odd == 0
    assert not profiled(DATES[:2] + WORDS, sampled(DATES)).is_date


def test_of_columns_that_the_sample_did_not_have_everything_is_looked_for() -> None:
    findings = Findings.of({"x": sampled(WORDS), "y": sampled(NUMBERS)})

    assert findings.by_column(["x", "y"]) == {"x": sampled(WORDS), "y": sampled(NUMBERS)}
    for others in (["y", "x"], ["x"], ["x", "y", "z"]):
        assert findings.by_column(others) == dict.fromkeys(others, ColumnFindings())


def test_findings_are_kept_in_a_record_as_json_and_older_records_have_none() -> None:
    findings = Findings.of({f"column {index}": sampled(WORDS) for index in range(3000)})
    stored = json.dumps({"findings": findings.to_json()})

    assert Findings.of_schema(json.loads(stored)) == findings
    assert len(stored) < 3200
    assert Findings.of_schema({"label": "y"}) is None


@pytest.mark.parametrize(
    ("dataset", "known"),
    [
        ({}, ColumnFindings(of_words=True, no_dates=True)),
        ({"kinds": {"x": "date"}}, ColumnFindings(of_words=True)),
        ({"kinds": {"x": "number"}}, ColumnFindings(no_dates=True)),
    ],
)
def test_what_a_person_says_that_a_column_holds_is_looked_for(dataset: dict[str, Any], known: ColumnFindings) -> None:
    values = [*["30.5.2021", "29.5.2021", "28.5.2021"] * 6, *["7,5", "8,5"], *WORDS[:40]]
    columns = {"x": values, "other": NUMBERS, "y": ["a", "b"] * 30}
    profile = DatasetProfile.of([block_of(columns)])
    spec = validate_spec({"dataset": {"label": "y", **dataset}}, "spec.json")

    resolution = resolve_spec(spec, profile, name="n", uri="s3://b/n/data.csv")

    assert resolution.findings(profile.findings()).by_column(list(columns))["x"] == known
