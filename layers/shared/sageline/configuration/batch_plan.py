"""How a batch is scored: its rows encoded and its predictions written by one function, or in shards by many at once."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, replace
from functools import partial

from sageline.batch.batch import Batch, options_of
from sageline.batch.largest import SHORTEST_ROW_BYTES, largest_batch_bytes
from sageline.configuration.dataset_size import text_size
from sageline.configuration.shared_work import (
    Concurrency,
    Work,
    WorkPrice,
    account_concurrency,
    cost_parts,
    named_size,
    plan_work,
    sized,
    told,
)
from sageline.costs.estimate import CostPart
from sageline.costs.function_prices import (
    ATTEMPTS,
    TRANSITIONS_OF_SHARD,
    USD_PER_GB_SECOND,
    USD_PER_GET,
    USD_PER_INVOCATION,
    USD_PER_PUT,
    USD_PER_TRANSITION,
    WHOLE_GB,
)
from sageline.dataset.readers.compression import decompressed
from sageline.dataset.readers.sample import sample_blocks
from sageline.dataset.readers.source import read_up_to
from sageline.errors import InvalidDataset
from sageline.names import split_format
from sageline.runs.context import RunContext
from sageline.spec.model import Spec
from sageline.storage.dataset_object import RANGE_BYTES, open_object
from sageline.storage.dataset_parts import Dataset
from sageline.storage.part_sink import PART_BYTES

MOST_BATCH_SHARDS = 5_000
"""Row groups may make twice as many of them, and S3 joins 10,000 parts to an object."""

_PASSES = 3  # over the shards: scan, encode, write
_FIXED_SECONDS = 15  # for planning, joining, and starting functions
_GETS_OF_SHARD = 5  # of what others have left: the plan, the encoder, the model's spec
_HEAD_BYTES = 64 << 10


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
    short_rows = round(size * max(0, SHORTEST_ROW_BYTES / _row_bytes(batch, spec, run) - 1))
    work = Work(rows.size, size, largest, alone, most_shards=MOST_BATCH_SHARDS, short_rows=short_rows)
    concurrency = Concurrency(account=account_concurrency(run.clients.lambda_), stack=most_workers)
    plan = plan_work(work, _Scoring(work), asked, concurrency)
    if plan["shards"] is None and work.counted > largest:
        if asked == 1 and alone is None:
            advice = "Leave `workers` out, or ask for more."
        else:
            advice = f"{alone} Or score it in several smaller files." if alone else "Score it in several smaller files."
        raise InvalidDataset(
            f"{rows.uri}: the rows are about {named_size(work)}, and one function scores {sized(largest)} at most in its 15 "
            f"minutes. {advice}"
        )
    return replace(batch, plan=plan)


@dataclass(frozen=True)
class _Scoring:
    """What the functions of a batch take: EncodeBatch and WritePredictions have the same memory, whatever they work on."""

    work: Work

    def alone(self) -> WorkPrice:
        """By one function."""
        usd = self.work.seconds * WHOLE_GB * USD_PER_GB_SECOND
        return WorkPrice(self.work.seconds, usd, usd)

    def in_shards(self, shards: int, workers: int) -> WorkPrice:
        """By so many functions at once."""
        seconds, children = self.work.seconds, _PASSES * shards
        usd = (
            (seconds + _FIXED_SECONDS) * WHOLE_GB * USD_PER_GB_SECOND
            + children * (USD_PER_INVOCATION + TRANSITIONS_OF_SHARD * USD_PER_TRANSITION)
            + children * (_GETS_OF_SHARD + self.work.stored / shards / RANGE_BYTES) * USD_PER_GET
            + (children + self.work.size / PART_BYTES) * USD_PER_PUT
        )
        return WorkPrice(_FIXED_SECONDS + math.ceil(shards / workers) * seconds / shards, usd, ATTEMPTS * usd)


def is_sharded(batch: Batch | None) -> bool:
    """Whether there is a batch, and is planned to be scored in shards."""
    return batch is not None and batch.plan is not None and batch.plan["shards"] is not None


def batch_cost_parts(batch: Batch | None) -> tuple[CostPart, ...]:
    """What the functions of a planned batch, if there is one, may cost at most, besides the transform job's instances."""
    return cost_parts([batch.plan], "scoring") if batch is not None and batch.plan is not None else ()


def scoring_usd(batch: Batch | None) -> dict[str, float]:
    """``{"scoring_usd": 0.02}``: about what scoring a batch in shards costs besides its transform job, which is taken for what it
    did cost once that job has ended; empty where one function does it."""
    return {"scoring_usd": batch.plan["usd"]} if batch is not None and batch.plan is not None and is_sharded(batch) else {}


def with_batch_plan(spec: Spec, batch: Batch) -> Spec:
    """A resolved spec that says how its batch is scored, and why."""
    if batch.plan is None:
        return spec
    return spec.model_copy(update={"reasons": {**spec.reasons, "batch.workers": told(batch.plan)}})


def _row_bytes(batch: Batch, spec: Spec, run: RunContext) -> float:
    """How long the first rows of a text are, as its reader tells them apart, and not its lines.

    Of what is no text, or cannot be read, it is not known, and they are taken for long ones.
    """
    base, compression = split_format(batch.format)
    if base not in ("csv", "tsv", "jsonl"):
        return SHORTEST_ROW_BYTES
    with open_object(run.files.s3, batch.rows) as stream:
        head = read_up_to(decompressed(stream, batch.rows.uri, compression), _HEAD_BYTES + 1)
    options = options_of(spec.dataset.features or {})
    blocks = sample_blocks(
        io.BytesIO(head), len(head), batch.rows.uri, base, options=options, pieces=1, piece_bytes=_HEAD_BYTES, may_be_empty=True
    )
    try:
        rows = sum(block.rows for block in blocks)
    except InvalidDataset:  # said again, and better, by the function that reads all rows
        return SHORTEST_ROW_BYTES
    return len(head.lstrip(b"\r\n")) / rows if rows else SHORTEST_ROW_BYTES


def _why_alone(batch: Batch) -> str | None:
    """Why a batch cannot be scored in shards, as a sentence that says what to do about it; None where it can."""
    base, compression = split_format(batch.format)
    if base in ("csv", "tsv", "jsonl", "parquet") and not compression:
        return None
    named = f"A .{compression} file can be read from its beginning only" if compression else f"A .{base} file is one shard"
    return f"{named}: upload it as plain CSV, JSON Lines or Parquet to have it scored in shards (docs/scale.md)."
