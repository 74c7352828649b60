"""Encoders of earlier versions, saved by the code of their time beside what it made of some texts, rows and images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sageline.arrays.matrix import SparseMatrix
from sageline.arrays.strings import StringArray
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.text import tokens, words

SAVED = Path(__file__).parent / "saved"
TEXTS = [
    ("version-3", "bag-of-words"),
    ("version-3", "tokens"),
    *(("version-4", f"bag-of-words-{mode}") for mode in ("count", "binary", "frequency", "tf-idf")),
    ("version-4", "tokens"),
]
TABLES = [
    ("version-3", "table"),
    ("version-4", "table"),
    ("version-4", "table-ordinal"),
    ("version-4", "table-standard"),
    ("version-4", "image"),
]
AGAIN = pytest.mark.parametrize("again", [False, True], ids=["as it was saved", "saved again"])


def encoder_of(version: str, name: str, *, again: bool = False) -> FittedEncoder:
    encoder = FittedEncoder.load({path.name: path.read_bytes() for path in (SAVED / version / name).iterdir()})
    return FittedEncoder.load(encoder.save()) if again else encoder


def encoded_then(version: str) -> dict[str, Any]:  # Any: a JSON document
    document: dict[str, Any] = json.loads((SAVED / version / "encoded.json").read_bytes())
    return document


def rows_of(encoder: FittedEncoder, texts: list[object]) -> list[object]:
    """The texts as the encoder encodes them: lines, or of each row the cells that are not 0."""
    encoded = encoder.encode(encoder.block_from_instances(texts))
    if isinstance(encoded, StringArray):
        return list(encoded)
    assert isinstance(encoded, SparseMatrix)
    return [{str(column): value for column, value in enumerate(row) if value} for row in encoded.to_dense().tolist()]


@pytest.mark.parametrize(("version", "name"), TEXTS)
@pytest.mark.parametrize("few_bytes", [4096, -1], ids=["few texts", "many texts"])
@AGAIN
def test_texts_are_encoded_as_they_were(
    version: str, name: str, few_bytes: int, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "FEW_BYTES", few_bytes)
    monkeypatch.setattr(tokens, "FEW_BYTES", few_bytes)
    then = encoded_then(version)

    assert rows_of(encoder_of(version, name, again=again), then["texts"]) == then[name]


@pytest.mark.parametrize(("version", "name"), TABLES)
@AGAIN
def test_rows_are_encoded_as_they_were(version: str, name: str, again: bool) -> None:
    encoder, then = encoder_of(version, name, again=again), encoded_then(version)
    instances = then["images" if name == "image" else "rows"]

    encoded = encoder.encode(encoder.block_from_instances(instances, []))
    quick = encoder.encode_instances(instances, [])

    for found in (encoded, quick):
        assert isinstance(found, np.ndarray)
        assert [[None if np.isnan(cell) else cell for cell in row] for row in found.tolist()] == then[name]
