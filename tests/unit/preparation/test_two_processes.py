"""Two processes and a spill write what one process writes, and leave nothing behind, however they end."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import numpy as np
import pytest

from sageline.arrays.blocks import Block
from sageline.arrays.late_text import DictionaryArray
from sageline.batch.encode import EncodedRows
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.readers.source import open_blocks
from sageline.dataset.splits.standing import RowKeys
from sageline.errors import InvalidDataset, ProcessDied
from sageline.formats.npy import ArrayPair
from sageline.preparation import fit_and_encode, means
from sageline.preparation.encoding.row_encoding import RowEncoding
from sageline.preparation.first_read import FirstRead, Prepared
from sageline.preparation.fit_and_encode import prepare, read_and_fit
from sageline.preparation.means import ALONE, Means, means_for
from sageline.preparation.second_process import ProcessChannel, usable_cores
from sageline.preparation.spill import Spill, Spilled
from sageline.resolve.resolution import Resolution
from sageline.spec.model import Spec, SplitSpec, validate_spec
from tests.unit.preparation.test_fit_and_encode import SOURCE, as_csv, spec_of

BLOCK_BYTES = 4096
WORDS = ["ham", "spam", "Ünïcode", "naïve", "東京", "x1", "o'clock", "", "3.14"]


def mixed(rows: int = 700) -> bytes:
    """A text, numbers plain and with gaps, a category, a column that is left out, a label that is sometimes missing."""
    random = Random(0)
    table = [
        (
            " ".join([*random.choices(WORDS, k=random.randint(1, 6)), f"once{random.getrandbits(32)}"]),
            random.choice([f"{random.gauss(0, 9):.3f}", "", "7", "-0.0", "1e3"]),
            random.randint(0, 9),
            random.choice(["red", "green", " red", ""]),
            random.choice(["2020-01-01", "n/a", "5"]),
            random.choice(["good", "bad", "good", "bad", ""]),
        )
        for _ in range(rows)
    ]
    return as_csv("post,size,count,colour,other,label", table)


TEXT = spec_of({"post": "text"}, "label", "classification")
TF_IDF = spec_of(
    {"post": "text"}, "label", "classification", encoder={"kind": "bag-of-words", "mode": "tf-idf", "max_words": 300}
)
TEXTS = spec_of({"post": "text", "colour": "text", "size": "number"}, "label", "classification", encoder={"kind": "columns"})
JOINED = spec_of(
    {"post": "text", "colour": "text", "size": "number"},
    "label",
    "classification",
    encoder={"kind": "columns", "join_texts": True, "layout": "sparse", "text": {"mode": "frequency"}},
)
BIGRAMS = spec_of({"post": "text"}, "label", "classification", encoder={"kind": "columns", "text": {"ngrams": 2}})
HASHED = spec_of({"post": "text"}, "label", "classification", encoder={"kind": "columns", "text": {"hash_bits": 10}})
TABLE = spec_of({"size": "number", "count": "number", "colour": "category"}, "label", "classification")
REGRESSION = spec_of({"size": "number", "colour": "category"}, "count", "regression")
TOKENS = validate_spec(
    {
        "task": "classification",
        "dataset": {"label": "label", "features": {"post": "text"}},
        "encoder": {"kind": "tokens"},
        "algorithm": {"name": "blazingtext"},
    },
    "test",
)


class Written:
    """Everything that is written and asked, piece by piece."""

    def __init__(self) -> None:
        self.pieces: list[tuple[str, bytes]] = []
        self.asked: list[tuple[int, bytes, str]] = []

    def write(self, channel: str, part: bytes | ArrayPair) -> None:
        assert isinstance(part, bytes)
        self.pieces.append((channel, part))


def read_and_fit_by(data: bytes, spec: Spec, by: Means) -> FirstRead:
    return read_and_fit(lambda: open_blocks(io.BytesIO(data), SOURCE, "csv", BLOCK_BYTES), Resolution(spec), means=by)


def no_blocks() -> Iterator[Block]:
    raise AssertionError("the spill has them all")


def ignore(rows: EncodedRows) -> None:
    """Nobody asks."""


def prepared_by(data: bytes, spec: Spec, by: Means) -> tuple[Prepared, Written]:
    def read_blocks() -> Iterator[Block]:
        return open_blocks(io.BytesIO(data), SOURCE, "csv", BLOCK_BYTES)

    written = Written()
    first = read_and_fit(read_blocks, Resolution(spec), means=by)
    prepared = prepare(
        read_blocks, first, written, lambda rows: written.asked.append((rows.rows, rows.body, rows.where)), means=by
    )
    return prepared, written


@pytest.fixture
def spill(tmp_path: Path) -> Iterator[Spill]:
    with Spill(tmp_path, 1 << 30) as spill:
        yield spill


@pytest.fixture(autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == []
    assert [thread.name for thread in threading.enumerate() if thread.name in ("read ahead", "write behind")] == []


@pytest.fixture
def no_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Lambda, where there is no /dev/shm: nothing of multiprocessing that needs a semaphore works."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("multiprocessing.synchronize.SemLock.__init__", refuse)
    monkeypatch.setattr("multiprocessing.heap.Arena.__init__", refuse)
    for make in (multiprocessing.Lock, multiprocessing.Queue, multiprocessing.Pool):
        with pytest.raises(OSError, match="not implemented"):
            make()


@pytest.mark.parametrize(
    "spec",
    [TEXT, TF_IDF, TEXTS, JOINED, BIGRAMS, HASHED, TABLE, REGRESSION, TOKENS],
    ids=["text", "tf-idf", "texts", "joined", "bigrams", "hashed", "table", "regression", "tokens"],
)
@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.usefixtures("no_shared_memory")
def test_the_same_is_written_by_one_process_and_by_two_with_a_spill(spec: Spec, processes: int, spill: Spill) -> None:
    alone, expected = prepared_by(mixed(), spec, ALONE)

    prepared, written = prepared_by(mixed(), spec, Means(processes, spill))

    assert len(spill) > 5
    assert written.pieces == expected.pieces
    assert written.asked == expected.asked
    assert prepared.encoder.save() == alone.encoder.save()
    assert (prepared.rows, prepared.profile) == (alone.rows, alone.profile)


@pytest.mark.parametrize("spec", [TEXT, TABLE, REGRESSION], ids=["text", "table", "regression"])
def test_columns_of_few_different_values_are_read_as_others(spec: Spec, spill: Spill, monkeypatch: pytest.MonkeyPatch) -> None:
    alone, expected = prepared_by(mixed(), spec, ALONE)

    monkeypatch.setattr("sageline.preparation.hashed_blocks._SOME_ROWS", 1)
    prepared, written = prepared_by(mixed(), spec, Means(1, spill))

    assert all(isinstance(column, DictionaryArray) for block, _ in spill for column in block.columns.values())
    assert (written.pieces, written.asked) == (expected.pieces, expected.asked)
    assert prepared.encoder.save() == alone.encoder.save()
    assert (prepared.rows, prepared.profile) == (alone.rows, alone.profile)


@pytest.mark.parametrize("processes", [1, 2])
def test_the_words_of_train_rows_are_read_once(processes: int, spill: Spill, monkeypatch: pytest.MonkeyPatch) -> None:
    _, expected = prepared_by(mixed(), TEXT, ALONE)
    written, first = Written(), read_and_fit_by(mixed(), TEXT, Means(processes, spill))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a text is read again")

    monkeypatch.setattr("sageline.preparation.encoding.row_encoding.CHANNELS", ("train",))  # other rows are read now
    monkeypatch.setattr("sageline.encoder.text.words.term_chunks", refuse)
    monkeypatch.setattr("sageline.encoder.text.words.TextEncoder.cells", refuse)
    pieces = fit_and_encode._pieces(no_blocks, first, first.encoding(asks_validation=False), Means(processes, spill))
    fit_and_encode.write_pieces(pieces, written, ignore, None)

    assert written.pieces == [(channel, part) for channel, part in expected.pieces if channel == "train"]


def test_words_of_other_rows_are_not_taken(spill: Spill) -> None:
    _, expected = prepared_by(mixed(), TEXT, ALONE)
    by = Means(1, spill)

    first = read_and_fit_by(mixed(), TEXT, by)
    first.words = [*first.words[1:], first.words[0]]  # of another block
    written = Written()
    prepare(no_blocks, first, written, ignore, means=by)

    assert written.pieces == expected.pieces


def test_words_that_are_forgotten_are_the_same_ones(spill: Spill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sageline.encoder.text.counts.MOST_WORDS", 200)
    alone, expected = prepared_by(mixed(), TEXT, ALONE)

    prepared, written = prepared_by(mixed(), TEXT, Means(2, spill))

    assert prepared.profile["features"]["post"]["counts_too_low_by_at_most"] > 0
    assert (written.pieces, prepared.profile) == (expected.pieces, alone.profile)


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("room", [0, 20_000])
def test_a_spill_that_has_no_room_is_done_without(processes: int, room: int, tmp_path: Path) -> None:
    _, expected = prepared_by(mixed(), TABLE, ALONE)

    with Spill(tmp_path, room) as small:
        _, written = prepared_by(mixed(), TABLE, Means(processes, small))

        assert not small.is_complete
    assert (written.pieces, written.asked) == (expected.pieces, expected.asked)


def test_a_full_disk_is_done_without(spill: Spill, monkeypatch: pytest.MonkeyPatch) -> None:
    _, expected = prepared_by(mixed(), TABLE, ALONE)

    with Path("/dev/full").open("wb", buffering=0) as full:
        spill._blocks._file.close()
        monkeypatch.setattr(spill._blocks, "_file", full)
        _, written = prepared_by(mixed(), TABLE, Means(2, spill))

    assert written.pieces == expected.pieces


def test_what_the_data_show_to_be_read_otherwise_is_read_again_from_the_spill(spill: Spill) -> None:
    opened = []

    def read_blocks() -> Iterator[Block]:
        opened.append(1)
        return open_blocks(io.BytesIO(mixed()), SOURCE, "csv", BLOCK_BYTES)

    def resolve(_: DatasetProfile) -> Resolution:
        return Resolution(TABLE)

    by = Means(2, spill)
    written = Written()
    first = read_and_fit(read_blocks, Resolution(REGRESSION), resolve, by)
    prepare(read_blocks, first, written, lambda _: None, means=by)

    assert opened == [1]
    assert written.pieces == prepared_by(mixed(), TABLE, ALONE)[1].pieces


def test_a_small_dataset_that_is_split_by_rank_is_split_alike(spill: Spill) -> None:
    spec = spec_of({"x": "number"}, "y", "regression", split={"train": 0.9, "validation": 0.05, "test": 0.05, "seed": 3})
    data = as_csv("x,y", [(index, index * 2) for index in range(24)])
    alone, expected = prepared_by(data, spec, ALONE)

    prepared, written = prepared_by(data, spec, Means(2, spill))

    assert (prepared.rows, written.pieces) == (alone.rows, expected.pieces)


@pytest.mark.parametrize(
    ("spec", "damage"),
    [
        (TABLE, b"ham,1.5,three,red,5,good\n"),  # found by the second process: no number
        (TEXT, b"ham,1.5\n"),  # found by the first one: a row that is too short
    ],
)
def test_a_bad_row_is_the_same_error_with_the_same_details(spec: Spec, damage: bytes, spill: Spill) -> None:
    data = mixed() + damage + mixed(50).split(b"\n", 1)[1]
    with pytest.raises(InvalidDataset) as alone:
        prepared_by(data, spec, ALONE)

    with pytest.raises(InvalidDataset) as caught:
        prepared_by(data, spec, Means(2, spill))

    assert "row 701" in caught.value.message
    assert (caught.value.message, caught.value.details) == (alone.value.message, alone.value.details)


def test_a_column_without_a_value_is_the_same_error(spill: Spill) -> None:
    data = as_csv("colour,label", [("", "good"), ("", "bad")] * 1000)
    spec = spec_of({"colour": "category"}, "label", "classification", split=SplitSpec().model_dump())
    with pytest.raises(InvalidDataset) as alone:
        prepared_by(data, spec, ALONE)

    with pytest.raises(InvalidDataset) as caught:
        prepared_by(data, spec, Means(2, spill))

    assert caught.value.message == alone.value.message


class Unspeakable(Exception):
    """An error that cannot be sent to another process."""

    def __reduce__(self) -> str:
        raise TypeError("cannot pickle this")


@pytest.mark.parametrize(("error", "expected"), [(MemoryError("no more"), MemoryError), (Unspeakable("odd"), RuntimeError)])
def test_any_error_of_the_second_process_is_raised_in_the_first(
    error: Exception, expected: type[Exception], spill: Spill, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(FirstRead, "finish", fail)

    with pytest.raises(expected, match=str(error)) as caught:
        prepared_by(mixed(), TEXT, Means(2, spill))

    assert "Raised in the second process" in caught.value.__notes__[0]


def killed(signal_number: int) -> Callable[..., None]:
    def kill(*_: object) -> None:
        os.kill(os.getpid(), signal_number)

    return kill


def ended(*_: object) -> None:
    os._exit(3)


@pytest.mark.parametrize("work", ["_read_beside", "_encode_every_other"])
@pytest.mark.parametrize(
    ("death", "said"), [(killed(signal.SIGKILL), "killed by signal 9, as Linux does when the memory"), (ended, "exit code 3")]
)
def test_a_second_process_that_dies_is_an_error_that_says_so(
    work: str, death: Callable[..., None], said: str, spill: Spill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit_and_encode, work, death)

    with pytest.raises(ProcessDied, match=f"The second process .*{said}"):
        prepared_by(mixed(), TEXT, Means(2, spill))


def test_a_second_process_that_is_killed_in_the_middle_of_its_work_is_an_error(
    spill: Spill, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode_one(first: FirstRead, encoding: RowEncoding, spill: Spill, channel: ProcessChannel) -> None:
        channel.send([])
        os.write(channel._connection.fileno(), b"\0\0\0\x10")  # the beginning of what never comes
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(fit_and_encode, "_encode_every_other", encode_one)

    with pytest.raises(ProcessDied, match="signal 9"):
        prepared_by(mixed(), TEXT, Means(2, spill))


def test_an_error_of_the_first_process_ends_the_second(spill: Spill) -> None:
    class Full(Written):
        def write(self, channel: str, part: bytes | ArrayPair) -> None:
            raise ConnectionError("S3 does not answer")

    def read_blocks() -> Iterator[Block]:
        return open_blocks(io.BytesIO(mixed()), SOURCE, "csv", BLOCK_BYTES)

    by = Means(2, spill)
    first = read_and_fit(read_blocks, Resolution(TEXT), means=by)

    with pytest.raises(ConnectionError, match="S3 does not answer"):
        prepare(read_blocks, first, Full(), lambda _: None, means=by)


def test_data_that_change_between_the_readings_are_noticed_where_nothing_keeps_them() -> None:
    texts = [mixed(300), mixed(301)]

    def read_blocks() -> Iterator[Block]:
        return open_blocks(io.BytesIO(texts.pop(0)), SOURCE, "csv", BLOCK_BYTES)

    by = Means(2)
    first = read_and_fit(read_blocks, Resolution(TEXT), means=by)

    with pytest.raises(InvalidDataset, match="changed while it was read"):
        prepare(read_blocks, first, Written(), lambda _: None, means=by)


def test_a_small_dataset_stays_in_one_process_and_off_the_disk(tmp_path: Path) -> None:
    with means_for(means.SMALL_BYTES, tmp_path) as by:
        assert by == ALONE


def test_a_large_dataset_gets_what_the_machine_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(means, "usable_cores", lambda: 4)

    with means_for(means.SMALL_BYTES + 1, tmp_path) as by:
        assert (by.processes, by.spill is not None) == (2, True)
        assert list(tmp_path.iterdir()) == []  # the file has no name

    with means_for(1 << 60, tmp_path) as by:
        assert (by.processes, by.spill) == (2, None)


def test_a_process_that_may_use_one_core_gets_no_second_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1}, raising=False)

    with means_for(means.SMALL_BYTES + 1, tmp_path) as by:
        assert by.processes == usable_cores() == 1


def test_the_spill_is_closed_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError), means_for(means.SMALL_BYTES + 1, tmp_path) as by:  # noqa: PT012 - what is raised in it
        assert by.spill is not None
        file = by.spill._blocks._file
        raise ConnectionError

    assert file.closed


def test_a_block_comes_out_of_the_spill_as_it_went_in(spill: Spill) -> None:
    [block, *_] = open_blocks(io.BytesIO(mixed(40)), SOURCE, "csv", 1 << 20)
    keys = RowKeys(np.arange(block.rows, dtype=np.uint64))

    place = spill.add(Spilled(block, keys))

    assert place is not None
    read, their_keys = spill.read_at(place)
    assert {name: column.tolist() for name, column in read.columns.items()} == {
        name: column.tolist() for name, column in block.columns.items()
    }
    assert (read.row_numbers.tolist(), read.source, read.near_byte) == (block.row_numbers.tolist(), block.source, block.near_byte)
    assert their_keys.contents.tolist() == keys.contents.tolist()
