from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sageline.dataset.blocks import CHUNK_BYTES, StringArray
from sageline.encoder.tokenizer import Tokens, keys_of, tokenize, tokenize_apart, words_of

ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
TRICKY = st.text(st.sampled_from("aZ_9 .'\n\0éÉßẞΣ\u03c3ς\u0391İ\u0131Ii̇\u0301\u0307KÅȺȾ漢字😀𐐀𐐨ǅﬁŉ\u00ad\u200d٣²"), max_size=20)
TEXTS = st.lists(ANYTHING | TRICKY, max_size=8)


def reference(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def words_in(tokens: Tokens) -> list[list[str]]:
    """The words of each text, cut out of the bytes."""
    found = [
        tokens.data[start : start + length].decode()
        for start, length in zip(tokens.starts.tolist(), tokens.lengths.tolist(), strict=True)
    ]
    ends = np.cumsum(tokens.counts).tolist()
    return [found[end - count : end] for end, count in zip(ends, tokens.counts.tolist(), strict=True)]


@given(TEXTS)
@example(["ab", "cd", "", "", "e"])
@example(["\u0391Σ", "\u0391"])
@example(["\u0391Σ'\u0391 \u0391Σ.", "İΣ", "ΣİΣ"])
@example(["İİ", "", "xİ", "é"])
def test_the_words_are_those_of_the_regular_expression(texts: list[str]) -> None:
    tokens = tokenize(StringArray.from_list(texts)) if texts else None

    assert (words_in(tokens) if tokens else []) == [reference(text) for text in texts]
    assert [words_of(text) for text in texts] == [reference(text) for text in texts]


@given(st.lists(st.text(st.characters(max_codepoint=0x7F), max_size=30), min_size=1, max_size=8))
def test_the_words_of_ascii_text_are_those_of_the_regular_expression(texts: list[str]) -> None:
    assert words_in(tokenize(StringArray.from_list(texts))) == [reference(text) for text in texts]


def test_every_character_of_unicode_is_read_as_python_reads_it() -> None:
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    texts = [f"a{character}b {character}" for character in characters]

    for start in range(0, len(texts), 100_000):
        part = texts[start : start + 100_000]
        assert words_in(tokenize(StringArray.from_list(part))) == [reference(text) for text in part]


def test_one_character_only_grows_when_it_is_lower_cased() -> None:
    growing = [chr(code) for code in range(0x110000) if len(chr(code).lower()) != 1]

    assert growing == ["İ"]


@given(TEXTS, st.integers(0, 8), st.integers(0, 8))
def test_some_texts_of_an_array_are_read_without_the_others(texts: list[str], start: int, size: int) -> None:
    column = StringArray.from_list(texts)
    here = texts[start : start + size]
    if here:
        part = StringArray(column.data, column.offsets[start : start + len(here) + 1])

        assert words_in(tokenize(part)) == [reference(text) for text in here]


@given(TEXTS)
@example(["a", "b", "é", "c d"])
@example(["ab", "é", "cd", "ef", "İx"])
def test_texts_of_other_alphabets_read_apart_have_the_same_words(texts: list[str]) -> None:
    found: list[list[str]] = [[] for _ in texts]
    if texts:
        rows, tokens = tokenize_apart(StringArray.from_list(texts))
        for row, words in zip(rows.tolist(), words_in(tokens), strict=True):
            found[row] += words

    assert found == [reference(text) for text in texts]


@given(TEXTS, st.integers(0, 8), st.integers(0, 8))
def test_some_texts_of_an_array_are_read_apart_without_the_others(texts: list[str], start: int, size: int) -> None:
    column = StringArray.from_list(texts)
    here = texts[start : start + size]
    if here:
        rows, tokens = tokenize_apart(StringArray(column.data, column.offsets[start : start + len(here) + 1]))
        words = words_in(tokens)

        assert words[: len(here)] == [[] if row in rows[len(here) :] else reference(text) for row, text in enumerate(here)]
        assert words[len(here) :] == [reference(here[row]) for row in rows[len(here) :]]


def test_a_few_texts_of_other_alphabets_come_last() -> None:
    rows, tokens = tokenize_apart(StringArray.from_list(["plain one", "naïve", "plain two"]))

    assert rows.tolist() == [0, 1, 2, 1]
    assert words_in(tokens) == [["plain", "one"], [], ["plain", "two"], ["naïve"]]


def test_texts_of_other_alphabets_stay_in_place_where_they_are_most() -> None:
    rows, tokens = tokenize_apart(StringArray.from_list(["naïve", "plain", "éa"]))

    assert rows.tolist() == [0, 1, 2]
    assert words_in(tokens) == [["naïve"], ["plain"], ["éa"]]


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


@pytest.mark.parametrize("text", ["x" * 1_000_000, "é" * 500_000, "漢" * 300_000])
def test_a_text_of_one_huge_word_is_one_word(text: str) -> None:
    tokens = tokenize(StringArray.from_list([text, text]))

    assert tokens.counts.tolist() == [1, 1]
    assert tokens.lengths.tolist() == [len(text.encode())] * 2
    keys = tokens.keys()
    assert keys.first[0] == keys.first[1]
    assert len(text.encode()) > CHUNK_BYTES
