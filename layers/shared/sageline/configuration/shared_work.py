"""Work on rows that one function does alone, or many at once on shards: by how many it is done, how long that takes, and what it
costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from sageline.costs.estimate import CostPart
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

ATTEMPTS = 3
"""At each reading of a shard, of which the last ones are rare."""

_LEAST_SHARD_BYTES = 64 << 10
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
        reserve = min(_MOST_RESERVED, math.ceil(_RESERVE * self.account))
        return max(1, min(self.stack, self.account - reserve) // self.runs)


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
    """

    stored: int
    size: int
    largest: int
    alone: str | None
    files: int = 0
    file_bytes: float = 0.0
    most_shards: int = MOST_SHARDS

    @property
    def counted(self) -> float:
        """What is to be done as bytes of text: many small files take longer than as many rows in one."""
        return self.size + self.files * self.file_bytes

    @property
    def seconds(self) -> float:
        """Of one core."""
        return self.counted / self.largest * SECONDS_OF_LARGEST


def plan_work(work: Work, prices: WorkPrices, asked: int | None, concurrency: Concurrency) -> PlannedPreparation:
    """By how many functions the work is done.

    Args:
        asked: how many are to work at once, if anybody has said.
    """
    growth = max(0.001, round(work.size / max(1, work.stored), 3))
    named = f"{_sized(work.size)} of text{f' in {work.files:,} files' if work.files > 1 else ''}"
    if work.alone is not None or asked == 1 or (asked is None and work.counted <= ALONE_SHARE * work.largest):
        price = prices.alone()
        return {
            "workers": 1,
            "most_workers": concurrency.workers,
            "shards": None,
            "shard_bytes": None,
            "file_bytes": 0,
            "growth": growth,
            "reason": "as asked for" if asked == 1 else work.alone or f"one function is enough for {named}",
            "minutes": round(price.seconds / 60, 1),
            "usd": round(price.usd, 4),
            "most_usd": round(price.most_usd, 4),
        }
    stored = work.stored + work.files * work.file_bytes / growth
    most = min(asked or concurrency.workers, concurrency.workers)
    wanted = max(math.ceil(work.counted / (SHARD_SHARE * work.largest)), most if asked else 1)
    shards = max(1, min(work.most_shards, wanted, int(stored) // _LEAST_SHARD_BYTES))
    workers = max(1, min(most, shards))
    limited = "" if asked is None or asked <= workers else f", of the {asked} asked for (size, account or MaxWorkers)"
    price = prices.in_shards(shards, workers)
    return {
        "workers": workers,
        "most_workers": most,
        "shards": shards,
        "shard_bytes": math.ceil(stored / shards),
        "file_bytes": int(work.file_bytes / growth),
        "growth": growth,
        "reason": f"{named} in about {shards:,} shard{'s' * (shards > 1)}, {workers:,} at once{limited}",
        "minutes": round(price.seconds / 60, 1),
        "usd": round(price.usd, 4),
        "most_usd": round(price.most_usd, 4),
    }


def cost_parts(planned: PlannedPreparation, what: str = "preparation") -> tuple[CostPart, ...]:
    """What planned work may cost at most; nothing for one function alone, which costs cents."""
    if planned["shards"] is None:
        return ()
    text = (
        f"{what}: {planned['reason']}, for about {usd(planned['usd'])}; at most {usd(planned['most_usd'])}, if it takes all "
        f"readings that there may be, each {ATTEMPTS} times"
    )
    return (CostPart(what=what, usd=planned["most_usd"], text=text),)


def told(planned: PlannedPreparation) -> str:
    """A plan as the reason of the number of workers."""
    reason = planned["reason"].removesuffix(".")
    if planned["minutes"] < 1:
        return f"{reason}; takes less than a minute"
    return f"{reason}; takes about {planned['minutes']:g} min and costs about {usd(planned['usd'])}"


def _sized(size: int) -> str:
    if size < 1_000_000:
        return f"{size:,} bytes"
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"
