"""Counting rows and labels while a dataset is read the first time, and what must hold before it is written."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from sageline.dataset.blocks import Block, IntArray
from sageline.dataset.split import CHANNELS
from sageline.encoder.numbers import BadNumber, parse_numbers
from sageline.encoder.statistics import NumberStatistics
from sageline.errors import InvalidDataset
from sageline.spec.model import Split

_FEW_CLASSES = 20


class Tally:
    """Rows per channel, and rows per channel and class (classification) or the labels' statistics (regression)."""

    def __init__(self, label: str, *, classification: bool) -> None:
        self.rows: Counter[str] = Counter(dict.fromkeys(CHANNELS, 0))
        self.classes: dict[str, Counter[str]] = {channel: Counter() for channel in CHANNELS}
        self.numbers = NumberStatistics()
        self._label = label
        self._classification = classification

    def add(self, block: Block, channels: IntArray) -> None:
        """Count a block's rows; a row without a usable label is an error that names it."""
        if self._label not in block.columns:
            raise InvalidDataset(f"{block.source}: no column {self._label!r}; the columns are {', '.join(block.columns)}.")
        column = block.columns[self._label]
        labels = column.tolist()
        for index, label in enumerate(labels):
            if not label.strip():
                raise InvalidDataset(
                    f"{block.where(index)}: the label column {self._label!r} is empty. Fill it in, or remove the row."
                )
        for place, channel in enumerate(CHANNELS):
            here = np.flatnonzero(channels == place)
            self.rows[channel] += len(here)
            if self._classification:
                self.classes[channel].update(labels[index] for index in here.tolist())
        if not self._classification:
            self._add_numbers(block)

    def _add_numbers(self, block: Block) -> None:
        advice = 'Correct it, remove the row, or set "task": "classification" in the spec.'
        try:
            values = parse_numbers(block.columns[self._label])
        except BadNumber as error:
            raise InvalidDataset(f"{block.where(error.index)}, label column {self._label!r}: {error.problem}. {advice}") from None
        missing = np.flatnonzero(np.isnan(values))
        if len(missing):
            index = int(missing[0])
            value = block.columns[self._label][index]
            raise InvalidDataset(f"{block.where(index)}: the label column {self._label!r} holds {value!r}, no number. {advice}")
        self.numbers.update(values)

    @property
    def total(self) -> int:
        return self.rows.total()

    def left_out(self, channel: str) -> Counter[str]:
        """Rows per class of a channel whose class has no row in train: these cannot be scored."""
        train = self.classes["train"]
        return Counter({label: count for label, count in self.classes[channel].items() if label not in train})

    def written(self, channel: str) -> int:
        """Rows of a channel that are left."""
        return self.rows[channel] - self.left_out(channel).total()

    def check(self, source: str, split: Split) -> None:
        """Raise InvalidDataset when there is too little to learn from, or a split would be empty."""
        advice = (
            "Add rows (equal rows stay together, so add different ones), or change the shares or the seed of `split` in the spec."
        )
        if self._classification:
            self._check_classes(source, advice)
        for channel in CHANNELS:
            share = getattr(split, channel)
            if share > 0 and self.written(channel) == 0:
                left_out = self.left_out(channel).total()
                why = f" ({left_out} left out: their labels are not in train)" if left_out else ""
                raise InvalidDataset(
                    f"{source}: {self._count(self.total)} are too few: the split leaves none for {channel} "
                    f"(share {share:g}){why}. {advice}"
                )

    def _check_classes(self, source: str, advice: str) -> None:
        everywhere: Counter[str] = sum(self.classes.values(), Counter())
        if len(everywhere) == 1:
            raise InvalidDataset(
                f"{source}: every label in column {self._label!r} is {next(iter(everywhere))!r} ({self._count(self.total)}); a "
                f"classifier needs at least two classes. Add rows of other classes, or name another column in dataset.label."
            )
        if len(everywhere) > max(_FEW_CLASSES, self.total // 2):
            raise InvalidDataset(
                f"{source}: column {self._label!r} has {len(everywhere)} different labels in {self._count(self.total)}, too "
                f'many to learn. Name another column in dataset.label, or set "task": "regression" if it holds a quantity.'
            )
        train = self.classes["train"]
        if len(train) < 2:
            named = f"only the class {next(iter(train))!r}" if train else "no row"
            raise InvalidDataset(
                f"{source}: {self._count(self.total)} are too few: the split leaves {named} for train, of "
                f"{len(everywhere)} classes. {advice}"
            )

    def _count(self, rows: int) -> str:
        return "1 row" if rows == 1 else f"{rows} rows"

    def profile(self) -> dict[str, Any]:  # Any: a JSON document
        """Rows and labels, as the dataset's profile shows them."""
        left_out = {channel: dict(self.left_out(channel)) for channel in ("validation", "test") if self.left_out(channel)}
        rows = {channel: self.written(channel) for channel in CHANNELS}
        rows |= {"left_out": self.total - sum(rows.values()), "total": self.total}
        label: dict[str, Any] = {"column": self._label}  # Any: a JSON document
        if self._classification:
            label |= {"classes": {channel: dict(counts.most_common()) for channel, counts in self.classes.items()}}
            label |= {"left_out": left_out}
        else:
            label |= self.numbers.profile()
        return {"rows": rows, "label": label}
