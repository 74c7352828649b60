"""Work on rows that one function does alone, or many at once on shards: by how many it is done, how long that takes, and what it
costs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from sageline.batch.largest import SHORTEST_ROW_BYTES
from sageline.costs.estimate import CostPart
from sageline.costs.function_prices import ATTEMPTS
from sageline.runs.money import usd
from sageline.runs.payloads import PlannedPreparation

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ALONE_SHARE = 0.25
"""Of what one function can do at all, what it does alone: up to some minutes."""

SHARD_SHARE = 1 / 20
"""Of the same, what a shard has: half a minute of one core."""

MOST_SHARDS = 10_000
"""Child executions that a Distributed Map may have at once, which is also a number whose answers fit into its result."""

SECONDS_OF_LARGEST = 720
"""About how long one function takes for the most that it can do, of its 900 seconds."""

_LEAST_SHARD_BYTES = 64 << 10
_MORE_IN_A_SHARD = 0.25  # than its share, rather than that every worker has another, smaller one
_RESERVE = 0.5  # of the account's functions at once, that predictions and all else keep
_MOST_RESERVED = 100
_USUAL_CONCURRENCY = 10  # of an account whose settings cannot be read: what new ones have


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
        return max(1, min(self.stack, self.account - self._reserve) // self.runs)

    @property
    def limit(self) -> str:
        """Why there are not more."""
        if self.stack < self.account - self._reserve:
            limit = f"MaxWorkers is {self.stack:,}"
        else:
            limit = f"the account runs {self.account:,} functions at once, of which {self._reserve:,} are kept for predictions"
        return limit if self.runs == 1 else f"{limit}, and {self.runs} candidates share what there is"

    @property
    def _reserve(self) -> int:
        return min(_MOST_RESERVED, math.ceil(_RESERVE * self.account))


def account_concurrency(client: LambdaClient) -> int:
    """How many functions may run in the account at once; what a new account has where its settings may not be read."""
    try:
        return client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    except (ClientError, BotoCoreError):
        return _USUAL_CONCURRENCY


@dataclass(frozen=True)
class WorkPrice:
    """About how long something takes and what it costs; ``most_usd``: with all readings and tries that there may be."""

    seconds: float
    usd: float
    most_usd: float


class WorkPrices(Protocol):
    """What a kind of work takes."""

    def alone(self) -> WorkPrice:
        """By one function."""
        ...

    def in_shards(self, shards: int, workers: int) -> WorkPrice:
        """By so many functions at once."""
        ...


@dataclass(frozen=True)
class Work:
    """What is to be done.

    Attributes:
        stored: the bytes that are there.
        size: the same as bytes of text.
        files: how many they are in, where that counts.
        file_bytes: what a file takes besides its bytes, as bytes of text.
        largest: how many bytes of text one function does in its 15 minutes.
        alone: why it cannot be done in shards; None where it can.
        most_shards: into which it may be cut.
        short_rows: what rows that are short take besides their bytes, as bytes of text.
    """

    stored: int
    size: int
    largest: int
    alone: str | None
    files: int = 0
    file_bytes: float = 0.0
    most_shards: int = MOST_SHARDS
    short_rows: int = 0

    @property
    def counted(self) -> float:
        """What is to be done as bytes of text: small files and short rows take longer than as many bytes of others."""
        return self.size + self.short_rows + self.files * self.file_bytes

    @property
    def seconds(self) -> float:
        """Of one core."""
        return self.counted / self.largest * SECONDS_OF_LARGEST


def plan_work(work: Work, prices: WorkPrices, asked: int | None, concurrency: Concurrency) -> PlannedPreparation:
    """By how many functions the work is done.

    Args:
        asked: how many are to work at once, if anybody has said.
    """
    growth = max(0.001, round((work.size + work.short_rows) / max(1, work.stored), 3))
    most = min(asked or concurrency.workers, concurrency.workers)
    enough = 0 if asked else ALONE_SHARE * work.largest
    if work.alone is not None or asked == 1 or work.counted <= enough:
        reason = "as asked for" if asked == 1 else work.alone or f"one function is enough for {_named(work)}"
        return _by_one_function(prices, growth, concurrency.workers, reason)
    stored = work.stored + work.files * work.file_bytes / growth

    def shards_of(counted: float) -> int:
        limit = min(work.most_shards, int(stored) // _LEAST_SHARD_BYTES)
        wanted = max(math.ceil(counted / (SHARD_SHARE * work.largest)), most if asked else 1)
        return max(1, min(limit, in_turns(min(limit, wanted), most)))

    shards = shards_of(work.counted)
    workers = min(most, shards)
    if workers == (asked or workers):
        limited = ""
    elif workers == most:
        limited = f", of the {asked:,} asked for: {concurrency.limit}"
    elif shards == work.most_shards:
        limited = f", of the {asked:,} asked for: there are {shards:,} shards at most"
    else:
        limited = f", of the {asked:,} asked for: each shard has at least {_LEAST_SHARD_BYTES >> 10} KB"
    if shards == 1:
        return _by_one_function(prices, growth, most, f"{_named(work)} in one shard{limited}")
    long_rows = work.counted - work.short_rows
    named = _named(work) if long_rows > enough and shards_of(long_rows) == shards else named_size(work)
    price = prices.in_shards(shards, workers)
    return {
        "workers": workers,
        "most_workers": most,
        "shards": shards,
        "shard_bytes": math.ceil(stored / shards),
        "file_bytes": int(work.file_bytes / growth),
        "growth": growth,
        "reason": f"{named} in about {shards:,} shards, {workers:,} at once{limited}",
        "minutes": round(price.seconds / 60, 1),
        "usd": round(price.usd, 4),
        "most_usd": round(price.most_usd, 4),
    }


def in_turns(shards: int, workers: int) -> int:
    """About so many shards, of which each worker gets as many as the others: none waits for the last ones."""
    if shards <= workers:
        return shards
    return workers * math.ceil(shards / workers - _MORE_IN_A_SHARD)


def _by_one_function(prices: WorkPrices, growth: float, most_workers: int, reason: str) -> PlannedPreparation:
    price = prices.alone()
    return {
        "workers": 1,
        "most_workers": most_workers,
        "shards": None,
        "shard_bytes": None,
        "file_bytes": 0,
        "growth": growth,
        "reason": reason,
        "minutes": round(price.seconds / 60, 1),
        "usd": round(price.usd, 4),
        "most_usd": round(price.most_usd, 4),
    }


def cost_parts(plans: Sequence[PlannedPreparation], what: str = "preparation") -> tuple[CostPart, ...]:
    """What planned work may cost at most; nothing for one function alone, which costs cents.

    Plans that are the same are one part.
    """
    alike = Counter((plan["reason"], plan["usd"], plan["most_usd"]) for plan in plans if plan["shards"] is not None)
    parts = []
    for (reason, about, most), count in alike.items():
        several, each = (f"{count} candidates x ", " each") if count > 1 else ("", "")
        text = (
            f"{what}: {several}{reason}, for about {usd(about)}{each}; at most {usd(most)}{each}, if it takes all readings that "
            f"there may be, each {ATTEMPTS} times"
        )
        parts.append(CostPart(what=what, usd=round(count * most, 6), text=text, jobs=count if count > 1 else None))
    return tuple(parts)


def told(planned: PlannedPreparation) -> str:
    """A plan as the reason of the number of workers."""
    reason = planned["reason"].removesuffix(".")
    if planned["minutes"] < 1:
        return f"{reason}; takes less than a minute"
    return f"{reason}; takes about {planned['minutes']:g} min and costs about {usd(planned['usd'])}"


def named_size(work: Work) -> str:
    """The size of what is to be done, and what short rows made of it."""
    if not work.short_rows:
        return _named(work)
    counted = sized(work.size + work.short_rows)
    return f"{_named(work)}, counted as {counted} (a row counts as {SHORTEST_ROW_BYTES} bytes at least),"


def _named(work: Work) -> str:
    return f"{sized(work.size)} of text{f' in {work.files:,} files' if work.files > 1 else ''}"


def sized(size: int) -> str:
    """``3,000 bytes``, ``2.5 MB``."""
    if size < 1_000_000:
        return f"{size:,} bytes"
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"
