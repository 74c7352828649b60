"""Hashing of words and n-grams into a fixed number of columns: a vocabulary without bound, and nothing to fit.

A term's column is made of its UTF-8 by multiplications and shifts of 64-bit numbers, the same on every platform and in every
version. Different terms may share a column, whose cell is then the sum of their counts: of ``n`` different terms in ``m``
columns, about ``1 - exp(-n / m)`` share theirs with another one (of 20,000 words in 2**18 columns 7%, in 2**20 columns 2%).
Counts stay what they are: no sign is drawn for a term, as a split of a tree at "at least once" would mean nothing then.
"""

from __future__ import annotations

import struct

import numpy as np

from sageline.arrays.strings import IntArray
from sageline.encoder.text.tokenizer import INCREMENT, MULTIPLIER, Keys

_FIRST_MULTIPLIER, _SECOND_MULTIPLIER = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03
_LAST_MULTIPLIER = 0xBF58476D1CE4E5B9
_INCREMENT, _MULTIPLIER = int(INCREMENT), int(MULTIPLIER)
_SIXTY_FOUR_BITS = (1 << 64) - 1
_KEPT = 1 << 16


def hash_columns(keys: Keys, bits: int) -> IntArray:
    """``int64[n]``: the column of each term, below ``2**bits``."""
    hashes = keys.first * np.uint64(_FIRST_MULTIPLIER)
    hashes += keys.second * np.uint64(_SECOND_MULTIPLIER)
    hashes ^= hashes >> np.uint64(32)
    hashes *= np.uint64(_LAST_MULTIPLIER)
    hashes >>= np.uint64(64 - bits)
    return hashes.view(np.int64)


class HashedTerms(dict[bytes, int]):
    """Term to column, as :func:`hash_columns` has it; those that were asked for last are remembered."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self._shift = 64 - bits

    def __missing__(self, term: bytes) -> int:
        if len(self) == _KEPT:
            self.clear()
        first, second = _key(term)
        hashed = (first * _FIRST_MULTIPLIER + second * _SECOND_MULTIPLIER) & _SIXTY_FOUR_BITS
        hashed = (hashed ^ hashed >> 32) * _LAST_MULTIPLIER & _SIXTY_FOUR_BITS
        column = self[term] = hashed >> self._shift
        return column


def _key(term: bytes) -> tuple[int, int]:
    """The two numbers of :class:`sageline.encoder.text.tokenizer.Keys`."""
    if len(term) <= 16:
        return int.from_bytes(term[:8], "little"), int.from_bytes(term[8:], "little")
    total = 0
    for position, (eight,) in enumerate(struct.iter_unpack("<Q", term + bytes(-len(term) % 8))):
        mixed = (eight + position * _INCREMENT) * _MULTIPLIER & _SIXTY_FOUR_BITS
        mixed = (mixed ^ mixed >> 29) * _INCREMENT & _SIXTY_FOUR_BITS
        total += mixed ^ mixed >> 32
    return total * _MULTIPLIER & _SIXTY_FOUR_BITS & ~0xFF, len(term)
