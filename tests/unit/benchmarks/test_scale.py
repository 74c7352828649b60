"""The simulation of a preparation in shards: work is divided among workers, until a limit binds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.benchmarks.scale import CORE_OF_LAMBDA, Limits, Simulated, map_seconds, shards_of, simulate
from tests.benchmarks.shard_speed import ShardSpeed

SPEED = ShardSpeed(
    kind="mixed",
    megabytes=100.0,
    alone=20.0,
    plan=0.0,
    scan=1.0,
    fit=10.0,
    merge=0.06,
    encode=10.0,
    state_bytes=1_000_000,
    peak_megabytes=300.0,
)
FREE = Limits(cold_seconds=0.0)


def simulated(gigabytes: float, workers: int = 200, speed: ShardSpeed = SPEED) -> Simulated:
    return simulate(speed, 1000 * gigabytes, Limits(workers=workers))


def test_one_shard_on_one_worker_takes_its_own_seconds() -> None:
    found = simulate(SPEED, 50, replace(FREE, workers=1))

    assert found.shards == found.workers == 1
    assert found.seconds["fit"] == pytest.approx(5 / CORE_OF_LAMBDA, abs=0.5)


def test_workers_divide_the_work() -> None:
    assert map_seconds(100, 10, replace(FREE, workers=1)) == pytest.approx(10 * map_seconds(100, 10, replace(FREE, workers=10)))


def test_a_shard_more_than_workers_takes_another_turn() -> None:
    limits = replace(FREE, workers=10)

    assert map_seconds(11, 10, limits) == map_seconds(20, 10, limits) == 2 * map_seconds(10, 10, limits)


def test_more_workers_than_shards_are_of_no_use() -> None:
    assert map_seconds(10, 10, replace(FREE, workers=10)) == map_seconds(10, 10, replace(FREE, workers=900))


@pytest.mark.parametrize(
    "limits",
    [replace(FREE, workers=900, children=100), replace(FREE, workers=900, gets=10), replace(FREE, workers=900, transitions=10)],
    ids=["children", "gets", "transitions"],
)
def test_a_limit_binds(limits: Limits) -> None:
    assert map_seconds(900, 10, limits, gets=9000) > 2 * map_seconds(900, 10, replace(FREE, workers=900), gets=9000)


def test_environments_start_a_thousand_at_a_time() -> None:
    limits = replace(FREE, workers=5000)

    assert map_seconds(3000, 10, limits) == map_seconds(1000, 10, limits) + 20


def test_s3_is_slower_than_a_quick_core() -> None:
    quick = replace(SPEED, fit=0.001)

    assert simulated(0.05, speed=quick).seconds["fit"] >= 50 / Limits().bandwidth


def test_no_dataset_has_more_shards_than_a_map_may_have_children() -> None:
    assert shards_of("mixed", 1e9, workers=1000) == 10_000
    assert shards_of("mixed", 1e9, workers=900) == 9_900, "as many for each worker as for the others"


def test_many_shards_are_merged_in_groups_and_it_is_said_when_that_takes_too_long() -> None:
    assert simulated(5).seconds["groups"] == 0
    assert simulated(1000).seconds["groups"] > 0
    assert simulated(1000).merges_in_time
    assert not simulated(1000, speed=replace(SPEED, merge=30.0)).merges_in_time


def test_dollars_follow_the_work_and_not_the_workers() -> None:
    assert simulated(100, 900).usd == pytest.approx(simulated(100, 200).usd, rel=0.1)
    assert simulated(100).usd == pytest.approx(10 * simulated(10).usd, rel=0.2)
