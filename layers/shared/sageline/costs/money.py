"""Amounts and times as people read them."""

from __future__ import annotations

import math


def usd(amount: float) -> str:
    """``$4.60``, ``$0.115``, ``$0.00004``: cents at least, and of less than a dollar four digits that count."""
    if amount == 0 or amount >= 1:
        return f"${amount:,.2f}"
    zeros_after_point = -math.floor(math.log10(amount)) - 1
    dollars, _, cents = f"{amount:.{zeros_after_point + 4}f}".partition(".")
    return f"${dollars}.{cents.rstrip('0'):0<2}"


def length(seconds: float) -> str:
    """``90 s``, ``1.5 h``."""
    return f"{seconds:g} s" if seconds < 600 else f"{seconds / 3600:.4g} h"
