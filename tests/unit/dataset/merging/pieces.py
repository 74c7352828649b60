"""Datasets that are read in pieces, and what is counted of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Protocol, TypeVar

import numpy as np
from hypothesis import strategies as st

from sageline.arrays.blocks import Block, Side
from sageline.arrays.factors import factors
from sageline.arrays.late_text import DictionaryArray
from sageline.arrays.strings import StringArray
from sageline.storage.shards.state_codec import decode_state, encode_state

State = TypeVar("State")
CUTS = st.lists(st.integers(0, 200), max_size=5)


class Mergeable(Protocol):
    """What has counted a piece; the argument's class is that of its own."""

    def merge(self, after: Any) -> None: ...


@dataclass(frozen=True)
class Rows:
    """Rows in files, the first of which are test files.

    Attributes:
        file_ends: after which rows a file ends.
        test_rows: how many are in test files; 0: no file says its side.
        block_rows: how many make a block.
        dictionaries: whether columns are given by their different strings, in another order than that of the rows.
    """

    columns: dict[str, list[str]]
    file_ends: tuple[int, ...] = ()
    test_rows: int = 0
    block_rows: int = 1000
    dictionaries: bool = False

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def blocks(self, start: int, end: int) -> Iterator[Block]:
        """Those of some rows; none has rows of two files."""
        borders = sorted({min(border, len(self)) for border in (0, *self.file_ends, self.test_rows, len(self))})
        for number, (first, last) in enumerate(pairwise(borders)):
            for at in range(max(first, start), min(last, end), self.block_rows):
                to = min(at + self.block_rows, last, end)
                texts = {name: StringArray.from_list(values[at:to]) for name, values in self.columns.items()}
                columns = {name: _by_different(column) if self.dictionaries else column for name, column in texts.items()}
                block = Block.of(columns, at - first + 1, f"s3://b/part-{number}.csv")
                side: Side = "test" if first < self.test_rows else "train"
                yield replace(block, side=side if self.test_rows else None)


def _by_different(column: StringArray) -> DictionaryArray:
    values, codes = factors(column)
    order = np.argsort(values.tolist())[::-1]
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return DictionaryArray(values.take(order), places[codes])


def in_pieces(rows: Rows, cuts: Sequence[int]) -> list[Iterator[Block]]:
    """The blocks of each piece; pieces may be without rows."""
    ends = [0, *sorted(cut % (len(rows) + 1) for cut in cuts), len(rows)]
    return [rows.blocks(start, end) for start, end in pairwise(ends)]


def merged(states: Sequence[State], merge: Callable[[State, State], None]) -> list[State]:
    """The states merged in order: from the first on, from the last on, and by halves. The states given stay as they are."""

    def forwards(some: list[State]) -> State:
        for after in some[1:]:
            merge(some[0], after)
        return some[0]

    def backwards(some: list[State]) -> State:
        for before, after in reversed(list(pairwise(some))):
            merge(before, after)
        return some[0]

    def by_halves(some: list[State]) -> State:
        if len(some) == 1:
            return some[0]
        first, second = by_halves(some[: len(some) // 2]), by_halves(some[len(some) // 2 :])
        merge(first, second)
        return first

    stored = encode_state(list(states))  # as they go from one function to another
    return [way(decode_state(stored)) for way in (forwards, backwards, by_halves)]


def told(state: object) -> dict[str, str]:
    """All that an object tells by its public attributes and properties, in words that show the order and the digits too."""
    names = {name for name in vars(state) if not name.startswith("_")}
    names |= {name for name in dir(type(state)) if not name.startswith("_") and _is_property(type(state), name)}
    return {name: _in_words(state, name) for name in sorted(names)}


def _is_property(of: type, name: str) -> bool:
    return not callable(getattr(of, name))


def _in_words(state: object, name: str) -> str:
    try:
        found = getattr(state, name)
    except (ValueError, IndexError) as error:  # of what has no values
        return type(error).__name__
    return repr(list(found.items())) if isinstance(found, Counter) else repr(found)
