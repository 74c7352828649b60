"""Refusing a run that could cost more than its spec's ``budget_usd``."""

from __future__ import annotations

import math

from sageline.costs.estimate import ENDLESS, CostPart, Estimate
from sageline.errors import BudgetExceeded
from sageline.runs.money import usd

_SHORTEST_SECONDS = 60
"""The least that ``max_runtime_seconds`` may be."""

_SECTIONS = {"training": "algorithm", "tuning": "algorithm", "batch": "batch", "evaluation": "evaluation"}
"""Where the spec says what the job of a part runs on."""

_NONE_WARM = "leave `provisioned_concurrency` out, so that the endpoint costs nothing while idle"


def check_budget(budget_usd: float, estimate: Estimate, prices_uri: str, *, tries_all: bool = False) -> None:
    """Refuse what could cost more.

    Args:
        tries_all: the tuning's strategy is Grid, whose number of jobs is that of the combinations of its ranges.
        prices_uri: where a price can be given that the table lacks.

    Raises:
        BudgetExceeded: says the sum with its parts, and what to change.
    """
    most = estimate.most_usd
    if most is not None and most <= budget_usd:
        return
    parts = "; ".join(part.text for part in estimate.parts)
    if most is None:
        reasons = "; ".join(f"{part.what}: {part.reason}" for part in estimate.parts if part.usd is None)
        head = f"`budget_usd` is {usd(budget_usd)}, and what this run may cost has no bound ({reasons})."
        ways = [_way_to_a_bound(part, prices_uri) for part in estimate.parts if part.usd is None]
    else:
        head = f"This run may cost up to {usd(most)}, and `budget_usd` is {usd(budget_usd)}. {parts}."
        ways = [way for part in estimate.parts for way in _ways_to_less(part, budget_usd - most + (part.usd or 0), tries_all)]
    last = "leave `budget_usd` out" if most is None else "raise `budget_usd`"
    raise BudgetExceeded(f"{head} To change: {'; '.join(dict.fromkeys(ways))}; or {last}.")


def _way_to_a_bound(part: CostPart, prices_uri: str) -> str:
    if part.reason == ENDLESS and part.instance_type is None:
        return f"give `deployment.ttl_hours`, or {_NONE_WARM}"
    if part.reason == ENDLESS:
        return (
            "give `deployment.ttl_hours`, leave `deployment.instances` out, so that the endpoint is serverless and costs nothing "
            'while idle, or set `"deployment": null`'
        )
    return (
        f"give the price of {part.instance_type} in {prices_uri} "
        f'({{"instances": {{"{part.instance_type}": {{"{part.use}": 1.23}}}}}}, USD per hour), or take another instance type'
    )


def _ways_to_less(part: CostPart, left: float, tries_all: bool) -> list[str]:
    """What would make the part cost at most ``left``."""
    if not part.usd or part.seconds is None or part.usd_per_hour is None:
        return []
    if part.what == "endpoint" and part.instance_type is None:
        return [f"fewer copies in `deployment.serverless.provisioned_concurrency`, or {_NONE_WARM}"]
    if part.use == "hosting":
        return ["fewer or cheaper `deployment.instances`, or leave them out: a serverless endpoint costs nothing while idle"]
    section, ways = _SECTIONS.get(part.what, part.what), []
    each_hour = part.usd_per_hour * (part.instances or 1)
    jobs = math.floor(left / (each_hour * part.seconds / 3600) + 1e-9)
    if part.what == "tuning" and jobs >= 1:
        combinations = f"fewer values in `tuning.ranges`, for at most {jobs} combinations"
        ways.append(combinations if tries_all else f"`tuning.max_jobs` to at most {jobs}")
    seconds = math.floor(left / (each_hour * (part.jobs or 1)) * 3600 + 1e-6)
    if part.what != "evaluation" and seconds >= _SHORTEST_SECONDS:
        ways.append(f"`{section}.max_runtime_seconds` to at most {seconds}")
    if (part.instances or 1) > 1:
        ways.append(f"`{section}.instance_count`")
    return [*ways, f"a cheaper `{section}.instance_type`"]
