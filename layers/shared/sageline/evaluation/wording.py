"""Numbers, labels and lists as they appear in sentences."""

from __future__ import annotations

from collections.abc import Sequence

_LONGEST_LABEL = 60  # characters


def plain(value: float, digits: int = 4) -> str:
    """``0.9175``, ``33604``: so many digits, and no powers of ten where people write numbers out."""
    text = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e+" in text and abs(value) < 1e15 else text


def quoted(label: str) -> str:
    """``'rose'``. A label may be as long as a book."""
    return repr(label if len(label) <= _LONGEST_LABEL else f"{label[:_LONGEST_LABEL]}…")


def some(things: Sequence[str], most: int) -> str:
    """``a, b and 7 more``."""
    return ", ".join(things[:most]) + (f" and {len(things) - most:,} more" if len(things) > most else "")
