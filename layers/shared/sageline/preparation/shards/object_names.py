"""Names of what belongs to a shard."""

from __future__ import annotations

CUT, SHARDING, FITTED = "cut", "sharding", "fitted"


def scan_name(shard: int) -> str:
    return f"scan-{shard:05d}"


def round_name(number: int) -> str:
    return f"round-{number}"


def fit_name(number: int, shard: int) -> str:
    return f"fit-{number}-{shard:05d}"


def group_name(number: int, group: int) -> str:
    return f"group-{number}-{group:03d}"


def merged_name(number: int) -> str:
    return f"merged-{number}"


def encoded_name(shard: int) -> str:
    return f"encoded-{shard:05d}"


def part_stem(shard: int) -> str:
    """How the names of a shard's objects begin: they sort in the order of the rows."""
    return f"part-{shard:05d}"


def validation_stem(shard: int) -> str:
    """The same of the validation rows that the model is asked about."""
    return f"validation-{shard:05d}"
