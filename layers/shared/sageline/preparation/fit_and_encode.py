"""Preparing a dataset: split, fit, encode, write; reads the data twice or more, and holds one block at a time in each process."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.hashing import HashArray
from sageline.arrays.matrix import FloatArray
from sageline.arrays.strings import BoolArray
from sageline.batch.encode import EncodedRows, encoded_rows
from sageline.dataset.label_column import LabelColumn
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.profiles.findings import Findings
from sageline.dataset.split import CHANNELS, as_positions, hash_columns
from sageline.dataset.splits.copies import ContentFilters
from sageline.dataset.splits.plan import SplitPlan, initial_plan
from sageline.dataset.splits.standing import RowKeys, Standing, StandingReader, row_keys
from sageline.dataset.splits.survey import SplitSurvey, fill
from sageline.dataset.statistics import DatasetStatistics
from sageline.dataset.tally import Tally
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.fitting import finish_fit, start_fit
from sageline.encoder.labels import learnt_values
from sageline.errors import InvalidDataset
from sageline.formats.npy import ArrayPair
from sageline.preparation.asked_rows import asked_rows, asked_share, is_asked
from sageline.preparation.class_weight import class_weights
from sageline.preparation.hashed_blocks import HashedBlock, hashed_blocks
from sageline.preparation.means import ALONE, Means
from sageline.preparation.packed_file import Place
from sageline.preparation.raw_rows import RawRows
from sageline.preparation.second_process import ProcessChannel, SecondProcess
from sageline.preparation.spill import Spill
from sageline.preparation.train_words import TrainWords
from sageline.preparation.weight_column import WeightColumn
from sageline.resolve.resolution import Resolution


class PartSink(Protocol):
    """Takes the prepared data, piece by piece."""

    def write(self, channel: str, part: bytes | ArrayPair) -> None:
        """Store the next rows of a channel: ``train``, ``validation``, ``test-raw`` or ``validation-labels``. Never empty; may be
        small."""


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


def read_and_fit(
    read_blocks: Callable[[], Iterator[Block]],
    resolution: Resolution,
    resolve: Callable[[DatasetProfile], Resolution] | None = None,
    means: Means = ALONE,
    findings: Findings | None = None,
) -> FirstRead:
    """Read every row: count, split, fit the encoder on the train rows.

    Args:
        read_blocks: starts reading the dataset from its first row; called once, and again where ``resolve`` finds that the
            resolution does not hold for all rows, or where the split can be told only when all rows are known, unless there is a
            spill.
        resolution: of the spec, maybe from a sample of the rows.
        resolve: resolves the spec for good, when every row has been seen.
        findings: of the sample; without them the profile of all rows finds it out as it goes.

    Raises:
        InvalidDataset: missing or unusable values (row and column named), one class only, a split without rows, or
            with rows that have no weight.
        InvalidSpec: a class is to have a weight that no train row has.
    """
    profile = DatasetProfile(findings=findings)
    first = FirstRead(resolution, initial_plan(resolution.spec.split), keep_words=means.spill is not None)
    first = _read(first, read_blocks, means, profile)
    if resolve is not None:
        resolution = resolve(profile)
    first = _again(first, resolution, read_blocks, means)
    if first.problem is not None:
        raise first.problem
    if first.plan is None:
        first = _again(first, resolution, read_blocks, means, _survey_plan(first, read_blocks, means))
    first = _again(first, resolution, read_blocks, means, first.tally.settle())
    first.tally.check(first.source)
    if first.weight is not None:
        first.weight.check(first.source)
    given = first.resolution.spec.algorithm.class_weight
    if given is not None and first.encoder.weighted:
        weights = class_weights(given, first.tally.classes["train"], first.encoder.classes or [])
        first.class_weights = np.array(weights, dtype=np.float32)
    return first


def prepare(
    read_blocks: Callable[[], Iterator[Block]],
    first: FirstRead,
    sink: PartSink,
    ask: Callable[[EncodedRows], None],
    means: Means = ALONE,
    *,
    ask_validation: Callable[[EncodedRows], None] | None = None,
) -> Prepared:
    """Encode every row that has a label and write the parts.

    Parts of ``train`` and ``validation`` hold encoded rows with their labels. Test rows are encoded as the model will be asked
    about them, and stay raw too, because more than one model may be judged by them: parts of ``test-raw`` are JSON Lines,
    ``{"features": {column: value}, "label": value}``. Columns that are left out of the features are there too,
    ``"others": {column: text}``: another model may read them. ``"weight"`` is there where a column says it.

    Validation rows that the model will be asked about too (:mod:`sageline.preparation.asked_rows`) have their labels in
    ``validation-labels``, JSON Lines again, ``{"label": value}`` and maybe the weight.

    Args:
        read_blocks: starts reading the dataset from its first row; called once, unless a spill has the blocks.
        first: what :func:`read_and_fit` has returned.
        ask: takes the encoded test rows, in the order of the raw ones.
        ask_validation: takes the encoded validation rows in the order of their labels; None: the model is not asked about any.
        means: those that the data were read with.

    Raises:
        InvalidDataset: the data are not those that were read first.
    """
    encoder = first.encoder
    share = 0.0 if ask_validation is None else asked_share(encoder, first.tally.written("validation"))
    with closing(_pieces(read_blocks, first, means, share)) as pieces:
        rows = _write(pieces, sink, ask, ask_validation)
    expected = {channel: first.tally.written(channel) for channel in CHANNELS}
    if rows != expected:
        raise InvalidDataset(f"{first.source}: changed while it was read: {expected} rows at first, then {rows}. Run it again.")
    return Prepared(
        encoder=encoder,
        rows=rows,
        num_class=None if encoder.classes is None else len(encoder.classes),
        feature_dim=encoder.feature_dim,
        profile={
            **first.tally.profile(),
            "columns": first.statistics.profile(),
            "features": first.features,
            **({} if first.weight is None else {"weight": first.weight.profile()}),
        },
    )


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

    @property
    def raw(self) -> RawRows:
        """How rows are written by which models are judged."""
        return RawRows(self.encoder, self.label, self.weight, self.resolution)

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

    def standing(self, block: Block, keys: RowKeys) -> tuple[Block, Standing]:
        """The labelled rows of a block, and where they stand.

        Args:
            keys: of all rows of the block.
        """
        there = self.label.is_there(block)
        if not there.all():
            block, keys = block.take(there), keys.take(there)
        return block, self._reader.read(block, keys)


def _taken(hashes: Mapping[str, HashArray], rows: BoolArray) -> dict[str, HashArray]:
    return {name: of_column[rows] for name, of_column in hashes.items()}


def _advised(error: InvalidDataset) -> InvalidDataset:
    """The error, with what the spec can say of a column that was taken for one of numbers."""
    if "column" not in error.details:
        return error
    dataset = {"kinds": {error.details["column"]: "category"}}
    say = json.dumps({"dataset": dataset}, ensure_ascii=False)
    return InvalidDataset(f"{error.message} If the column holds something else, say so in the spec: {say}.", **error.details)


def _again(
    first: FirstRead,
    resolution: Resolution,
    read_blocks: Callable[[], Iterator[Block]],
    means: Means,
    plan: SplitPlan | None = None,
) -> FirstRead:
    """The first read, or another one where it went by another resolution or another plan of the split."""
    plan = plan or first.plan
    if first.resolution.reads_like(resolution) and first.plan is plan:
        return first
    return _read(FirstRead(resolution, plan, keep_words=means.spill is not None), read_blocks, means)


def _survey_plan(first: FirstRead, read_blocks: Callable[[], Iterator[Block]], means: Means) -> SplitPlan:
    """The plan that follows from the survey of all rows, which takes another reading where there are very many of them."""
    plan = first.survey.plan(first.source)
    if not first.survey.needs_filters:
        return plan
    filters = ContentFilters()
    for block, keys in _keyed_blocks(read_blocks, first, means.spill):
        fill(filters, plan, first.standing(block, keys)[1])
    return replace(plan, first_channels=filters)


def _read(
    first: FirstRead, read_blocks: Callable[[], Iterator[Block]], means: Means, profile: DatasetProfile | None = None
) -> FirstRead:
    """The first read when it has read all blocks, in this process or in a second one, which does it while this one parses."""
    blocks = hashed_blocks(read_blocks, means.spill, first.resolution.spec.split)
    if means.processes == 1 or (means.spill is not None and means.spill.is_complete):
        first.read(blocks, means.spill, profile)
        return first.finish()
    with SecondProcess(partial(_read_beside, first, means.spill, profile is not None)) as second:
        for block, hashes, place in blocks:
            if profile is not None:
                profile.add(block, hashes)
            second.send((block if place is None else place, hashes))
            del block, hashes  # while the next ones are made
        second.send(None)
        read: FirstRead = second.receive()
        return read


def _read_beside(first: FirstRead, spill: Spill | None, has_profile: bool, channel: ProcessChannel) -> None:
    """Read the blocks that come through the channel, or are in the spill, and answer with the first read."""
    while (received := channel.receive()) is not None:
        block, hashes = received
        if first.problem is None:
            if spill is not None and isinstance(block, Place):
                block, _ = spill.read_at(block)
            first.add(block, hashes, spill, has_profile=has_profile)
        del received, block, hashes  # while the next ones are read
    channel.send(first.finish())


def standing_reader(resolution: Resolution) -> StandingReader:
    """Reads where rows stand in the split of a resolved spec."""
    split = resolution.spec.split
    column = split.column or ""
    return StandingReader(split, resolution.date_formats.get(column), resolution.spelling(column))


class _Piece(NamedTuple):
    """Encoded rows of a channel; of ``test``, the part is of the raw ones. ``labels`` are those of the validation rows that the
    model is asked about."""

    channel: str
    rows: int
    part: bytes | ArrayPair
    asked: list[EncodedRows]
    labels: bytes = b""


def _pieces(read_blocks: Callable[[], Iterator[Block]], first: FirstRead, means: Means, share: float) -> Generator[_Piece]:
    """Every row whose label the encoder knows, in their order; where there are two processes, each encodes every other block."""
    spill = means.spill
    has_all = spill is not None and spill.has_all(first.resolution.spec.split)
    if spill is None or not has_all or means.processes == 1 or len(spill) == 1:
        for index, (block, keys) in enumerate(_keyed_blocks(read_blocks, first, spill)):
            yield from _encoded(block, keys, first, share, _words_of(first, spill, index))
        return
    with SecondProcess(partial(_encode_every_other, first, spill, share)) as second:
        for index in range(len(spill)):
            yield from second.receive() if index % 2 else _encoded_of_spill(index, spill, first, share)


def _keyed_blocks(
    read_blocks: Callable[[], Iterator[Block]], first: FirstRead, spill: Spill | None
) -> Iterator[tuple[Block, RowKeys]]:
    """All blocks with the keys of their rows, from the spill where it has them."""
    split = first.resolution.spec.split
    if spill is not None and spill.has_all(split):
        yield from spill
        return
    for block in read_blocks():
        yield block, row_keys(block, hash_columns(block), split)


def _encode_every_other(first: FirstRead, spill: Spill, share: float, channel: ProcessChannel) -> None:
    for index in range(1, len(spill), 2):
        channel.send(list(_encoded_of_spill(index, spill, first, share)))


def _encoded_of_spill(index: int, spill: Spill, first: FirstRead, share: float) -> Iterator[_Piece]:
    return _encoded(*spill.read(index), first, share, _words_of(first, spill, index))


def _words_of(first: FirstRead, spill: Spill | None, index: int) -> TrainWords | None:
    """The words of a block's train rows, if they were kept."""
    place = first.words[index] if index < len(first.words) else None
    return None if spill is None or place is None else spill.words_at(place)


def _encoded(block: Block, keys: RowKeys, first: FirstRead, share: float, words: TrainWords | None) -> Iterator[_Piece]:
    encoder = first.encoder
    block, standing = first.standing(block, keys)
    channels = first.tally.plan.assign(standing).channels
    among_asked = is_asked(as_positions(standing.contents), share)
    for number, channel in enumerate(CHANNELS):
        its_rows = replace(block, folds=standing.folds if channel == "train" else None)
        of_channel = channels == number
        among = among_asked[of_channel]
        its_rows = its_rows.take(of_channel)
        if channel == "train" and words is not None:
            its_rows = words.joined_to(its_rows)
        for chunk in encoder.chunks(its_rows):
            is_in, among = among[: chunk.rows], among[chunk.rows :]
            labels = _labels(chunk, first.label, encoder)
            known = ~np.isnan(labels)
            if not known.any():
                continue
            usable = chunk if known.all() else chunk.take(known)
            labels, is_in = labels[known], is_in[known]
            if channel == "test":
                asked = list(encoded_rows([usable], encoder))
                yield _Piece(channel, usable.rows, first.raw.whole(usable, labels), asked)
                continue
            encoded = encoder.encode(usable)
            part = encoder.write(encoded, labels, _weights(usable, labels, channel, first))
            if channel == "validation" and is_in.any():
                asked = asked_rows(usable, is_in, encoded, encoder)
                lines = first.raw.answers(usable.take(is_in), labels[is_in])
                yield _Piece(channel, usable.rows, part, asked, lines)
            else:
                yield _Piece(channel, usable.rows, part, [])


def _write(
    pieces: Iterable[_Piece],
    sink: PartSink,
    ask: Callable[[EncodedRows], None],
    ask_validation: Callable[[EncodedRows], None] | None,
) -> dict[str, int]:
    """Write the pieces; rows written per channel."""
    rows = dict.fromkeys(CHANNELS, 0)
    asking = {"test": ask, "validation": ask_validation}
    for piece in pieces:
        take = asking.get(piece.channel)
        if take is not None:
            for encoded in piece.asked:
                take(encoded)
            if piece.labels:
                sink.write("validation-labels", piece.labels)
        sink.write("test-raw" if piece.channel == "test" else piece.channel, piece.part)
        rows[piece.channel] += piece.rows
    return rows


def _labels(block: Block, label: LabelColumn, encoder: FittedEncoder) -> FloatArray:
    """Class numbers, NaN for a class that train has not; or a regression's values."""
    return encoder.encode_labels(block.columns[label.name]) if label.is_class else label.numbers(block)


def _weights(block: Block, labels: FloatArray, channel: str, first: FirstRead) -> FloatArray | None:
    """``float32[rows]``: how much each row counts; None where the channels do not say it."""
    if not first.encoder.weighted:
        return None
    weights = np.ones(block.rows, dtype=np.float32) if first.weight is None else first.weight.read(block).astype(np.float32)
    if channel == "train" and first.class_weights is not None:
        weights = weights * first.class_weights[labels.astype(np.int64)]
    return weights
