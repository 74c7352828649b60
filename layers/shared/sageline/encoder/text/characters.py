"""Which characters make up words, and the form that texts are brought into first, by the Unicode data of Python itself."""

from __future__ import annotations

import functools
import re
import unicodedata
from itertools import accumulate, chain, count
from typing import Any, TypeAlias

import numpy as np

CodeArray: TypeAlias = "np.ndarray[Any, np.dtype[np.uint32]]"  # Any: numpy's shape parameter
KindArray: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"

WORD, MARK, JOINER = 1, 2, 4
UNSTABLE = 8
"""Added to the kind of a character that NFC may change, compose with the one before, or reorder."""

JOINERS = "\u200c\u200d"
"""The zero-width non-joiner and joiner: they say how the letters on both sides of them are drawn."""

MANY_MARKS = 100
"""In a row: no language has so many."""

_WORD_CHARACTERS = re.compile(r"\w+")
_DOTTED_I = re.compile("i\u0307+")
_MANY_MARKS = re.compile(rf"[^\w\x00-\x7f]{{{MANY_MARKS},}}")
_SURROGATES = range(0xD800, 0xE000)
# Where marks and what NFC changes are. The rest is ideographs and what means nothing; to ask for it takes four times as long.
_LOOKED_AT = (range(_SURROGATES.start), range(_SURROGATES.stop, 0x20000), range(0x2F800, 0x2FA20), range(0xE0000, 0xE0200))


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


@functools.cache
def character_kinds() -> KindArray:
    """``uint8[0x110000]``: :data:`WORD` (Python's ``\\w``), :data:`MARK`, :data:`JOINER` or 0 for every code point, and
    :data:`UNSTABLE`. Surrogates have none."""
    codes = np.arange(0x110000, dtype="<u4")
    codes[_SURROGATES.start : _SURROGATES.stop] = 0
    kinds = np.zeros(len(codes), dtype=np.uint8)
    for match in _WORD_CHARACTERS.finditer(text_of(codes)):
        kinds[match.start() : match.end()] = WORD
    characters = [chr(code) for code in chain(*_LOOKED_AT)]
    kinds[codes_of("".join(filter(is_mark, characters)))] = MARK
    kinds[codes_of(JOINERS)] = JOINER
    decomposed = [character for character in characters if not unicodedata.is_normalized("NFD", character)]
    changed = [character for character in decomposed if not unicodedata.is_normalized("NFC", character)]
    composing = chain.from_iterable(unicodedata.normalize("NFD", character)[1:] for character in decomposed)
    reordered = filter(unicodedata.combining, characters)
    kinds[codes_of("".join({*changed, *composing, *reordered}))] |= UNSTABLE
    return kinds
