"""Columns of text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sageline.arrays.blocks import Block
from sageline.arrays.matrix import AnyArray, SparseMatrix
from sageline.encoder.columns.part import State
from sageline.encoder.text.words import TextEncoder


@dataclass(frozen=True, eq=False)
class TextPart:
    """A column of text, or several that are read as one: a column per word of the vocabulary, and what else the encoder makes."""

    columns: tuple[str, ...]
    encoder: TextEncoder
    kind = "text"

    @property
    def width(self) -> int:
        return self.encoder.feature_dim

    def encode(self, block: Block) -> SparseMatrix:
        return self.encoder.encode([block.columns[name] for name in self.columns])

    def state(self) -> State:
        document, arrays = self.encoder.state()
        return {"columns": list(self.columns), **document}, arrays

    @classmethod
    def from_state(cls, document: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> TextPart:  # Any: JSON
        return cls(tuple(document["columns"]), TextEncoder.from_state(document, arrays))
