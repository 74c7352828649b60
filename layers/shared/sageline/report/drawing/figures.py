"""Numbers, shares, durations and sizes as people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

UNKNOWN, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
_MINUTE, _HOUR = 60, 3600


def number(value: float | None) -> str:
    """Four digits at least, whole numbers whole with separators: ``12,345``, ``0.9132``, ``1.235e-07``; a dash for None."""
    if value is None:
        return UNKNOWN
    if not math.isfinite(value):
        return "∞" if value > 0 else f"{MINUS}∞" if value < 0 else "not a number"
    if value == int(value) and abs(value) < 1e15:
        return _minus(f"{int(value):,}")
    if abs(value) >= 1000:
        return _minus(f"{value:,.1f}" if abs(value) < 1e9 else f"{value:.4g}")
    return _minus(f"{value:.4g}")


def measure(value: float | None) -> str:
    """A metric: small numbers to four decimals, so that they stand below each other: ``0.8100``."""
    return _minus(f"{value:.4f}") if value is not None and 0.001 <= abs(value) < 10 else number(value)


def share(value: float | None) -> str:
    """``91.3 %``."""
    return UNKNOWN if value is None else _minus(f"{100 * value:.1f} %")


def signed(value: float | None) -> str:
    """A difference of metrics, with its sign: ``+0.0120``, ``-0.3000``."""
    if value is None or value == 0:
        return number(value)
    text = f"{value:.4f}" if 0.0001 <= abs(value) < 10 else number(value)
    return f"+{text}" if value > 0 else _minus(text)


def seconds(value: float | None) -> str:
    """``0.4 s``, ``12 s``, ``3 min 20 s``, ``2 h 05 min``."""
    if value is None:
        return UNKNOWN
    if value < 10:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    minutes = round(value / _MINUTE)
    return f"{minutes // _MINUTE} h {minutes % _MINUTE:02d} min"


def moment(iso: str) -> str:
    """``2026-11-20 10:00 UTC`` of ``2026-11-20T10:00:00.123Z``; any other text as it is."""
    date, middle, time = iso.partition("T")
    return f"{date} {time[:5]} UTC" if middle and time.endswith("Z") else iso


def count(value: int, one: str, many: str | None = None) -> str:
    """``1 row``, ``2,000 rows``."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def as_number(value: object) -> float | None:
    """A JSON document's number; None for null, text and truth values."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def part(document: Mapping[str, object], key: str) -> Mapping[str, object]:
    """A JSON document's object under a key; empty where there is none."""
    value = document.get(key)
    return value if isinstance(value, Mapping) else {}


def objects(value: object) -> list[Mapping[str, Any]]:  # Any: a JSON document's values
    """A JSON document's list of objects; empty where there is none."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def texts(document: Mapping[str, object], key: str) -> list[str]:
    """A JSON document's list of texts under a key; empty where there is none."""
    value = document.get(key)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _minus(text: str) -> str:
    return text.replace("-", MINUS, 1) if text.startswith("-") else text
