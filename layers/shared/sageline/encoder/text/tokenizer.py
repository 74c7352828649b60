"""Words of texts as whole arrays: where in the lower-cased bytes each one is, and 64-bit keys to look it up by.

The words are those of :func:`sageline.encoder.text.word_rule.words_of`, to the letter. ASCII is lower-cased and classified by one
table over bytes. What has other characters goes through Python's own ``str.lower`` and ``unicodedata.normalize``, all of it at
once, and a table over code points that Python's own Unicode data fill (:mod:`sageline.encoder.text.characters`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from sageline.arrays.strings import FIRST_BYTES, BoolArray, Eights, IntArray, StringArray
from sageline.encoder.text.characters import (
    JOINER,
    MANY_MARKS,
    MARK,
    UNSPACED,
    UNSTABLE,
    WORD,
    CodeArray,
    KindArray,
    character_kinds,
    codes_of,
    normal_form,
    sort_marks,
    text_of,
)
from sageline.encoder.text.word_rule import WordRule

KeyArray: TypeAlias = "np.ndarray[Any, np.dtype[np.uint64]]"  # Any: numpy's shape parameter

PADDING = bytes(16)  # so that eight bytes can be read at every position

_LINE_FEED = ord("\n")
_LOWER = bytes(byte if byte >= 0x80 else ord(chr(byte).lower()) if re.match(r"\w", chr(byte)) else 0 for byte in range(256))
_GREEK = "\u03a3".encode()[0]  # the first byte of the capital sigma, and of other letters
_FEW_RUNS = 0.005  # of a text's, which are replaced one by one: faster than all at once
_MANY_OTHERS = 0.3  # of a text's bytes that are none of ASCII

# The increment and a multiplier of splitmix64 (Steele, Lea, Flood 2014).
INCREMENT = np.uint64(0x9E3779B97F4A7C15)
MULTIPLIER = np.uint64(0xBF58476D1CE4E5B9)


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
        long = np.flatnonzero((first & FIRST_BYTES[1]) == 0) if len(self.long) else self.long
        positions = np.searchsorted(self.long, indexes[long])
        pieces, bounds = ranges(self.bounds[positions], self.bounds[positions + 1])
        return Keys(first, self.second[indexes], long, self.eights[pieces], bounds)


@dataclass(frozen=True, eq=False)
class Tokens:
    """The words of some texts, in order.

    Attributes:
        data: the texts, lower-cased and in NFC, zeros in place of what is in no word, and some zeros at the end.
        starts, lengths: ``int64[n]``, in bytes, of each word.
        counts: ``int64[texts]``: how many words each text has.
    """

    data: bytes
    starts: IntArray
    lengths: IntArray
    counts: IntArray

    def keys(self, *, all_long: bool = True) -> Keys:
        """What to look the words up by.

        Args:
            all_long: False where none of more than 16 bytes is looked for: such words get keys that no word has.
        """
        eights = Eights(self.data)
        first = eights[self.starts]
        first &= FIRST_BYTES.take(self.lengths, mode="clip")  # clip: longer words count as 8
        second = np.zeros_like(first)
        more = np.flatnonzero(self.lengths > 8)
        left = self.lengths[more] - 8
        second[more] = eights[self.starts[more] + 8] & FIRST_BYTES.take(left, mode="clip")
        long = more[left > 8]
        if not all_long:
            first[long] &= ~FIRST_BYTES[1]
            long = long[:0]
        if not len(long):
            return Keys(first, second, long, first[:0], np.zeros(1, dtype=np.int64))
        lengths = self.lengths[long]
        pieces, bounds = ranges(np.zeros(len(long), dtype=np.int64), (lengths + 7) // 8)
        at = np.repeat(self.starts[long], np.diff(bounds)) + 8 * pieces
        left = np.repeat(lengths, np.diff(bounds)) - 8 * pieces
        long_eights = eights[at] & FIRST_BYTES.take(left, mode="clip")
        first[long] = hash_long(long_eights, pieces, bounds) & ~FIRST_BYTES[1]
        second[long] = lengths
        return Keys(first, second, long, long_eights, bounds)


def keys_of(words: Sequence[str]) -> Keys:
    """What to look these words up by."""
    strings = StringArray.from_list(words)
    counts = np.ones(len(words), dtype=np.int64)
    return Tokens(strings.data.tobytes() + PADDING, strings.offsets[:-1], strings.lengths, counts).keys()


def hash_long(eights: KeyArray, positions: IntArray, bounds: IntArray) -> KeyArray:
    """``uint64`` per word: a hash of its pieces, of which there is at least one, and their positions in the word."""
    mixed = (eights + positions.astype(np.uint64) * INCREMENT) * MULTIPLIER
    mixed = (mixed ^ (mixed >> np.uint64(29))) * INCREMENT
    return np.add.reduceat(mixed ^ (mixed >> np.uint64(32)), bounds[:-1]) * MULTIPLIER


def ranges(starts: IntArray, ends: IntArray) -> tuple[IntArray, IntArray]:
    """The numbers of all the ranges, one range after the other, and the bounds of each among them."""
    bounds = np.zeros(len(starts) + 1, dtype=np.int64)
    np.cumsum(ends - starts, out=bounds[1:])
    return np.arange(bounds[-1]) + np.repeat(starts - bounds[:-1], np.diff(bounds)), bounds


def tokenize(column: StringArray, rule: WordRule = WordRule.BIGRAMS) -> Tokens:
    """The words of each text."""
    data, offsets = column.data[column.offsets[0] : column.offsets[-1]], column.offsets - column.offsets[0]
    text = data.tobytes()
    if text.isascii():
        return _tokens(_plain(text), offsets + 1)
    others = np.flatnonzero(data >= 0x80)
    if len(others) > _MANY_OTHERS * len(data) or (data[others] == _GREEK).any():
        return _tokens(*_normalize(text, offsets, rule))
    return _with_others(text, _tokens(_plain(text), offsets + 1), others + 1, rule)


def _plain(text: bytes) -> bytes:
    """ASCII in the text, from position 1 on: lower-cased, with zeros for what is no word character. Other bytes stay."""
    return b"\0" + text.translate(_LOWER) + PADDING


def _with_others(text: bytes, runs: Tokens, others: IntArray, rule: WordRule) -> Tokens:
    """The words of texts that were read as ASCII.

    What another character is does not depend on what is beyond ASCII that is in no word, but for the capital sigma: so only runs
    without any are read again, as if each were a text.

    Args:
        runs: of word characters and bytes that are not ASCII.
        others: where in the data of the runs these bytes are.
    """
    run = np.searchsorted(runs.starts, others, side="right") - 1
    run = run[np.append(True, run[1:] != run[:-1])]
    positions, bounds = ranges(runs.starts[run], runs.starts[run] + runs.lengths[run])
    words = _tokens(*_normalize(np.frombuffer(text, dtype=np.uint8)[positions - 1].tobytes(), bounds, rule))
    counts = runs.counts.copy()
    np.add.at(counts, np.searchsorted(np.cumsum(counts), run, side="right"), words.counts - 1)
    data = runs.data + words.data
    # In place of each of these runs its words, of which it may have none.
    if len(run) <= _FEW_RUNS * len(runs.starts):
        ends = np.cumsum(words.counts).tolist()
        starts = _in_place_of(run.tolist(), runs.starts, words.starts + len(runs.data), ends)
        return Tokens(data, starts, _in_place_of(run.tolist(), runs.lengths, words.lengths, ends), counts)
    per_run = np.ones(len(runs.starts), dtype=np.int64)
    per_run[run] = words.counts
    of_run = np.repeat(np.arange(len(per_run)), per_run)
    starts, lengths = runs.starts[of_run], runs.lengths[of_run]
    more = words.counts - 1
    first = run + np.cumsum(more) - more
    at, _ = ranges(first, first + words.counts)
    starts[at], lengths[at] = words.starts + len(runs.data), words.lengths
    return Tokens(data, starts, lengths, counts)


def _in_place_of(places: list[int], numbers: IntArray, others: IntArray, ends: list[int]) -> IntArray:
    """The numbers with others in place of those at ascending places: of the others, those up to the first end in place of the
    first one, and so on."""
    pieces, next_number, next_other = [], 0, 0
    for place, end in zip(places, ends, strict=True):
        pieces += [numbers[next_number:place], others[next_other:end]]
        next_number, next_other = place + 1, end
    return np.concatenate([*pieces, numbers[next_number:]])


def _tokens(data: bytes, offsets: IntArray) -> Tokens:
    """The words of texts that are lower-cased, the first byte of which is no word character."""
    in_word = np.frombuffer(data, dtype=np.uint8) != 0
    begins, ends = in_word[1:] > in_word[:-1], in_word[1:] < in_word[:-1]
    # A word ends where its text ends, though the next one begins with a word character.
    inside = offsets[in_word[offsets] & in_word[offsets - 1]] - 1
    begins[inside] = ends[inside] = True
    starts, lengths = np.flatnonzero(begins), np.flatnonzero(ends)
    lengths -= starts
    starts += 1
    return Tokens(data, starts, lengths, np.diff(np.searchsorted(starts, offsets)))


def _normalize(text: bytes, offsets: IntArray, rule: WordRule) -> tuple[bytes, IntArray]:
    """Texts of any characters in the form in which their words are looked up, zeros for what is in no word; and their offsets."""
    # A line feed on both sides of each text: how a sigma is lower-cased depends on the letters around it, and a mark at the
    # beginning of a text belongs to none of the text before. They are found again by their number among all line feeds.
    data = np.insert(np.frombuffer(text, dtype=np.uint8), offsets, _LINE_FEED)
    numbers = np.searchsorted(np.flatnonzero(data == _LINE_FEED), offsets + np.arange(len(offsets)))
    codes = codes_of(data.tobytes().decode().lower())
    kinds = character_kinds().take(codes, mode="clip")  # told to clip what is in range anyway, it is quicker
    if rule is WordRule.MARKS_APART:
        kinds &= WORD
    else:
        unstable = (kinds & UNSTABLE) != 0
        if unstable.any():
            codes = _composed(codes, unstable)
            kinds = character_kinds().take(codes, mode="clip")
        unspaced = (kinds & UNSPACED) != 0
        kinds &= WORD | MARK | JOINER
        _leave_out_strays(kinds)
        if rule is WordRule.BIGRAMS and unspaced.any():
            codes, kinds = _in_bigrams(codes, kinds, unspaced)
    bounds = np.flatnonzero(codes == _LINE_FEED)[numbers]
    codes = codes * (kinds != 0)
    widths = (codes >= 0x80).view(np.uint8) + (codes >= 0x800) + (codes >= 0x10000) + np.uint8(1)
    sizes = np.add.reduceat(widths, bounds, dtype=np.int64)
    ends = np.cumsum(sizes)
    return text_of(codes).encode() + PADDING, 1 + ends - sizes


def _composed(codes: CodeArray, unstable: BoolArray) -> CodeArray:
    """Code points of lower-cased text in :func:`normal_form`. What changes are the unstable ones, each run of them with the
    character before, so only these are looked at."""
    inside = unstable.copy()
    inside[:-1] |= unstable[1:]
    inside &= codes != _LINE_FEED
    positions = np.flatnonzero(inside)
    begins = 1 + np.flatnonzero(np.diff(positions) != 1)  # of the second run, the third ...
    pieces = text_of(np.insert(codes[positions], begins, _LINE_FEED))
    begins = np.append(0, begins)
    longest = np.diff(begins, append=len(positions)).max()
    normal_pieces = normal_form(sort_marks(pieces) if longest > MANY_MARKS else pieces)
    if normal_pieces == pieces:
        return codes
    normal = codes_of(normal_pieces)
    is_gap = normal == _LINE_FEED
    lengths = np.diff(np.flatnonzero(is_gap), prepend=-1, append=len(normal)) - 1
    return np.insert(codes[~inside], np.repeat(positions[begins] - begins, lengths), normal[~is_gap])


def _leave_out_strays(kinds: KindArray) -> None:
    """Set to 0 the marks and joiners that no word character is before, and the joiners that end a word."""
    extends = kinds > WORD
    strays = 1 + np.flatnonzero(extends[1:] & (kinds[:-1] == 0))
    if len(strays):
        others = np.flatnonzero(~extends)
        kinds[ranges(strays, others[np.searchsorted(others, strays)])[0]] = 0
    joins = kinds == JOINER
    last = np.flatnonzero(joins[:-1] & (kinds[1:] == 0))
    if len(last):
        others = np.flatnonzero(~joins)
        kinds[ranges(1 + others[np.searchsorted(others, last) - 1], 1 + last)[0]] = 0


def _in_bigrams(codes: CodeArray, kinds: KindArray, unspaced: BoolArray) -> tuple[CodeArray, KindArray]:
    """The code points and their kinds with the words of scripts without spaces taken apart: what ends one bigram and begins the
    next stands there twice, with a zero between."""
    bases = np.flatnonzero(kinds == WORD)
    is_unspaced = unspaced[bases]
    gaps = np.cumsum(kinds == 0)[bases]
    # Of each character but the last, and the one behind it:
    in_one_word = gaps[1:] == gaps[:-1]
    bigram = in_one_word & is_unspaced[1:] & is_unspaced[:-1]
    apart = in_one_word & (is_unspaced[1:] != is_unspaced[:-1])
    twice = bigram.copy()
    twice[:1] = False
    twice[1:] &= bigram[:-1]
    where = np.flatnonzero(twice | apart)
    starts, ends = bases[where], bases[where + 1]
    if (kinds == JOINER).any():
        # With its marks, but without joiners at its end.
        others = np.flatnonzero(kinds != JOINER)
        following, ends = ends, 1 + others[np.searchsorted(others, ends) - 1]
        kinds[ranges(ends[apart[where]], following[apart[where]])[0]] = 0
    repeated, bounds = ranges(starts, np.where(twice[where], ends, starts))
    counts = 1 + np.diff(bounds)
    added = np.zeros(int(counts.sum()), dtype=np.int64)  # where in the text what is added stands
    is_gap = np.zeros(len(added), dtype=np.bool_)
    is_gap[np.cumsum(counts) - counts] = True
    added[~is_gap] = repeated
    at = np.repeat(ends, counts)
    return np.insert(codes, at, codes[added] * ~is_gap), np.insert(kinds, at, kinds[added] * ~is_gap)
