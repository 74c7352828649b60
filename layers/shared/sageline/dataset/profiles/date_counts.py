"""Counts of dates and of what is none, with the first examples of each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from sageline.arrays.calendar import DAY
from sageline.arrays.matrix import DoubleArray
from sageline.arrays.strings import BoolArray, IntArray
from sageline.dataset.profiles.examples import Example, ExampleColumn

_SOME = 3


@dataclass
class DateCounts:
    """The dates that are read in one order.

    Attributes:
        days: which days of the month there are, ``bool[32]``.
        first: the first of them.
        decisive: the first that is no date in the order it is to be told from.
    """

    count: int = 0
    minimum: float = math.inf
    maximum: float = -math.inf
    has_time: bool = False
    has_zone: bool = False
    first: Example | None = None
    decisive: Example | None = None
    days: BoolArray = field(default_factory=lambda: np.zeros(32, dtype=np.bool_))

    def add(self, seconds: DoubleArray, *, has_zone: bool) -> None:
        """Count dates, none of which is missing."""
        if len(seconds):
            self.count += len(seconds)
            self.minimum, self.maximum = min(self.minimum, float(seconds.min())), max(self.maximum, float(seconds.max()))
            self.has_time = self.has_time or bool((seconds % DAY != 0).any())
            self.has_zone = self.has_zone or has_zone

    def merge(self, after: DateCounts) -> None:
        """Add what was counted of later values."""
        self.count += after.count
        self.minimum, self.maximum = min(self.minimum, after.minimum), max(self.maximum, after.maximum)
        self.has_time, self.has_zone = self.has_time or after.has_time, self.has_zone or after.has_zone
        self.first, self.decisive = self.first or after.first, self.decisive or after.decisive
        self.days = self.days | after.days

    def is_within(self, seconds: tuple[float, float]) -> bool:
        return self.count > 0 and seconds[0] <= self.minimum and self.maximum < seconds[1]

    def __add__(self, other: DateCounts) -> DateCounts:
        return DateCounts(
            self.count + other.count,
            min(self.minimum, other.minimum),
            max(self.maximum, other.maximum),
            self.has_time or other.has_time,
            self.has_zone or other.has_zone,
            self.first or other.first,
            self.decisive or other.decisive,
        )


@dataclass
class OddValues:
    """Values that are no dates: how many, and the first of them."""

    count: int = 0
    first: list[Example] = field(default_factory=list)

    def add(self, values: ExampleColumn, at: IntArray) -> None:
        """Count the values at ascending indexes."""
        self.count += len(at)
        self.first += values.some(at, _SOME - len(self.first))

    def merge(self, after: OddValues) -> None:
        """Add what was counted of later values."""
        self.count += after.count
        self.first = [*self.first, *after.first][:_SOME]
