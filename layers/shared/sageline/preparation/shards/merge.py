"""Merging what the shards of a round have counted, and what is to be read next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from sageline.dataset.profile import DatasetProfile
from sageline.dataset.ranges.read import Said
from sageline.dataset.splits.copies import ContentFilters
from sageline.preparation.first_read import FirstRead
from sageline.preparation.shards.shard_fit import Round, ShardFit
from sageline.resolve.resolution import Resolution


@dataclass
class Merged:
    """What some shards of a round have counted, in their order.

    Attributes:
        first: None in a round that fills filters.
        profile: None in a round without it.
        filters: None in a round without them.
        said: what was guessed or mended while the rows were read.
    """

    first: FirstRead | None
    profile: DatasetProfile | None
    filters: ContentFilters | None
    said: list[Said]

    @classmethod
    def nothing(cls, reading: Round, profile: DatasetProfile | None) -> Merged:
        """What no shard has counted; ``profile`` is an empty one, in a round that makes it."""
        if reading.reads == "filters":
            return cls(None, None, ContentFilters(), [])
        return cls(FirstRead(reading.resolution, reading.plan), profile, None, [])

    def add(self, fits: Iterable[ShardFit]) -> None:
        """Add what the next shards have counted.

        Raises:
            InvalidDataset, InvalidSpec: what kept the first of them that could not be read from being so.
        """
        for fit in fits:
            if fit.refused is not None:
                raise fit.refused.to_error()
            self.said += fit.said
            if self.first is not None and fit.counted is not None:
                self.first.merge(fit.counted)
            if self.profile is not None and fit.profile is not None:
                self.profile.merge(fit.profile)
            if self.filters is not None:
                for contents, channels in fit.standing:
                    self.filters.add(contents, channels.astype(np.int64))

    def to_fit(self) -> ShardFit:
        """The same as of one shard, for another function that goes on. Nothing is to be added afterwards."""
        return ShardFit(self.first.counted() if self.first is not None else None, self.profile, said=self.said)

    def rest_of(self, done: Round, shards: int) -> Round:
        """The round of the shards that have not read yet, which know the test rows of these."""
        shared = None if self.profile is None else self.profile.shared.following()
        return replace(done, number=done.number + 1, shards=(done.shards[1], shards), shared=shared)


def next_round(done: Round, merged: Merged, shards: int, resolve: Callable[[DatasetProfile], Resolution]) -> Round | FirstRead:
    """What is to be read after a round that all shards have read; or what was counted, when nothing is.

    Args:
        merged: of all shards of the round.
        resolve: resolves the spec for good.

    Raises:
        InvalidDataset: as :func:`sageline.preparation.fit_and_encode.read_and_fit`.
        InvalidSpec: a class is to have a weight that no train row has.
    """
    again = replace(done, number=done.number + 1, reads="fit", shards=(0, shards), shared=None)
    if merged.filters is not None:
        return replace(again, plan=None if done.plan is None else replace(done.plan, first_channels=merged.filters))
    first = merged.first
    if first is None:
        raise ValueError("a round counts rows, or fills filters")
    first.finish()
    settled = done.settled
    if merged.profile is not None:
        settled = resolve(merged.profile)
    again = replace(again, settled=settled)
    if settled is not None and not first.resolution.reads_like(settled):
        return replace(again, resolution=settled)
    again = replace(again, resolution=settled or first.resolution)
    if first.problem is not None:
        raise first.problem
    if first.plan is None:
        plan = first.survey.plan(first.source)
        return replace(again, plan=plan, reads="filters" if first.survey.needs_filters else "fit")
    # Once, as in one function: what a class lacks that has fewer rows than there are shares stays so.
    plan = first.plan if done.is_split else first.tally.settle()
    if plan is not first.plan:
        return replace(again, plan=plan, is_split=True)
    first.check()
    return first
