"""How a dataset is prepared: by one function, or in shards by many at once; how long that takes, and what it costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from sageline.configuration.dataset_size import largest_bytes
from sageline.costs.estimate import CostPart
from sageline.formats.exchange import answering, exchange_for
from sageline.names import split_format
from sageline.runs.money import usd
from sageline.runs.payloads import PlannedPreparation
from sageline.spec.model import Spec
from sageline.spec.preparation import PreparationSpec
from sageline.storage.dataset_parts import Dataset

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ALONE_SHARE = 0.25
"""Of what one function can prepare at all, what it prepares alone: up to some minutes."""

MOST_SHARDS = 10_000
"""Child executions that a Distributed Map may have at once, which is also a number whose answers fit into its result."""

_SECONDS_OF_LARGEST = 720
"""About how long one function takes for the most that it can prepare, of its 900 seconds."""

_SHARD_SHARE = 1 / 20  # of the same, what a shard has: half a minute of one core
_LEAST_SHARD_BYTES = 64 << 10
_RESERVE = 0.5  # of the account's functions at once, that predictions and all else keep
_MOST_RESERVED = 100
_USUAL_CONCURRENCY = 10  # of an account whose settings cannot be read: what new ones have

_USD_PER_GB_SECOND = 0.0000133334
_USD_PER_REQUEST = 0.20 / 1_000_000
_USD_PER_TRANSITION = 0.025 / 1_000
"""On-demand list prices of us-east-1, for Lambda on arm64 and standard workflows, as https://aws.amazon.com/lambda/pricing/ and
https://aws.amazon.com/step-functions/pricing/ are quoted alike by public documents of 2024 to 2026."""

_WORKER_GB, _ALONE_GB = 1769 / 1024, 3008 / 1024
_ALONE_CORES = 1.7
_PASSES = 3  # over the shards: scan, fit, encode
_TRANSITIONS_OF_SHARD = 2  # a child's start, and its state
_BETWEEN_SECONDS = 15  # for planning, merging, and starting functions
_ATTEMPTS = 3  # at each reading of a shard, of which the last ones are rare


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
    seconds = size / largest * _SECONDS_OF_LARGEST  # of one core
    growth = round(size / max(1, dataset.size), 3)
    alone = why_alone(dataset, spec)
    if alone is not None or asked == 1 or (asked is None and size <= ALONE_SHARE * largest):
        reason = "as asked for" if asked == 1 else alone or f"one function is enough for {_sized(size)} of text"
        duration = seconds / _ALONE_CORES
        return {
            "workers": 1,
            "most_workers": concurrency.workers,
            "shards": None,
            "shard_bytes": None,
            "growth": growth,
            "reason": reason,
            "minutes": round(duration / 60, 1),
            "usd": round(duration * _ALONE_GB * _USD_PER_GB_SECOND, 4),
        }
    most = min(asked or concurrency.workers, concurrency.workers)
    wanted = max(math.ceil(size / (_SHARD_SHARE * largest)), most if asked else 1)
    shards = max(1, min(MOST_SHARDS, wanted, dataset.size // _LEAST_SHARD_BYTES))
    workers = max(1, min(most, shards))
    limited = "" if asked is None or asked <= workers else f", of the {asked} asked for (size, account or MaxWorkers)"
    work = math.ceil(shards / workers) * seconds / shards
    transitions = _PASSES * shards * _TRANSITIONS_OF_SHARD
    return {
        "workers": workers,
        "most_workers": most,
        "shards": shards,
        "shard_bytes": math.ceil(dataset.size / shards),
        "growth": growth,
        "reason": f"{_sized(size)} of text in about {shards:,} shard{'s' * (shards > 1)}, {workers:,} at once{limited}",
        "minutes": round((_BETWEEN_SECONDS + work) / 60, 1),
        "usd": round(
            seconds * _WORKER_GB * _USD_PER_GB_SECOND + _PASSES * shards * _USD_PER_REQUEST + transitions * _USD_PER_TRANSITION, 4
        ),
    }


def _is_one_file(spec: Spec) -> bool:
    """Whether a training channel is one object."""
    script, encoder = spec.algorithm.script, spec.encoder.kind if spec.encoder else "columns"
    answers = answering(spec.algorithm.name, script.framework if script else None)
    return exchange_for(answers, encoder, None, as_records=False).single_file


def cost_parts(planned: PlannedPreparation) -> tuple[CostPart, ...]:
    """What the preparation may cost at most; nothing for one function alone, which costs cents."""
    if planned["shards"] is None:
        return ()
    text = f"preparation: {planned['reason']}, for about {usd(planned['usd'])}; tried {_ATTEMPTS} times at most"
    return (CostPart(what="preparation", usd=round(_ATTEMPTS * planned["usd"], 4), text=text),)


def told(planned: PlannedPreparation) -> str:
    """The plan as the reason of ``preparation.workers``."""
    reason = planned["reason"].removesuffix(".")
    if planned["minutes"] < 1:
        return f"{reason}; takes less than a minute"
    return f"{reason}; takes about {planned['minutes']:g} min and costs about {usd(planned['usd'])}"


def with_plan(spec: Spec, planned: PlannedPreparation) -> Spec:
    """A resolved spec that says how its dataset is prepared, and why; where so many workers cannot be, how many there are."""
    update: dict[str, object] = {"reasons": {**spec.reasons, "preparation.workers": told(planned)}}
    if spec.preparation.workers is not None:
        update["preparation"] = PreparationSpec(workers=planned["workers"])
    return spec.model_copy(update=update)


def _sized(size: int) -> str:
    if size < 1_000_000:
        return f"{size:,} bytes"
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"
