"""Texts whose words the fit has read are encoded as texts that are read again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.matrix import SparseMatrix
from sageline.arrays.strings import StringArray
from sageline.encoder.text.counts import WordCounts
from sageline.encoder.text.read_text import ReadText
from sageline.encoder.text.words import TextEncoder
from sageline.preparation.packing import pack, unpack

LONG = ["a" * 16, "b" * 17, "b" * 16 + "c", "é" * 20]
WORDS = ["ham", "spam", "Straße", "naïve", "東京都", "x1", "o'clock", "", "3.14", "-", "İ", *LONG]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join) | st.text(max_size=8).filter(lambda text: text.isprintable())
BLOCKS = st.lists(st.lists(st.tuples(TEXTS, TEXTS), max_size=5), min_size=1, max_size=3)


def columns_of(block: list[tuple[str, str]]) -> list[StringArray]:
    return [StringArray.from_list([row[column] for row in block]) for column in range(2)]


def same(one: SparseMatrix, other: SparseMatrix) -> bool:
    arrays = ((matrix.values, matrix.columns, matrix.row_offsets) for matrix in (one, other))
    return one.shape == other.shape and all(
        (mine.dtype, mine.tobytes()) == (its.dtype, its.tobytes()) for mine, its in zip(*arrays, strict=True)
    )


@pytest.mark.parametrize("mode", ["count", "binary", "frequency", "tf-idf"])
@pytest.mark.parametrize("statistics", [False, True])
@given(blocks=BLOCKS, max_words=st.integers(1, 40))
def test_read_texts_are_encoded_as_texts(
    mode: str, statistics: bool, blocks: list[list[tuple[str, str]]], max_words: int
) -> None:
    counts = WordCounts(in_documents=mode == "tf-idf")
    read = [counts.update(columns_of(block), keep=True) for block in blocks]
    words = counts.vocabulary(max_words)
    idf = counts.inverse_document_frequencies(words) if mode == "tf-idf" else None
    encoder = TextEncoder(words, mode, idf, statistics=statistics)

    for block, kept in zip(blocks, read, strict=True):
        if not block:
            assert kept == []
            continue
        texts = columns_of(block)
        read_texts = [ReadText.of(column, words) for column, words in zip(texts, unpack(pack(kept)), strict=True)]
        assert same(encoder.encode(read_texts), encoder.encode(texts))
        rows = np.random.default_rng(len(block)).permutation(len(block))[: 1 + len(block) // 2]
        for taken in (rows, np.sort(rows), np.arange(len(block))[1:], np.isin(np.arange(len(block)), rows)):
            some, some_read = ([column.take(taken) for column in columns] for columns in (texts, read_texts))
            assert same(encoder.encode(some_read), encoder.encode(some))
            assert [column.tolist() for column in some_read] == [column.tolist() for column in some]


def test_words_that_are_forgotten_and_come_back_are_found_in_texts_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sageline.encoder.text.counts.MOST_WORDS", 4)
    counts = WordCounts()
    blocks = [StringArray.from_list([text]) for text in ("late a a b b c d e", "a b late late late late late late")]
    read = [counts.update([block], keep=True)[0] for block in blocks]
    assert counts.missed > 0
    encoder = TextEncoder(counts.vocabulary(1), "count")
    assert encoder.words == ["late"]

    encoded = [encoder.encode([ReadText.of(block, words)]) for block, words in zip(blocks, read, strict=True)]

    assert [matrix.to_dense().tolist() for matrix in encoded] == [[[1.0]], [[6.0]]]


def test_texts_in_many_words_and_chunks_are_encoded_as_texts() -> None:
    draw = np.random.default_rng(0)
    texts = StringArray.from_list([" ".join(f"w{number}" for number in draw.integers(0, 90_000, 60)) for _ in range(4000)])
    counts = WordCounts()
    [words] = counts.update([texts], keep=True)
    assert words.codes.dtype == np.uint32
    encoder = TextEncoder(counts.vocabulary(20_000), "count")

    assert same(encoder.encode([ReadText.of(texts, words)]), encoder.encode([texts]))


def test_ngrams_are_too_many_to_be_kept() -> None:
    assert WordCounts(ngrams=2).update([StringArray.from_list(["a b c"])], keep=True) == []
