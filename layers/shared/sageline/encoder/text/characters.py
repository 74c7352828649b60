"""Which characters make up words, and the form that texts are brought into first, by the Unicode data of Python itself."""

from __future__ import annotations

import functools
import re
import unicodedata
from itertools import accumulate, chain, compress, count
from typing import Any, TypeAlias

import numpy as np

CodeArray: TypeAlias = "np.ndarray[Any, np.dtype[np.uint32]]"  # Any: numpy's shape parameter
KindArray: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"

WORD, MARK, JOINER = 1, 2, 4
UNSTABLE = 8
"""Added to the kind of a character that NFC may change, compose with the one before, or reorder."""
UNSPACED = 16
"""Added to the kind of a word character of a script that puts no spaces between words."""

JOINERS = "\u200c\u200d"
"""The zero-width non-joiner and joiner: they say how the letters on both sides of them are drawn."""

MANY_MARKS = 100
"""In a row: no language has so many."""

_UNSPACED_RANGES = (
    *(("\u0e01", "\u0e4e"),),  # Thai
    *(("\u0e81", "\u0ece"), ("\u0edc", "\u0edf")),  # Lao
    *(("\u1000", "\u103f"), ("\u1050", "\u108f"), ("\ua9e0", "\ua9ef"), ("\ua9fa", "\ua9fe"), ("\uaa60", "\uaa7f")),  # Burmese
    *(("\u1780", "\u17d3"), ("\u17d7", "\u17d7"), ("\u17dc", "\u17dc")),  # Khmer
    *(("\u3005", "\u3007"), ("\u3021", "\u3029"), ("\u3031", "\u3035"), ("\u3038", "\u303c"), ("\u3400", "\u4dbf")),  # Han
    *(("\u4e00", "\u9fff"), ("\uf900", "\ufaff"), ("\U00020000", "\U0003fffd")),  # Han
    *(("\u3041", "\u3096"), ("\u309d", "\u309f"), ("\u30a1", "\u30fa"), ("\u30fc", "\u30ff"), ("\u31f0", "\u31ff")),  # Japanese
    *(("\uff66", "\uff9f"), ("\U0001aff0", "\U0001b16f")),  # Japanese
    *(("\u3105", "\u312f"), ("\u31a0", "\u31bf")),  # Bopomofo
)
UNSPACED_CLASS = "".join(f"{first}-{last}" for first, last in _UNSPACED_RANGES)
"""For a class of a regular expression: the characters of scripts that put no spaces between words, but for digits."""

_WORD_CHARACTERS = re.compile(r"\w+")
_DOTTED_I = re.compile("i\u0307+")
_MANY_MARKS = re.compile(rf"[^\w\x00-\x7f]{{{MANY_MARKS},}}")
_SURROGATES = range(0xD800, 0xE000)
# Where marks and what NFC changes are, then the ideographs. What is beyond them means nothing; to ask for it takes four times as
# long.
_LOOKED_AT = (range(_SURROGATES.start), range(_SURROGATES.stop, 0x20000), range(0x2F800, 0x2FA20), range(0xE0000, 0xE0200))
_IDEOGRAPHS = range(0x20000, 0x40000)
_HANGUL = range(0xAC00, 0xD7A4)


def normal_form(lowered: str) -> str:
    """Lower-cased text in NFC, the dot of an i left out: so ``İ``, the lower case of which is an i and a dot, is ``i``."""
    text = unicodedata.normalize("NFC", lowered)
    without_dot = _DOTTED_I.sub("i", text)
    # What stands behind the dot may be composed with the i.
    return text if without_dot == text else unicodedata.normalize("NFC", without_dot)


def sort_marks(text: str) -> str:
    """The text with runs of :data:`MANY_MARKS` and more in the order that NFC gives them: Python's own ``normalize`` takes
    minutes for hundreds of thousands that are in another."""
    return _MANY_MARKS.sub(_sorted_run, text)


def _sorted_run(marks: re.Match[str]) -> str:
    classes = [unicodedata.combining(character) for character in marks.group()]
    stretches = accumulate(combining_class == 0 for combining_class in classes)
    order = sorted(zip(stretches, classes, count(), marks.group(), strict=False))
    return "".join(character for *_, character in order)


def codes_of(text: str) -> CodeArray:
    """``uint32[n]``: the code points."""
    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4")


def text_of(codes: CodeArray) -> str:
    """The text with these code points."""
    return codes.tobytes().decode("utf-32-le")


def is_mark(character: str) -> bool:
    """Whether it is a combining mark: an accent, a vowel sign, a virama, a vowel point."""
    return unicodedata.category(character) in ("Mn", "Mc", "Me")


def looked_at() -> CodeArray:
    """``uint32[n]``: the code points that are marks, letters with case or changed by NFC, and many more; all others of which a
    word can be made are ideographs, and these are in :func:`ideographs`."""
    return np.concatenate([np.arange(part.start, part.stop, dtype="<u4") for part in _LOOKED_AT])


def ideographs() -> CodeArray:
    """``uint32[n]``: the code points of the planes of ideographs, whether they mean something or not."""
    return np.arange(_IDEOGRAPHS.start, _IDEOGRAPHS.stop, dtype="<u4")


@functools.cache
def character_kinds() -> KindArray:
    """``uint8[0x110000]``: :data:`WORD` (Python's ``\\w``), :data:`MARK`, :data:`JOINER` or 0 for every code point, and
    :data:`UNSTABLE` and :data:`UNSPACED`. Surrogates have none."""
    kinds = np.zeros(0x110000, dtype=np.uint8)
    codes = looked_at()
    characters = text_of(codes)
    for part, text in ((codes, characters), (ideographs(), text_of(ideographs()))):
        for match in _WORD_CHARACTERS.finditer(text):
            kinds[part[match.start() : match.end()]] = WORD
    for first, last in _UNSPACED_RANGES:
        here = kinds[ord(first) : ord(last) + 1]
        here[here == WORD] |= UNSPACED
    kinds[codes[[category[0] == "M" for category in map(unicodedata.category, characters)]]] = MARK
    kinds[codes_of(JOINERS)] = JOINER
    # A decomposition without a name in angle brackets is canonical; those of Hangul are a rule, and in no list.
    canonical = [text != "" and text[0] != "<" for text in map(unicodedata.decomposition, characters)]
    decomposed = [*compress(characters, canonical), *map(chr, _HANGUL)]
    changed = [character for character in decomposed if not unicodedata.is_normalized("NFC", character)]
    composing = chain.from_iterable(unicodedata.normalize("NFD", character)[1:] for character in decomposed)
    reordered = compress(characters, map(unicodedata.combining, characters))
    kinds[codes_of("".join({*changed, *composing, *reordered}))] |= UNSTABLE
    return kinds
