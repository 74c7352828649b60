"""What a run may cost and has cost, in words."""

from __future__ import annotations

from sageline.json_objects import Json
from sageline.runs.money import functions_usd, most, usd


def bound(run: Json) -> str | None:
    """``It may cost up to $0.23: training: …``; None as long as that is not known."""
    cost = _cost(run)
    if not cost:
        return None
    parts = "; ".join(part["text"] for part in cost["parts"])
    if cost["most_usd"] is None:
        return f"It may cost: {parts}."
    alone = f" {said}." if (said := _alone(cost)) else ""
    return f"It may cost up to {usd(cost['most_usd'])}: {parts}.{alone}"


def facts(run: Json) -> dict[str, str | None]:
    """Title to what is to be said, for a table of facts; empty for a run of which nothing is known."""
    cost = _cost(run)
    if not cost:
        return {}
    hourly = cost.get("endpoint_usd_per_hour")
    return {
        "at most": _most(cost),
        "of one alone": _alone(cost),
        "counted": "\n".join(part["text"] for part in cost["parts"]),
        "did cost": _actual(cost),
        "endpoint": f"{usd(hourly)} per hour while it is there" if hourly else None,
        "prices": f"list prices of us-east-1, {cost['prices']}",
        "note": "\n".join(cost.get("notes", [])),
    }


def _cost(run: Json) -> Json:
    return (run.get("details") or {}).get("cost") or {}


def _most(cost: Json) -> str:
    why = [f"{part['what']}: {part['reason']}" for part in cost["parts"] if part["usd"] is None]
    return most(cost) or "no bound: " + "; ".join(why)


def _alone(cost: Json) -> str | None:
    """``With one of its algorithms alone: up to $0.345``; None for a run of one algorithm."""
    bounds: Json = cost.get("alone_usd") or {}
    if len(bounds) < 2 or cost["most_usd"] is None:
        return None
    if len(set(bounds.values())) == 1:
        return f"With one of its algorithms alone: up to {usd(next(iter(bounds.values())))}"
    return "Alone: " + ", ".join(f"{algorithm} up to {usd(bound)}" for algorithm, bound in bounds.items())


def _actual(cost: Json) -> str | None:
    jobs = cost.get("jobs")
    if not jobs:
        return None
    of_what = ", ".join(f"{job['job']} {job['instances']} {job['instance_type']} x {job['seconds']} s" for job in jobs)
    for what, planned in functions_usd(cost).items():
        of_what += f", {what} in shards about {usd(planned)}, as planned"
    if cost["actual_usd"] is None:
        return f"not known, for lack of a price ({of_what})"
    return f"{usd(cost['actual_usd'])} ({of_what})"
