"""What a dataset looks like: its columns, counted block by block in bounded memory, and a sample of its rows.

The same counts are made twice: of a sample, from which a run's spec is provisionally resolved, and of every row, from which it is
resolved for good.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from sageline.arrays.blocks import Block, Coverage, Side
from sageline.arrays.hashing import HashArray
from sageline.arrays.late_text import ImageArray
from sageline.arrays.number_spelling import PLAIN, plain_text
from sageline.arrays.numbers import read_cells
from sageline.arrays.strings import IntArray, StringArray
from sageline.dataset.date_profile import DateProfile
from sageline.dataset.distinct import DistinctValues
from sageline.dataset.number_profile import NumberProfile
from sageline.dataset.profiles.examples import Example, ExampleColumn
from sageline.dataset.profiles.findings import ColumnFindings, Findings
from sageline.dataset.row_sample import RowSample
from sageline.dataset.shared_rows import SharedRows
from sageline.dataset.split import hash_columns, row_positions
from sageline.encoder.text.word_rule import words_of
from sageline.encoder.values import merged, one_name
from sageline.errors import InvalidDataset

_SOME_VALUES = 500  # different ones, by which a column of text is judged
_SEVERAL_WORDS = 1.5
_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)
_MOST_MERGED = 1000  # different texts: of more, nobody asks which are one value
_NEARLY_UNIQUE = 0.95  # the number of different values of a large column is an estimate


class ColumnProfile:
    """One column.

    Attributes:
        rows: how many values were looked at, those that are missing included.
        numbers: what is known of them as numbers.
        dates: what is known of them as dates.
        images: of a column of images their shape, and why it was chosen, if it was.
    """

    def __init__(self, name: str, findings: ColumnFindings | None = None) -> None:
        self.name = name
        self.rows = 0
        self.numbers = NumberProfile(of_words=None if findings is None else findings.of_words)
        self.dates = DateProfile(name, findings)
        self.images: tuple[tuple[int, ...], str | None] | None = None
        self._empty = 0
        self._distinct = DistinctValues()

    def add(self, column: StringArray, hashes: HashArray, row_numbers: IntArray, file: str = "", *, follows: bool) -> None:
        """Count a block's values; ``follows`` as for :meth:`NumberProfile.add`, ``file`` for :meth:`DateProfile.add`."""
        self.rows += len(column)
        if isinstance(column, ImageArray):
            self.images = (column.pixels.shape[1:], column.why)
            column = _fingerprints(hashes)
        self._empty += int(np.count_nonzero(column.lengths == 0))
        self._distinct.add(column, hashes, row_numbers, file)
        cells = read_cells(column)
        self.numbers.add(ExampleColumn(column, row_numbers, file), cells, follows=follows)
        self.dates.add(column, cells, row_numbers, file)

    def merge(self, after: ColumnProfile, *, follows: bool) -> None:
        """Add what another one has counted of the values behind those of this one; ``follows`` as for
        :meth:`NumberProfile.merge`."""
        self.rows += after.rows
        self.images = after.images or self.images
        self._empty += after._empty
        self._distinct.merge(after._distinct)
        self.numbers.merge(after.numbers, follows=follows)
        self.dates.merge(after.dates)
        for name in _CACHED:
            self.__dict__.pop(name, None)

    def located(self, example: Example) -> Example:
        """An example, with its file only where the column is in several."""
        return self.dates.located(example)

    def first_missing(self) -> Example:
        """The first value that is missing, as far as it is known where it is."""
        known = self.missing_words
        return self._first(
            example for example in self._distinct.places() if not example.text.strip() or example.text.strip() in known
        )

    def first_of(self, value: str) -> Example:
        """Where a value of :attr:`values` is first, in this spelling."""
        return self._first(example for example in self._distinct.places() if example.text.strip() == value)

    def _first(self, examples: Iterable[Example]) -> Example:
        """The first in its file of these, of several files the first that has one."""
        found = list(examples)
        files = [example.file for example in found]
        of_file = [example for example in found if example.file == min(files)]
        return self.located(min(of_file, key=lambda example: example.row, default=Example("", 0)))

    def findings(self) -> ColumnFindings:
        """What the values of a sample say of all of them."""
        return ColumnFindings(self.numbers.is_of_words, self.dates.is_none, self.dates.is_without_compact)

    @cached_property
    def values(self) -> Counter[str]:
        """Different values that are not missing, by name (:mod:`sageline.encoder.values`), with their counts; a choice of them
        where there are more than fit in memory."""
        counts = {text: count for text, count in self._distinct.counts.items() if text.strip()}
        words = self.missing_words
        if words:
            counts = {text: count for text, count in counts.items() if text.strip() not in words}
        return merged(counts) if len(counts) <= _MOST_MERGED else Counter({text.strip(): count for text, count in counts.items()})

    @cached_property
    def joined(self) -> list[list[str]]:
        """The texts of each value that is spelled in more than one way."""
        texts = [text for text in self._distinct.counts if text.strip()]
        names = one_name({text: self._distinct.counts[text] for text in texts})
        groups: dict[str, list[str]] = {}
        for text in sorted(texts):
            groups.setdefault(names[text], []).append(text)
        return [group for group in groups.values() if len(group) > 1]

    @property
    def is_numeric(self) -> bool:
        """Whether the column is one of numbers, apart from mistakes and from what is missing."""
        return self.numbers.is_numeric

    @property
    def missing_words(self) -> Counter[str]:
        """What stands for a missing value in a column of numbers or dates, as it is spelled, with its count; blanks aside."""
        if self.is_numeric:
            return self.numbers.missing
        return self.dates.missing_words if self.is_date else Counter()

    @cached_property
    def missing(self) -> int:
        """Values that are missing: empty, and in a column of numbers or dates what stands for a missing one."""
        return self.empty + self.missing_words.total()

    @cached_property
    def empty(self) -> int:
        """Values of no characters, or of blanks."""
        return self._empty + sum(count for text, count in self._distinct.counts.items() if text and not text.strip())

    @property
    def present(self) -> int:
        return self.rows - self.missing

    @property
    def distinct(self) -> int:
        """How many different values there are, those that are missing aside."""
        return len(self.values) if self._distinct.complete else self._distinct.count

    @property
    def knows_all_values(self) -> bool:
        """Whether :attr:`values` has all of them."""
        return self._distinct.complete

    @property
    def is_unique(self) -> bool:
        if self._distinct.complete:
            return len(self.values) == self.present > 1
        return self.distinct >= _NEARLY_UNIQUE * self.present

    @cached_property
    def is_whole(self) -> bool:
        """Whether it is a column of whole numbers."""
        if not self.is_numeric or not self.numbers.plain_is_whole:
            return False
        spelling = (self.numbers.spellings() or [PLAIN])[0]
        read = [plain_text(text, spelling) for text in self.values] if self.numbers.is_spelled else []
        return all(float(number).is_integer() for number in read if number is not None)

    @cached_property
    def mean_words(self) -> float:
        """Words per value, of some hundred different values."""
        some = list(self.values)[:_SOME_VALUES]
        return sum(len(words_of(value)) for value in some) / len(some) if some else 0.0

    @cached_property
    def words_repeat(self) -> bool:
        """Whether values of more than a word share their words, as titles do and names of people do not."""
        words = [word for value in list(self.values)[:_SOME_VALUES] for word in words_of(value)]
        return self.mean_words >= _SEVERAL_WORDS and 2 * len(set(words)) <= len(words)

    @property
    def is_date(self) -> bool:
        """Whether it is a column of dates, apart from mistakes and from what is missing."""
        return self.dates.is_date

    @cached_property
    def is_uuid(self) -> bool:
        return bool(self.values) and all(map(_UUID.fullmatch, self.values))


_CACHED = tuple(name for name, member in vars(ColumnProfile).items() if isinstance(member, cached_property))


class DatasetProfile:
    """All columns, and a sample of the rows.

    With the findings of a sample (:meth:`findings`), what it tells is a function of these and of the rows: profiles of the pieces
    of a dataset, merged in order, tell what the profile of the whole does.

    Attributes:
        columns: in the order of the file.
        sample: rows by which columns are compared with the label.
        notes: what was guessed or mended while the file was read, in sentences.
        shared: rows of test files that train files have too.
        is_sample: not every row was looked at.
        lists: the columns of which some values are lists of words.
    """

    def __init__(self, notes: list[str] | None = None, *, findings: Findings | None = None) -> None:
        self.notes = [] if notes is None else notes
        self.shared = SharedRows()
        self.is_sample = False
        self.lists: frozenset[str] = frozenset()
        self.columns: dict[str, ColumnProfile] = {}
        self.sample = RowSample()
        self.rows = 0
        self._findings = findings
        self._first_row: int | None = None
        self._next_row: int | None = None

    @classmethod
    def of(cls, blocks: Iterable[Block], notes: list[str] | None = None, coverage: Coverage | None = None) -> DatasetProfile:
        """The profile of these blocks; their reader appends to the notes, and fills in the coverage where they are a sample.

        Raises:
            InvalidDataset: there are no rows.
        """
        profile = cls(notes)
        for block in blocks:
            profile.add(block, hash_columns(block))
        profile.is_sample = coverage is not None and not coverage.is_all
        if profile.rows == 0:
            raise InvalidDataset("the dataset has no rows.")
        return profile

    @property
    def has_sides(self) -> bool:
        """Whether the rows are from train files and test files."""
        return self.shared.count().test_rows > 0

    @property
    def rows_of_sides(self) -> dict[Side | None, int]:
        """How many rows are from train files and from test files, or under None from files that do not say it."""
        test_rows = self.shared.count().test_rows
        return {"test": test_rows, "train": self.rows - test_rows, None: self.rows}

    @property
    def is_of_images(self) -> bool:
        """Whether the rows are image files in folders, whose names are the labels."""
        return any(column.images is not None for column in self.columns.values())

    def add(self, block: Block, hashes: Mapping[str, HashArray]) -> None:
        """Count a block; ``hashes`` are those of its columns."""
        if not block.rows:
            return
        follows = self._next_row == block.first_row
        if not self.columns and self._findings is not None:
            self.columns = {
                name: ColumnProfile(name, known) for name, known in self._findings.by_column([*block.columns]).items()
            }
        file = block.source.rpartition("/")[2]
        for name, column in block.columns.items():
            if name not in self.columns:
                self.columns[name] = ColumnProfile(name, None if self._findings is None else ColumnFindings())
            self.columns[name].add(column, hashes[name], block.row_numbers, file, follows=follows)
        positions = row_positions(block, hashes, seed=0)
        self.sample.add(_without_images(block, hashes), positions)
        self.lists |= block.lists
        self.shared.add(block.side, positions)
        self.rows += block.rows
        self._first_row = block.first_row if self._first_row is None else self._first_row
        self._next_row = int(block.row_numbers[-1]) + 1

    def findings(self) -> dict[str, ColumnFindings]:
        """What the rows of a sample say of all rows, by column."""
        return {name: column.findings() for name, column in self.columns.items()}

    def merge(self, after: DatasetProfile) -> None:
        """Add what another one has counted of the rows behind those of this one.

        Args:
            after: made with the same findings; where it has train rows, and there are test rows too, ``shared`` of it is one
                that follows theirs. It may be used up.
        """
        follows = self._next_row is not None and self._next_row == after._first_row
        for name, column in after.columns.items():
            if name in self.columns:
                self.columns[name].merge(column, follows=follows)
            else:
                self.columns[name] = column
        self.sample.merge(after.sample)
        self.shared.merge(after.shared)
        self.lists |= after.lists
        self.notes += [note for note in after.notes if note not in self.notes]
        self.is_sample = self.is_sample or after.is_sample
        self.rows += after.rows
        self._first_row = after._first_row if self._first_row is None else self._first_row
        self._next_row = self._next_row if after._next_row is None else after._next_row


def _without_images(block: Block, hashes: Mapping[str, HashArray]) -> Block:
    """The block with a short text for each image, equal for equal ones."""
    images = {name: _fingerprints(hashes[name]) for name, column in block.columns.items() if isinstance(column, ImageArray)}
    return replace(block, columns={**block.columns, **images}) if images else block


def _fingerprints(hashes: HashArray) -> StringArray:
    return StringArray.from_list([f"image {number:016x}" for number in hashes.tolist()])
