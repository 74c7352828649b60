"""Words of texts as whole arrays: where in the lower-cased bytes each one is, and 64-bit keys to look it up by.

The words are those of :func:`words_of`, to the letter. Text of ASCII only is lower-cased and classified by one table
over bytes. Text with other characters goes through Python's own ``str.lower``, all texts at once, and a table over code
points that Python's own ``\\w`` fills, so there is no second set of Unicode rules here.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from sageline.dataset.blocks import BoolArray, IntArray, StringArray

KeyArray: TypeAlias = "np.ndarray[Any, np.dtype[np.uint64]]"  # Any: numpy's shape parameter

_PADDING = bytes(16)  # so that eight bytes can be read at every position

_WORD = re.compile(r"\w+")
_LOWER = bytes(ord(chr(byte).lower()) if byte < 0x80 and _WORD.match(chr(byte)) else 0 for byte in range(256))
_FIRST_BYTES = np.array([(1 << 8 * length) - 1 for length in range(9)], dtype=np.uint64)

# İ is the one character whose lower case has another number of characters; of i and the dot it stays as it is.
_CAPITAL_DOTTED_I, _DOTTED_I = "İ".encode(), "i\u0307".encode()

# The increment and a multiplier of splitmix64 (Steele, Lea, Flood 2014).
_INCREMENT = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIER = np.uint64(0xBF58476D1CE4E5B9)


def words_of(text: str) -> list[str]:
    """The words of a text, in its order."""
    return _WORD.findall(text.lower())


@dataclass(frozen=True, eq=False)
class Keys:
    """Words as two numbers each: equal words have equal numbers, and of different ones at most those of more than 16 bytes.

    Attributes:
        first, second: ``uint64[n]``: the first and the next eight bytes of a word's UTF-8, the first one lowest, zeros
            where it ends. Of a word longer than 16 bytes, hashes; the lowest byte of ``first`` is then 0, so that they
            are not the numbers of a shorter word.
        long: ``int64[m]``: indexes of the words longer than 16 bytes, ascending.
        eights: their bytes in pieces of eight, the last one filled with zeros, ``uint64``.
        bounds: ``int64[m + 1]``: the pieces of the word at ``long[i]`` are ``eights[bounds[i] : bounds[i + 1]]``.
    """

    first: KeyArray
    second: KeyArray
    long: IntArray
    eights: KeyArray
    bounds: IntArray

    def __len__(self) -> int:
        return len(self.first)

    def take(self, indexes: IntArray) -> Keys:
        """Some of the words, in the order of the indexes."""
        first = self.first[indexes]
        long = np.flatnonzero((first & _FIRST_BYTES[1]) == 0) if len(self.long) else self.long
        places = np.searchsorted(self.long, indexes[long])
        pieces, bounds = ranges(self.bounds[places], self.bounds[places + 1])
        return Keys(first, self.second[indexes], long, self.eights[pieces], bounds)


@dataclass(frozen=True, eq=False)
class Tokens:
    """The words of some texts, in order.

    Attributes:
        data: the texts, lower-cased, zeros in place of what is no word character, and some zeros at the end.
        starts, lengths: ``int64[n]``, in bytes, of each word.
        counts: ``int64[texts]``: how many words each text has.
    """

    data: bytes
    starts: IntArray
    lengths: IntArray
    counts: IntArray

    def keys(self) -> Keys:
        """What to look the words up by."""
        # Eight bytes from every position on: overlapping, so no copy.
        eights = np.ndarray((len(self.data) - 7,), dtype="<u8", buffer=self.data, strides=(1,))
        first = eights[self.starts] & _FIRST_BYTES.take(self.lengths, mode="clip")  # clip: longer words count as 8
        second = np.zeros_like(first)
        more = np.flatnonzero(self.lengths > 8)
        left = self.lengths[more] - 8
        second[more] = eights[self.starts[more] + 8] & _FIRST_BYTES.take(left, mode="clip")
        long = more[left > 8]
        if not len(long):
            return Keys(first, second, long, first[:0], np.zeros(1, dtype=np.int64))
        lengths = self.lengths[long]
        pieces, bounds = ranges(np.zeros(len(long), dtype=np.int64), (lengths + 7) // 8)
        at = np.repeat(self.starts[long], np.diff(bounds)) + 8 * pieces
        left = np.repeat(lengths, np.diff(bounds)) - 8 * pieces
        long_eights = eights[at] & _FIRST_BYTES.take(left, mode="clip")
        first[long] = hash_long(long_eights, pieces, bounds) & ~_FIRST_BYTES[1]
        second[long] = lengths
        return Keys(first, second, long, long_eights, bounds)


def keys_of(words: Sequence[str]) -> Keys:
    """What to look these words up by."""
    strings = StringArray.from_list(words)
    counts = np.ones(len(words), dtype=np.int64)
    return Tokens(strings.data.tobytes() + _PADDING, strings.offsets[:-1], strings.lengths, counts).keys()


def hash_long(eights: KeyArray, places: IntArray, bounds: IntArray) -> KeyArray:
    """``uint64`` per word: a hash of its pieces, of which there is at least one, and their places in the word."""
    mixed = (eights + places.astype(np.uint64) * _INCREMENT) * _MULTIPLIER
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _INCREMENT
    return np.add.reduceat(mixed ^ (mixed >> np.uint64(32)), bounds[:-1]) * _MULTIPLIER


def ranges(starts: IntArray, ends: IntArray) -> tuple[IntArray, IntArray]:
    """The numbers of all the ranges, one range after the other, and the bounds of each among them."""
    bounds = np.zeros(len(starts) + 1, dtype=np.int64)
    np.cumsum(ends - starts, out=bounds[1:])
    return np.arange(bounds[-1]) + np.repeat(starts - bounds[:-1], np.diff(bounds)), bounds


def tokenize(column: StringArray) -> Tokens:
    """The words of each text."""
    text = column.data[column.offsets[0] : column.offsets[-1]].tobytes()
    # The first byte is no word character, so every word begins and ends with a change.
    if text.isascii():
        data, offsets = b"\0" + text.translate(_LOWER) + _PADDING, column.offsets - column.offsets[0] + 1
    else:
        data, offsets = _normalize(text, column.offsets - column.offsets[0])
    in_word = np.frombuffer(data, dtype=np.uint8) != 0
    changes = np.flatnonzero(in_word[1:] != in_word[:-1]) + 1
    changes = _cut(changes, in_word, offsets[1:-1])
    starts, ends = changes[0::2].copy(), changes[1::2]
    return Tokens(data, starts, ends - starts, np.diff(np.searchsorted(starts, offsets)))


def _cut(changes: IntArray, in_word: BoolArray, offsets: IntArray) -> IntArray:
    """A word ends where its text ends, though the next one begins with a word character."""
    inside = offsets[in_word[offsets] & in_word[offsets - 1]]
    if not len(inside):
        return changes
    inside = inside[np.diff(inside, prepend=0) > 0]  # empty texts are at the same place
    return np.sort(np.concatenate([changes, np.repeat(inside, 2)]), kind="stable")  # which merges what is in order


def _normalize(text: bytes, offsets: IntArray) -> tuple[bytes, IntArray]:
    """Texts of any characters, lower-cased, with zeros for what is no word character; and their offsets."""
    if _CAPITAL_DOTTED_I in text:
        places = np.array([match.start() for match in re.finditer(_CAPITAL_DOTTED_I, text)], dtype=np.int64)
        offsets = offsets + np.searchsorted(places, offsets)
        text = text.replace(_CAPITAL_DOTTED_I, _DOTTED_I)
    # A line feed between two texts: how a sigma is lower-cased depends on the letters around it.
    data = np.insert(np.frombuffer(text, dtype=np.uint8), offsets[1:], ord("\n"))
    begins = offsets[:-1] + np.arange(len(offsets) - 1)
    characters = np.add.reduceat((data & 0xC0) != 0x80, begins, dtype=np.int64)
    codes = np.frombuffer(data.tobytes().decode().lower().encode("utf-32-le"), dtype="<u4")
    codes = codes * _word_characters()[codes]
    widths = (codes >= 0x80).view(np.uint8) + (codes >= 0x800) + (codes >= 0x10000) + np.uint8(1)
    sizes = np.add.reduceat(widths, np.cumsum(characters) - characters, dtype=np.int64)
    normal = codes.tobytes().decode("utf-32-le").encode()
    return b"\0" + normal + _PADDING, np.concatenate([np.ones(1, dtype=np.int64), 1 + np.cumsum(sizes)])


@functools.cache
def _word_characters() -> np.ndarray[Any, np.dtype[np.uint32]]:  # Any: numpy's shape parameter
    """1 for every code point that is a word character, else 0."""
    surrogates = range(0xD800, 0xE000)
    codes = np.arange(0x110000, dtype="<u4")
    codes[surrogates.start : surrogates.stop] = 0
    table = np.zeros(len(codes), dtype=np.uint32)
    for match in _WORD.finditer(codes.tobytes().decode("utf-32-le")):
        table[match.start() : match.end()] = 1
    return table


def by_alphabet(column: StringArray) -> list[tuple[IntArray, StringArray]]:
    """The texts in two groups, those of ASCII only and the others, each with the indexes of its texts.

    The first group has an empty text, all zeros, in place of each one of the second group.
    Where most texts have other characters, there is one group: taking them apart would cost more than it saves.
    """
    every = np.arange(len(column))
    begin, end = int(column.offsets[0]), int(column.offsets[-1])
    data = column.data[begin:end]
    if not len(data) or int(data.max()) < 0x80:
        return [(every, column)]
    beyond = np.flatnonzero(data >= 0x80)
    offsets = column.offsets - begin
    others = np.diff(np.searchsorted(beyond, offsets)) > 0
    if 2 * np.count_nonzero(others) > len(column):
        return [(every, column)]
    blanked = StringArray(data * np.repeat(~others, np.diff(offsets)), offsets)
    return [(every, blanked), (np.flatnonzero(others), StringArray(data, offsets).take(others))]
