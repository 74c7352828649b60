"""The different rows of a small dataset: where they stand, their labels, and how often each is there."""

from __future__ import annotations

from collections import Counter
from itertools import repeat

import numpy as np

from sageline.arrays.factors import Factors
from sageline.arrays.strings import IntArray, StringArray
from sageline.dataset.split import PositionArray

MOST_ROWS = 10_000
"""Different rows, up to which all are kept."""


class DifferentRows:
    """Keeps each different row once, as long as there are few; of more, none. What comes of it does not depend on their order.

    Attributes:
        is_full: there are more than are kept.
    """

    def __init__(self) -> None:
        self.is_full = False
        self._counts = Counter[tuple[float, str]]()

    def add(self, positions: PositionArray, labels: Factors | None) -> None:
        """Note the rows of a block; without labels those of a regression are all taken for alike."""
        if self.is_full:
            return
        different, codes = np.unique(positions, return_inverse=True)
        if len(different) > MOST_ROWS:
            self._give_up()
            return
        width = 1 if labels is None else len(labels.values)
        keys, counts = np.unique(codes if labels is None else codes * width + labels.codes, return_counts=True)
        texts = repeat("") if labels is None else labels.values.take(keys % width).tolist()
        rows = zip(different[keys // width].tolist(), texts, strict=False)
        self._count(Counter(dict(zip(rows, counts.tolist(), strict=True))))

    def merge(self, after: DifferentRows) -> None:
        """Add what another one has noted of other rows."""
        if after.is_full:
            self._give_up()
        elif not self.is_full:
            self._count(after._counts)

    @property
    def positions(self) -> PositionArray:
        """``float64[n]``, of the rows that are kept; in the order of :attr:`counts` and :attr:`labels`."""
        return np.array([position for position, _ in self._counts], dtype=np.float64)

    @property
    def counts(self) -> IntArray:
        """``int64[n]``: how often each of them is there."""
        return np.array(list(self._counts.values()), dtype=np.int64)

    @property
    def labels(self) -> StringArray:
        return StringArray.from_list([label for _, label in self._counts])

    def _count(self, counts: Counter[tuple[float, str]]) -> None:
        self._counts.update(counts)
        if len(self._counts) > MOST_ROWS:
            self._give_up()

    def _give_up(self) -> None:
        self.is_full = True
        self._counts.clear()
