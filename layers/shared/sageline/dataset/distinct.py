"""The different values of a column, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sageline.arrays.hashing import HashArray
from sageline.arrays.late_text import DictionaryArray
from sageline.arrays.strings import IntArray, StringArray
from sageline.dataset.profiles.examples import Example

MOST_DISTINCT = 4096


class DistinctValues:
    """Up to :data:`MOST_DISTINCT` different values with their counts; beyond that a sample of them and an estimate of their
    number.

    Keeps the values with the smallest hashes, which are a random choice; the largest of these hashes tells how dense they
    are (Bar-Yossef et al., 2002): within 5 % nearly always.
    """

    def __init__(self) -> None:
        self._hashes: HashArray = np.zeros(0, dtype=np.uint64)  # ascending
        self._counts: IntArray = np.zeros(0, dtype=np.int64)
        # Where each is first; arrays, since a state of a shard is read many times as quickly then.
        self._rows: IntArray = np.zeros(0, dtype=np.int64)
        self._files: IntArray = np.zeros(0, dtype=np.int64)  # numbers of names
        self._numbers: dict[str, int] = {}
        self._texts: dict[int, str] = {}
        self.complete = True

    def add(self, column: StringArray, hashes: HashArray, rows: IntArray | None = None, file: str = "") -> None:
        """Count a block's values.

        Args:
            hashes: of the column's strings.
            rows: ``int64[n]``: their row numbers, for :meth:`places`.
            file: that they are in.
        """
        rows = np.zeros(len(hashes), dtype=np.int64) if rows is None else rows
        if not self.complete:
            near = np.flatnonzero(hashes <= self._hashes[-1])
            if len(near) < len(hashes):
                column, hashes, rows = column.take(near), hashes[near], rows[near]
        found, first, counts = _different(column, hashes)
        self._count(found, counts, rows[first], lambda new: [file] * len(new), lambda new: column.take(first[new]).tolist())

    def merge(self, after: DistinctValues) -> None:
        """Add what another one has counted: then this one is as if it had counted it itself, in whatever order."""
        near = len(after._hashes) if self.complete else int(np.searchsorted(after._hashes, self._hashes[-1], side="right"))
        hashes, names = after._hashes[:near], list(after._numbers)
        self.complete = self.complete and after.complete
        self._count(
            hashes,
            after._counts[:near],
            after._rows[:near],
            lambda new: [names[number] for number in after._files[new].tolist()],
            lambda new: [after._texts[key] for key in hashes[new].tolist()],
        )

    def _count(
        self,
        found: HashArray,
        counts: IntArray,
        rows: IntArray,
        files_of: Callable[[IntArray], list[str]],
        texts_of: Callable[[IntArray], list[str]],
    ) -> None:
        """Count different values.

        Args:
            found: their hashes, ascending.
            rows: where each is first.
            files_of, texts_of: the files that they are in and their texts, by indices into ``found``.
        """
        at = np.searchsorted(self._hashes, found)
        known = np.append(self._hashes, np.uint64(0))[at] == found
        known[at == len(self._hashes)] = False
        self._counts[at[known]] += counts[known]
        new = np.flatnonzero(~known)
        if not len(new):
            return
        self.complete = self.complete and len(self._hashes) + len(new) <= MOST_DISTINCT
        new = new[:MOST_DISTINCT]
        joined = np.concatenate([self._hashes, found[new]])
        order = np.argsort(joined, kind="stable")[:MOST_DISTINCT]
        self._texts |= dict(zip(found[new].tolist(), texts_of(new), strict=True))
        self._hashes, self._counts = joined[order], np.concatenate([self._counts, counts[new]])[order]
        self._rows = np.concatenate([self._rows, rows[new]])[order]
        files = [self._numbers.setdefault(name, len(self._numbers)) for name in files_of(new)]
        self._files = np.concatenate([self._files, np.array(files, dtype=np.int64)])[order]
        if len(self._texts) > 2 * MOST_DISTINCT:
            self._texts = {key: self._texts[key] for key in self._hashes.tolist()}

    @property
    def count(self) -> int:
        """How many different values there are; an estimate where :attr:`complete` is False."""
        if self.complete:
            return len(self._hashes)
        return round((MOST_DISTINCT - 1) / (float(self._hashes[-1]) / 2.0**64))

    @property
    def counts(self) -> dict[str, int]:
        """Value to how often it occurs; where :attr:`complete` is False, some of the values: what is kept at the end has
        been kept from its first row on, so its count is exact too."""
        return {self._texts[key]: count for key, count in zip(self._hashes.tolist(), self._counts.tolist(), strict=True)}

    def places(self) -> list[Example]:
        """The values of :attr:`counts`, each where it is first."""
        names = list(self._numbers)
        places = zip(self._hashes.tolist(), self._rows.tolist(), self._files.tolist(), strict=True)
        return [Example(self._texts[key], row, names[file]) for key, row, file in places]

    def profile(self) -> dict[str, int]:
        """``distinct``, or ``distinct_estimate``."""
        return {"distinct": self.count} if self.complete else {"distinct_estimate": self.count}


def _different(column: StringArray, hashes: HashArray) -> tuple[HashArray, IntArray, IntArray]:
    """The different hashes, ascending, an index where each of them is, and how often it is there."""
    if not isinstance(column, DictionaryArray):
        found, first, counts = np.unique(hashes, return_index=True, return_counts=True)
        return found, first.astype(np.int64, copy=False), counts.astype(np.int64, copy=False)
    # Of few strings, once for each, though a dictionary may have one twice.
    rows = np.zeros(len(column.dictionary), dtype=np.int64)
    rows[column.indices[::-1]] = np.arange(len(column))[::-1]  # the first row of each stays
    by_string = np.bincount(column.indices, minlength=len(rows))
    used = rows[by_string > 0]
    found, first, of_used = np.unique(hashes[used], return_index=True, return_inverse=True)
    counts = np.zeros(len(found), dtype=np.int64)
    np.add.at(counts, of_used, by_string[by_string > 0])
    return found, used[first], counts
