"""Encoders of earlier versions, saved by the code of their time beside what it made of some texts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sageline.arrays.matrix import SparseMatrix
from sageline.arrays.strings import StringArray
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.text import words

SAVED = Path(__file__).parent / "saved" / "version-3"
ENCODED: dict[str, Any] = json.loads((SAVED / "encoded.json").read_bytes())  # Any: a JSON document


def encoder_of(kind: str) -> FittedEncoder:
    return FittedEncoder.load({path.name: path.read_bytes() for path in (SAVED / kind).iterdir()})


def rows_of(encoder: FittedEncoder) -> list[object]:
    """The texts as the encoder encodes them: lines, or of each row the cells that are not 0."""
    encoded = encoder.encode(encoder.block_from_instances(ENCODED["texts"]))
    if isinstance(encoded, StringArray):
        return list(encoded)
    assert isinstance(encoded, SparseMatrix)
    return [{str(column): value for column, value in enumerate(row) if value} for row in encoded.to_dense().tolist()]


@pytest.mark.parametrize("kind", ["bag-of-words", "tokens"])
@pytest.mark.parametrize("few_bytes", [4096, -1], ids=["few texts", "many texts"])
def test_an_encoder_of_version_3_encodes_as_it_did(kind: str, few_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_FEW_BYTES", few_bytes)

    assert rows_of(encoder_of(kind)) == ENCODED[kind]


@pytest.mark.parametrize("kind", ["bag-of-words", "tokens"])
def test_an_encoder_of_version_3_encodes_as_it_did_when_it_is_saved_again(kind: str) -> None:
    again = FittedEncoder.load(encoder_of(kind).save())

    assert rows_of(again) == ENCODED[kind]


@pytest.mark.parametrize("again", [False, True], ids=["as it was saved", "saved again"])
def test_a_table_of_version_3_tells_categories_apart_to_the_letter_as_it_did(again: bool) -> None:
    encoder = FittedEncoder.load(encoder_of("table").save()) if again else encoder_of("table")

    encoded = encoder.encode(encoder.block_from_instances(ENCODED["rows"]))
    quick = encoder.encode_instances(ENCODED["rows"])

    for found in (encoded, quick):
        assert isinstance(found, np.ndarray)
        assert [[None if np.isnan(cell) else cell for cell in row] for row in found.tolist()] == ENCODED["table"]
