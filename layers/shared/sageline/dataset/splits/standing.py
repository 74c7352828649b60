"""Where the rows of a block stand in a split, as one number each: by hash, by time, by group, or as a column or files say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.dates import DateFormat, problem_of, read_dates
from sageline.arrays.factors import factors
from sageline.arrays.hashing import HashArray, hash_strings
from sageline.arrays.late_text import DictionaryArray
from sageline.arrays.matrix import DoubleArray
from sageline.arrays.number_spelling import PLAIN, Spelling
from sageline.arrays.numbers import MISSING, BadNumber, parse_doubles, shown
from sageline.arrays.strings import BoolArray, IntArray, StringArray
from sageline.dataset.split import CHANNELS, PositionArray, as_positions, bounds_of, folds_of, joined_hashes, placed, row_hashes
from sageline.errors import InvalidDataset
from sageline.spec.model import SplitSpec

_WORDS = {
    "train": ("train", "training", "trn", "tr"),
    "validation": ("validation", "valid", "val", "validate", "dev", "development"),
    "test": ("test", "testing", "tst", "te", "holdout", "hold-out", "hold out", "held-out"),
}
GIVEN_WORDS = {word: CHANNELS.index(channel) for channel, words in _WORDS.items() for word in words}
"""How a column says which channel a row is in, in lower case."""

_NOWHERE = -1
_SOME = 3
_LAST_BLANK = 0x20
_VARIANTS = (str, str.upper, str.capitalize, str.title)
_NO_GROUP = np.unique(
    hash_strings(StringArray.from_list([*(variant(word) for word in MISSING for variant in _VARIANTS), "NaN", "NaT"]))
)


class RowKeys(NamedTuple):
    """What the rows of a block are known by.

    Attributes:
        contents: ``uint64[rows]``, equal for equal rows; the column that the split goes by does not count.
        groups: ``uint64[rows]``, equal for rows of one group; None unless the split goes by groups.
    """

    contents: HashArray
    groups: HashArray | None = None

    def take(self, rows: BoolArray) -> RowKeys:
        return RowKeys(self.contents[rows], None if self.groups is None else self.groups[rows])


def keyed_by(split: SplitSpec) -> tuple[object, ...]:
    """What the keys of rows depend on: where it is the same, they are."""
    return (split.seed, split.column, split.by == "group")


def row_keys(block: Block, hashes: Mapping[str, HashArray], split: SplitSpec) -> RowKeys:
    """The keys of a block's rows.

    A row without a group is one of its own, together with rows that equal it.

    Args:
        hashes: of the block's columns.
    """
    if split.column is None or split.column not in hashes:
        return RowKeys(row_hashes(block, hashes, split.seed))
    others = {name: of_column for name, of_column in hashes.items() if name != split.column}
    contents = row_hashes(block, others, split.seed)
    if split.by != "group":
        return RowKeys(contents)
    values = _trimmed_hashes(block.columns[split.column], hashes[split.column])
    own = row_hashes(block, hashes, split.seed)
    return RowKeys(contents, np.where(np.isin(values, _NO_GROUP), own, joined_hashes({"": values}, split.seed)))


def _trimmed_hashes(column: StringArray, hashes: HashArray) -> HashArray:
    """The hashes of the values without blanks around them."""
    if isinstance(column, DictionaryArray):
        return _trimmed_hashes(column.dictionary, hash_strings(column.dictionary))[column.indices]
    there = np.flatnonzero(column.lengths > 0)
    offsets = column.offsets
    first, last = column.data[offsets[:-1][there]], column.data[offsets[1:][there] - 1]
    padded = there[(first <= _LAST_BLANK) | (last <= _LAST_BLANK)]
    if not len(padded):
        return hashes
    trimmed = hashes.copy()
    trimmed[padded] = hash_strings(StringArray.from_list([text.strip() for text in column.take(padded).tolist()]))
    return trimmed


class Standing(NamedTuple):
    """Where the rows of a block stand.

    Attributes:
        positions: ``float64[rows]``, which the bounds of the split part; NaN where a row says no time, or no channel.
        contents: ``uint64[rows]``, as in :class:`RowKeys`.
        folds: ``int64[rows]``: the encoder's folds. Rows of a group are in one.
    """

    positions: PositionArray
    contents: HashArray
    folds: IntArray

    def take(self, rows: BoolArray) -> Standing:
        return Standing(self.positions[rows], self.contents[rows], self.folds[rows])


class StandingReader:
    """Finds where rows stand in a split.

    Args:
        date_format: of the column of times, where these are dates.
        spelling: of the column of times, where these are numbers.
    """

    def __init__(self, split: SplitSpec, date_format: DateFormat | None = None, spelling: Spelling = PLAIN) -> None:
        self._split = split
        self._date_format = date_format
        self._spelling = spelling

    def read(self, block: Block, keys: RowKeys) -> Standing:
        """Where the rows of a block stand.

        Raises:
            InvalidDataset: a time that cannot be read, or a word that says no channel; names the row.
        """
        split = self._split
        of_contents = as_positions(keys.contents)
        if split.by == "time":
            return Standing(self._times(block), keys.contents, folds_of(of_contents))
        if keys.groups is not None:
            positions = as_positions(keys.groups)
        elif split.column is not None:
            positions = _within(_given_channels(block, split.column), of_contents, split)
        else:
            positions = placed(of_contents, block.side, split)
        return Standing(positions, keys.contents, folds_of(np.nan_to_num(positions)))

    def _times(self, block: Block) -> DoubleArray:
        column = str(self._split.column)
        if self._date_format is not None:
            return _dates(block, column, self._date_format)
        try:
            return parse_doubles(block.columns[column], self._spelling)
        except BadNumber as error:
            raise InvalidDataset(
                f"{block.where(error.index)}, column {column!r}: {error.problem}. The split goes by this column: correct it, or "
                "leave it empty (the row is not used then)."
            ) from None


def _dates(block: Block, name: str, date_format: DateFormat) -> DoubleArray:
    column = block.columns[name]
    dates = read_dates(column, date_format)
    if len(dates.unreadable):
        # Without the column's name in the details: another kind of it would not help.
        first = dates.unreadable[:_SOME].tolist()
        named = "; ".join(f"{block.where(index)}, column {name!r}: {problem_of(column[index], date_format)}" for index in first)
        raise InvalidDataset(
            f"{named}{_more_rows(len(dates.unreadable) - len(first))}. The split goes by this column: correct it, or leave it "
            "empty (the row is not used then)."
        )
    return dates.seconds


def _more_rows(more: int) -> str:
    rows = "row" if more == 1 else "rows"
    return f", and {more:,} more {rows} near them" if more > 0 else ""


def given_bounds(split: SplitSpec, *, has_validation: bool) -> tuple[float, float]:
    """The bounds of a split that a column says; without validation rows, these are taken out of the train rows."""
    start, end = bounds_of(split)
    return (end, _validation_end(end)) if has_validation else (start, end)


def says_validation(positions: PositionArray, split: SplitSpec) -> bool:
    """Whether some of these rows of a split that a column says are validation rows."""
    start, end = given_bounds(split, has_validation=True)
    return bool(((positions >= start) & (positions < end)).any())


def _validation_end(held_out_from: float) -> float:
    return (1 + held_out_from) / 2


def _within(channels: IntArray, positions: PositionArray, split: SplitSpec) -> PositionArray:
    """Positions in [0, 1) within the part of each row's channel: the train rows where those of train files are, behind them the
    validation rows, then the test rows."""
    train_end = bounds_of(split)[1]
    test_start = _validation_end(train_end)
    starts = np.array([0.0, train_end, test_start])
    ends = np.array([train_end, test_start, 1.0])
    starts, ends = starts[channels], ends[channels]
    inside = np.minimum(starts + positions * (ends - starts), np.nextafter(ends, 0))
    return np.where(channels == _NOWHERE, np.nan, inside)


def _given_channels(block: Block, column: str) -> IntArray:
    """``int64[rows]``: which of the channels each row says, -1 where it says nothing."""
    values, codes = factors(block.columns[column])
    texts = [text.strip().lower() for text in values.tolist()]
    known = {"": _NOWHERE, **GIVEN_WORDS}
    odd = np.array([text not in known for text in texts], dtype=np.bool_)
    if odd.any():
        rows = np.flatnonzero(odd[codes])
        named = "; ".join(f"{block.where(index)}: {shown(values[int(codes[index])])}" for index in rows[:_SOME].tolist())
        raise InvalidDataset(
            f"Column {column!r} is to say of each row whether it is to train, validation or test, and says something else in "
            f"{named}{_more_rows(len(rows) - _SOME)}. Write train, validation or test there, or split otherwise."
        )
    return np.array([known[text] for text in texts], dtype=np.int64)[codes]
