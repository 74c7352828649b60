"""Compares a resource that exists with the request that would have made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard

from sageline.errors import ResourceConflict


def check_same(asked: object, found: object, *, what: str, advice: str) -> None:
    """Check that what exists under a run's name is what the run asks for.

    Raises:
        ResourceConflict: it is something else; says in what it differs.
    """
    unlike = differences(asked, found)
    if unlike:
        raise ResourceConflict(f"{what} exists and is not this run's: {'; '.join(unlike)}. {advice}") from None


def differences(asked: object, found: object, path: str = "") -> list[str]:
    """Where ``found`` (an answer of Describe) differs from ``asked`` (the arguments of Create), as sentences.

    AWS adds fields of its own, and named things to lists (a tuning job's metrics), so only what was asked for is looked at.
    ``Tags`` are not part of a Describe answer.
    """
    if _is_named(asked) and _is_named(found):
        asked, found = _by_name(asked), _by_name(found)
    if isinstance(asked, Mapping) and isinstance(found, Mapping):
        return [
            sentence
            for key, value in asked.items()
            if key != "Tags"
            for sentence in differences(value, found.get(key), f"{path}.{key}" if path else str(key))
        ]
    if isinstance(asked, list) and isinstance(found, Sequence) and len(asked) == len(found):
        pairs = enumerate(zip(asked, found, strict=True))
        return [sentence for i, (a, f) in pairs for sentence in differences(a, f, f"{path}[{i}]")]
    if asked == found or (asked is False and found is None):
        return []
    return [f"{path} is {found!r} and not {asked!r}"]


def _is_named(items: object) -> TypeGuard[list[Mapping[str, object]]]:
    return isinstance(items, list) and all(isinstance(item, Mapping) and "Name" in item for item in items)


def _by_name(items: list[Mapping[str, object]]) -> dict[str, Mapping[str, object]]:
    return {str(item["Name"]): item for item in items}
