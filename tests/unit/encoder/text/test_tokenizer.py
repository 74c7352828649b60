from __future__ import annotations

import re
import time
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sageline.arrays.strings import CHUNK_BYTES, StringArray
from sageline.encoder.text.characters import JOINERS, MARK, UNSPACED, UNSTABLE, WORD, character_kinds
from sageline.encoder.text.tokenizer import Tokens, keys_of, tokenize
from sageline.encoder.text.word_rule import _PLAIN, WordRule, encoded_words_of, words_of

ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
LATIN = "aZ_9 .'\n\0éÉßẞΣ\u03c3ς\u0391İ\u0131IijJKÅȺȾ漢字😀𐐀𐐨ǅﬁŉ\u00ad٣²="
MARKS = "\u0301\u0307\u0323\u0338\u0345\u030c\ufe0f\u20e3\u05c1\u064e\U0001d165"
INDIC = "हकड\u0958\u0929\u093f\u094d\u093c\u0902র\u09be\u09c7த\u0bc6\u0bbe"
OTHERS = "\u1112\u1161\u11ab한ภ\u0e31\u212a\u2126\u1fef\u0344\u200d\u200c\u200d\u200c"
UNSPACED_TEXT = "漢字々〇かがカﾊーㄅ𠀀ไทยก็ລາວ႐မြန်မာខ្មែរ୧٣ก๑"
TRICKY = st.text(st.sampled_from(LATIN + 2 * MARKS + INDIC + OTHERS + UNSPACED_TEXT), max_size=20)
TRICKY |= st.text(st.sampled_from("a1漢字カ" + "กำ\u0e31\u0e49" + "\u3099\u0301" + 2 * JOINERS + " "), max_size=20)
TEXTS = st.lists(ANYTHING | TRICKY, max_size=8)

by_every_rule = pytest.mark.parametrize("rule", list(WordRule))


def reference(text: str, rule: WordRule = WordRule.BIGRAMS) -> list[str]:
    """Character by character."""
    if rule is WordRule.MARKS_APART:
        return re.findall(r"\w+", text.lower())
    normal = unicodedata.normalize("NFC", text.lower())
    while "i\u0307" in normal:
        normal = unicodedata.normalize("NFC", normal.replace("i\u0307", "i"))
    words: list[str] = []
    word = joiners = ""
    for character in normal:
        if character.isalnum() or character == "_" or (word and unicodedata.category(character).startswith("M")):
            word, joiners = word + joiners + character, ""
        elif word and character in JOINERS:
            joiners += character
        else:
            words.append(word)
            word = joiners = ""
    words = [word for word in [*words, word] if word]
    return words if rule is WordRule.RUNS else [piece for word in words for piece in in_bigrams(word)]


NAMES = (
    *("THAI", "LAO", "MYANMAR", "KHMER", "CJK", "IDEOGRAPHIC", "VERTICAL IDEOGRAPHIC", "MASU", "BOPOMOFO"),
    *("HIRAGANA", "HENTAIGANA", "KATAKANA", "VERTICAL KANA", "HALFWIDTH KATAKANA"),
)


def has_no_spaces(character: str) -> bool:
    name = unicodedata.name(character, "")
    return name.startswith(NAMES) and character.isalnum() and not character.isdecimal()


def in_bigrams(word: str) -> list[str]:
    """A word taken apart: first into characters with their marks and joiners, and other runs; then two and two."""
    units: list[tuple[str, bool]] = []
    for character in word:
        if not (character.isalnum() or character == "_"):
            units[-1] = units[-1][0] + character, units[-1][1]
        elif units and not units[-1][1] and not has_no_spaces(character):
            units[-1] = units[-1][0] + character, False
        else:
            units.append((character, has_no_spaces(character)))
    found = []
    for index, (unit, unspaced) in enumerate(units):
        before, after = index > 0 and units[index - 1][1], index + 1 < len(units) and units[index + 1][1]
        if unspaced and after:
            found.append(unit + units[index + 1][0])
        elif not unspaced or not before:
            found.append(unit)
    return [piece.rstrip(JOINERS) for piece in found]


def words_in(tokens: Tokens) -> list[list[str]]:
    """The words of each text, cut out of the bytes."""
    found = [
        tokens.data[start : start + length].decode()
        for start, length in zip(tokens.starts.tolist(), tokens.lengths.tolist(), strict=True)
    ]
    ends = np.cumsum(tokens.counts).tolist()
    return [found[end - count : end] for end, count in zip(ends, tokens.counts.tolist(), strict=True)]


@by_every_rule
@given(TEXTS)
@example(["ab", "cd", "", "", "e"])
@example(["\u0391Σ", "\u0391"])
@example(["\u0391Σ'\u0391 \u0391Σ.", "İΣ", "ΣİΣ"])
@example(["İİ", "", "xİ", "é"])
@example(["e", "\u0301e", "\n\u0301", "\u0301", "e\n\u0301e\n\u0301\ne", "\u200d", "e\u200d", "\u200de"])
@example(["i\u0307\u0307\u0301 İ\u0301", "I\u0323\u0307", "İ\u0323", "J\u030c"])
@example(["我喜欢", "a我喜1欢 欢", "我\u200d喜\u200c欢\u200d", "a\u200d我\u200d\u200ca", "ก\u200d\u0e31ข", "ก็ก็ก็", "๑ก๑"])
def test_the_words_of_many_texts_and_of_one_are_those_found_character_by_character(rule: WordRule, texts: list[str]) -> None:
    tokens = tokenize(StringArray.from_list(texts), rule) if texts else None

    expected = [reference(text, rule) for text in texts]
    assert (words_in(tokens) if tokens else []) == expected
    assert [words_of(text, rule) for text in texts] == expected
    assert [[word.decode() for word in encoded_words_of(text, rule)] for text in texts] == expected


@given(ANYTHING | TRICKY)
@example("İ\u0323 I\u0323\u0307 \u212a \u0958")
def test_texts_that_look_alike_have_the_same_words(text: str) -> None:
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]

    assert [words_of(form) for form in forms] == [words_of(text)] * 2


@given(ANYTHING | TRICKY)
def test_words_are_read_again_as_they_are(text: str) -> None:
    words = words_of(text)

    assert words_of(" ".join(words)) == words
    assert all(unicodedata.is_normalized("NFC", word) for word in words)


@given(st.lists(st.text(st.characters(max_codepoint=0x7F), max_size=30), min_size=1, max_size=8))
def test_the_words_of_ascii_text_are_those_found_character_by_character(texts: list[str]) -> None:
    assert words_in(tokenize(StringArray.from_list(texts))) == [reference(text) for text in texts]


CHARACTERS = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]


@pytest.mark.full
def test_every_character_of_unicode_is_read_alike_in_many_texts_and_in_one() -> None:
    ideographs = range(0x20000, 0x2F800)
    known = [character for character in CHARACTERS if unicodedata.category(character) not in ("Cn", "Co")]
    texts = [f"e{character}b {character}\u0301" for character in known if ord(character) not in ideographs]

    assert words_in(tokenize(StringArray.from_list(texts))) == [words_of(text) for text in texts]
    others = [f"a{character}b" for character in set(CHARACTERS) - set(known)]
    assert set(tokenize(StringArray.from_list(others)).counts.tolist()) == {2}


@pytest.mark.full
def test_every_character_of_unicode_is_read_as_pythons_regular_expression_reads_it_where_marks_are_apart() -> None:
    texts = [f"a{character}b {character}" for character in CHARACTERS]

    for start in range(0, len(texts), 100_000):
        part = texts[start : start + 100_000]
        expected = [reference(text, WordRule.MARKS_APART) for text in part]
        assert words_in(tokenize(StringArray.from_list(part), WordRule.MARKS_APART)) == expected


def test_no_character_becomes_a_line_feed_or_ceases_to_be_one() -> None:
    assert [character for character in CHARACTERS if "\n" in unicodedata.normalize("NFC", character.lower())] == ["\n"]


@pytest.mark.slow
@pytest.mark.parametrize("marks", ["\u0300\u0323", "\u0323\u0300", "\u0301\u05b0\u094d"])
def test_a_text_of_very_many_marks_is_read_in_no_time(marks: str) -> None:
    text = f"e{marks * 60_000} o"  # NFC as Python makes it takes more than ten seconds
    start = time.process_time()

    words = words_of(text)

    assert words_in(tokenize(StringArray.from_list([text]))) == [words]
    assert len(words) == 2
    assert time.process_time() - start < 5


@given(st.text(st.sampled_from(MARKS + "e\u093c\u0344"), min_size=100, max_size=300))
def test_many_marks_in_a_row_are_read_as_a_few_are(marks: str) -> None:
    assert words_of(f"a{marks}") == reference(f"a{marks}") == words_in(tokenize(StringArray.from_list([f"a{marks}"])))[0]


@given(TEXTS, st.integers(0, 8), st.integers(0, 8))
def test_some_texts_of_an_array_are_read_without_the_others(texts: list[str], start: int, size: int) -> None:
    column = StringArray.from_list(texts)
    here = texts[start : start + size]
    if here:
        part = StringArray(column.data, column.offsets[start : start + len(here) + 1])

        assert words_in(tokenize(part)) == [reference(text) for text in here]


@by_every_rule
@given(
    st.lists(
        st.lists(st.sampled_from(["plain", "Two words", "", "x1."]) | ANYTHING | TRICKY, max_size=8).map(" ".join), max_size=6
    )
)
@example(["a", "b", "é", "c d"])
@example(["ab", "é", "cd", "ef", "İx"])
@example(["ab plain", "\u0301 plain", "cd plain", "e\u0301 plain", "\u200df plain plain"])
@example(["plain plain plain a=\u0338b", "\u200d plain", "plain 😀😀 plain", "plain é1-é", "éplain"])
@example(["plain plain plain \u0391Σ", "\u0391 plain"])
@example(["plain plain plain \u0391Σ.\u0391"])
def test_a_few_characters_beyond_ascii_leave_the_words_what_they_are(rule: WordRule, texts: list[str]) -> None:
    found = words_in(tokenize(StringArray.from_list(texts), rule)) if texts else []

    assert found == [reference(text, rule) for text in texts]


@given(st.lists(st.text(st.sampled_from("ab"), min_size=1, max_size=40), unique=True))
def test_different_words_have_different_keys(words: list[str]) -> None:
    keys = keys_of(words)

    assert len(set(zip(keys.first.tolist(), keys.second.tolist(), strict=True))) == len(words)
    assert keys.long.tolist() == [index for index, word in enumerate(words) if len(word) > 16]


@given(st.lists(st.text(st.sampled_from("aé"), min_size=1, max_size=40), min_size=1), st.data())
def test_the_keys_of_some_words_are_those_of_these_words(words: list[str], data: st.DataObject) -> None:
    indexes = data.draw(st.lists(st.integers(0, len(words) - 1)))

    taken, direct = keys_of(words).take(np.array(indexes, dtype=np.int64)), keys_of([words[index] for index in indexes])

    for name in ("first", "second", "long", "eights", "bounds"):
        assert getattr(taken, name).tolist() == getattr(direct, name).tolist()


@pytest.mark.parametrize("text", ["x" * 1_000_000, "é" * 500_000])
def test_a_text_of_one_huge_word_is_one_word(text: str) -> None:
    tokens = tokenize(StringArray.from_list([text, text]))

    assert tokens.counts.tolist() == [1, 1]
    assert tokens.lengths.tolist() == [len(text.encode())] * 2
    keys = tokens.keys()
    assert keys.first[0] == keys.first[1]
    assert len(text.encode()) > CHUNK_BYTES


def test_a_huge_text_of_a_script_without_spaces_is_bigrams() -> None:
    tokens = tokenize(StringArray.from_list(["漢字" * 150_000, "漢"]))

    assert tokens.counts.tolist() == [299_999, 1]
    assert set(tokens.lengths.tolist()) == {6, 3}


def test_the_characters_of_scripts_without_spaces_are_letters_of_these_and_no_digits() -> None:
    kinds = character_kinds()

    letters = filter(str.isalpha, CHARACTERS)
    assert not [character for character in letters if bool(kinds[ord(character)] & UNSPACED) != has_no_spaces(character)]


def test_plain_text_has_neither_marks_nor_what_is_composed() -> None:
    plain = [ord(character) for character in CHARACTERS if _PLAIN.fullmatch(character)]

    kinds = character_kinds()[plain]
    assert set((kinds & ~np.uint8(UNSPACED)).tolist()) == {0, WORD}
    assert not (kinds & (UNSTABLE | MARK)).any()
