"""What is known of a dataset's columns, counted block by block in bounded memory; for the profile of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.exact_sums import ExactMoments
from sageline.arrays.hashing import HashArray
from sageline.arrays.number_spelling import PLAIN, Spelling
from sageline.arrays.numbers import BadNumber, parse_numbers
from sageline.arrays.strings import IntArray, StringArray
from sageline.dataset.distinct import DistinctValues
from sageline.encoder.columns.number import read_numbers


class _Statistics(Protocol):
    def add(self, block: Block, name: str, hashes: HashArray) -> None: ...

    def merge(self, after: Self) -> None: ...

    def profile(self) -> dict[str, Any]: ...  # Any: a JSON document


def moments_profile(moments: ExactMoments) -> dict[str, float | None]:
    """``minimum``, ``maximum``, ``mean`` and ``std``, that of the values themselves (divided by their number), to seven digits.
    All are None when there is no value."""
    if moments.count == 0:
        return dict.fromkeys(("minimum", "maximum", "mean", "std"))
    numbers = {"minimum": moments.minimum, "maximum": moments.maximum, "mean": moments.mean, "std": moments.deviation}
    return {name: float(f"{number:.7g}") for name, number in numbers.items()}


class _Numbers:
    def __init__(self, spelling: Spelling) -> None:
        self._rows = 0
        self._moments = ExactMoments()
        self._spelling = spelling

    def add(self, block: Block, name: str, hashes: HashArray) -> None:
        values = read_numbers(block, name, self._spelling)
        self._rows += len(values)
        self._moments.add(values[~np.isnan(values)])

    def merge(self, after: _Numbers) -> None:
        self._rows += after._rows
        self._moments.merge(after._moments)

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        return {"missing": self._rows - self._moments.count, **moments_profile(self._moments)}


class _Texts:
    """Missing values, different ones, and lengths in characters, of those that are not missing."""

    def __init__(self) -> None:
        self._missing = 0
        self._lengths = ExactMoments()
        self._distinct = DistinctValues()

    def add(self, block: Block, name: str, hashes: HashArray) -> None:
        column = block.columns[name]
        present = column.lengths > 0
        self._missing += len(column) - int(np.count_nonzero(present))
        self._lengths.add(characters(column)[present])
        self._distinct.add(*((column.take(present), hashes[present]) if self._missing else (column, hashes)))

    def merge(self, after: _Texts) -> None:
        self._missing += after._missing
        self._lengths.merge(after._lengths)
        self._distinct.merge(after._distinct)

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        return {"missing": self._missing, **self._distinct.profile(), "characters": moments_profile(self._lengths)}


class _Images:
    """How many there are."""

    def __init__(self) -> None:
        self._rows = 0

    def add(self, block: Block, name: str, hashes: HashArray) -> None:
        self._rows += block.rows

    def merge(self, after: _Images) -> None:
        self._rows += after._rows

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        return {"missing": 0, "images": self._rows}


class _Label:
    """A label's values: as numbers if all of them are, else as texts."""

    def __init__(self, spelling: Spelling) -> None:
        self._texts = _Texts()
        self._numbers: ExactMoments | None = ExactMoments()
        self._spelling = spelling

    def add(self, block: Block, name: str, hashes: HashArray) -> None:
        self._texts.add(block, name, hashes)
        if self._numbers is None:
            return
        try:
            values = parse_numbers(block.columns[name], self._spelling)
        except BadNumber:
            self._numbers = None
        else:
            self._numbers.add(values[~np.isnan(values)])

    def merge(self, after: _Label) -> None:
        self._texts.merge(after._texts)
        if self._numbers is None or after._numbers is None:
            self._numbers = None
        else:
            self._numbers.merge(after._numbers)

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        texts = self._texts.profile()
        if self._numbers is None or self._numbers.count == 0:
            return texts
        return {name: value for name, value in texts.items() if name != "characters"} | moments_profile(self._numbers)


class DatasetStatistics:
    """Statistics of every column, over all rows of the dataset.

    Args:
        features: kinds of the feature columns; other columns than these are read as text.
        label: name of the label column.
        spellings: of the columns whose numbers are not plain.
    """

    def __init__(self, features: Mapping[str, str], label: str, spellings: Mapping[str, Spelling]) -> None:
        self._features = features
        self._label = label
        self._spellings = spellings
        self._columns: dict[str, _Statistics] = {}

    def add(self, block: Block, hashes: Mapping[str, HashArray]) -> None:
        """Count a block, of whose columns these are the hashes; InvalidDataset names row and column where a number is none."""
        for name in block.columns:
            if name not in self._columns:
                self._columns[name] = self._statistics_of(name)
            self._columns[name].add(block, name, hashes[name])

    def merge(self, after: DatasetStatistics) -> None:
        """Add what another one has counted of the rows that come after these."""
        for name, column in after._columns.items():
            if name in self._columns:
                self._columns[name].merge(column)
            else:
                self._columns[name] = column

    def _statistics_of(self, name: str) -> _Statistics:
        spelling = self._spellings.get(name, PLAIN)
        if name == self._label:
            return _Label(spelling)
        if self._features.get(name) == "image":
            return _Images()
        return _Numbers(spelling) if self._features.get(name) in ("number", "pixel") else _Texts()

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        """Column by column: ``kind`` (of a feature; ``label``; ``left out``), ``missing``, and of numbers ``minimum``,
        ``maximum``, ``mean``, ``std``; of others ``distinct`` or ``distinct_estimate``, and the same four of ``characters``. A
        label of numbers has ``distinct`` and their four."""
        kinds = {self._label: "label", **self._features}
        return {name: {"kind": kinds.get(name, "left out"), **column.profile()} for name, column in self._columns.items()}


def characters(column: StringArray) -> IntArray:
    """``int64[n]``: the length of each string in characters."""
    continuing = np.flatnonzero(column.data.view(np.int8) < -0x40)  # 0x80 to 0xBF
    return column.lengths - np.diff(np.searchsorted(continuing, column.offsets))
