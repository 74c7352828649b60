"""Preparing a dataset: split, fit, encode, write; reads the data twice or more, and holds one block at a time in each process."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Protocol

from sageline.arrays.blocks import Block
from sageline.batch.encode import EncodedRows
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.profiles.findings import Findings
from sageline.dataset.split import CHANNELS, hash_columns
from sageline.dataset.splits.copies import ContentFilters
from sageline.dataset.splits.plan import SplitPlan, initial_plan
from sageline.dataset.splits.standing import RowKeys, row_keys
from sageline.dataset.splits.survey import fill
from sageline.formats.npy import ArrayPair
from sageline.preparation.encoding.row_encoding import Piece, RowEncoding
from sageline.preparation.encoding.train_words import TrainWords
from sageline.preparation.first_read import FirstRead, Prepared
from sageline.preparation.hashed_blocks import hashed_blocks
from sageline.preparation.means import ALONE, Means
from sageline.preparation.packed_file import Place
from sageline.preparation.second_process import ProcessChannel, SecondProcess
from sageline.preparation.spill import Spill
from sageline.resolve.resolution import Resolution


class PartSink(Protocol):
    """Takes the prepared data, piece by piece."""

    def write(self, channel: str, part: bytes | ArrayPair) -> None:
        """Store the next rows of a channel: ``train``, ``validation``, ``test-raw`` or ``validation-labels``. Never empty; may be
        small."""


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
    first.check()
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

    Validation rows that the model will be asked about too (:mod:`sageline.preparation.encoding.asked_rows`) have their labels in
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
    encoding = first.encoding(asks_validation=ask_validation is not None)
    with closing(_pieces(read_blocks, first, encoding, means)) as pieces:
        return first.prepared(write_pieces(pieces, sink, ask, ask_validation))


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
        fill(filters, plan, first.standing(block, keys))
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


def _pieces(
    read_blocks: Callable[[], Iterator[Block]], first: FirstRead, encoding: RowEncoding, means: Means
) -> Generator[Piece]:
    """Every row whose label the encoder knows, in their order; where there are two processes, each encodes every other block."""
    spill = means.spill
    has_all = spill is not None and spill.has_all(first.resolution.spec.split)
    if spill is None or not has_all or means.processes == 1 or len(spill) == 1:
        for index, (block, keys) in enumerate(_keyed_blocks(read_blocks, first, spill)):
            yield from encoding.pieces(block, keys, _words_of(first, spill, index))
        return
    with SecondProcess(partial(_encode_every_other, first, encoding, spill)) as second:
        for index in range(len(spill)):
            yield from second.receive() if index % 2 else _encoded_of_spill(index, spill, first, encoding)


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


def _encode_every_other(first: FirstRead, encoding: RowEncoding, spill: Spill, channel: ProcessChannel) -> None:
    for index in range(1, len(spill), 2):
        channel.send(list(_encoded_of_spill(index, spill, first, encoding)))


def _encoded_of_spill(index: int, spill: Spill, first: FirstRead, encoding: RowEncoding) -> Iterator[Piece]:
    return encoding.pieces(*spill.read(index), _words_of(first, spill, index))


def _words_of(first: FirstRead, spill: Spill | None, index: int) -> TrainWords | None:
    """The words of a block's train rows, if they were kept."""
    place = first.words[index] if index < len(first.words) else None
    return None if spill is None or place is None else spill.words_at(place)


def write_pieces(
    pieces: Iterable[Piece],
    sink: PartSink,
    ask: Callable[[EncodedRows], None],
    ask_validation: Callable[[EncodedRows], None] | None,
) -> dict[str, int]:
    """Write the pieces; rows written per channel. The arguments are those of :func:`prepare`."""
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
