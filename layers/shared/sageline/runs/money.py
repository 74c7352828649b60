"""Amounts and times as people read them."""

from __future__ import annotations

import math

from sageline.json_objects import Document
from sageline.names import TRANSFORMS

_OF_HELD_OUT_ROWS = tuple(transform.suffix for transform in TRANSFORMS.values() if transform.suffix)


def usd(amount: float) -> str:
    """``$4.60``, ``$1.265``, ``$0.00004``: at least cents, tenths of a cent where a sum has them, and four significant digits
    below a dollar."""
    if amount == 0:
        return "$0.00"
    digits = 3 if amount >= 1 else 3 - math.floor(math.log10(amount))
    dollars, _, cents = f"{amount:,.{digits}f}".partition(".")
    return f"${dollars}.{cents.rstrip('0'):0<2}"


def most(cost: Document) -> str | None:
    """``$0.69, and the endpoint by its use``: what a run may cost, of ``details.cost`` (docs/costs.md); None without a bound."""
    bound, parts = cost.get("most_usd"), cost.get("parts")
    if not isinstance(bound, int | float):
        return None
    by_use = any(part.get("what") == "endpoint" and part.get("usd") == 0 for part in parts or [])
    return usd(bound) + (", and the endpoint by its use" if by_use else "")


def functions_usd(cost: Document) -> dict[str, float]:
    """``{"preparation": 0.02}``: what a run's functions were planned to cost, of ``details.cost``, by what they did in shards:
    ``preparation``; ``evaluation``; ``scoring``, once the batch's transform job has ended."""
    planned = {what: cost.get(f"{what}_usd") for what in ("preparation", "evaluation", "scoring")}
    transforms = [str(job.get("job")) for job in cost.get("jobs") or [] if job.get("use") == "transform"]
    if all(name.endswith(_OF_HELD_OUT_ROWS) for name in transforms):
        del planned["scoring"]
    return {what: amount for what, amount in planned.items() if isinstance(amount, int | float) and amount}


def length(seconds: float) -> str:
    """``90 s``, ``1.5 h``."""
    return f"{seconds:g} s" if seconds < 600 else f"{seconds / 3600:.4g} h"
