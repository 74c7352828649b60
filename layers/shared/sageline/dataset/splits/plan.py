"""A split that is settled: from where a row stands to its channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from sageline.arrays.hashing import HashArray
from sageline.arrays.strings import IntArray
from sageline.dataset.split import CHANNELS, PositionArray, bounds_of, channels_of
from sageline.dataset.splits.standing import Standing
from sageline.spec.model import SplitSpec

NOT_USED = -1
"""In place of a channel."""


class FirstChannels(Protocol):
    """Knows of each content in which channel it comes first.

    Attributes:
        is_exact: no content is taken for another.
    """

    is_exact: bool

    def of(self, contents: HashArray) -> IntArray:
        """``int64[rows]``: the first channel in which there are such rows; a channel behind the last where nothing is known."""


class Moves(NamedTuple):
    """Rows that are in another channel than the bounds say: ``float64[n]`` positions, ascending, and ``int64[n]`` channels."""

    positions: PositionArray
    channels: IntArray


def no_moves() -> Moves:
    return Moves(np.zeros(0), np.zeros(0, dtype=np.int64))


class Assigned(NamedTuple):
    """The channels of a block's rows.

    Attributes:
        channels: ``int64[rows]``, -1 for rows that are not used.
        without_place: how many rows say no time, or no channel.
        copies: ``int64[3]``: how many rows of each channel equal rows of one before it.
    """

    channels: IntArray
    without_place: int
    copies: IntArray


@dataclass(frozen=True, eq=False)
class SplitPlan:
    """Tells the channels of rows by where they stand.

    Attributes:
        bounds: positions from which rows validate, and from which they test.
        moves: exceptions from the bounds.
        first_channels: tells rows that an earlier channel has too; None where there are none, or they are not looked for.
        uses_copies: whether these are used all the same.
    """

    bounds: tuple[float, float]
    moves: Moves = field(default_factory=no_moves)
    first_channels: FirstChannels | None = None
    uses_copies: bool = False

    def assign(self, standing: Standing) -> Assigned:
        """The channel of each row; it does not depend on which other rows are in the block."""
        channels = channels_of(standing.positions, self.bounds)
        moved, to = self.moves
        if len(moved):
            at = np.searchsorted(moved, standing.positions).clip(max=len(moved) - 1)
            is_moved = moved[at] == standing.positions
            channels[is_moved] = to[at[is_moved]]
        is_nowhere = np.isnan(standing.positions)
        copies = np.zeros(len(CHANNELS), dtype=np.int64)
        if self.first_channels is not None:
            is_copy = (self.first_channels.of(standing.contents) < channels) & ~is_nowhere
            copies = np.bincount(channels[is_copy], minlength=len(CHANNELS)).astype(np.int64)
            if not self.uses_copies:
                channels[is_copy] = NOT_USED
        channels[is_nowhere] = NOT_USED
        return Assigned(channels, int(np.count_nonzero(is_nowhere)), copies)


def initial_plan(split: SplitSpec) -> SplitPlan | None:
    """The split as it is most likely, before all rows are known; None where these must be read first."""
    return SplitPlan(bounds_of(split)) if split.column is None else None
