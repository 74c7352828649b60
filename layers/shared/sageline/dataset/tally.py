"""Counting rows and labels while a dataset is read the first time, and what must hold before it is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.factors import Factors, factors
from sageline.arrays.strings import IntArray
from sageline.dataset.label_column import LabelColumn, only_class
from sageline.dataset.split import CHANNELS, PositionArray, bounds_of, channels_of
from sageline.dataset.splits.class_positions import ClassPositions
from sageline.dataset.splits.different_rows import DifferentRows
from sageline.dataset.splits.plan import Assigned, SplitPlan
from sageline.dataset.splits.warnings import about_classes, about_rows, about_shares
from sageline.encoder.statistics import NumberStatistics
from sageline.encoder.values import one_name
from sageline.errors import InvalidDataset
from sageline.spec.model import SplitSpec

_FEW_CLASSES = 20
_FEWEST_SPLIT = 20


class Tally:
    """Rows per channel, and rows per channel and class (classification) or the labels' statistics (regression).

    Attributes:
        plan: the split that the rows are counted by.
        unlabelled: rows that have no label, which are not used.
        files_say_what_is_held_out: the rows are from train and test files.
        without_place: labelled rows that say no time, or no channel, which are not used.
        copies: labelled rows per channel that equal rows of a channel before it; see :attr:`SplitPlan.uses_copies`.
    """

    def __init__(self, label: LabelColumn, split: SplitSpec, plan: SplitPlan) -> None:
        self.plan = plan
        self.unlabelled = self.without_place = 0
        self.copies: Counter[str] = Counter()
        self.numbers = NumberStatistics()
        self.rows: Counter[str] = Counter(dict.fromkeys(CHANNELS, 0))
        self._split = split
        self._label = label
        self._texts: dict[str, Counter[str]] = {channel: Counter() for channel in CHANNELS}
        self._different = DifferentRows()
        self._outermost = ClassPositions(plan.bounds)
        # Whether hashes decide, of all rows or between train and validation.
        self._may_be_moved = split.by == "hash" or (split.by == "given" and plan.bounds[1] <= bounds_of(split)[1])
        self.files_say_what_is_held_out = False

    def leave_out(self, unlabelled: int, assigned: Assigned) -> None:
        """Count the rows of a block that are not used."""
        self.unlabelled += unlabelled
        self.without_place += assigned.without_place
        self.copies.update(dict(zip(CHANNELS, assigned.copies.tolist(), strict=True)))

    def add(self, block: Block, positions: PositionArray, channels: IntArray) -> None:
        """Count the rows of a block that are used."""
        self.files_say_what_is_held_out |= block.side is not None
        counts = np.bincount(channels, minlength=len(CHANNELS)).tolist()
        self.rows.update(dict(zip(CHANNELS, counts, strict=True)))
        labels = factors(block.columns[self._label.name]) if self._label.is_class else None
        if labels is None:
            self.numbers.update(self._label.numbers(block))
        else:
            self._count_classes(labels, channels)
            if self._may_be_moved:
                self._outermost.add(labels, positions)
        self._different.add(positions, labels)

    def merge(self, after: Tally) -> None:
        """Add what another one, of the same label, split and plan, has counted of the rows behind those of this one, before
        either is settled."""
        self.unlabelled += after.unlabelled
        self.without_place += after.without_place
        self.copies.update(after.copies)
        self.numbers.merge(after.numbers)
        self.rows.update(after.rows)
        for channel, texts in after._texts.items():
            self._texts[channel].update(texts)
        self._different.merge(after._different)
        self._outermost.merge(after._outermost)
        self.files_say_what_is_held_out |= after.files_say_what_is_held_out
        self.__dict__.pop("classes", None)

    def _count_classes(self, labels: Factors, channels: IntArray, rows: IntArray | None = None) -> None:
        """Count labels, each of which stands for so many rows, if not for one."""
        texts, width = labels.values.tolist(), len(labels.values)
        counted = np.bincount(channels * width + labels.codes, weights=rows, minlength=len(CHANNELS) * width)
        for channel, counts in zip(CHANNELS, counted.reshape(len(CHANNELS), width), strict=True):
            self._texts[channel].update({texts[code]: int(counts[code]) for code in np.flatnonzero(counts).tolist()})

    @cached_property
    def classes(self) -> dict[str, Counter[str]]:
        """Channel to the rows of each class, once all rows are counted; classes in alphabetical order."""
        names = one_name(self._all_texts())
        counted: dict[str, Counter[str]] = {channel: Counter() for channel in CHANNELS}
        for channel, texts in self._texts.items():
            for text in sorted(texts, key=lambda text: (names[text], text)):
                counted[channel][names[text]] += texts[text]
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

    def settle(self) -> SplitPlan:
        """The split for which every row is known: the same, unless a share or a class would be without rows.

        From 20 different rows on, no share is: where the hashes leave one empty, the rows are shared out by the rank of their
        hashes. And each class is in each share, as far as it has different rows (:class:`ClassPositions`).
        """
        if not self._may_be_moved:
            return self.plan
        if self._empty_share() is not None and not self._different.is_full:
            self._split_by_rank()
        if self._label.is_class:
            self._bring_in_classes()
        return self.plan

    def check(self, source: str) -> None:
        """Raise InvalidDataset when there is too little to learn from, or a share of the split is empty."""
        if self._label.is_class:
            self._check_classes(source, self._advice)
        empty = self._empty_share()
        if empty is not None:
            left_out = self.left_out(empty).total()
            why = f" ({left_out} left out: their labels are not in train)" if left_out else ""
            if self._dropped(empty):
                why += f" ({self._dropped(empty):,} not used: an earlier share has equal rows)"
            share = "" if self._split.by == "given" else f" (share {getattr(self._split, empty):g})"
            by = self._of_column if self._split.column is not None else f"{self._too_few()}:"
            raise InvalidDataset(f"{source}: {by} the split leaves none for {empty}{share}{why}. {self._advice}")

    @property
    def _of_column(self) -> str:
        return f"of {self._count(self.total)} that go by {self._split.column!r}"

    def _dropped(self, channel: str) -> int:
        """Copies that are not used."""
        return 0 if self.plan.uses_copies else self.copies[channel]

    @property
    def _advice(self) -> str:
        column = self._split.column
        match self._split.by:
            case "time":
                return f"Add rows, change the shares of `split` in the spec, or split by another column than {column!r}."
            case "group":
                return f"Add rows of other values of {column!r}, or change the shares or the seed of `split` in the spec."
            case "given" if column is not None:
                return f"Say in the column {column!r} which rows train and which test, or split otherwise."
        return (
            "Add rows (equal rows stay together, so add different ones), or change the shares or the seed of `split` in the spec."
        )

    def _empty_share(self) -> str | None:
        """The first channel that should have rows and has none."""
        return next((name for name in CHANNELS if getattr(self._split, name) > 0 and self.written(name) == 0), None)

    def _split_by_rank(self) -> None:
        """Give each share the number of rows that it asks for, at least one, and more where none of these can be scored. Test
        rows that files name stay as they are."""
        ranked = np.unique(self._different.positions)
        shared_out: tuple[str, ...] = CHANNELS[1:]
        held_out_from = 1.0
        if self._is_held_out_given:
            shared_out = ("validation",)
            held_out_from = bounds_of(self._split)[1]
            ranked = ranked[ranked < held_out_from]
        if len(ranked) < _FEWEST_SPLIT:
            return
        sizes = {name: max(1, round(getattr(self._split, name) / held_out_from * len(ranked))) for name in shared_out}
        sizes["validation"] *= self._split.validation > 0
        while sum(sizes.values()) <= len(ranked) // 2:
            after_train, after_validation = len(ranked) - sum(sizes.values()), len(ranked) - sizes.get("test", 0)
            bounds = (_between(ranked, after_train, held_out_from), _between(ranked, after_validation, held_out_from))
            self.plan = replace(self.plan, bounds=bounds)
            self._count_again()
            empty = self._empty_share()
            if empty is None or empty not in sizes:
                return
            sizes[empty] += 1

    @property
    def _is_held_out_given(self) -> bool:
        return self.files_say_what_is_held_out or self._split.by == "given"

    def _count_again(self) -> None:
        self.__dict__.pop("classes", None)
        positions, rows = self._different.positions, self._different.counts
        channels = channels_of(positions, self.plan.bounds)
        counts = np.bincount(channels, weights=rows, minlength=len(CHANNELS)).astype(np.int64).tolist()
        self.rows = Counter(dict(zip(CHANNELS, counts, strict=True)))
        if self._label.is_class:
            self._texts = {name: Counter() for name in CHANNELS}
            labels = factors(self._different.labels)
            self._count_classes(labels, channels, rows)
            self._outermost = ClassPositions(self.plan.bounds)
            self._outermost.add(labels, positions)

    def _bring_in_classes(self) -> None:
        shares = [name for name in CHANNELS if getattr(self._split, name) > 0]
        everywhere: Counter[str] = sum(self.classes.values(), Counter())
        lacking = [label for label in everywhere if any(not self.classes[share][label] for share in shares)]
        moves = self._outermost.moves(
            one_name(self._all_texts()), lacking, validation="validation" in shares, is_given=self._is_held_out_given
        )
        if len(moves.positions):
            self.plan = replace(self.plan, moves=moves)

    def _all_texts(self) -> Counter[str]:
        return sum(self._texts.values(), Counter())

    def _check_classes(self, source: str, advice: str) -> None:
        everywhere: Counter[str] = sum(self.classes.values(), Counter())
        if len(everywhere) == 1:
            raise InvalidDataset(f"{source}: {only_class(self._label.name, next(iter(everywhere)), self.total)}")
        if len(everywhere) > max(_FEW_CLASSES, self.total // 2):
            raise InvalidDataset(
                f"{source}: column {self._label.name!r} has {len(everywhere)} different labels in {self._count(self.total)}, too "
                f'many to learn. Name another column in dataset.label, or set "task": "regression" if it holds a quantity.'
            )
        train = self.classes["train"]
        if len(train) < 2:
            named = f"only the class {next(iter(train))!r}" if train else "no row"
            of = f"of {len(everywhere)} classes. {advice}"
            if self._split.column is not None:
                raise InvalidDataset(f"{source}: {self._of_column} the split leaves {named} for train, {of}")
            raise InvalidDataset(f"{source}: {self._too_few()}: the split leaves {named} for train, {of}")

    def _too_few(self) -> str:
        """That there are too few rows, and how many different ones there are among them."""
        different = self.total if self._different.is_full else len(np.unique(self._different.positions))
        if different == self.total:
            return f"{self._count(self.total)} {'is' if self.total == 1 else 'are'} too few"
        return f"{self._count(self.total)}, only {different} of them different, are too few"

    def _count(self, rows: int) -> str:
        return "1 row" if rows == 1 else f"{rows} rows"

    def warnings(self) -> list[str]:
        """What a person should know of how the split came out."""
        first = self.plan.first_channels
        warnings = about_rows(self._split, self.without_place, self.copies, is_exact=first is None or first.is_exact)
        warnings += about_shares(self._split, {channel: self.rows[channel] + self._dropped(channel) for channel in CHANNELS})
        return warnings + (about_classes(self._split, self.classes) if self._label.is_class else [])

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        """Rows and labels, as the dataset's profile shows them."""
        rows = {channel: self.written(channel) for channel in CHANNELS}
        rows |= {"left_out": self.total - sum(rows.values()), "unlabelled": self.unlabelled, "total": self.total}
        rows |= {"without_place": self.without_place} if self.without_place else {}
        rows |= {f"{channel}_copies": count for channel, count in self.copies.items() if count}
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
