"""What the benchmark says of its numbers."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import replace

import pytest

from tests.benchmarks.report import describe_machine, to_json, to_markdown
from tests.benchmarks.results import Goal, Result

FASTER_IS_MORE = Result(
    job="encode",
    title="encode documents",
    unit="MB/s",
    samples={"sageline": [90.0, 100.0, 120.0], "sageline, from str": [300.0], "slow": [10.0], "fast": [20.0], "copy": [200.0]},
    limits=("copy",),
    goals=[Goal(than="fast", speed=5), Goal(than="copy", speed=0.6), Goal(than="absent", speed=100)],
    bound="memory",
    note="All the same.",
)
FASTER_IS_LESS = Result(
    job="start", title="start", unit="ms", samples={"sageline": [2.0], "peer": [3.0]}, goals=[Goal(most=1.5)], bound="imports"
)


def test_the_ratio_is_against_the_fastest_peer_and_neither_a_limit_nor_sageline_itself() -> None:
    assert FASTER_IS_MORE.ratio_to_best_peer == 5.0
    assert FASTER_IS_LESS.ratio_to_best_peer == 1.5


def test_goals_are_met_missed_or_not_measured() -> None:
    assert FASTER_IS_MORE.misses() == [Goal(than="copy", speed=0.6)]
    assert FASTER_IS_LESS.misses() == [Goal(most=1.5)]


def test_the_json_has_medians_unit_and_ratio_by_job() -> None:
    document = json.loads(to_json([FASTER_IS_MORE, replace(FASTER_IS_LESS, samples={"sageline": [2.0]})]))

    assert document["encode"] == {
        "sageline": 100.0,
        "slow": 10.0,
        "fast": 20.0,
        "unit": "MB/s",
        "ratio_to_best_peer": 5.0,
        "limits": {"copy": 200.0},
        "variants": {"sageline, from str": 300.0},
    }
    assert document["start"] == {"sageline": 2.0, "unit": "ms", "ratio_to_best_peer": None}


def test_the_page_shows_the_spread_and_what_bounds_a_missed_goal() -> None:
    page = to_markdown([FASTER_IS_MORE, FASTER_IS_LESS], "2 processors", {"numpy": "2.4.6"})

    assert "| encode documents | 100 (90.0 to 120) MB/s |" in page
    assert "2 processors" in page
    assert "numpy 2.4.6" in page
    assert "- `encode`: All the same." in page
    assert "`encode`: 0.50\N{MULTIPLICATION SIGN}, the goal is ≥ 0.6\N{MULTIPLICATION SIGN} copy. What bounds it: memory." in page
    assert "`start`: 2 ms, the goal is ≤ 1.5 ms. What bounds it: imports." in page
    assert "absent" not in page


def test_the_page_says_when_no_goal_is_missed() -> None:
    page = to_markdown([replace(FASTER_IS_LESS, goals=[Goal(most=2)])], "2 processors", {})

    assert page.endswith("## Goals that are missed\n\nNone.\n")


def test_the_machine_is_described_without_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    described = describe_machine()

    assert platform.python_version() in described
    assert str(os.cpu_count()) in described
    assert platform.node() not in described
