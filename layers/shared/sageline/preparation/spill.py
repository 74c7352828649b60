"""The blocks of a dataset on the disk, as they were read: for a second reading nothing is fetched, parsed or hashed again. And
the words of their train rows, as the fit has read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from sageline.arrays.blocks import Block
from sageline.dataset.splits.standing import RowKeys, keyed_by
from sageline.preparation.encoding.train_words import TrainWords
from sageline.preparation.packed_file import PackedFile, Place
from sageline.spec.model import SplitSpec

_SHARE_WITH_WORDS = 0.5  # of the room, up to which it is used for words: without them a block is only encoded more slowly


class Spilled(NamedTuple):
    """A block, and the keys of its rows (:func:`sageline.dataset.splits.standing.row_keys`)."""

    block: Block
    keys: RowKeys


class Spill:
    """Keeps blocks in a file without a name, which is gone when it is closed, or when the process ends, however it ends. The
    words are in another one, as it may be another process that reads them.

    A process that is forked meanwhile can read it too. On Lambda, what is below ``/tmp`` is encrypted at rest.

    Args:
        folder: where the files are.
        most_bytes: of the files. When a block does not fit, the spill gives up: it takes no more, and is not complete.

    Attributes:
        is_complete: whether it has all blocks of the dataset.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.is_complete = False
        self._keyed_by: tuple[object, ...] = ()
        self._blocks = PackedFile(folder)
        self._words = PackedFile(folder)
        self._most_bytes = most_bytes
        self._has_room = True
        self._places: list[Place] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._blocks.close()
        self._words.close()

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Spilled]:
        return map(self.read, range(len(self)))

    def add(self, spilled: Spilled) -> Place | None:
        """Keep a block; where it is, or None where there is no room for it."""
        if not self._has_room:
            return None
        place = self._blocks.add(spilled, self._most_bytes - self._size)
        if place is None:
            self._has_room = False
            return None
        self._places.append(place)
        return place

    def add_words(self, words: TrainWords) -> Place | None:
        """Keep the words of a block's train rows; where they are, or None where there is no room to spare. One process may add
        blocks while another one adds words."""
        return self._words.add(words, int(_SHARE_WITH_WORDS * self._most_bytes) - self._size)

    @property
    def _size(self) -> int:
        return self._blocks.size + self._words.size

    def complete(self, split: SplitSpec) -> None:
        """Say that the dataset has no other blocks than were to be added, and which split the keys of their rows are for."""
        self.is_complete = self._has_room
        self._keyed_by = keyed_by(split)

    def has_all(self, split: SplitSpec) -> bool:
        """Whether it has all blocks, and their rows the keys that this split needs."""
        return self.is_complete and self._keyed_by == keyed_by(split)

    def read(self, index: int) -> Spilled:
        """The block that was added as number ``index``."""
        return self.read_at(self._places[index])

    def read_at(self, place: Place) -> Spilled:
        """The block at a place; several processes may read at the same time."""
        return Spilled(*self._blocks.read(place))

    def words_at(self, place: Place) -> TrainWords:
        """The words at a place."""
        words: TrainWords = self._words.read(place)
        return words
