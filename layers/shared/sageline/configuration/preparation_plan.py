"""How a dataset is prepared: by one function, or in shards by many at once; how long that takes, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sageline.configuration.dataset_size import largest_bytes
from sageline.configuration.shared_work import SECONDS_OF_LARGEST, Concurrency, Work, WorkPrice, plan_work, told
from sageline.costs.function_prices import (
    ATTEMPTS,
    FIXED_TRANSITIONS,
    SHARD_GB,
    TRANSITIONS_OF_SHARD,
    USD_PER_GB_SECOND,
    USD_PER_GET,
    USD_PER_INVOCATION,
    USD_PER_PUT,
    USD_PER_TRANSITION,
    WHOLE_CORES,
    WHOLE_GB,
)
from sageline.dataset.splits.plan import initial_plan
from sageline.formats.exchange import answering, exchange_for
from sageline.names import split_format
from sageline.runs.payloads import PlannedPreparation
from sageline.spec.model import Spec
from sageline.spec.preparation import PreparationSpec
from sageline.storage.dataset_object import RANGE_BYTES
from sageline.storage.dataset_parts import Dataset
from sageline.storage.part_sink import PART_BYTES

SHARDS_OF_GROUP = 100
"""How many states are merged together where there are more: in half a minute, and the groups of 10,000 shards in about a minute
more."""

FILE_SECONDS = 0.015
"""What a file takes of a core of Lambda besides its bytes, in both readings of one function together.

Measured by tests/benchmarks/many_files.py: 2.3 to 3.3 ms to ask for a file of a kilobyte and to begin to read it, and 1.7 to 2.0
ms to begin to count a block of seven columns; twice, and counted with 0.6 of the machine's speed. Waiting for answers is not
counted: eight files are asked for at once. The most files that a dataset may have take two and a half minutes more than their
bytes, which the limits of one function leave of its 15 minutes.
"""

_FIXED_SECONDS = 15  # of planning, starting functions, and the end
_MERGE_SECONDS = 1.0  # of a shard's state, or of a group's: from 0.2 to 0.9 were measured
_PUTS_OF_SHARD = 10  # what is stored of it in all readings, and a first object of each channel


def why_alone(dataset: Dataset, spec: Spec) -> str | None:
    """Why a dataset cannot be prepared in shards, as a sentence that says what to do about it; None where it can.

    Args:
        spec: resolved, of what is trained.
    """
    base, compression = split_format(dataset.format)
    if base == "zip":
        return "A zip of images is one shard."
    if _is_one_file(spec):
        return f"The algorithm {spec.algorithm.name} reads one file, which one function writes."
    if dataset.is_folder or (base in ("csv", "tsv", "jsonl", "parquet") and not compression):
        return None
    named = f"A .{compression} file can be read from its beginning only" if compression else f"A .{base} file is one shard"
    return f"{named}: upload it in parts (docs/scale.md), or as plain CSV, JSON Lines or Parquet, to have it prepared in shards."


def plan_preparation(dataset: Dataset, spec: Spec, size: int, concurrency: Concurrency) -> PlannedPreparation:
    """How the dataset is prepared for a model.

    Args:
        spec: resolved, of what is trained.
        size: of the dataset in bytes of text.
    """
    largest = largest_bytes(spec)
    files = len(dataset.in_order()) if dataset.is_folder else 0
    file_bytes = FILE_SECONDS * largest / SECONDS_OF_LARGEST
    work = Work(dataset.size, size, largest, why_alone(dataset, spec), files, file_bytes)
    requests = files + math.ceil(dataset.size / RANGE_BYTES)
    is_planned = initial_plan(spec.split) is not None
    prices = _Preparation(work.seconds, requests, math.ceil(size / PART_BYTES), 1 if is_planned else 2, _MOST_FITS[is_planned])
    return plan_work(work, prices, spec.preparation.workers, concurrency)


_MOST_FITS = {
    True: 3,  # of the split that the sample has led to; as all rows have it; when classes were moved between its shares
    False: 5,  # besides: for the split, and for which rows stand in which share
}
"""Readings that count, by whether the split is known before all rows are."""


@dataclass(frozen=True)
class _Preparation:
    """What preparing a dataset takes.

    Attributes:
        seconds: of one core of Lambda, for all that one function does.
        requests: to S3, for one reading.
        objects: that are written, if the rows become as many bytes as they have as text.
        fits: how often shards are read to be counted.
        most_fits: how often that may be.
    """

    seconds: float
    requests: int
    objects: int
    fits: int
    most_fits: int

    def alone(self) -> WorkPrice:
        """By one function."""
        duration = self.seconds / WHOLE_CORES
        usd = duration * WHOLE_GB * USD_PER_GB_SECOND + 2 * self.requests * USD_PER_GET
        return WorkPrice(duration, usd, usd)

    def in_shards(self, shards: int, workers: int) -> WorkPrice:
        """By so many functions at once."""
        seconds, usd = self._with_fits(shards, workers, self.fits)
        _, most_usd = self._with_fits(shards, workers, self.most_fits)
        return WorkPrice(seconds, usd, ATTEMPTS * most_usd)

    def _with_fits(self, shards: int, workers: int, fits: int) -> tuple[float, float]:
        """Seconds and dollars of shards that are read so many times to be counted, and each time merged."""
        reading = self.seconds * (1 + (fits - 1) / 2)  # one function counts and encodes
        groups = math.ceil(shards / SHARDS_OF_GROUP) if shards > SHARDS_OF_GROUP else 0
        of_group = SHARDS_OF_GROUP * _MERGE_SECONDS
        merging = fits * (groups or shards) * _MERGE_SECONDS
        duration = _FIXED_SECONDS + merging + math.ceil(shards / workers) * reading / shards
        duration += fits * math.ceil(groups / workers) * of_group
        whole_seconds = _FIXED_SECONDS + merging + fits * groups * of_group
        children = (2 + fits) * shards + fits * groups  # scan and encode
        cost = (
            (reading * SHARD_GB + whole_seconds * WHOLE_GB) * USD_PER_GB_SECOND
            + children * USD_PER_INVOCATION
            + (children * TRANSITIONS_OF_SHARD + fits * FIXED_TRANSITIONS) * USD_PER_TRANSITION
            + ((2 + fits) * (self.requests + 2 * shards) + fits * (shards + groups)) * USD_PER_GET
            + (_PUTS_OF_SHARD * shards + self.objects) * USD_PER_PUT
        )
        return duration, cost


def _is_one_file(spec: Spec) -> bool:
    """Whether a training channel is one object."""
    script, encoder = spec.algorithm.script, spec.encoder.kind if spec.encoder else "columns"
    answers = answering(spec.algorithm.name, script.framework if script else None)
    return exchange_for(answers, encoder, None, avoids_csv=False).single_file


def preparation_usd(plans: Sequence[PlannedPreparation]) -> dict[str, float]:
    """``{"preparation_usd": 0.02}``: about what preparing a dataset in shards costs, for all algorithms together, which is
    taken for what it did cost; empty where one function prepares it."""
    amounts = [planned["usd"] for planned in plans if planned["shards"] is not None]
    return {"preparation_usd": round(sum(amounts), 4)} if amounts else {}


def with_plans(spec: Spec, plans: Mapping[str, PlannedPreparation]) -> Spec:
    """A resolved spec that says how its dataset is prepared, and why; where so many workers cannot be, how many there are.

    Args:
        plans: by the algorithm; of several what differs is said of each.
    """
    reasons = {algorithm: told(planned) for algorithm, planned in plans.items()}
    if len(set(reasons.values())) == 1:
        reason = next(iter(reasons.values()))
    else:
        reason = "; ".join(f"for {algorithm}: {reason}" for algorithm, reason in reasons.items())
    update: dict[str, object] = {"reasons": {**spec.reasons, "preparation.workers": reason}}
    if spec.preparation.workers is not None:
        update["preparation"] = PreparationSpec(workers=max(planned["workers"] for planned in plans.values()))
    return spec.model_copy(update=update)
