"""Names of what belongs to a shard of a dataset that is prepared, besides :mod:`sageline.storage.shards.object_names`."""

from __future__ import annotations

FITTED = "fitted"


def round_name(number: int) -> str:
    return f"round-{number}"


def fit_name(number: int, shard: int) -> str:
    return f"fit-{number}-{shard:05d}"


def group_name(number: int, group: int) -> str:
    return f"group-{number}-{group:03d}"


def merged_name(number: int) -> str:
    return f"merged-{number}"


def validation_stem(shard: int) -> str:
    """How the names of the validation rows' objects begin that the model is asked about."""
    return f"validation-{shard:05d}"
