from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from sageline.arrays.strings import StringArray, row_chunks
from sageline.encoder.text import counts as counting
from sageline.encoder.text import words
from sageline.encoder.text.counts import WordCounts
from sageline.encoder.text.word_rule import words_of
from sageline.encoder.text.words import TextEncoder

PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"  # "I want", with a zero-width non-joiner
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.fixture(autouse=True, params=["few texts", "many texts"])
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Few texts are encoded in another way than many."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "many texts":
            patch.setattr(words, "FEW_BYTES", -1)
        yield


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World!", ["hello", "world"]),
        ("Ünïcode STRASSE", ["ünïcode", "strasse"]),
        ("C++ and C# and .NET", ["c", "and", "c", "and", "net"]),
        ("don't e-mail snake_case", ["don", "t", "e", "mail", "snake_case"]),
        ("3.14 x2 \uff11\uff12", ["3", "14", "x2", "\uff11\uff12"]),  # full-width digits
        ("我喜欢北京。我", ["我喜", "喜欢", "欢北", "北京", "我"]),
        ("日本語のテキスト、中文", ["日本", "本語", "語の", "のテ", "テキ", "キス", "スト", "中文"]),
        ("Python3で書く2024年", ["python3", "で書", "書く", "2024", "年"]),
        ("한국어 텍스트", ["한국어", "텍스트"]),
        ("ภาษา ລາວ", ["ภา", "าษ", "ษา", "ລາ", "າວ"]),
        ("မြန်မာ ខ្មែរ ๑๒", ["မြန်", "န်မာ", "ខ្មែ", "មែរ", "๑๒"]),
        ("good 😀👍 morning", ["good", "morning"]),
        ("ΣΊΣΥΦΟΣ", ["σίσυφος"]),
        ("cafe\u0301s caf\u00e9s", ["caf\u00e9s", "caf\u00e9s"]),
        ("हिन्दी में सड़क", ["हिन्दी", "में", "सड़क"]),
        ("বাংলা தமிழ் ที่นี่", ["বাংলা", "தமிழ்", "ที่นี่"]),
        ("שָׁלוֹם مَرْحَبًا", ["שָׁלוֹם", "مَرْحَبًا"]),
        (f"{PERSIAN} a\u200d b", [PERSIAN, "a", "b"]),
        ("İstanbul istanbul i\u0307stanbul ISTANBUL \u0131l\u0131k", ["istanbul"] * 4 + ["\u0131l\u0131k"]),
        ("\u0301a \u0301 -\u0301b ❤\ufe0f", ["a", "b"]),
        ("a\0b\tc\u2028d", ["a", "b", "c", "d"]),
        ("😀 -- !", []),
        ("", []),
    ],
)
def test_what_a_word_is(text: str, expected: list[str]) -> None:
    assert words_of(text) == expected


def fitted(texts: list[str], mode: str = "count", max_words: int = 2000) -> TextEncoder:
    counts = WordCounts()
    counts.update([StringArray.from_list(texts)])
    vocabulary = counts.vocabulary(max_words)
    return TextEncoder(vocabulary, mode, counts.inverse_document_frequencies(vocabulary) if mode == "tf-idf" else None)


def encode(encoder: TextEncoder, texts: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return encoder.encode([StringArray.from_list(texts)]).to_dense()


@pytest.mark.parametrize(
    ("train", "text"),
    [
        ("el señor García", "el sen\u0303or Garci\u0301a"),
        ("İstanbul'da", "istanbul'da"),
        ("सड़क", "स\u095cक"),
        ("한국어", "\u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165"),
    ],
)
def test_texts_that_look_alike_become_equal_rows(train: str, text: str) -> None:
    rows = encode(fitted([train]), [train, text])

    assert rows[0].tolist() == rows[1].tolist() == [1] * len(words_of(train))


def test_a_word_of_many_marks_is_none_of_those_that_begin_as_it_does() -> None:
    long = "प्रतिष्ठानों"

    assert encode(fitted([long]), [long, long[:-1], long + "क", f"x {long}"]).tolist() == [[1], [0], [0], [1]]


def test_the_vocabulary_is_the_most_frequent_words_then_the_first_by_spelling() -> None:
    assert fitted(["b a c c", "é a b", "d"], max_words=4).words == ["a", "b", "c", "d"]
    assert fitted(["b a c c c"], max_words=2).words == ["c", "a"]


@given(st.lists(TEXT, max_size=8), st.randoms(use_true_random=False))
def test_the_vocabulary_does_not_depend_on_the_order_or_the_blocks(texts: list[str], random: Random) -> None:
    shuffled = list(texts)
    random.shuffle(shuffled)
    counts = WordCounts()
    for text in shuffled:
        counts.update([StringArray.from_list([text])])

    assert counts.vocabulary(5) == fitted(texts, max_words=5).words
    assert counts.documents == len(texts)


@given(st.lists(TEXT, max_size=6), st.lists(TEXT, max_size=6))
def test_counts_equal_a_plain_reference(train: list[str], texts: list[str]) -> None:
    encoder = fitted(train, max_words=5)

    expected = [[Counter(words_of(text))[word] for word in encoder.words] for text in texts]

    assert encode(encoder, texts).tolist() == expected
    matrix = encoder.encode([StringArray.from_list(texts)])
    assert (matrix.values != 0).all()
    assert matrix.shape == (len(texts), encoder.feature_dim)
    for start, end in zip(matrix.row_offsets, matrix.row_offsets[1:], strict=False):
        assert (np.diff(matrix.columns[start:end]) > 0).all()


@given(st.lists(TEXT, min_size=1, max_size=6), st.lists(TEXT, min_size=1, max_size=6))
def test_counts_and_weights_equal_those_of_scikit_learn(train: list[str], texts: list[str]) -> None:
    encoder = fitted(train)
    if not encoder.words:
        return
    options = {"analyzer": words_of, "lowercase": False, "vocabulary": encoder.words}

    counts = CountVectorizer(**options).fit(train).transform(texts).toarray()
    weights = TfidfVectorizer(**options).fit(train).transform(texts).toarray()

    assert (encode(encoder, texts) == counts).all()
    assert np.allclose(encode(fitted(train, "tf-idf"), texts), weights, rtol=1e-6, atol=0)


def test_cells_hold_what_the_mode_says() -> None:
    train = ["a a b", "b c"]

    assert encode(fitted(train), ["a a b x", ""]).tolist() == [[2, 1, 0], [0, 0, 0]]
    assert encode(fitted(train, "binary"), ["a a b x", ""]).tolist() == [[1, 1, 0], [0, 0, 0]]
    assert encode(fitted(train, "frequency"), ["a a b x", ""]).tolist() == [[0.5, 0.25, 0], [0, 0, 0]]
    idf = np.log(3 / np.array([2, 3])) + 1
    expected = np.array([2, 1]) * idf / np.linalg.norm(np.array([2, 1]) * idf)
    assert np.allclose(encode(fitted(train, "tf-idf"), ["a a b x"]), [[*expected, 0]])


def test_several_text_columns_are_read_as_one_text() -> None:
    encoder = fitted(["a b c"])
    columns = [StringArray.from_list(["a b", ""]), StringArray.from_list(["b", "c"])]

    assert encoder.encode(columns).to_dense().tolist() == [[1, 2, 0], [0, 0, 1]]
    by_frequency = TextEncoder(encoder.words, "frequency").encode(columns)
    assert by_frequency.to_dense().tolist() == [[np.float32(1 / 3), np.float32(2 / 3), 0], [0, 0, 1]]


def test_many_short_rows_and_a_large_vocabulary_are_kept_apart() -> None:
    vocabulary = [f"{index:x}" for index in range(100_000)]
    texts = ["0"] * 200_000

    matrix = TextEncoder(vocabulary, "count").encode([StringArray.from_list(texts)])

    assert matrix.columns.tolist() == [0] * len(texts)
    assert matrix.row_offsets.tolist() == list(range(len(texts) + 1))


def test_a_row_is_encoded_the_same_whatever_rows_are_around_it() -> None:
    texts = [f"w{index} w{index % 3} w{index % 5} common common" for index in range(50)]
    encoder = fitted(texts, "tf-idf")

    together = encode(encoder, texts)

    assert all((encode(encoder, [text])[0] == row).all() for text, row in zip(texts, together, strict=True))


def test_rows_far_apart_are_encoded_as_they_are_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"w{index} w{index % 3} wörd{index % 7} common common" if index % 4 else "w1" for index in range(50)]
    encoder = fitted(texts, "frequency")
    together = encode(encoder, texts)

    monkeypatch.setattr("sageline.encoder.text.terms.row_chunks", partial(row_chunks, chunk_bytes=40))

    assert fitted(texts, "frequency").words == encoder.words
    assert (encode(encoder, texts) == together).all()


@pytest.mark.parametrize("vocabulary", [["a" * 16], ["a" * 16, "a" * 17], ["a" * 16, "a" * 16 + "é"]])
def test_a_word_is_none_of_those_that_begin_as_it_does(vocabulary: list[str]) -> None:
    texts = ["a" * length for length in (15, 16, 17, 18, 24, 25)] + ["a" * 16 + "é"]

    rows = TextEncoder(vocabulary, "count").encode([StringArray.from_list(texts)]).to_dense()

    assert rows.tolist() == [[float(word == text) for word in vocabulary] for text in texts]


def test_no_rows_make_a_matrix_of_no_rows() -> None:
    assert encode(fitted(["a"]), []).shape == (0, 1)


def test_rare_words_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_WORDS", 8)
    counts = WordCounts()

    counts.update([StringArray.from_list(["a a a b b c d e f g h"])])
    assert (counts.different, counts.missed) == (8, 0)
    counts.update([StringArray.from_list(["a é", "b"])])

    assert counts.most_frequent(10) == {"a": 4, "b": 3}
    assert (counts.different, counts.missed, counts.total, counts.documents) == (2, 1, 14, 3)
    counts.update([StringArray.from_list(["c c b"])])
    assert counts.most_frequent(10) == {"a": 4, "b": 4, "c": 2}
    assert np.allclose(counts.inverse_document_frequencies(["a", "b"]), np.log(5 / np.array([3, 4])) + 1)


def test_words_are_forgotten_when_they_take_too_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_WORD_BYTES", 200)
    counts = WordCounts(in_documents=False)

    counts.update([StringArray.from_list([f"{'x' * 150} often often", "y" * 150])])

    assert counts.most_frequent(10) == {"often": 2}
    assert counts.missed == 1


@pytest.mark.parametrize("in_documents", [True, False])
def test_rare_words_of_merged_counts_are_forgotten_too(monkeypatch: pytest.MonkeyPatch, in_documents: bool) -> None:
    monkeypatch.setattr(counting, "MOST_WORDS", 8)
    counts = WordCounts(in_documents=in_documents)

    for text in ("a a b c d e", "a b b f g h i j"):
        after = WordCounts(in_documents=in_documents)
        after.update([StringArray.from_list([text])])
        counts.merge(after)

    assert counts.most_frequent(10) == {"a": 3, "b": 3}
    assert (counts.different, counts.missed, counts.documents) == (2, 1, 2)


@given(st.lists(st.lists(st.sampled_from("abcdefghijklmnop"), min_size=1), max_size=12))
def test_a_count_is_too_low_by_no_more_than_it_says(batches: list[list[str]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "MOST_WORDS", 6)
        counts = WordCounts()
        for batch in batches:
            counts.update([StringArray.from_list([" ".join(batch)])])

    found, true = counts.most_frequent(99), Counter(word for batch in batches for word in batch)
    assert all(count - counts.missed <= found.get(word, 0) <= count for word, count in true.items())
    assert counts.different <= 6


@given(
    st.sampled_from(["count", "binary", "frequency", "tf-idf"]),
    st.lists(st.tuples(TEXT, TEXT), max_size=6),
    st.lists(st.tuples(TEXT, TEXT), max_size=6),
)
def test_few_texts_are_encoded_bit_for_bit_as_many(mode: str, train: list[tuple[str, str]], rows: list[tuple[str, str]]) -> None:
    encoder = fitted([" ".join(row) for row in train], mode)
    columns = [StringArray.from_list([row[place] for row in [*train, *rows]]) for place in (0, 1)]
    few = encoder.encode(columns)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "FEW_BYTES", -1)
        many = encoder.encode(columns)

    for name in ("values", "columns", "row_offsets"):
        assert getattr(few, name).dtype == getattr(many, name).dtype
        assert getattr(few, name).tobytes() == getattr(many, name).tobytes()
    assert few.shape == many.shape


@given(st.lists(st.text(st.sampled_from("abé한"), min_size=1, max_size=20)), st.integers(1, 6))
def test_words_of_equal_frequency_are_in_the_order_of_their_spelling(texts: list[str], limit: int) -> None:
    counts = Counter(texts)

    assert fitted(texts, max_words=limit).words == sorted(counts, key=lambda word: (-counts[word], word))[:limit]
