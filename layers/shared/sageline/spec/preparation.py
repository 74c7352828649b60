"""The part of the spec that says how the dataset is prepared."""

from __future__ import annotations

from pydantic import Field

from sageline.spec.section import BaseSpec

MOST_WORKERS = 1000


class PreparationSpec(BaseSpec):
    """How the dataset is prepared; what comes of it does not depend on this."""

    workers: int | None = Field(
        None,
        ge=1,
        le=MOST_WORKERS,
        description="How many functions work on the dataset at once, each on a shard of it; 1: one function prepares it alone. "
        "Default: one for a dataset that it prepares in some minutes, more for a larger one (see `reasons` and docs/scale.md).",
    )
