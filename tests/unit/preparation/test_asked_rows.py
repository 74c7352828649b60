"""The validation rows that a model is asked about: those of its channel, or of very many a choice that the rows' hashes make."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sageline.arrays.blocks import Block
from sageline.arrays.matrix import SparseMatrix
from sageline.dataset.readers.source import open_blocks
from sageline.dataset.split import folds_of
from sageline.formats.recordio import read_records
from sageline.preparation.encoding import asked_rows
from sageline.preparation.encoding.asked_rows import asked_share, is_asked, most_asked
from sageline.preparation.first_read import Prepared
from sageline.preparation.fit_and_encode import prepare, read_and_fit
from sageline.preparation.means import ALONE, Means
from sageline.preparation.spill import Spill
from sageline.resolve.resolution import Resolution
from tests.unit.preparation.test_fit_and_encode import Parts, as_csv, spec_of

SPEC = spec_of({"x": "number"}, "label", "classification", split={"train": 0.3, "validation": 0.4, "test": 0.3})
ROWS = [(f"{index}.5", "yes" if index % 3 else "no") for index in range(600)]


class Asking(Parts):
    def __init__(self) -> None:
        super().__init__()
        self.validation: list[bytes] = []

    @property
    def numbers(self) -> list[float]:
        """The only feature of the rows that are asked about."""
        matrix = read_records(b"".join(self.validation)).matrix
        assert not isinstance(matrix, SparseMatrix)
        numbers: list[float] = matrix[:, 0].tolist()
        return numbers

    @property
    def labels(self) -> list[str]:
        return [json.loads(line)["label"] for line in self.channels["validation-labels"].decode().splitlines()]


def asked(rows: list[tuple[str, str]], means: Means = ALONE, block_bytes: int = 1 << 20) -> tuple[Prepared, Asking]:
    data = as_csv("x,label", rows)

    def read_blocks() -> Iterator[Block]:
        return open_blocks(io.BytesIO(data), "s3://b/d.csv", "csv", block_bytes)

    parts = Asking()
    first = read_and_fit(read_blocks, Resolution(SPEC), means=means)
    prepared = prepare(
        read_blocks,
        first,
        parts,
        parts.asked.append,
        means,
        ask_validation=lambda encoded: parts.validation.append(encoded.body),
    )
    return prepared, parts


def test_the_model_is_asked_about_the_rows_of_the_validation_channel_in_their_order() -> None:
    prepared, parts = asked(ROWS)
    matrix, labels = parts.rows("validation", prepared)
    assert labels is not None
    assert not isinstance(matrix, SparseMatrix)
    assert parts.numbers == matrix[:, 0].tolist()
    assert parts.labels == [(prepared.encoder.classes or [])[int(label)] for label in labels.tolist()]
    assert len(parts.labels) == prepared.rows["validation"]


@pytest.fixture
def at_most_a_hundred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked_rows, "MOST_ASKED", 100)


@pytest.mark.usefixtures("at_most_a_hundred")
def test_of_very_many_rows_their_hashes_choose_in_every_order_of_the_file() -> None:
    _, parts = asked(ROWS)
    _, permuted = asked(ROWS[::-1], block_bytes=1_000)
    assert 20 < len(parts.labels) < 100
    pairs = sorted(zip(parts.numbers, parts.labels, strict=True))
    assert pairs == sorted(zip(permuted.numbers, permuted.labels, strict=True))
    label_of = {float(x): label for x, label in ROWS}
    assert parts.labels == [label_of[number] for number in parts.numbers]


@pytest.mark.usefixtures("at_most_a_hundred")
def test_two_processes_ask_about_the_same_rows_as_one(tmp_path: Path) -> None:
    _, alone = asked(ROWS, block_bytes=1_000)
    with Spill(tmp_path, 1 << 20) as spill:
        _, both = asked(ROWS, Means(2, spill), block_bytes=1_000)
    assert (both.validation, both.channels) == (alone.validation, alone.channels)


def test_a_model_of_many_classes_is_asked_about_fewer_rows() -> None:
    prepared, _ = asked(ROWS)
    assert most_asked(prepared.encoder) == 100_000
    assert prepared.encoder.classes is not None
    prepared.encoder.classes.extend(f"class {number}" for number in range(4_094))
    assert most_asked(prepared.encoder) == 1 << 12
    assert asked_share(prepared.encoder, 1 << 12) == 1.0


def test_the_choice_has_nothing_to_do_with_the_encoders_folds() -> None:
    positions = np.random.default_rng(0).random(40_000)
    chosen = is_asked(positions, 0.3)
    assert chosen.mean() == pytest.approx(0.3, abs=0.01)
    assert [chosen[folds_of(positions) == fold].mean() for fold in range(3)] == pytest.approx([0.3] * 3, abs=0.02)
    assert is_asked(positions, 1.0).all()
