"""Tokens: texts as BlazingText and fastText read them, one line each, the words apart by one space.

The words are those of :mod:`sageline.encoder.text.word_rule`, in their order, so training and serving split alike.
A training line begins with the label, ``__label__spam hello world``. Source: SageMaker developer guide, "BlazingText
algorithm", supervised mode.

- A label may hold what ends a word there (white space, a NUL). It is written percent-encoded, and so is the percent sign:
  ``credit card, 5%`` is ``__label__credit%20card,%205%25``; :func:`label_of` gives it back.
- A word that begins with ``__label__`` would be taken for a label: it is written without its first two underscores.
- A text without words is a line of the label alone, and an empty instance in a request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import numpy as np

from sageline.arrays.matrix import AnyArray
from sageline.arrays.strings import IntArray, StringArray, gather, row_chunks
from sageline.encoder.text.tokenizer import Tokens, tokenize
from sageline.encoder.text.word_rule import WordRule, words_of
from sageline.encoder.text.words import FEW_BYTES

LABEL = "__label__"
_ENDS_A_WORD = re.compile(r"[%\s\0]")


def label_token(label: str) -> str:
    """How a label is written: with the prefix, percent-encoded where it must be."""
    return LABEL + _ENDS_A_WORD.sub(lambda match: quote(match.group(), safe=""), label)


def label_of(name: str) -> str:
    """The label of which :func:`label_token` wrote ``name`` after the prefix."""
    return unquote(name)


@dataclass(frozen=True)
class TokenLines:
    """Encodes texts as lines of words."""

    feature_dim: int = 0
    """Lines have no columns."""

    rule: WordRule = WordRule.BIGRAMS
    """What a word is."""

    def encode(self, columns: Sequence[StringArray]) -> StringArray:
        """The words of each row, apart by one space; several text columns are read as one text."""
        if sum(len(column.data) for column in columns) <= FEW_BYTES:
            return StringArray.from_list([self._line(texts) for texts in zip(*columns, strict=True)])
        rows = len(columns[0])
        if len(columns) > 1:
            gap = _repeated(b"\n", rows)
            columns = [joined([part for column in columns for part in (column, gap)])]
        chunks = [StringArray(columns[0].data, columns[0].offsets[start : end + 1]) for start, end in row_chunks(columns)]
        parts = [_lines(tokenize(chunk, self.rule)) for chunk in chunks]
        data = np.concatenate([np.zeros(0, dtype=np.uint8), *(part.data for part in parts)])
        lengths = np.concatenate([np.zeros(1, dtype=np.int64), *(part.lengths for part in parts)])
        return StringArray(data, np.cumsum(lengths))

    def _line(self, texts: Sequence[str]) -> str:
        words = [word for text in texts for word in words_of(text, self.rule)]
        return " ".join([word.removeprefix("__") if word.startswith(LABEL) else word for word in words])

    def write(self, lines: StringArray, labels: StringArray) -> bytes:
        """Training data; ``labels`` are written as :func:`label_token` makes them."""
        separator = np.where(lines.lengths > 0, 1, 0)
        spaces = StringArray(np.full(int(separator.sum()), ord(" "), dtype=np.uint8), np.append(0, np.cumsum(separator)))
        return joined([labels, spaces, lines, _repeated(b"\n", len(lines))]).data.tobytes()

    def state(self) -> tuple[dict[str, Any], dict[str, AnyArray]]:  # Any: JSON
        """What to save: a JSON document and arrays."""
        return {"kind": "tokens", "word_rule": self.rule}, {}

    @classmethod
    def from_state(cls, document: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> TokenLines:  # Any: JSON
        return cls(rule=WordRule.of(document))


def joined(parts: Sequence[StringArray]) -> StringArray:
    """String by string, those of all the arrays one after the other."""
    sizes = np.stack([part.lengths for part in parts], axis=1)
    data = np.empty(int(sizes.sum()), dtype=np.uint8)
    for index, part in enumerate(parts):
        here = np.tile(np.arange(len(parts)) == index, len(part))
        data[np.repeat(here, sizes.ravel())] = part.data
    return StringArray(data, np.append(0, np.cumsum(sizes.sum(axis=1))))


def _lines(tokens: Tokens) -> StringArray:
    tokens = _without_labels(tokens)
    words = gather(np.frombuffer(tokens.data, dtype=np.uint8), tokens.starts, tokens.lengths)
    spaced = np.ones(len(words), dtype=np.int64)
    ends = np.cumsum(tokens.counts)
    spaced[(ends - tokens.counts)[tokens.counts > 0]] = 0  # the first word of a line
    spaces = StringArray(np.full(int(spaced.sum()), ord(" "), dtype=np.uint8), np.append(0, np.cumsum(spaced)))
    line = joined([spaces, words])
    return StringArray(line.data, line.offsets[np.append(0, ends)])


def _without_labels(tokens: Tokens) -> Tokens:
    """Words that would be taken for labels lose their first two underscores."""
    prefix = LABEL.encode()
    if prefix not in tokens.data:
        return tokens
    starts: IntArray = np.array([match.start() for match in re.finditer(prefix, tokens.data)], dtype=np.int64)
    cut = 2 * np.isin(tokens.starts, starts)
    return Tokens(tokens.data, tokens.starts + cut, tokens.lengths - cut, tokens.counts)


def _repeated(content: bytes, rows: int) -> StringArray:
    return StringArray(np.frombuffer(content * rows, dtype=np.uint8), np.arange(rows + 1) * len(content))
