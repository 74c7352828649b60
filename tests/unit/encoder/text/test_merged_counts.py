"""Words that were counted of some texts and of the texts after them, as counts of all of them."""

from __future__ import annotations

import pickle
from collections import Counter
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.arrays.strings import StringArray
from sageline.encoder.text import counts as counting
from sageline.encoder.text.counts import HashedCounts, WordCounts

WORDS = st.sampled_from(["a", "b", "señor", "x" * 16, "x" * 17, "x" * 40, "y" * 17, "the", "of", "1"])
PIECES = st.lists(st.lists(st.lists(WORDS, max_size=5).map(" ".join), max_size=4), min_size=1, max_size=6)


def counted(texts: list[str]) -> WordCounts:
    counts = WordCounts(ngrams=2)
    for text in texts:
        counts.update([StringArray.from_list([text])])
    return counts


def merged(first: WordCounts, second: WordCounts) -> WordCounts:
    first.merge(second)
    return first


def read(counts: WordCounts) -> tuple[object, ...]:
    words = counts.vocabulary(99)
    weights = counts.inverse_document_frequencies(words).tolist()
    return counts.most_frequent(99), weights, counts.documents, counts.total, counts.different, counts.missed


@given(PIECES)
def test_merged_counts_are_those_of_all_texts(pieces: list[list[str]]) -> None:
    whole = read(counted([text for piece in pieces for text in piece]))

    assert read(reduce(merged, map(counted, pieces))) == whole
    assert read(reduce(lambda after, before: merged(before, after), map(counted, reversed(pieces)))) == whole


@given(PIECES)
def test_merged_counts_are_too_low_by_no_more_than_they_say(pieces: list[list[str]]) -> None:
    true = counted([text for piece in pieces for text in piece]).most_frequent(999)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "MOST_WORDS", 6)
        counts = reduce(merged, map(counted, pieces))

    found = counts.most_frequent(999)
    assert all(count - counts.missed <= found.get(word, 0) <= count for word, count in true.items())
    assert counts.different <= 6


def test_what_two_pieces_have_missed_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_WORDS", 4)
    pieces = [WordCounts(), WordCounts()]
    for piece in pieces:
        piece.update([StringArray.from_list(["a a a b c d e"])])

    counts = merged(*pieces)

    assert (counts.most_frequent(9), counts.missed) == ({"a": 6}, 2)


def test_counts_can_go_on_after_they_were_written_and_read() -> None:
    counts = counted(["a b a", "x" * 40])
    written = pickle.dumps(counts)
    back = pickle.loads(written)  # noqa: S301 - what this test has written

    assert read(merged(back, counted(["b c"]))) == read(counted(["a b a", "x" * 40, "b c"]))
    assert len(written) < 4000


@given(PIECES)
def test_merged_hashed_counts_are_those_of_all_texts(pieces: list[list[str]]) -> None:
    whole, parts = HashedCounts(8), [HashedCounts(8) for _ in pieces]
    for part, piece in zip(parts, pieces, strict=True):
        for text in piece:
            for counts in (whole, part):
                counts.update([StringArray.from_list([text])])

    for part in parts[1:]:
        parts[0].merge(part)

    assert parts[0].inverse_document_frequencies().tolist() == whole.inverse_document_frequencies().tolist()
    assert (parts[0].documents, parts[0].total) == (whole.documents, whole.total) == (whole.documents, sum(map(len_of, pieces)))


def len_of(texts: list[str]) -> int:
    return sum(Counter(" ".join(texts).split()).values())
