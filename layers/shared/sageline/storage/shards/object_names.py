"""Names of what belongs to a shard, whatever is done with its rows."""

from __future__ import annotations

CUT, SHARDING = "cut", "sharding"


def scan_name(shard: int) -> str:
    return f"scan-{shard:05d}"


def encoded_name(shard: int) -> str:
    return f"encoded-{shard:05d}"


def part_stem(shard: int) -> str:
    """How the names of a shard's objects begin: they sort in the order of the rows."""
    return f"part-{shard:05d}"
