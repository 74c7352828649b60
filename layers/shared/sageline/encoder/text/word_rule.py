"""What a word is, and the words of one text.

The text is lower-cased (``str.lower``, so by Unicode's rules) and brought into NFC; then a word is a letter, digit or
underscore of any script (Python's ``\\w``) and all of these that follow, with their combining marks (Unicode's Mn, Mc and
Me: accents, vowel signs, vowel points, viramas). So ``Ünïcode`` is the word ``ünïcode``, composed or not, ``हिन्दी`` is one
word, ``C++`` is ``c``, ``don't`` is ``don`` and ``t``, ``3.14`` is ``3`` and ``14``; emoji and punctuation separate words.

- Chinese, Japanese, Thai, Lao, Khmer and Burmese put no spaces between words. Of a run of their characters, each two that
  follow one another are a word, with their marks: ``我喜欢`` is ``我喜`` and ``喜欢``; a character alone is a word too. Digits
  and letters of other scripts beside them are words of their own. Korean has spaces, and words like any other language.
- The zero-width joiner and non-joiner belong to a word between two of its characters, as in Persian ``می‌خواهم``; at its
  end they are left out.
- A mark with no such character before it, as at the beginning of a text or after a blank or an emoji, is left out.
- ``İ`` is ``i``, so ``İstanbul`` is the word ``istanbul``: of an i with a dot the dot is left out. A dotless i stays one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import chain, pairwise
from typing import Any, TypeAlias

from sageline.encoder import saved
from sageline.encoder.text.characters import JOINERS, UNSPACED_CLASS, is_mark, normal_form, sort_marks

Span: TypeAlias = "tuple[int, int]"

_MARK = "\u0301"  # stands for every mark, as regular expressions have no class of them
_WORD = re.compile(rf"\w[\w{_MARK}]*(?:[{JOINERS}]+[\w{_MARK}]+)*")
_WORD_WITHOUT_MARKS = re.compile(r"\w+")
_UNSPACED = re.compile(f"[{UNSPACED_CLASS}]")
# Of a word: a character of a script without spaces, or all characters up to the next of these.
_PIECE = re.compile(
    rf"([{UNSPACED_CLASS}](?:[{_MARK}{JOINERS}]*{_MARK})?)"
    rf"|[^{UNSPACED_CLASS}{JOINERS}]+(?:[{JOINERS}]+[^{UNSPACED_CLASS}{JOINERS}]+)*"
)
# Lower-cased text of these alone is in NFC and has no marks: Latin, Cyrillic, punctuation, Korean; Chinese and Japanese; emoji.
_PLAIN = re.compile(
    "[\0-\u02ff\u0400-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\uac00-\ud7a3"
    "\u3000-\u3029\u3041-\u3096\u30a1-\u30ff\u4e00-\u9fff\uff01-\uff9d\U0001f300-\U0001faff]*"
)
_SPACED_OUT = bytes(ord(chr(byte).lower()) if byte < 0x80 and re.match(r"\w", chr(byte)) else ord(" ") for byte in range(256))


class WordRule(StrEnum):
    """Which words a text has. Encoders go on reading texts as they did when they were fitted."""

    MARKS_APART = "marks-apart"
    """Up to version 3: a word is a run of ``\\w`` of the text as it is, lower-cased; marks and joiners separate words."""

    RUNS = "runs"
    """Version 4: in scripts without spaces, too, a run of characters is one word."""

    BIGRAMS = "bigrams"

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> WordRule:  # Any: JSON
        """The rule of the encoder that this document was saved of."""
        if "word_rule" in document:
            return cls(document["word_rule"])
        return cls.MARKS_APART if saved.has_marks_apart(document) else cls.RUNS


def words_of(text: str, rule: WordRule = WordRule.BIGRAMS) -> list[str]:
    """The words of a text, in its order."""
    lowered = text.lower()
    if rule is WordRule.MARKS_APART or text.isascii():
        return _WORD_WITHOUT_MARKS.findall(lowered)
    if _PLAIN.fullmatch(lowered):
        if rule is WordRule.RUNS or not _UNSPACED.search(lowered):
            return _WORD_WITHOUT_MARKS.findall(lowered)
        normal = shape = lowered
    else:
        normal = normal_form(sort_marks(lowered))
        shape = normal.translate({ord(character): _MARK for character in set(normal) if is_mark(character)})
    spans: Iterable[Span] = (match.span() for match in _WORD.finditer(shape))
    if rule is WordRule.BIGRAMS and _UNSPACED.search(shape):
        spans = chain.from_iterable(_in_pieces(shape, span) for span in spans)
    return [normal[start:end] for start, end in spans]


def encoded_words_of(text: str, rule: WordRule = WordRule.BIGRAMS) -> list[bytes]:
    """The same in UTF-8: the quick way for ASCII.

    Raises:
        UnicodeEncodeError: half of a surrogate pair, which UTF-8 cannot express.
    """
    if text.isascii():
        return text.encode().translate(_SPACED_OUT).split()
    words = words_of(text, rule)
    return " ".join(words).encode().split(b" ") if words else []


def _in_pieces(shape: str, word: Span) -> Iterator[Span]:
    """What a run of word characters is taken apart into, where some are of a script without spaces."""
    run: list[Span] = []
    for match in _PIECE.finditer(shape, *word):
        if match.lastindex:
            run.append(match.span())
        else:
            yield from _bigrams(run)
            yield match.span()
            run = []
    yield from _bigrams(run)


def _bigrams(run: list[Span]) -> Iterable[Span]:
    return run if len(run) == 1 else [(first[0], second[1]) for first, second in pairwise(run)]
