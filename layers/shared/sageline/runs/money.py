"""Amounts and times as people read them."""

from __future__ import annotations

import math

from sageline.json_objects import Document


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


def length(seconds: float) -> str:
    """``90 s``, ``1.5 h``."""
    return f"{seconds:g} s" if seconds < 600 else f"{seconds / 3600:.4g} h"
