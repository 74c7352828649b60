"""What a run may cost at most.

Counted is what SageMaker bills for instances. Not counted are cents: volumes, S3, functions, logs, data transfer, and the two
minutes that SageMaker gives a job to end when its time is up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sageline.runs import price_list
from sageline.runs.money import length, usd
from sageline.runs.price_list import Use
from sageline.runs.prices import LIST_PRICES, Prices
from sageline.spec.deployment import ServerlessSpec

if TYPE_CHECKING:
    from sageline.spec.deployment import DeploymentSpec
    from sageline.spec.model import Spec

ENDLESS = "it bills until it is deleted"


@dataclass(frozen=True, kw_only=True)
class BillableWork:
    """What a run will start: on which instances, for how long at most.

    Attributes:
        what: ``training``, ``tuning``, ``batch``, ``evaluation``, ``endpoint``.
        seconds: None: without an end.
        jobs: how many of them, one after the other or at once.
    """

    what: str
    use: Use
    instance_type: str
    instances: int
    seconds: int | None
    jobs: int = 1


@dataclass(frozen=True, kw_only=True)
class CostFacts:
    """What the spec does not say.

    Attributes:
        region: where the run is.
        transforms: transform jobs besides that of the spec's ``batch``.
        rollout_seconds: how long the model serves in part before the endpoint's time to live begins.
        ttl_hours: after how many hours the endpoint is deleted; None: it stays.
        most_instances: how many instances the endpoint may scale to; None: as many as the spec says.
        parts: what else is counted, such as the preparation of a large dataset.
        notes: on the prices.
    """

    region: str = price_list.REGION
    prices: Prices = LIST_PRICES
    transforms: tuple[BillableWork, ...] = ()
    rollout_seconds: int = 0
    ttl_hours: float | None = None
    most_instances: int | None = None
    parts: tuple[CostPart, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CostPart:
    """A summand. ``usd`` is None where no bound is known, and ``reason`` says why."""

    what: str
    usd: float | None
    text: str
    use: Use | None = None
    instance_type: str | None = None
    instances: int | None = None
    jobs: int | None = None
    seconds: int | None = None
    usd_per_hour: float | None = None
    reason: str | None = None

    def to_json(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if value is not None or name == "usd"}


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """``most_usd`` is None if a part has no bound."""

    parts: tuple[CostPart, ...]
    endpoint_usd_per_hour: float | None
    prices: str
    region: str
    notes: tuple[str, ...] = field(default=())

    @property
    def most_usd(self) -> float | None:
        amounts = [part.usd for part in self.parts if part.usd is not None]
        return round(sum(amounts), 6) if len(amounts) == len(self.parts) else None

    def to_json(self) -> dict[str, Any]:  # any JSON value
        """As it is kept in a run's record (docs/costs.md)."""
        cost: dict[str, Any] = {
            "most_usd": self.most_usd,
            "parts": [part.to_json() for part in self.parts],
            "prices": self.prices,
            "region": self.region,
        }
        if self.endpoint_usd_per_hour is not None:
            cost["endpoint_usd_per_hour"] = self.endpoint_usd_per_hour
        return cost | ({"notes": list(self.notes)} if self.notes else {})


def cost_bound(spec: Spec | None, facts: CostFacts, trained: Sequence[Spec] = ()) -> Estimate:
    """What a run may cost at most: all its jobs for as long as they may run, its endpoint for as long as it lives.

    Args:
        spec: resolved; None for a run that only scores a batch, which ``facts.transforms`` has.
        trained: the specs of several algorithms that the run trains; none for that of ``spec`` alone.
    """
    work = [*([] if spec is None else _work(spec, trained or [spec])), *facts.transforms]
    parts = [*facts.parts, *(part_of(job, facts.prices) for job in work)]
    deployment = None if spec is None else spec.deployment
    if deployment is not None:
        parts.append(endpoint_part(deployment, facts))
    return Estimate(
        parts=tuple(parts),
        endpoint_usd_per_hour=None if deployment is None else endpoint_usd_per_hour(deployment, facts),
        prices=facts.prices.date,
        region=facts.region,
        notes=(*facts.notes, *_notes(parts, facts)),
    )


def endpoint_usd_per_hour(deployment: DeploymentSpec, facts: CostFacts) -> float | None:
    """What the endpoint costs while nobody asks it anything; None: the price is not known."""
    if deployment.instances is None:
        return _warm_usd_per_hour(deployment.serverless or ServerlessSpec(), facts)
    price = facts.prices.per_hour(deployment.instances.instance_type, "hosting")
    return None if price is None else round(price * _instances(deployment.instances.count, facts), 6)


def part_of(work: BillableWork, prices: Prices) -> CostPart:
    price = prices.per_hour(work.instance_type, work.use)
    factors = [f"{work.jobs} jobs"] * (work.jobs > 1) + [f"{work.instances} {work.instance_type}"]
    amount, reason = None, None
    if price is None:
        reason = f"no price is known of {work.instance_type} for {work.use}"
        text = f"{work.what}: {' x '.join(factors)}, {reason}"
    elif work.seconds is None:
        reason = ENDLESS
        text = f"{work.what}: {' x '.join(factors)} x {usd(price)} per hour, and {reason}"
    else:
        amount = round(price * work.instances * work.jobs * work.seconds / 3600, 6)
        text = f"{work.what}: {' x '.join([*factors, length(work.seconds), usd(price)])} = {usd(amount)}"
    return CostPart(**vars(work), usd_per_hour=price, usd=amount, text=text, reason=reason)


def endpoint_part(deployment: DeploymentSpec, facts: CostFacts) -> CostPart:
    if deployment.instances is None:
        serverless = deployment.serverless or ServerlessSpec()
        rate = facts.prices.serverless_gb_second * serverless.memory_mb / 1024
        always_busy = usd(rate * serverless.max_concurrency * 3600)
        running = (
            f"{usd(rate)} per second of computing (up to {always_busy} per hour, {serverless.max_concurrency} at once), "
            f"{usd(facts.prices.data_gb)} per GB of data"
        )
        if serverless.provisioned_concurrency is None:
            return CostPart(what="endpoint", usd=0.0, text=f"endpoint: serverless, nothing while idle; {running}")
        return _warm_part(serverless, _seconds_of_life(facts), running, facts)
    work = BillableWork(
        what="endpoint",
        use="hosting",
        instance_type=deployment.instances.instance_type,
        instances=_instances(deployment.instances.count, facts),
        seconds=_seconds_of_life(facts),
    )
    return part_of(work, facts.prices)


def _warm_part(serverless: ServerlessSpec, seconds: int | None, running: str, facts: CostFacts) -> CostPart:
    """What a serverless endpoint keeps warm, which is billed whether anybody asks it or not."""
    price, warm = _warm_usd_per_hour(serverless, facts), serverless.provisioned_concurrency
    kept = f"endpoint: serverless, {warm} kept warm"
    if seconds is None:
        text = f"{kept} x {usd(price)} per hour, and {ENDLESS}; {running}"
        return CostPart(what="endpoint", usd=None, text=text, usd_per_hour=price, reason=ENDLESS)
    amount = round(price * seconds / 3600, 6)
    text = f"{kept} x {length(seconds)} x {usd(price)} = {usd(amount)}; {running}"
    return CostPart(what="endpoint", usd=amount, text=text, seconds=seconds, usd_per_hour=price)


def _warm_usd_per_hour(serverless: ServerlessSpec, facts: CostFacts) -> float:
    """USD per hour of all provisioned copies together."""
    known = facts.prices.serverless_provisioned_gb_second
    gb_second = facts.prices.serverless_gb_second if known is None else known
    return round(gb_second * serverless.memory_mb / 1024 * (serverless.provisioned_concurrency or 0) * 3600, 6)


def _seconds_of_life(facts: CostFacts) -> int | None:
    return None if facts.ttl_hours is None else round(facts.ttl_hours * 3600) + facts.rollout_seconds


def training_work(spec: Spec) -> BillableWork:
    """The training job, or all those of the tuning job."""
    algorithm, tuning = spec.algorithm, spec.tuning
    return BillableWork(
        what="training" if tuning is None else "tuning",
        use="training",
        instance_type=algorithm.instance_type,
        instances=algorithm.instance_count,
        seconds=algorithm.max_runtime_seconds,
        jobs=1 if tuning is None else tuning.max_jobs,
    )


def _work(spec: Spec, trained: Sequence[Spec]) -> list[BillableWork]:
    work, batch = _joined([training_work(each) for each in trained]), spec.batch
    if batch is not None:
        work.append(
            BillableWork(
                what="batch",
                use="transform",
                instance_type=batch.instance_type,
                instances=batch.instance_count,
                seconds=batch.max_runtime_seconds,
            )
        )
    return work


def _joined(work: list[BillableWork]) -> list[BillableWork]:
    """Jobs that differ in nothing but their number, as one."""
    jobs: dict[BillableWork, int] = {}
    for each in work:
        alike = replace(each, jobs=1)
        jobs[alike] = jobs.get(alike, 0) + each.jobs
    return [replace(each, jobs=count) for each, count in jobs.items()]


def _instances(count: int, facts: CostFacts) -> int:
    return max(count, facts.most_instances or 0)


def _notes(parts: list[CostPart], facts: CostFacts) -> list[str]:
    priced = [part for part in parts if part.usd_per_hour is not None and part.instance_type and part.use]
    own = sorted({part.instance_type or "" for part in priced if (part.instance_type, part.use) in facts.prices.own})
    notes = []
    is_warm = any(part.usd_per_hour and part.what == "endpoint" and not part.instance_type for part in parts)
    if is_warm and facts.prices.serverless_provisioned_gb_second is None:
        notes.append(
            "AWS's price of keeping a serverless endpoint warm is not known here: it is counted like computing, all the time. "
            "prices.json can say it (`serverless.provisioned_gb_second`)."
        )
    if own:
        dated = f" of {facts.prices.override_date}" if facts.prices.override_date else ""
        notes.append(f"The stack's prices.json{dated} gives the price of {', '.join(own)}.")
    if facts.region != price_list.REGION and any((part.instance_type, part.use) not in facts.prices.own for part in priced):
        notes.append(
            f"The prices are those of {price_list.REGION}; in {facts.region} they may be higher (prices.json can say them)."
        )
    return notes
