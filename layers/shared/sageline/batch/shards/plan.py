"""PlanBatchShards: cut a large batch into shards; SettleBatchShards: say where each of their ranges begins."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sageline.batch.batch import Batch, batch_of, load_encoder, options_of
from sageline.batch.encode import going_on
from sageline.batch.largest import largest_batch_bytes
from sageline.dataset.ranges.plan import DatasetPart, ShardPlan, plan_shards
from sageline.dataset.readers.source import ReadOptions
from sageline.errors import InvalidDataset
from sageline.runs.context import RunContext
from sageline.runs.documents import RunFiles
from sageline.runs.payloads import PlannedBatchShards
from sageline.storage.shards.object_names import CUT, SHARDING
from sageline.storage.shards.reading import opener
from sageline.storage.shards.scanning import settled
from sageline.storage.shards.shard_files import ShardFiles

BATCH_FOLDER = "batch/"
"""Where the shards of a batch leave what they know: those of a run's dataset leave theirs beside it."""


@dataclass(frozen=True)
class BatchSharding:
    """A batch in shards.

    Attributes:
        options: how its rows are read.
        workers: how many functions may work on them at once.
    """

    plan: ShardPlan
    options: ReadOptions
    workers: int


def plan_batch_shards(run_id: str, *, run: RunContext) -> PlannedBatchShards:
    """Cut the batch's rows into shards, as ConfigureRun has planned.

    Raises:
        InvalidDataset: something that cannot be cut is more than one function can score.
        InvalidEncoder: the model's encoder is gone.
        DatasetNotFound, DatasetAccessDenied: the rows cannot be read.
        RunFinished: the run was stopped meanwhile.
    """
    run.store.enter(run_id, "PlanBatchShards")
    batch = batch_of(going_on(run_id, run))
    files = ShardFiles(run.files, run_id, BATCH_FOLDER)
    planned = batch.plan
    rows, options = batch.rows, options_of(load_encoder(run.files, batch).feature_columns)
    plan = plan_shards(
        rows.uri,
        batch.format,
        [DatasetPart(rows.uri, rows.size, None, rows.version_id, rows.etag)],
        (planned and planned["shard_bytes"]) or rows.size,
        open_range=opener(run.files.s3),
        options=options,
    )
    _check_uncut(plan, batch, planned["growth"] if planned else 1, run.files)
    sharding = BatchSharding(plan, options, planned["workers"] if planned else 1)
    for name in (CUT, SHARDING):
        files.put(name, sharding)
    return _begun(run_id, sharding, run)


def settle_batch_shards(run_id: str, *, run: RunContext) -> PlannedBatchShards:
    """Say of each range that begins in the middle of a text with which byte and which row it begins, as the scans have found.

    Raises:
        InvalidDataset, DatasetNotFound, DatasetAccessDenied: the rows could not be read.
    """
    files = ShardFiles(run.files, run_id, BATCH_FOLDER)
    cut: BatchSharding = files.get(CUT)  # and not what an earlier try has made of it
    sharding = replace(cut, plan=settled(cut.plan, files))
    files.put(SHARDING, sharding)
    return _begun(run_id, sharding, run)


def _begun(run_id: str, sharding: BatchSharding, run: RunContext) -> PlannedBatchShards:
    needs_scan = bool(sharding.plan.to_scan)
    run.store.enter(run_id, "ScanBatchShards" if needs_scan else "EncodeBatchShards")
    return {"shards": len(sharding.plan.shards), "workers": sharding.workers, "scan": needs_scan}


def _check_uncut(plan: ShardPlan, batch: Batch, growth: float, files: RunFiles) -> None:
    largest = next((item for item in plan.uncut if item.size == plan.largest_uncut), None)
    if largest is None:
        return
    most = round(largest_batch_bytes(files.read_spec(batch.trained_by)) / growth)
    if largest.size > most:
        raise InvalidDataset(
            f"{largest.uri}: {largest.size:,} bytes are to be read by one function ({largest.why}), and it scores about "
            f"{most:,} of such data in its 15 minutes. Score the rows in several smaller files (docs/scale.md)."
        )
