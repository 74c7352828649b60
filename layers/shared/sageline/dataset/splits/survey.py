"""What must be known of all rows before a split by time or by group can be made, or one that a column says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sageline.dataset.split import CHANNELS, PositionArray, bounds_of, channels_of
from sageline.dataset.splits.copies import ContentFilters, ContentPositions
from sageline.dataset.splits.plan import SplitPlan
from sageline.dataset.splits.standing import Standing, given_bounds, says_validation
from sageline.dataset.splits.time_counts import TimeCounts
from sageline.errors import InvalidDataset
from sageline.spec.model import SplitSpec

_MOST_RANKED = 1 << 16  # groups: of more, each share has some


class SplitSurvey:
    """Gathers it, block by block; what comes of it does not depend on the order of the rows."""

    def __init__(self, split: SplitSpec) -> None:
        self._split = split
        self._times = TimeCounts()
        self._contents = ContentPositions()
        self._groups: PositionArray | None = np.zeros(0)
        self._says_validation = False

    def add(self, standing: Standing) -> None:
        """Note the labelled rows of a block."""
        there = ~np.isnan(standing.positions)
        positions = standing.positions[there]
        self._contents.add(standing.contents[there], positions)
        if self._split.by == "given":
            self._says_validation |= says_validation(positions, self._split)
        elif self._split.by == "time":
            self._times.add(positions)
        else:
            self._add_groups(positions)

    def merge(self, after: SplitSurvey) -> None:
        """Add what another one, of the same split, has noted of other rows."""
        self._times.merge(after._times)
        self._contents.merge(after._contents)
        self._says_validation = self._says_validation or after._says_validation
        if after._groups is None:
            self._groups = None
        else:
            self._add_groups(after._groups)

    def _add_groups(self, positions: PositionArray) -> None:
        if self._groups is not None:
            groups = np.union1d(self._groups, positions)
            self._groups = groups if len(groups) <= _MOST_RANKED else None

    def plan(self, source: str) -> SplitPlan:
        """The split; where :attr:`needs_filters`, without what these would say.

        Raises:
            InvalidDataset: there are too few times or groups to part.
        """
        match self._split.by:
            case "time":
                bounds = self._time_bounds(source)
            case "group":
                bounds = self._group_bounds(source)
            case _:
                bounds = given_bounds(self._split, has_validation=self._says_validation)
        plan = SplitPlan(bounds, uses_copies=self._split.by == "given")
        self._contents.settle()
        return plan if self._contents.is_full else replace(plan, first_channels=self._contents.first_channels(bounds))

    @property
    def needs_filters(self) -> bool:
        """Whether there are more different rows than can be compared one by one: another reading then fills filters, unless
        equal rows are used anyway and would only be counted."""
        self._contents.settle()
        return self._contents.is_full and self._split.by != "given"

    def _time_bounds(self, source: str) -> tuple[float, float]:
        split = self._split
        self._check_count(source, "time", self._times.different)
        return self._times.bounds(split.train, split.validation)

    def _group_bounds(self, source: str) -> tuple[float, float]:
        """As the hashes say; where these leave a share empty, by their rank."""
        split, bounds = self._split, bounds_of(self._split)
        if self._groups is None or set(channels_of(self._groups, bounds).tolist()) >= _wanted(split):
            return bounds
        self._check_count(source, "group", len(self._groups))
        count, validation = len(self._groups), split.validation > 0
        test = min(max(1, round(split.test * count)), count - 1 - validation)
        held_out = test + (min(max(1, round(split.validation * count)), count - 1 - test) if validation else 0)
        return float(self._groups[count - held_out]), float(self._groups[count - test])

    def _check_count(self, source: str, what: str, count: int) -> None:
        """Raise InvalidDataset where there are fewer times or groups than shares."""
        column, shares = self._split.column, len(_wanted(self._split))
        if count >= shares:
            return
        there = f"{count} different {what}{'s' if count != 1 else ''}" if count else f"no {what}"
        without = " (one less with a share of 0 for validation)" if shares == len(CHANNELS) else ""
        raise InvalidDataset(
            f"{source}: the split goes by the column {column!r}, which has {there} in the rows with a label, and there are "
            f"{shares} shares to fill{without}. Name another column in split.column, or split by hash."
        )


def fill(filters: ContentFilters, plan: SplitPlan, standing: Standing) -> None:
    """Note the labelled rows of a block in the filters of a plan."""
    there = ~np.isnan(standing.positions)
    filters.add(standing.contents[there], channels_of(standing.positions[there], plan.bounds))


def _wanted(split: SplitSpec) -> set[int]:
    return {number for number, channel in enumerate(CHANNELS) if getattr(split, channel) > 0}
