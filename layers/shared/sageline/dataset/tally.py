"""Counting rows and labels while a dataset is read the first time, and what must hold before it is written."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import Any

import numpy as np

from sageline.arrays.blocks import Block
from sageline.dataset.label_column import LabelColumn
from sageline.dataset.split import CHANNELS, PositionArray, bounds_of, channels_of
from sageline.encoder.statistics import NumberStatistics
from sageline.encoder.values import one_name
from sageline.errors import InvalidDataset
from sageline.spec.model import SplitSpec

_FEW_CLASSES = 20
_MOST_RANKED = 10_000  # rows of which the positions are kept, so that a small dataset can be split by rank
_FEWEST_SPLIT = 20


class Tally:
    """Rows per channel, and rows per channel and class (classification) or the labels' statistics (regression).

    Attributes:
        bounds: of the positions that belong to the channels; :meth:`check` moves them where a share would be empty.
        unlabelled: rows that have no label, which are not used.
        files_say_what_is_held_out: the rows are from train and test files.
    """

    def __init__(self, label: LabelColumn, split: SplitSpec, bounds: tuple[float, float] | None = None) -> None:
        self.bounds = bounds or bounds_of(split)
        self.unlabelled = 0
        self.numbers = NumberStatistics()
        self.rows: Counter[str] = Counter(dict.fromkeys(CHANNELS, 0))
        self._split = split
        self._label = label
        self._texts: dict[str, Counter[str]] = {channel: Counter() for channel in CHANNELS}
        self._positions: list[float] = []
        self._labels: list[str] = []
        self.files_say_what_is_held_out = False

    def add(self, block: Block, positions: PositionArray, unlabelled: int) -> None:
        """Count the labelled rows of a block, and how many others it had."""
        channels = channels_of(positions, self.bounds)
        self.unlabelled += unlabelled
        self.files_say_what_is_held_out |= block.side is not None
        labels = self._label.texts(block) if self._label.is_class else [""] * block.rows
        for number, channel in enumerate(CHANNELS):
            here = np.flatnonzero(channels == number)
            self.rows[channel] += len(here)
            if self._label.is_class:
                self._texts[channel].update(map(labels.__getitem__, here.tolist()))
        if not self._label.is_class:
            self.numbers.update(self._label.numbers(block))
        if len(self._positions) <= _MOST_RANKED:
            self._positions += positions.tolist()
            self._labels += labels

    @cached_property
    def classes(self) -> dict[str, Counter[str]]:
        """Channel to the rows of each class, once all rows are counted."""
        names = one_name(sum(self._texts.values(), Counter()))
        counted: dict[str, Counter[str]] = {channel: Counter() for channel in CHANNELS}
        for channel, texts in self._texts.items():
            for text, count in texts.items():
                counted[channel][names[text]] += count
        return counted

    @property
    def total(self) -> int:
        return self.rows.total()

    def left_out(self, channel: str) -> Counter[str]:
        """Rows per class of a channel whose class has no row in train: these cannot be scored."""
        train = self.classes["train"]
        return Counter({label: count for label, count in self.classes[channel].items() if label not in train})

    def unknown_classes(self) -> dict[str, Counter[str]]:
        """:meth:`left_out` of the channels that have any."""
        return {channel: left_out for channel in CHANNELS if (left_out := self.left_out(channel))} if self._label.is_class else {}

    def written(self, channel: str) -> int:
        """Rows of a channel that are left."""
        return self.rows[channel] - self.left_out(channel).total()

    def check(self, source: str) -> None:
        """Raise InvalidDataset when there is too little to learn from, or a share of the split would be empty.

        From 20 different rows on, no share is: where the hashes leave one empty, the rows are shared out by the rank of their
        hashes, which moves :attr:`bounds`.
        """
        advice = (
            "Add rows (equal rows stay together, so add different ones), or change the shares or the seed of `split` in the spec."
        )
        empty = self._empty_share()
        if empty is not None and len(self._positions) == self.total:
            self._split_by_rank()
            empty = self._empty_share()
        if self._label.is_class:
            self._check_classes(source, advice)
        if empty is not None:
            left_out = self.left_out(empty).total()
            why = f" ({left_out} left out: their labels are not in train)" if left_out else ""
            raise InvalidDataset(
                f"{source}: {self._too_few()}: the split leaves none for {empty} "
                f"(share {getattr(self._split, empty):g}){why}. {advice}"
            )

    def _empty_share(self) -> str | None:
        """The first channel that should have rows and has none."""
        return next((name for name in CHANNELS if getattr(self._split, name) > 0 and self.written(name) == 0), None)

    def _split_by_rank(self) -> None:
        """Give each share the number of rows that it asks for, at least one, and more where none of these can be scored. Test
        rows that files name stay as they are."""
        ranked = np.unique(np.array(self._positions))
        shared_out: tuple[str, ...] = CHANNELS[1:]
        held_out_from = 1.0
        if self.files_say_what_is_held_out:
            shared_out = ("validation",)
            held_out_from = bounds_of(self._split)[1]
            ranked = ranked[ranked < held_out_from]
        if len(ranked) < _FEWEST_SPLIT:
            return
        sizes = {name: max(1, round(getattr(self._split, name) / held_out_from * len(ranked))) for name in shared_out}
        sizes["validation"] *= self._split.validation > 0
        while sum(sizes.values()) <= len(ranked) // 2:
            after_train, after_validation = len(ranked) - sum(sizes.values()), len(ranked) - sizes.get("test", 0)
            self.bounds = (_between(ranked, after_train, held_out_from), _between(ranked, after_validation, held_out_from))
            self._count_again()
            empty = self._empty_share()
            if empty is None or empty not in sizes:
                return
            sizes[empty] += 1

    def _count_again(self) -> None:
        self.__dict__.pop("classes", None)
        channels = channels_of(np.array(self._positions), self.bounds).tolist()
        self.rows = Counter(dict.fromkeys(CHANNELS, 0)) + Counter(CHANNELS[channel] for channel in channels)
        if self._label.is_class:
            self._texts = {name: Counter() for name in CHANNELS}
            for channel, label in zip(channels, self._labels, strict=True):
                self._texts[CHANNELS[channel]][label] += 1

    def _check_classes(self, source: str, advice: str) -> None:
        everywhere: Counter[str] = sum(self.classes.values(), Counter())
        if len(everywhere) == 1:
            raise InvalidDataset(
                f"{source}: every label in column {self._label.name!r} is {next(iter(everywhere))!r} ({self._count(self.total)});"
                f" a classifier needs at least two classes. Add rows of other classes, or name another column in dataset.label."
            )
        if len(everywhere) > max(_FEW_CLASSES, self.total // 2):
            raise InvalidDataset(
                f"{source}: column {self._label.name!r} has {len(everywhere)} different labels in {self._count(self.total)}, too "
                f'many to learn. Name another column in dataset.label, or set "task": "regression" if it holds a quantity.'
            )
        train = self.classes["train"]
        if len(train) < 2:
            named = f"only the class {next(iter(train))!r}" if train else "no row"
            raise InvalidDataset(
                f"{source}: {self._too_few()}: the split leaves {named} for train, of {len(everywhere)} classes. {advice}"
            )

    def _too_few(self) -> str:
        """That there are too few rows, and how many different ones there are among them."""
        different = len(np.unique(self._positions)) if len(self._positions) == self.total else self.total
        if different == self.total:
            return f"{self._count(self.total)} {'is' if self.total == 1 else 'are'} too few"
        return f"{self._count(self.total)}, only {different} of them different, are too few"

    def _count(self, rows: int) -> str:
        return "1 row" if rows == 1 else f"{rows} rows"

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        """Rows and labels, as the dataset's profile shows them."""
        rows = {channel: self.written(channel) for channel in CHANNELS}
        rows |= {"left_out": self.total - sum(rows.values()), "unlabelled": self.unlabelled, "total": self.total}
        label: dict[str, Any] = {"column": self._label.name}  # Any: a JSON document
        if self._label.is_class:
            label |= {"classes": {channel: dict(counts.most_common()) for channel, counts in self.classes.items()}}
            label |= {"left_out": {channel: dict(counts) for channel, counts in self.unknown_classes().items()}}
        else:
            label |= self.numbers.profile()
        return {"rows": rows, "label": label}


def _between(ranked: PositionArray, rank: int, end: float) -> float:
    """A position before that of this rank and after the one before it; ``end`` after the last."""
    return float((ranked[rank - 1] + ranked[rank]) / 2) if 0 < rank < len(ranked) else end * (rank > 0)
