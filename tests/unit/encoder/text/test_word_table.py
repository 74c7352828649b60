from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sageline.encoder.text import tokenizer
from sageline.encoder.text.tokenizer import keys_of
from sageline.encoder.text.word_table import WordTable

WORD = st.text(st.sampled_from("abé漢"), min_size=1, max_size=30)
WORDS = st.lists(WORD, max_size=40)


@pytest.fixture(params=["hashed", "all hashes equal"])
def hashing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "all hashes equal":
        monkeypatch.setattr(tokenizer, "hash_long", lambda eights, places, bounds: np.zeros(len(bounds) - 1, dtype=np.uint64))


def check_numbers(batches: list[list[str]], absent: list[str]) -> None:
    table, known = WordTable(), dict[str, int]()
    for batch in batches:
        numbers = table.find_or_add(keys_of(batch)).tolist()
        for word, number in zip(batch, numbers, strict=True):
            assert known.setdefault(word, number) == number
    assert sorted(known.values()) == list(range(1, len(known) + 1))
    assert len(table) == len(known)
    assert table.words(np.array(list(known.values()), dtype=np.int64)) == list(known)
    assert table.find(keys_of(absent)).tolist() == [known.get(word, 0) for word in absent]


@given(st.lists(WORDS, max_size=4), WORDS)
def test_every_word_has_a_number_of_its_own(batches: list[list[str]], absent: list[str]) -> None:
    check_numbers(batches, absent)


def test_words_of_the_same_hash_and_length_are_told_apart(hashing: None) -> None:
    batches = [[f"{'x' * size}{index:04}{'y' * size}" for index in range(40) for size in (8, 9, 20)] for _ in range(2)]

    check_numbers(batches, [f"{'x' * 8}{index:04}{'y' * 8}" for index in range(30, 50)])
    words = batches[0]
    assert WordTable.of(words).find(keys_of([*words, "z" * 20])).tolist() == [*range(1, len(words) + 1), 0]


def test_many_words_are_all_found_again() -> None:
    words = [f"word{index}" for index in range(50_000)]

    table = WordTable.of(words)

    assert table.find(keys_of(words)).tolist() == list(range(1, len(words) + 1))
    assert not table.find(keys_of([f"other{index}" for index in range(50_000)])).any()


def test_words_added_before_the_table_grows_are_found_after() -> None:
    words = [f"word{index}" for index in range(20_000)]
    table = WordTable()
    for start in range(0, len(words), 1500):
        table.find_or_add(keys_of(words[start : start + 1500]))

    assert sorted(table.find(keys_of(words)).tolist()) == list(range(1, len(words) + 1))


def test_words_for_the_last_slot_are_found_in_the_first_ones() -> None:
    table = WordTable()
    words = [f"w{index}" for index in range(100_000)]
    keys = keys_of(words)
    last = np.flatnonzero(table._home(keys.first, keys.second) == len(table._slots) - 1)[:3]

    assert table.find_or_add(keys.take(last[:2])).tolist() in ([1, 2], [2, 1])
    assert table.find(keys.take(last)).tolist()[2] == 0
    assert sorted(table.find(keys.take(last)).tolist()) == [0, 1, 2]


@given(st.lists(WORD, unique=True), st.data())
def test_what_is_kept_is_numbered_anew_in_its_order(words: list[str], data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    table = WordTable.of(words)

    table.keep(np.array(kept, dtype=np.bool_))

    left = [word for word, keep in zip(words, kept, strict=True) if keep]
    expected = [left.index(word) + 1 if word in left else 0 for word in words]
    assert table.find(keys_of(words)).tolist() == expected
    assert table.word_bytes.tolist() == [-(-len(word.encode()) // 8) * 8 for word in left]
    assert table.find_or_add(keys_of(["new"])).tolist() == [len(left) + 1]
