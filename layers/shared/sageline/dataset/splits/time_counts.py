"""How many rows there are at each time, in bounded memory, and where to part them into shares."""

from __future__ import annotations

import numpy as np

from sageline.arrays.hashing import HashArray
from sageline.arrays.matrix import DoubleArray
from sageline.arrays.strings import IntArray

MOST_TIMES = 1 << 20
"""Different times that are counted one by one; of more, neighbouring ones are counted together."""

_SIGN = np.uint64(1 << 63)
_ALL = np.uint64(2**64 - 1)


class TimeCounts:
    """Counts rows by time. What comes of it does not depend on the order of the rows.

    A time is counted by a key of 64 bits, in the same order as the times. Of more than ``most`` keys the last bits are dropped
    until there are no more: then at least half as many steps are left, within each of which times are not told apart.
    """

    def __init__(self, most: int = MOST_TIMES) -> None:
        self._most = most
        self._dropped = 0  # bits
        self._keys: HashArray = np.zeros(0, dtype=np.uint64)  # ascending
        self._counts: IntArray = np.zeros(0, dtype=np.int64)
        self._pending: list[HashArray] = []
        self._pending_rows = 0

    def add(self, times: DoubleArray) -> None:
        """Count rows at these times, none of which is NaN."""
        self._pending.append(keys_of(times) >> np.uint64(self._dropped))
        self._pending_rows += len(times)
        if self._pending_rows >= self._most:
            self._settle()

    def merge(self, after: TimeCounts) -> None:
        """Add the rows that another one has counted."""
        self._settle()
        after._settle()
        dropped = max(self._dropped, after._dropped)
        keys = [counts._keys >> np.uint64(dropped - counts._dropped) for counts in (self, after)]
        self._dropped = dropped
        self._join(np.concatenate(keys), np.concatenate([self._counts, after._counts]))

    @property
    def different(self) -> int:
        """How many different times are told apart."""
        self._settle()
        return len(self._keys)

    @property
    def is_exact(self) -> bool:
        """Whether all times are told apart."""
        self._settle()
        return self._dropped == 0

    def bounds(self, train: float, validation: float) -> tuple[float, float]:
        """The times from which rows validate, and from which they test, for these shares.

        A bound stands between two steps, as near to the share as can be: off by no more than half of the rows of the step that
        the share ends in, except where a share would be empty; then it gets the next step.

        Raises:
            ValueError: there are fewer steps than shares.
        """
        shares = 3 if validation > 0 else 2
        if self.different < shares:
            raise ValueError(f"{self.different} times for {shares} shares")
        before = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(self._counts)])
        total, last = int(before[-1]), len(self._keys) - 1
        if validation <= 0:
            start = _nearest(before, train * total, 1, last)
            return self._time(start), self._time(start)
        start = _nearest(before, train * total, 1, last - 1)
        end = _nearest(before, (train + validation) * total, start + 1, last)
        return self._time(start), self._time(end)

    def _time(self, step: int) -> float:
        """The first time of a step."""
        return float(times_of(self._keys[step : step + 1] << np.uint64(self._dropped))[0])

    def _settle(self) -> None:
        if not self._pending:
            return
        pending = np.concatenate(self._pending)
        once = np.ones(len(pending), dtype=np.int64)
        self._join(np.concatenate([self._keys, pending]), np.concatenate([self._counts, once]))
        self._pending, self._pending_rows = [], 0

    def _join(self, keys: HashArray, counts: IntArray) -> None:
        """Keep each of these keys once, and of too many drop bits."""
        self._keys, self._counts = _joined(keys, counts)
        while len(self._keys) > self._most:
            self._dropped += 1
            self._keys, self._counts = _joined(self._keys >> np.uint64(1), self._counts)


def keys_of(times: DoubleArray) -> HashArray:
    """``uint64[n]`` in the order of the numbers: the bits of a float, those of a negative one turned round."""
    bits = (times + 0.0).view(np.uint64)  # the sum makes one of the two zeros
    return np.where(bits >> np.uint64(63) == 1, bits ^ _ALL, bits ^ _SIGN)


def times_of(keys: HashArray) -> DoubleArray:
    """The numbers that have these keys."""
    return np.where(keys >= _SIGN, keys ^ _SIGN, keys ^ _ALL).view(np.float64)


def _joined(keys: HashArray, counts: IntArray) -> tuple[HashArray, IntArray]:
    """Each key once, ascending, with the sum of its counts."""
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], counts[order]
    starts = np.flatnonzero(np.concatenate([np.ones(min(1, len(keys)), dtype=np.bool_), keys[1:] != keys[:-1]]))
    return keys[starts], np.add.reduceat(counts, starts) if len(starts) else counts


def _nearest(before: IntArray, wanted: float, first: int, last: int) -> int:
    """Which of the steps from ``first`` to ``last`` has about so many rows before it; of two the earlier."""
    return first + int(np.argmin(np.abs(before[first : last + 1] - wanted)))
