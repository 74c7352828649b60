"""What the functions cost that evaluate a model in shards. Into how many is known once its answers are there, so no run has it in
the bound that it begins with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sageline.costs.actual import added_up
from sageline.costs.function_prices import (
    ATTEMPTS,
    SHARD_GB,
    TRANSITIONS_OF_SHARD,
    USD_PER_GB_SECOND,
    USD_PER_GET,
    USD_PER_INVOCATION,
    USD_PER_PUT,
    USD_PER_TRANSITION,
)
from sageline.runs.money import usd
from sageline.storage.dataset_object import RANGE_BYTES
from sageline.storage.part_sink import PART_BYTES

WHAT: Final = "evaluation in shards"
"""Of the part of a run's bound."""

_SCORED_BYTES: Final = 13e6
_ENCODED_BYTES: Final = 5.4e6
"""A second, of a core of Lambda: the least that tests/benchmarks/evaluation_speed.py has measured, times 0.6."""

_START_SECONDS = 2  # of a function
_GETS_OF_SHARD = 3  # the plan, the encoder, and what is noted of the rows
_TRANSITIONS_OF_ROUND = 4


def evaluation_usd(size: int, shards: int, *, encodes: bool) -> float:
    """About what it costs that so many functions read so many bytes.

    Args:
        encodes: raw rows, for the model in service; otherwise answers are scored.
    """
    seconds = size / (_ENCODED_BYTES if encodes else _SCORED_BYTES) + shards * _START_SECONDS
    return round(
        seconds * SHARD_GB * USD_PER_GB_SECOND
        + shards * USD_PER_INVOCATION
        + (_TRANSITIONS_OF_ROUND + shards * TRANSITIONS_OF_SHARD) * USD_PER_TRANSITION
        + (shards * _GETS_OF_SHARD + size / RANGE_BYTES) * USD_PER_GET
        + (shards + size / PART_BYTES) * USD_PER_PUT,
        6,
    )


def with_evaluation(
    cost: Mapping[str, Any],  # any JSON value
    run_id: str,
    works: Mapping[str, Mapping[str, Any]],
    *,
    candidate: bool = False,
) -> dict[str, Any]:
    """A record's ``cost`` with what was evaluated in shards: a part of its bound, ``evaluation_usd``, which is about that, and
    both in the sums. What is there already of the same run is replaced.

    Args:
        works: ``details.evaluation_shards`` of the run.
        candidate: the run is a candidate of the one whose cost it is.
    """
    works = {name: work for name, work in works.items() if "usd" in work}  # earlier versions have not said it
    if not works:
        return dict(cost)
    about, shards = round(sum(work["usd"] for work in works.values()), 6), sum(work["shards"] for work in works.values())
    text = (
        f"{WHAT}: {', '.join(works)} in {shards:,} shards{f' for {run_id}' if candidate else ''}, for about {usd(about)}; "
        f"at most {usd(ATTEMPTS * about)}, if each is tried {ATTEMPTS} times"
    )
    part = {"what": WHAT, "usd": round(ATTEMPTS * about, 6), "about_usd": about, "run_id": run_id, "text": text}
    others = [other for other in cost.get("parts", []) if (other["what"], other.get("run_id")) != (WHAT, run_id)]
    parts = [*others, part]
    counted = {
        **cost,
        "parts": parts,
        "evaluation_usd": round(sum(part["about_usd"] for part in parts if part["what"] == WHAT), 6),
    }
    if cost.get("most_usd") is not None:
        counted["most_usd"] = round(sum(part["usd"] for part in parts), 6)
    return added_up(counted) if "jobs" in counted else counted
