"""What the jobs of a run have cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sageline.runs.money import functions_usd
from sageline.runs.price_list import Use
from sageline.runs.prices import LIST_PRICES


@dataclass(frozen=True, kw_only=True)
class BilledJob:
    """A job that has ended, however it ended.

    ``seconds`` are those that each of its instances is billed for; for a tuning job those of all its training jobs together.
    """

    job: str
    use: Use
    instance_type: str
    instances: int
    seconds: int


def with_billed_job(cost: Mapping[str, Any], spent: BilledJob) -> dict[str, Any]:  # any JSON value
    """A record's ``cost`` with a job that has ended; a job that is there already is counted once.

    Prices are those that the bound was counted with, so that both can be compared.
    """
    price = _price(cost, spent)
    amount = None if price is None else round(price * spent.instances * spent.seconds / 3600, 6)
    job = {**vars(spent), "usd": amount}
    # A transform job may have the name of the training job.
    jobs = [other for other in cost.get("jobs", []) if (other["use"], other["job"]) != (spent.use, spent.job)] + [job]
    return added_up({**cost, "jobs": jobs})


def added_up(cost: dict[str, Any]) -> dict[str, Any]:  # any JSON value
    """With ``actual_usd`` of the jobs that have ended, and of what was planned for functions that worked in shards: their seconds
    are not known. It is null as long as the price of one of the jobs is not known."""
    amounts = [job["usd"] for job in cost["jobs"]]
    spent_usd = None if None in amounts else round(sum([*amounts, *functions_usd(cost).values()]), 6)
    return {**cost, "actual_usd": spent_usd}


def _price(cost: Mapping[str, Any], spent: BilledJob) -> float | None:
    for part in cost.get("parts", []):
        if (part.get("use"), part.get("instance_type")) == (spent.use, spent.instance_type):
            price: float | None = part.get("usd_per_hour")
            return price
    return LIST_PRICES.per_hour(spent.instance_type, spent.use)
