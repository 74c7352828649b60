"""What a person has filled in to change an endpoint, as the HTTP API takes it."""

from __future__ import annotations

import math
from collections.abc import Iterable

MOST_HOURS = 8760
"""A year; as in a spec's ``ttl_hours``."""
_SHARE = "share:"
_ROUNDING = 0.05  # percent


class UnusableChange(Exception):
    """What was filled in cannot be; the message says what to do."""


def read_split(fields: Iterable[tuple[str, str]]) -> dict[str, float]:
    """Percentages by variant, from the fields ``share:<variant>``.

    Raises:
        UnusableChange: one is no number from 0 to 100, or they do not add up to 100.
    """
    shares: dict[str, float] = {}
    for key, typed in fields:
        if key.startswith(_SHARE):
            share = _number(typed)
            if not 0 <= share <= 100:
                raise UnusableChange(f"The share of {key.removeprefix(_SHARE)} is {typed!r}; give a number from 0 to 100.")
            shares[key.removeprefix(_SHARE)] = share
    total = sum(shares.values())
    if abs(total - 100) > _ROUNDING:
        raise UnusableChange(f"The shares add up to {total:g} %, and all the traffic is 100 %: change one of them.")
    return shares


def read_hours(ends: str, typed: str) -> float | None:
    """In how many hours an endpoint is to be deleted; None: never.

    Raises:
        UnusableChange: no such number of hours.
    """
    if ends == "never":
        return None
    if not typed.strip():
        raise UnusableChange("Say in how many hours the endpoint is to be deleted.")
    hours = _number(typed)
    if not 0 < hours <= MOST_HOURS:
        raise UnusableChange(f"{typed!r} is no time to live: give a number of hours above 0 and at most {MOST_HOURS:,}.")
    return hours


def _number(typed: str) -> float:
    try:
        value = float(typed)
    except ValueError:
        return math.nan
    return value
