"""Preparing a run's dataset as the state machine does it: by one function, or in shards."""

from __future__ import annotations

from collections import defaultdict

from sageline.configuration.configure import configure
from sageline.preparation.prepare import prepare_data
from sageline.preparation.shards.finish_shards import finish_shards
from sageline.preparation.shards.merge_fit import merge_fit, merge_group
from sageline.preparation.shards.plan_shards import plan_shards, settle_shards
from sageline.preparation.shards.read_shard import encode_shard, fit_shard
from sageline.runs.payloads import PlannedShards, PreparedData
from sageline.storage.shards.scanning import scan_shard
from sageline.storage.shards.shard_files import ShardFiles
from tests.unit.golden import golden_event
from tests.unit.world.world import EXECUTION, RUN_ID, World, with_one_algorithm

MOST_ROUNDS = 8


def begin(world: World, objects: dict[str, bytes], uri: str, **spec: object) -> None:
    """Upload the objects, and configure the run of the dataset at the URI."""
    for key, body in objects.items():
        world.put(key, body)
    event = golden_event("configure_run/request")
    dataset = {"uri": uri, **spec.pop("dataset", {})}  # type: ignore[dict-item] # a section of the spec
    event["trigger"]["spec"] = with_one_algorithm({"dataset": dataset, **spec})
    configure(EXECUTION, event["trigger"], run=world.run)


def prepare_alone(world: World) -> PreparedData:
    return prepare_data(RUN_ID, run=world.run)


def plan(world: World, shard_bytes: int) -> PlannedShards:
    """What PlanShards answers, when ConfigureRun has planned such shards."""
    planned = {
        "workers": 2,
        "shards": 2,
        "shard_bytes": shard_bytes,
        "file_bytes": 0,
        "growth": 1.0,
        "reason": "a test",
        "minutes": 0.0,
        "usd": 0.0,
        "most_usd": 0.0,
    }
    world.run.store.note(RUN_ID, preparation=planned)
    return plan_shards(RUN_ID, run=world.run)


def prepare_in_shards(world: World, shard_bytes: int) -> PreparedData:
    """All that the state machine does between ConfigureRun and StartTraining, shard by shard."""
    files = world.run.files
    planned = plan(world, shard_bytes)
    if planned["scan"]:
        for shard in reversed(range(planned["shards"])):  # in no particular order
            scan_shard(ShardFiles(files, RUN_ID), shard)
        planned = settle_shards(RUN_ID, run=world.run)
    begin_shard, end_shard, groups = planned["begin"], planned["end"], planned["groups"]
    for number in range(MOST_ROUNDS):
        for shard in reversed(range(begin_shard, end_shard)):
            fit_shard(RUN_ID, number, shard, run_files=files)
        for group in reversed(range(groups)):
            merge_group(RUN_ID, number, group, run_files=files)
        merged = merge_fit(RUN_ID, number, run=world.run)
        if not merged["again"]:
            break
        begin_shard, end_shard, groups = merged["begin"], merged["end"], merged["groups"]
    else:
        raise AssertionError(f"{MOST_ROUNDS} rounds were not enough")
    for shard in reversed(range(planned["shards"])):
        encode_shard(RUN_ID, shard, run_files=files)
    return finish_shards(RUN_ID, run=world.run)


def written(world: World) -> dict[str, bytes]:
    """What preparing has left, by what it is: a channel's objects joined in their order, other objects as they are."""
    found: dict[str, bytes] = defaultdict(bytes)
    prefix = f"runs/{RUN_ID}/"
    for key in world.keys(prefix):
        name = key.removeprefix(prefix)
        folder, _, file = name.rpartition("/")
        if name.startswith("shards/") or name in ("data/evaluation.json",):
            continue
        is_part = file.startswith(("part-", "validation-"))
        stem = file.split("-")[0]
        found[f"{folder}/{stem}" if is_part else name] += world.get(key)
    return dict(found)
