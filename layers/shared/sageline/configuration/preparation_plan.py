"""How a dataset is prepared: by one function, or in shards by many at once; how long that takes, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from sageline.configuration.dataset_size import largest_bytes
from sageline.configuration.preparation_prices import (
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
from sageline.costs.estimate import CostPart
from sageline.dataset.splits.plan import initial_plan
from sageline.formats.exchange import answering, exchange_for
from sageline.names import split_format
from sageline.runs.money import usd
from sageline.runs.payloads import PlannedPreparation
from sageline.spec.model import Spec
from sageline.spec.preparation import PreparationSpec
from sageline.storage.dataset_object import RANGE_BYTES
from sageline.storage.dataset_parts import Dataset
from sageline.storage.part_sink import PART_BYTES

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ALONE_SHARE = 0.25
"""Of what one function can prepare at all, what it prepares alone: up to some minutes."""

SHARD_SHARE = 1 / 20
"""Of the same, what a shard has: half a minute of one core."""

MOST_SHARDS = 10_000
"""Child executions that a Distributed Map may have at once, which is also a number whose answers fit into its result."""

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

SECONDS_OF_LARGEST = 720
"""About how long one function takes for the most that it can prepare, of its 900 seconds."""

LEAST_SHARD_BYTES = 64 << 10
_RESERVE = 0.5  # of the account's functions at once, that predictions and all else keep
_MOST_RESERVED = 100
_USUAL_CONCURRENCY = 10  # of an account whose settings cannot be read: what new ones have

FIXED_SECONDS = 15  # of planning, starting functions, and the end
_MERGE_SECONDS = 1.0  # of a shard's state, or of a group's: from 0.2 to 0.9 were measured
_PUTS_OF_SHARD = 10  # what is stored of it in all readings, and a first object of each channel
ATTEMPTS = 3  # at each reading of a shard, of which the last ones are rare


@dataclass(frozen=True)
class Concurrency:
    """How many functions may run at once.

    Attributes:
        account: in the account and region, for whatever runs there.
        stack: for one dataset, as the stack's parameter ``MaxWorkers`` says.
        runs: how many candidates prepare it at the same time, each for itself.
    """

    account: int
    stack: int
    runs: int = 1

    @property
    def workers(self) -> int:
        """For one dataset, such that predictions go on."""
        reserve = min(_MOST_RESERVED, math.ceil(_RESERVE * self.account))
        return max(1, min(self.stack, self.account - reserve) // self.runs)


def account_concurrency(client: LambdaClient) -> int:
    """How many functions may run in the account at once; what a new account has where its settings may not be read."""
    try:
        return client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    except (ClientError, BotoCoreError):
        return _USUAL_CONCURRENCY


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
    asked, largest = spec.preparation.workers, largest_bytes(spec)
    growth = max(0.001, round(size / max(1, dataset.size), 3))
    files = len(dataset.in_order()) if dataset.is_folder else 0
    # What a file takes besides its bytes, as bytes: many small files take longer than as many rows in one.
    of_file = FILE_SECONDS * largest / SECONDS_OF_LARGEST
    counted = size + files * of_file
    seconds = counted / largest * SECONDS_OF_LARGEST
    work = _Work(seconds, files + math.ceil(dataset.size / RANGE_BYTES), math.ceil(size / PART_BYTES))
    named = f"{sized(size)} of text{f' in {files:,} files' if files > 1 else ''}"
    alone = why_alone(dataset, spec)
    if alone is not None or asked == 1 or (asked is None and counted <= ALONE_SHARE * largest):
        reason = "as asked for" if asked == 1 else alone or f"one function is enough for {named}"
        seconds, cost = work.alone()
        return {
            "workers": 1,
            "shards": None,
            "shard_bytes": None,
            "file_bytes": 0,
            "growth": growth,
            "reason": reason,
            "minutes": round(seconds / 60, 1),
            "usd": round(cost, 4),
            "most_usd": round(cost, 4),
        }
    stored = dataset.size + files * of_file / growth
    most = min(asked or concurrency.workers, concurrency.workers)
    wanted = max(math.ceil(counted / (SHARD_SHARE * largest)), most if asked else 1)
    shards = max(1, min(MOST_SHARDS, wanted, int(stored) // LEAST_SHARD_BYTES))
    workers = max(1, min(most, shards))
    limited = "" if asked is None or asked <= workers else f", of the {asked} asked for (size, account or MaxWorkers)"
    is_planned = initial_plan(spec.split) is not None
    seconds, cost = work.in_shards(shards, workers, fits=1 if is_planned else 2)
    _, at_most = work.in_shards(shards, workers, fits=_MOST_FITS[is_planned])
    return {
        "workers": workers,
        "shards": shards,
        "shard_bytes": math.ceil(stored / shards),
        "file_bytes": int(of_file / growth),
        "growth": growth,
        "reason": f"{named} in about {shards:,} shard{'s' * (shards > 1)}, {workers:,} at once{limited}",
        "minutes": round(seconds / 60, 1),
        "usd": round(cost, 4),
        "most_usd": round(ATTEMPTS * at_most, 4),
    }


_MOST_FITS = {
    True: 3,  # of the split that the sample has led to; as all rows have it; when classes were moved between its shares
    False: 5,  # besides: for the split, and for which rows stand in which share
}
"""Readings that count, by whether the split is known before all rows are."""


@dataclass(frozen=True)
class _Work:
    """What a dataset takes.

    Attributes:
        seconds: of one core of Lambda, for all that one function does.
        requests: to S3, for one reading.
        objects: that are written, if the rows become as many bytes as they have as text.
    """

    seconds: float
    requests: int
    objects: int

    def alone(self) -> tuple[float, float]:
        """Seconds and dollars of one function."""
        duration = self.seconds / WHOLE_CORES
        return duration, duration * WHOLE_GB * USD_PER_GB_SECOND + 2 * self.requests * USD_PER_GET

    def in_shards(self, shards: int, workers: int, *, fits: int) -> tuple[float, float]:
        """Seconds and dollars of shards that are read so many times to be counted, and each time merged."""
        reading = self.seconds * (1 + (fits - 1) / 2)  # one function counts and encodes
        groups = math.ceil(shards / SHARDS_OF_GROUP) if shards > SHARDS_OF_GROUP else 0
        of_group = SHARDS_OF_GROUP * _MERGE_SECONDS
        merging = fits * (groups or shards) * _MERGE_SECONDS
        duration = FIXED_SECONDS + merging + math.ceil(shards / workers) * reading / shards
        duration += fits * math.ceil(groups / workers) * of_group
        whole_seconds = FIXED_SECONDS + merging + fits * groups * of_group
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
    return exchange_for(answers, encoder, None, as_records=False).single_file


def cost_parts(planned: PlannedPreparation, what: str = "preparation") -> tuple[CostPart, ...]:
    """What the preparation, or other such work, may cost at most; nothing for one function alone, which costs cents."""
    if planned["shards"] is None:
        return ()
    text = (
        f"{what}: {planned['reason']}, for about {usd(planned['usd'])}; at most {usd(planned['most_usd'])}, if it takes all "
        f"readings that there may be, each {ATTEMPTS} times"
    )
    return (CostPart(what=what, usd=planned["most_usd"], text=text),)


def preparation_usd(plans: Sequence[PlannedPreparation]) -> dict[str, float]:
    """``{"preparation_usd": 0.02}``: about what preparing a dataset in shards costs, for all algorithms together, which is
    taken for what it did cost; empty where one function prepares it."""
    amounts = [planned["usd"] for planned in plans if planned["shards"] is not None]
    return {"preparation_usd": round(sum(amounts), 4)} if amounts else {}


def told(planned: PlannedPreparation) -> str:
    """The plan as the reason of ``preparation.workers``."""
    reason = planned["reason"].removesuffix(".")
    if planned["minutes"] < 1:
        return f"{reason}; takes less than a minute"
    return f"{reason}; takes about {planned['minutes']:g} min and costs about {usd(planned['usd'])}"


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


def sized(size: int) -> str:
    """Some bytes, as reasons name them."""
    if size < 1_000_000:
        return f"{size:,} bytes"
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"
