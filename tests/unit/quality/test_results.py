"""Ranks, differences and the report of the quality measurement."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from tests.quality.answers import Answers, Judged, difference, value_of
from tests.quality.report import to_json, to_markdown
from tests.quality.results import Difference, Result, lost, mean_rank

PAIR = ("sageline_quick", "hist_gradient_boosting")


def result(name: str, metric: str, values: Mapping[str, float], better: float, error: float, *, held_out: bool = False) -> Result:
    return Result(
        dataset=name,
        metric=metric,
        rows=1000,
        splits=1,
        held_out=held_out,
        values=dict(zip((*PAIR, "baseline"), values.values(), strict=True)),
        differences={PAIR: Difference(better, error)},
        seconds={"sageline_quick": 2.0},
        dollars=0.001,
        chosen=["xgboost"],
    )


WON = result("churn", "accuracy", {"ours": 0.9, "theirs": 0.8, "baseline": 0.5}, 0.1, 0.01)
LOST = result("ridership", "rmse", {"ours": 2.0, "theirs": 1.5, "baseline": 9.0}, -0.5, 0.1)
EQUAL = result("ames", "rmse", {"ours": 1.02, "theirs": 1.0, "baseline": 9.0}, -0.02, 0.1, held_out=True)


def test_less_is_better_where_the_metric_is_an_error() -> None:
    assert WON.rank("sageline_quick", PAIR) == 1
    assert LOST.rank("sageline_quick", PAIR) == 2
    assert mean_rank([WON, LOST, EQUAL], "sageline_quick", PAIR) == pytest.approx(5 / 3)
    assert mean_rank([WON, LOST, EQUAL], "sageline_quick", ("sageline_quick", "flaml")) is None


def test_a_difference_within_two_standard_errors_is_no_loss_by_more_than_chance() -> None:
    assert [one.differences[PAIR].verdict for one in (WON, LOST, EQUAL)] == ["better", "worse", "equal"]
    assert [one.dataset for one in lost([WON, EQUAL, LOST], *PAIR)] == ["ridership", "ames"]


def test_the_json_has_null_for_what_was_not_measured() -> None:
    document = json.loads(to_json([WON]))
    assert document["churn"] == {
        "metric": "accuracy",
        "sageline_quick": 0.9,
        "sageline_good": None,
        "hist_gradient_boosting": 0.8,
        "flaml": None,
        "flaml_good": None,
        "baseline": 0.5,
        "standard_error": 0.01,
        "seconds": {"sageline_quick": 2.0},
        "dollars_in_aws": 0.001,
    }


def test_the_page_tells_the_held_out_datasets_apart_and_every_loss_with_a_reason() -> None:
    page = to_markdown([WON, LOST, EQUAL], "a machine")
    developed, held_out = page.split("## Developed on")[1].split("## Where")[0].split("## Held out")
    assert "`churn`" in developed
    assert "`ames`" in held_out
    assert "`ames`" not in developed
    losses = page.split("## Where Sageline is behind")[1].split("##")[0]
    assert "`ridership`" in losses
    assert "`ames`" in losses
    assert "`churn`" not in losses


def test_the_paired_difference_is_of_the_same_rows() -> None:
    judged = Judged("rmse", None, None, np.arange(200.0))
    close, far = Answers(judged.expected + 1.0), Answers(judged.expected + 3.0)
    assert value_of(judged, close) == pytest.approx(1)
    better, error = difference(judged, close, far)
    assert better == pytest.approx(2)
    assert error == pytest.approx(0, abs=1e-9)
    assert difference(judged, far, close)[0] == pytest.approx(-2)


def test_the_page_names_what_was_not_measured_with_good() -> None:
    good = replace(
        WON,
        values={**WON.values, "sageline_good": 0.91, "flaml_good": 0.9},
        differences={**WON.differences, ("sageline_good", "flaml_good"): Difference(0.01, 0.02)},
    )
    page = to_markdown([good, LOST], "a machine")
    assert "- Not measured with good: `ridership`." in page
    assert "Sageline good beside FLAML, seconds of good: ahead on 1 of 1" in page
    assert "Not measured" not in to_markdown([WON, LOST], "a machine")
