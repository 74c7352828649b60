"""Three numbers about a text: how many words and characters it has, and which share of its letters are capitals.

A missing text, which is an empty one, has 0 words and 0 characters; in a text without letters the share is 0. Characters are
Unicode's code points. The columns of a row are counted together.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from sageline.arrays.matrix import DoubleArray
from sageline.arrays.strings import ByteArray, IntArray, StringArray
from sageline.encoder.text.characters import KindArray, codes_of, ideographs, looked_at, text_of

NUMBERS = 3

_LETTER, _CAPITAL = 1, 2
_IS_LETTER = bytes(byte < 0x80 and chr(byte).isalpha() for byte in range(256))
_IS_CAPITAL = bytes(byte < 0x80 and chr(byte).isupper() for byte in range(256))
_OTHERS = bytes(byte for byte in range(256) if not chr(byte).isalpha() or byte >= 0x80)
_NO_CAPITALS = bytes(byte for byte in range(256) if not chr(byte).isupper() or byte >= 0x80)


def statistics(columns: Sequence[StringArray], words: IntArray) -> DoubleArray:
    """``float64[rows, 3]``: words, characters, and the share of capitals among letters.

    Args:
        words: ``int64[rows]``.
    """
    characters, letters, capitals = np.zeros((3, len(words)), dtype=np.int64)
    for column in columns:
        text, offsets = column.data[column.offsets[0] : column.offsets[-1]].tobytes(), column.offsets - column.offsets[0]
        characters += np.diff(offsets)
        letters += _sums(text.translate(_IS_LETTER), offsets)
        capitals += _sums(text.translate(_IS_CAPITAL), offsets)
        if not text.isascii():
            _add_others(np.frombuffer(text, dtype=np.uint8), offsets, characters, letters, capitals)
    return np.column_stack([words, characters, capitals / np.maximum(letters, 1)]).astype(np.float64)


def statistics_of(texts: Sequence[str], words: int) -> list[float]:
    """The same three numbers of one row, the columns of which hold these texts."""
    characters = letters = capitals = 0
    for text in texts:
        characters += len(text)
        if text.isascii():
            data = text.encode()
            letters += len(data.translate(None, _OTHERS))
            capitals += len(data.translate(None, _NO_CAPITALS))
        else:
            letters += sum(map(str.isalpha, text))
            capitals += sum(character.isupper() for character in text if character.isalpha())
    return [float(words), float(characters), capitals / max(letters, 1)]


def _add_others(data: ByteArray, offsets: IntArray, characters: IntArray, letters: IntArray, capitals: IntArray) -> None:
    """Add what characters beyond ASCII are to what was counted of each text, where each of their bytes is a character."""
    others = data[data >= 0x80]
    at = np.flatnonzero(data >= 0xC0)  # their first bytes
    kinds = _letter_kinds().take(codes_of(others.tobytes().decode()), mode="clip")
    texts = np.searchsorted(offsets, at, side="right") - 1
    rows = len(characters)
    starts = np.flatnonzero(others >= 0xC0)
    continuing = np.diff(starts, append=len(others)) - 1
    characters -= np.bincount(texts, weights=continuing, minlength=rows).astype(np.int64)
    letters += np.bincount(texts[(kinds & _LETTER) != 0], minlength=rows)
    capitals += np.bincount(texts[(kinds & _CAPITAL) != 0], minlength=rows)


def _sums(values: bytes, offsets: IntArray) -> IntArray:
    sums = np.zeros(len(offsets) - 1, dtype=np.int64)
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):
        sums[filled] = np.add.reduceat(np.frombuffer(values, dtype=np.uint8), offsets[filled], dtype=np.int64)
    return sums


@functools.cache
def _letter_kinds() -> KindArray:
    """``uint8[0x110000]``: 0, letter, or letter and capital, by code point, as ``str.isalpha`` and ``str.isupper`` have it."""
    kinds = np.zeros(0x110000, dtype=np.uint8)
    codes = looked_at()
    text = text_of(codes)
    kinds[codes] = np.array(list(map(str.isupper, text))) * np.uint8(_CAPITAL) + np.array(list(map(str.isalpha, text)))
    kinds[kinds == _CAPITAL] = 0  # circled and others, which are no letters
    kinds[ideographs()] = list(map(str.isalpha, text_of(ideographs())))
    return kinds
