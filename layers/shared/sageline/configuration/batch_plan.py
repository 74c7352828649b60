"""How a batch is scored: its rows encoded and its predictions written by one function, or in shards by many at once."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

from sageline.batch.batch import Batch
from sageline.batch.largest import SHORTEST_ROW_BYTES, largest_batch_bytes
from sageline.configuration.dataset_size import text_size
from sageline.configuration.preparation_plan import (
    ALONE_SHARE,
    ATTEMPTS,
    FIXED_SECONDS,
    LEAST_SHARD_BYTES,
    SECONDS_OF_LARGEST,
    SHARD_SHARE,
    Concurrency,
    account_concurrency,
    cost_parts,
    sized,
    told,
)
from sageline.configuration.preparation_prices import (
    TRANSITIONS_OF_SHARD,
    USD_PER_GB_SECOND,
    USD_PER_GET,
    USD_PER_INVOCATION,
    USD_PER_PUT,
    USD_PER_TRANSITION,
    WHOLE_GB,
)
from sageline.costs.estimate import CostPart
from sageline.dataset.readers.compression import decompressed
from sageline.dataset.readers.source import read_up_to
from sageline.errors import InvalidDataset
from sageline.names import split_format
from sageline.runs.context import RunContext
from sageline.runs.payloads import PlannedPreparation
from sageline.spec.model import Spec
from sageline.storage.dataset_object import RANGE_BYTES, DatasetObject, open_object
from sageline.storage.dataset_parts import Dataset
from sageline.storage.part_sink import PART_BYTES

MOST_BATCH_SHARDS = 5_000
"""Row groups may make twice as many of them, and S3 joins 10,000 parts to an object."""

_PASSES = 3  # over the shards: scan, encode, write
_GETS_OF_SHARD = 5  # of what others have left: the plan, the encoder, the model's spec
_HEAD_BYTES = 64 << 10
_GB = 3008 / 1024  # of EncodeBatch and WritePredictions, whether they work on a shard or on all


def plan_batch(batch: Batch, spec: Spec, asked: int | None, most_workers: int, run: RunContext) -> Batch:
    """The batch with how it is scored.

    Args:
        spec: resolved, of the model.
        asked: how many functions are to work at once, if anybody has said.
        most_workers: as the stack's parameter ``MaxWorkers`` says.

    Raises:
        InvalidDataset: one function must do it alone, and cannot.
        DatasetNotFound, DatasetAccessDenied: the rows cannot be read.
    """
    rows, largest, alone = batch.rows, largest_batch_bytes(spec), _why_alone(batch)
    size = text_size(partial(open_object, run.files.s3), Dataset(rows.uri, (rows,)))
    size = round(size * max(1, SHORTEST_ROW_BYTES / _row_bytes(batch, run)))
    concurrency = Concurrency(account=account_concurrency(run.clients.lambda_), stack=most_workers)
    plan = _alone(rows, size, largest, alone, asked) or _in_shards(rows, size, largest, asked, concurrency)
    if plan["shards"] is None and size > largest:
        advice = "Leave `workers` out, or ask for more." if alone is None else f"{alone} Or score it in several smaller files."
        raise InvalidDataset(
            f"{rows.uri}: the rows are about {size / 1e9:.3g} GB of text (short rows counted as {SHORTEST_ROW_BYTES} bytes), and "
            f"one function scores {largest / 1e9:.3g} GB at most "
            f"in its 15 minutes. {advice}"
        )
    return replace(batch, plan=plan)


def _alone(rows: DatasetObject, size: int, largest: int, alone: str | None, asked: int | None) -> PlannedPreparation | None:
    """The plan of one function; None where many are to do it."""
    if alone is None and asked != 1 and (asked is not None or size > ALONE_SHARE * largest):
        return None
    seconds = size / largest * SECONDS_OF_LARGEST
    cost = round(seconds * WHOLE_GB * USD_PER_GB_SECOND, 4)
    return {
        "workers": 1,
        "shards": None,
        "shard_bytes": None,
        "file_bytes": 0,
        "growth": _growth(rows, size),
        "reason": "as asked for" if asked == 1 else alone or f"one function is enough for {sized(size)} of text",
        "minutes": round(seconds / 60, 1),
        "usd": cost,
        "most_usd": cost,
    }


def _in_shards(rows: DatasetObject, size: int, largest: int, asked: int | None, concurrency: Concurrency) -> PlannedPreparation:
    """The plan of many functions."""
    seconds = size / largest * SECONDS_OF_LARGEST
    most = min(asked or concurrency.workers, concurrency.workers)
    wanted = max(math.ceil(size / (SHARD_SHARE * largest)), most if asked else 1)
    shards = max(1, min(MOST_BATCH_SHARDS, wanted, rows.size // LEAST_SHARD_BYTES))
    workers = max(1, min(most, shards))
    limited = "" if asked is None or asked <= workers else f", of the {asked} asked for (size, account or MaxWorkers)"
    children = _PASSES * shards
    cost = (
        (seconds + FIXED_SECONDS) * WHOLE_GB * USD_PER_GB_SECOND
        + children * (USD_PER_INVOCATION + TRANSITIONS_OF_SHARD * USD_PER_TRANSITION)
        + children * (_GETS_OF_SHARD + rows.size / shards / RANGE_BYTES) * USD_PER_GET
        + (children + size / PART_BYTES) * USD_PER_PUT
    )
    return {
        "workers": workers,
        "shards": shards,
        "shard_bytes": math.ceil(rows.size / shards),
        "file_bytes": 0,
        "growth": _growth(rows, size),
        "reason": f"{sized(size)} of text in about {shards:,} shard{'s' * (shards > 1)}, {workers:,} at once{limited}",
        "minutes": round((FIXED_SECONDS + math.ceil(shards / workers) * seconds / shards) / 60, 1),
        "usd": round(cost, 4),
        "most_usd": round(ATTEMPTS * cost, 4),
    }


def _growth(rows: DatasetObject, size: int) -> float:
    return max(0.001, round(size / max(1, rows.size), 3))


def is_sharded(batch: Batch | None) -> bool:
    """Whether there is a batch, and is planned to be scored in shards."""
    return batch is not None and batch.plan is not None and batch.plan["shards"] is not None


def batch_cost_parts(batch: Batch | None) -> tuple[CostPart, ...]:
    """What the functions of a planned batch, if there is one, may cost at most, besides the transform job's instances."""
    return cost_parts(batch.plan, "scoring") if batch is not None and batch.plan is not None else ()


def with_batch_plan(spec: Spec, batch: Batch) -> Spec:
    """A resolved spec that says how its batch is scored, and why."""
    if batch.plan is None:
        return spec
    return spec.model_copy(update={"reasons": {**spec.reasons, "batch.workers": told(batch.plan)}})


def _row_bytes(batch: Batch, run: RunContext) -> float:
    """How long the first rows of a text are; of what is no text it is not known, and they are taken for long ones."""
    base, compression = split_format(batch.format)
    if base not in ("csv", "tsv", "jsonl"):
        return SHORTEST_ROW_BYTES
    with open_object(run.files.s3, batch.rows) as stream:
        head = read_up_to(decompressed(stream, batch.rows.uri, compression), _HEAD_BYTES)
    return len(head) / max(1, head.count(b"\n"))


def _why_alone(batch: Batch) -> str | None:
    """Why a batch cannot be scored in shards, as a sentence that says what to do about it; None where it can."""
    base, compression = split_format(batch.format)
    if base in ("csv", "tsv", "jsonl", "parquet") and not compression:
        return None
    named = f"A .{compression} file can be read from its beginning only" if compression else f"A .{base} file is one shard"
    return f"{named}: upload it as plain CSV, JSON Lines or Parquet to have it scored in shards (docs/scale.md)."
