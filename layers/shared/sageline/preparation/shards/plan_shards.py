"""PlanShards: cut the dataset into shards, and later say where each of their ranges begins."""

from __future__ import annotations

from dataclasses import replace

from sageline.configuration.dataset_size import largest_bytes
from sageline.dataset.ranges.plan import ShardPlan
from sageline.dataset.ranges.plan import plan_shards as cut
from sageline.dataset.splits.plan import initial_plan
from sageline.errors import InvalidDataset
from sageline.preparation.run_dataset import RunDataset
from sageline.preparation.shards.object_names import round_name
from sageline.preparation.shards.shard_fit import Round
from sageline.preparation.shards.sharding import Sharding
from sageline.resolve.resolution import Resolution
from sageline.runs.context import RunContext
from sageline.runs.payloads import PlannedPreparation, PlannedShards
from sageline.spec.model import Spec
from sageline.storage.shards.object_names import CUT, SHARDING
from sageline.storage.shards.reading import opener, parts_of
from sageline.storage.shards.scanning import settled
from sageline.storage.shards.shard_files import ShardFiles


def plan_shards(run_id: str, *, run: RunContext) -> PlannedShards:
    """Cut the run's dataset into shards, as ConfigureRun has planned.

    Raises:
        InvalidSpec: the run's spec is not a resolved one.
        InvalidDataset: something that cannot be cut is more than one function can read.
        DatasetNotFound, DatasetAccessDenied: a part cannot be read.
    """
    run.store.enter(run_id, "PlanShards")
    of = RunDataset.of(run_id, run)
    planned: PlannedPreparation = run.store.get(run_id).details["preparation"]
    files = ShardFiles(run.files, run_id)
    plan = cut(
        of.dataset.uri,
        of.dataset.format,
        parts_of(of.dataset),
        planned["shard_bytes"] or of.dataset.size,
        file_bytes=planned["file_bytes"],
        open_range=opener(run.files.s3),
        options=of.options,
    )
    _check_uncut(plan, of.spec, planned["growth"])
    sharding = Sharding(of.dataset.notes, of.options, plan, of.findings, planned["workers"])
    for name in (CUT, SHARDING):
        files.put(name, sharding)
    return _begun(sharding, of.provisional, files, run)


def settle_shards(run_id: str, *, run: RunContext) -> PlannedShards:
    """Say of each range that begins in the middle of a text with which byte and which row it begins, as the scans have found.

    Raises:
        InvalidDataset, DatasetNotFound, DatasetAccessDenied: a part could not be read.
    """
    files = ShardFiles(run.files, run_id)
    sharding: Sharding = files.get(CUT)  # and not what an earlier try has made of it
    sharding = replace(sharding, plan=settled(sharding.plan, files))
    files.put(SHARDING, sharding)
    return _begun(sharding, RunDataset.of(run_id, run).provisional, files, run)


def _begun(sharding: Sharding, provisional: Resolution, files: ShardFiles, run: RunContext) -> PlannedShards:
    """The first round, of those shards that must be read before the others, or of all."""
    plan = sharding.plan
    of_test = sum(any(plan.parts[item.part].side == "test" for item in ranges) for ranges in plan.shards)
    # Where reading fails for certain, what comes after it need not be read.
    end = plan.broken + 1 if plan.broken is not None else of_test or len(plan.shards)
    first = Round(0, "profile", provisional, initial_plan(provisional.spec.split), None, (0, end))
    files.put(round_name(0), first)
    run.store.enter(files.layout.run_id, "ScanShards" if plan.to_scan else "FitShards")
    return {
        "shards": len(plan.shards),
        "workers": sharding.workers,
        "scan": bool(plan.to_scan),
        "begin": 0,
        "end": end,
        "groups": first.groups,
    }


def _check_uncut(plan: ShardPlan, spec: Spec, growth: float) -> None:
    """Refuse what one function could not read, which is read twice: once to be counted, once to be encoded."""
    largest = next((item for item in plan.uncut if item.size == plan.largest_uncut), None)
    most = round(2 * largest_bytes(spec) / growth)
    if largest is not None and largest.size > most:
        raise InvalidDataset(
            f"{largest.uri}: {largest.size:,} bytes are to be read by one function ({largest.why}), and it reads about "
            f"{most:,} of such data in its 15 minutes. Upload the rows in smaller parts (docs/scale.md)."
        )
