"""How long preparing a large dataset in shards takes and what it costs, by AWS's published limits and prices: a simulation.

    python -m tests.benchmarks.scale --measured tests/benchmarks/shard_seconds.json
    python -m tests.benchmarks.scale

prints a table of 1 GB to 1 TB by the number of workers. Seconds a megabyte are those that tests.benchmarks.shard_speed has
measured, given as a JSON list of its documents, or measured now. What is not simulated: a fit that has to be repeated because of
what all rows said, functions that are tried again, and what comes after the preparation.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from sageline.configuration.dataset_size import LARGEST_BYTES
from sageline.configuration.preparation_plan import SHARDS_OF_GROUP
from sageline.configuration.shared_work import MOST_SHARDS, SHARD_SHARE, in_turns
from sageline.costs.function_prices import (
    FIXED_TRANSITIONS,
    SHARD_GB,
    TRANSITIONS_OF_SHARD,
    USD_PER_GB_SECOND,
    USD_PER_GET,
    USD_PER_INVOCATION,
    USD_PER_PUT,
    USD_PER_TRANSITION,
    WHOLE_GB,
)
from sageline.storage.dataset_object import RANGE_BYTES
from sageline.storage.part_sink import PART_BYTES
from tests.benchmarks.shard_speed import ShardSpeed, measure

CORE_OF_LAMBDA = 0.6
"""Of the speed of the measuring machine's core, as sageline.configuration.dataset_size has it."""

SIZES_GB = (1, 10, 100, 1000)
WORKERS = (200, 900)
TIMEOUT_SECONDS = 900
GOALS = {100: (5.0, 2.0), 1000: (15.0, 15.0)}  # by gigabytes: minutes and dollars
_MEASURED_MEGABYTES = 256
_VOCABULARY_MEGABYTES = 80  # of words that are kept at most, and their counts
_FIXED_SECONDS = 10  # ConfigureRun's and PlanShards' beginnings, and PrepareData's end
_OTHER_PUTS = 4  # of an encoded shard: smaller channels, and how much was written
_CHILD_SECONDS = 0.3  # from the end of a child to the next one's first work: an assumption, as AWS says nothing of it


@dataclass(frozen=True)
class Limits:
    """What AWS publishes for an account in us-east-1.

    Attributes:
        workers: functions at once.
        started: environments that a function may start within ten seconds.
        cold_seconds: from a call to a new environment's first work.
        children: child executions of a Distributed Map at once.
        transitions: a second.
        gets, puts: of S3, a second and prefix.
        bandwidth: megabytes a second of one function from S3, or to it.
    """

    workers: int = 200
    started: int = 1000
    cold_seconds: float = 1.5
    children: int = 10_000
    transitions: int = 5000
    gets: int = 5500
    puts: int = 3500
    bandwidth: float = 70.0


@dataclass(frozen=True)
class Simulated:
    """What a preparation takes.

    Attributes:
        seconds: by phase, in their order.
        lambda_seconds, gb_seconds: of all functions together.
        transitions: of parent and children.
    """

    shards: int
    workers: int
    seconds: dict[str, float]
    lambda_seconds: float
    gb_seconds: float
    transitions: int
    usd: float

    @property
    def minutes(self) -> float:
        return sum(self.seconds.values()) / 60

    @property
    def merges_in_time(self) -> bool:
        """Whether MergeFit ends before its timeout."""
        return self.seconds["merge"] <= TIMEOUT_SECONDS


def shards_of(kind: str, megabytes: float, workers: int) -> int:
    """Shards of a dataset, as the plan of a run cuts it."""
    largest = LARGEST_BYTES["texts" if kind == "text" else "columns"] / 1e6
    wanted = min(MOST_SHARDS, math.ceil(megabytes / (SHARD_SHARE * largest)))
    return max(1, min(MOST_SHARDS, in_turns(wanted, workers)))


def map_seconds(shards: int, each: float, limits: Limits, *, gets: float = 0, puts: float = 0) -> float:
    """Seconds of a Distributed Map.

    Args:
        each: seconds of a shard.
        gets, puts: requests to S3 of all shards together.
    """
    at_once = min(limits.workers, limits.children, shards)
    work = math.ceil(shards / at_once) * (each + _CHILD_SECONDS)
    starting = limits.cold_seconds + 10 * ((at_once - 1) // limits.started)
    requests = max(gets / limits.gets, puts / limits.puts, shards * TRANSITIONS_OF_SHARD / limits.transitions)
    return starting + max(work, requests)


def simulate(speed: ShardSpeed, megabytes: float, limits: Limits) -> Simulated:
    """Prepare a dataset of the kind that was measured."""
    shards = shards_of(speed.kind, megabytes, limits.workers)
    size = megabytes / shards
    gets = math.ceil(size * 1e6 / RANGE_BYTES) + 2  # and what is to be known of the shards
    puts = {"scan": 1, "fit": 1, "encode": math.ceil(size * 1e6 / PART_BYTES) + _OTHER_PUTS}
    seconds: dict[str, float] = {"fixed": _FIXED_SECONDS}
    lambda_seconds = 0.0
    for phase, cpu, moved in (("scan", speed.scan, 1), ("fit", speed.fit, 1), ("encode", speed.encode, 2)):
        each = max(cpu / speed.megabytes * size / CORE_OF_LAMBDA, moved * size / limits.bandwidth)
        seconds[phase] = map_seconds(shards, each, limits, gets=gets * shards, puts=puts[phase] * shards)
        lambda_seconds += shards * each + min(shards, limits.workers) * limits.cold_seconds
    groups, of_group, merging = _merging(speed, shards, limits)
    seconds["groups"] = map_seconds(groups, of_group, limits) if groups else 0.0
    seconds["merge"] = limits.cold_seconds + merging
    gb_seconds = lambda_seconds * SHARD_GB + (groups * of_group + seconds["merge"] + _FIXED_SECONDS) * WHOLE_GB
    transitions = FIXED_TRANSITIONS + (3 * shards + groups) * TRANSITIONS_OF_SHARD
    usd = (
        gb_seconds * USD_PER_GB_SECOND
        + 3 * shards * USD_PER_INVOCATION
        + transitions * USD_PER_TRANSITION
        + (3 * gets + 1) * shards * USD_PER_GET
        + sum(puts.values()) * shards * USD_PER_PUT
    )
    all_seconds = lambda_seconds + groups * of_group + seconds["merge"] + _FIXED_SECONDS
    return Simulated(shards, min(shards, limits.workers), seconds, all_seconds, gb_seconds, transitions, usd)


def _merging(speed: ShardSpeed, shards: int, limits: Limits) -> tuple[int, float, float]:
    """How many groups of shards are merged first, the seconds of one, and those of MergeFit."""

    def each(megabytes: float, cpu: float) -> float:
        return max(cpu / CORE_OF_LAMBDA, megabytes / limits.bandwidth)

    state = speed.state_bytes / 1e6
    of_shard = each(state, speed.merge)
    if shards <= SHARDS_OF_GROUP:
        return 0, 0.0, shards * of_shard
    groups = math.ceil(shards / SHARDS_OF_GROUP)
    # What is bounded has grown by then: a vocabulary, which many shards have together more of than one.
    grown = state + _VOCABULARY_MEGABYTES
    return groups, SHARDS_OF_GROUP * of_shard + grown / limits.bandwidth, groups * each(grown, speed.merge * grown / state)


def rows(speeds: list[ShardSpeed]) -> Iterator[str]:
    """A Markdown table."""
    heads = (
        "table",
        "GB",
        "shards",
        "workers",
        "minutes",
        "of which merging",
        "dollars",
        "transitions",
        "Lambda s",
        "GB-s",
        "goal",
    )
    yield f"| {' | '.join(heads)} |"
    yield "|---|" + "---:|" * (len(heads) - 2) + "---|"
    for speed in speeds:
        for size in SIZES_GB:
            for workers in dict.fromkeys(min(workers, shards_of(speed.kind, size * 1000, workers)) for workers in WORKERS):
                found = simulate(speed, size * 1000, Limits(workers=workers))
                merge = (found.seconds["groups"] + found.seconds["merge"]) / 60
                cells = (
                    speed.kind,
                    f"{size:,}",
                    f"{found.shards:,}",
                    f"{found.workers:,}",
                    f"{found.minutes:.1f}",
                    f"{merge:.1f}" + ("" if found.merges_in_time else " (times out)"),
                    f"{found.usd:.2f}",
                    f"{found.transitions:,}",
                    f"{found.lambda_seconds:,.0f}",
                    f"{found.gb_seconds:,.0f}",
                    _verdict(size, found),
                )
                yield f"| {' | '.join(cells)} |"


def _verdict(size: int, found: Simulated) -> str:
    if size not in GOALS:
        return ""
    minutes, usd = GOALS[size]
    missed = [name for name, is_met in (("minutes", found.minutes <= minutes), ("dollars", found.usd <= usd)) if not is_met]
    if not found.merges_in_time:
        return "missed: MergeFit"
    return f"missed: {', '.join(missed)}" if missed else "met"


def read_speeds(document: str) -> list[ShardSpeed]:
    """The documents that tests.benchmarks.shard_speed has printed."""
    names = {field.name for field in fields(ShardSpeed)}
    return [ShardSpeed(**{name: value for name, value in each.items() if name in names}) for each in json.loads(document)]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scale", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--measured", type=Path, help="a JSON list of what tests.benchmarks.shard_speed has printed")
    measured: Path | None = parser.parse_args(arguments).measured
    kinds = ("text", "mixed")
    speeds = read_speeds(measured.read_text()) if measured else [measure(kind, _MEASURED_MEGABYTES) for kind in kinds]
    for row in rows(speeds):
        print(row)  # noqa: T201 - a command


if __name__ == "__main__":
    main()
