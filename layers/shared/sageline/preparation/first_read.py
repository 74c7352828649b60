"""The first reading of a dataset: counting its rows, and fitting the encoder to those that train."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.hashing import HashArray
from sageline.arrays.matrix import FloatArray
from sageline.arrays.strings import BoolArray
from sageline.dataset.label_column import LabelColumn
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.split import CHANNELS
from sageline.dataset.splits.plan import SplitPlan
from sageline.dataset.splits.standing import RowKeys, Standing, row_keys
from sageline.dataset.splits.survey import SplitSurvey
from sageline.dataset.statistics import DatasetStatistics
from sageline.dataset.tally import Tally
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.fitting import Fit, finish_fit, merge_fits, start_fit
from sageline.encoder.labels import learnt_values
from sageline.errors import InvalidDataset
from sageline.preparation.class_weight import class_weights
from sageline.preparation.encoding.asked_rows import asked_share
from sageline.preparation.encoding.row_encoding import RowEncoding, labelled, standing_reader
from sageline.preparation.encoding.train_words import TrainWords
from sageline.preparation.hashed_blocks import HashedBlock
from sageline.preparation.packed_file import Place
from sageline.preparation.spill import Spill
from sageline.preparation.weight_column import WeightColumn
from sageline.resolve.resolution import Resolution


@dataclass(frozen=True)
class Prepared:
    """The result of preparing a dataset.

    Attributes:
        rows: rows written per share of the split: ``train``, ``validation``, ``test``.
        num_class: number of classes; None for a regression.
        feature_dim: columns of an encoded row.
        profile: counts and statistics of the dataset, as a JSON document.
    """

    encoder: FittedEncoder
    rows: dict[str, int]
    num_class: int | None
    feature_dim: int
    profile: dict[str, Any]  # Any: a JSON document


@dataclass
class Counted:
    """What a :class:`FirstRead` has counted, without what it counts by: of some rows, to be merged with that of those after them.

    Attributes:
        problem: what kept it from reading on, if anything did.
    """

    tally: Tally
    survey: SplitSurvey
    statistics: DatasetStatistics
    fit: Fit
    weight: WeightColumn | None
    problem: tuple[str, dict[str, Any]] | None  # Any: what an error's details hold


class FirstRead:
    """Counts rows and labels, and fits the encoder on the train rows.

    Attributes:
        resolution: of the spec, by which the rows are read.
        plan: of the split that the fit went by; None where rows are read to make it, and nothing is fitted.
        survey: what makes a plan.
        transform: the scale that a regression is learnt on.
        weight: the column that says how much a row counts; None where all count alike.
        class_weights: ``float32[classes]``, with which the weights of train rows are multiplied, if they are.
        words: of each block, where in the spill the words of its train rows are, if they are there.
        problem: what kept it from reading on, if anything did. The profile is complete all the same: it may tell that the
            resolution was wrong.
    """

    def __init__(self, resolution: Resolution, plan: SplitPlan | None, *, keep_words: bool = False) -> None:
        """``keep_words``: there is a spill for them."""
        spec = resolution.spec
        name, task = spec.dataset.label or "", spec.task or "classification"
        self.resolution = resolution
        self.transform = spec.target.transform or "none"
        self.label = LabelColumn(
            name,
            task,
            resolution.spelling(name),
            is_number=resolution.label_is_number,
            no_label=resolution.no_label,
            not_negative=self.transform == "log",
        )
        weight = spec.dataset.weight
        self.weight = None if weight is None else WeightColumn(weight, resolution.spelling(weight))
        self.class_weights: FloatArray | None = None
        self.plan = plan
        self.survey = SplitSurvey(spec.split)
        self.tally = Tally(self.label, spec.split, plan or SplitPlan((0.0, 0.0)))
        self._reader = standing_reader(resolution)
        self.statistics = DatasetStatistics(spec.dataset.features or {}, name, resolution.spellings)
        self.fit = start_fit(spec, resolution.spellings, resolution.date_formats, keep_words=keep_words)
        self.words: list[Place | None] = []
        self.source = spec.dataset.uri or "dataset"  # the whole of it; a block names its part
        self.problem: InvalidDataset | None = None
        self.features: dict[str, Any] = {}  # Any: a JSON document
        self._encoder: FittedEncoder | InvalidDataset = InvalidDataset("The dataset is not read yet.")

    @property
    def encoder(self) -> FittedEncoder:
        """The fitted encoder, once all rows are read and :meth:`finish` is called.

        Raises:
            InvalidDataset: there is nothing to learn from in a column.
        """
        if isinstance(self._encoder, Exception):
            raise self._encoder
        return self._encoder

    def finish(self) -> FirstRead:
        """Make the encoder, and the profile of the features, and forget what they are made from, which is much more."""
        if self.problem is None and self.plan is not None:
            try:
                self._encoder = finish_fit(self.fit, self.resolution.spec, self.tally.classes["train"], self.source)
            except InvalidDataset as error:
                self._encoder = error  # what the tally finds wrong is to be said first
            self.features = self.fit.profile()
        del self.fit
        return self

    def read(self, blocks: Iterable[HashedBlock], spill: Spill | None, profile: DatasetProfile | None = None) -> None:
        """Read the dataset once, also into a profile."""
        for block, hashes, _ in blocks:
            if profile is not None:
                profile.add(block, hashes)
            self.add(block, hashes, spill, has_profile=profile is not None)

    def add(self, block: Block, hashes: Mapping[str, HashArray], spill: Spill | None, *, has_profile: bool = True) -> None:
        """Read a block, after which a :attr:`problem` may be there; without a profile to complete it is raised."""
        self.source = self.resolution.spec.dataset.uri or block.source
        if self.problem is not None:
            return
        try:
            words = self._add(block, hashes)
            self.words.append(None if spill is None or words is None else spill.add_words(words))
        except InvalidDataset as error:
            self.problem = _advised(error)
            if not has_profile:
                raise self.problem from None

    def _add(self, block: Block, hashes: Mapping[str, HashArray]) -> TrainWords | None:
        features = self.resolution.spec.dataset.features or {}
        split_column = self.resolution.spec.split.column
        read = [*features, split_column] if split_column is not None else list(features)
        absent = next((name for name in read if name not in block.columns), None)
        if absent is not None:
            raise InvalidDataset(f"{block.source}: no column {absent!r}; the columns are {', '.join(block.columns)}.")
        there = self.label.is_there(block)
        unlabelled = block.rows - int(np.count_nonzero(there))
        keys = row_keys(block, hashes, self.resolution.spec.split)
        if unlabelled:
            block, keys, hashes = block.take(there), keys.take(there), _taken(hashes, there)
        standing = self._reader.read(block, keys)
        if self.plan is None:
            self.survey.add(standing)
            return None
        assigned = self.plan.assign(standing)
        self.tally.leave_out(unlabelled, assigned)
        channels, used = assigned.channels, assigned.channels >= 0
        if not used.all():
            block, standing, hashes, channels = block.take(used), standing.take(used), _taken(hashes, used), channels[used]
        self.tally.add(block, standing.positions, channels)
        self.statistics.add(block, hashes)
        labels = (
            block.columns[self.label.name] if self.label.is_class else learnt_values(self.label.numbers(block), self.transform)
        )
        if self.weight is not None:
            self.weight.add(block, channels)
        is_train = channels == CHANNELS.index("train")
        words = self.fit.update(replace(block, folds=standing.folds), is_train, labels)
        return TrainWords(block.row_numbers[is_train], words) if words else None

    def counted(self) -> Counted:
        """What was counted, for a function that goes on with it; before :meth:`finish`. Nothing is to be added afterwards."""
        self.tally.plan = replace(self.tally.plan, first_channels=None)  # which is large, and known to who merges
        problem = None if self.problem is None else (self.problem.message, self.problem.details)
        return Counted(self.tally, self.survey, self.statistics, self.fit, self.weight, problem)

    def merge(self, after: Counted) -> None:
        """Add what another read has counted of the rows that come after those of this one, by the same resolution and plan."""
        if self.problem is not None:
            return
        if after.problem is not None:
            message, details = after.problem
            self.problem = InvalidDataset(message, **details)
            return
        self.tally.merge(after.tally)
        self.survey.merge(after.survey)
        self.statistics.merge(after.statistics)
        merge_fits(self.fit, after.fit)
        if self.weight is not None and after.weight is not None:
            self.weight.merge(after.weight)

    def forget_survey(self) -> None:
        """Forget what the split was planned by, which may be much, and is not needed any more."""
        self.survey = SplitSurvey(self.resolution.spec.split)

    def standing(self, block: Block, keys: RowKeys) -> Standing:
        """Where the labelled rows of a block stand.

        Args:
            keys: of all rows of the block.
        """
        return labelled(block, keys, self.label, self._reader)[1]

    def check(self) -> None:
        """See whether there is enough to learn from, and find the weights of the classes, once the plan is settled.

        Raises:
            InvalidDataset: one class only, a split without rows, or with rows that have no weight.
            InvalidSpec: a class is to have a weight that no train row has.
        """
        self.tally.check(self.source)
        if self.weight is not None:
            self.weight.check(self.source)
        given = self.resolution.spec.algorithm.class_weight
        if given is not None and self.encoder.weighted:
            weights = class_weights(given, self.tally.classes["train"], self.encoder.classes or [])
            self.class_weights = np.array(weights, dtype=np.float32)

    def encoding(self, *, asks_validation: bool) -> RowEncoding:
        """What the rows are encoded with; ``asks_validation``: the model is asked about validation rows too."""
        share = asked_share(self.encoder, self.tally.written("validation")) if asks_validation else 0.0
        return RowEncoding(self.encoder, self.tally.plan, self.label, self.weight, self.class_weights, self.resolution, share)

    def prepared(self, rows: dict[str, int]) -> Prepared:
        """The result, when so many rows were written per channel.

        Raises:
            InvalidDataset: there were other rows at first.
        """
        expected = {channel: self.tally.written(channel) for channel in CHANNELS}
        if rows != expected:
            raise InvalidDataset(
                f"{self.source}: changed while it was read: {expected} rows at first, then {rows}. Run it again."
            )
        encoder = self.encoder
        return Prepared(
            encoder=encoder,
            rows=rows,
            num_class=None if encoder.classes is None else len(encoder.classes),
            feature_dim=encoder.feature_dim,
            profile={
                **self.tally.profile(),
                "columns": self.statistics.profile(),
                "features": self.features,
                **({} if self.weight is None else {"weight": self.weight.profile()}),
            },
        )


def _taken(hashes: Mapping[str, HashArray], rows: BoolArray) -> dict[str, HashArray]:
    return {name: of_column[rows] for name, of_column in hashes.items()}


def _advised(error: InvalidDataset) -> InvalidDataset:
    """The error, with what the spec can say of a column that was taken for one of numbers."""
    if "column" not in error.details:
        return error
    dataset = {"kinds": {error.details["column"]: "category"}}
    say = json.dumps({"dataset": dataset}, ensure_ascii=False)
    return InvalidDataset(f"{error.message} If the column holds something else, say so in the spec: {say}.", **error.details)
