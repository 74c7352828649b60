"""What a text encoder may be told: n-grams, hashing, sublinear counts, statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from sageline.arrays.matrix import SparseMatrix
from sageline.arrays.strings import StringArray, row_chunks
from sageline.encoder.columns.columns import ColumnsEncoder
from sageline.encoder.columns.text import TextPart
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.text import words as words_module
from sageline.encoder.text.counts import HashedCounts, WordCounts
from sageline.encoder.text.hashing import HashedTerms, hash_columns
from sageline.encoder.text.tokenizer import keys_of
from sageline.encoder.text.word_rule import words_of
from sageline.encoder.text.words import TextEncoder
from sageline.errors import InvalidRequest
from sageline.formats import recordio

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
TRICKY = st.text(st.sampled_from("abAÉe\u0301İΣ 1_'漢字カが\u3099กำ\u0e31हि\u200d\u200c😀\0\n"), max_size=30)
WORDS = ["a", "B", "cc", "漢字", "wörd", "long-long-long-long", "averyveryverylongword"]
FEW_WORDS = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
ROWS = st.lists(st.tuples(FEW_WORDS | TRICKY | TEXT, FEW_WORDS | TRICKY), max_size=5)


@dataclass(frozen=True)
class Options:
    mode: str = "count"
    ngrams: int = 1
    sublinear: bool = False
    hash_bits: int | None = None
    statistics: bool = False


OPTIONS = st.builds(
    Options,
    st.sampled_from(["count", "binary", "frequency", "tf-idf"]),
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from([None, None, 3, 18]),
    st.booleans(),
)


def columns_of(rows: Sequence[tuple[str, str]]) -> list[StringArray]:
    return [StringArray.from_list([row[place] for row in rows]) for place in (0, 1)]


def fitted(blocks: Iterable[list[StringArray]], options: Options, max_words: int = 50) -> TextEncoder:
    in_documents = options.mode == "tf-idf"
    vocabulary: list[str] = []
    if options.hash_bits is None:
        counts = WordCounts(in_documents=in_documents, ngrams=options.ngrams)
        for block in blocks:
            counts.update(block)
        vocabulary = counts.vocabulary(max_words)
        idf = counts.inverse_document_frequencies(vocabulary) if in_documents else None
    else:
        hashed = HashedCounts(options.hash_bits, in_documents=in_documents, ngrams=options.ngrams)
        for block in blocks:
            hashed.update(block)
        idf = hashed.inverse_document_frequencies() if in_documents else None
    return TextEncoder(
        vocabulary, options.mode, idf, options.ngrams, options.sublinear, options.hash_bits, statistics=options.statistics
    )


def fitted_to(texts: list[str], options: Options, max_words: int = 50) -> TextEncoder:
    return fitted([[StringArray.from_list(texts)]], options, max_words)


def encoder_of(text: TextEncoder, answers: str = "xgboost") -> FittedEncoder:
    """The encoder of a table whose only column is a text."""
    features = ColumnsEncoder((TextPart(("post",), text),), "sparse")
    return FittedEncoder("classification", {"post": "text"}, "label", ["a", "b"], features, answers)


def terms_of(text: str, ngrams: int) -> list[str]:
    words = words_of(text)
    return [" ".join(words[at : at + size]) for size in range(1, ngrams + 1) for at in range(len(words) - size + 1)]


def encode(encoder: TextEncoder, texts: list[str]) -> list[list[float]]:
    rows: list[list[float]] = encoder.encode([StringArray.from_list(texts)]).to_dense().tolist()
    return rows


@pytest.fixture(params=["few texts", "many texts"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few texts are encoded in another way than many."""
    if request.param == "many texts":
        monkeypatch.setattr(words_module, "FEW_BYTES", -1)


@given(OPTIONS, ROWS, ROWS)
@example(Options("tf-idf", 3, sublinear=True, hash_bits=3, statistics=True), [("a b a", "B a")], [("", ""), ("A b漢字 c", "é")])
def test_few_texts_are_encoded_bit_for_bit_as_many(
    options: Options, train: list[tuple[str, str]], rows: list[tuple[str, str]]
) -> None:
    encoder, columns = fitted([columns_of(train)], options), columns_of([*train, *rows])
    few = encoder.encode(columns)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words_module, "FEW_BYTES", -1)
        patch.setattr("sageline.encoder.text.terms.row_chunks", partial(row_chunks, chunk_bytes=60))
        many = encoder.encode(columns)

    for name in ("values", "columns", "row_offsets"):
        assert getattr(few, name).dtype == getattr(many, name).dtype
        assert getattr(few, name).tobytes() == getattr(many, name).tobytes()
    assert few.shape == many.shape == (len(train) + len(rows), encoder.feature_dim)
    for start, end in zip(few.row_offsets, few.row_offsets[1:], strict=False):
        assert (np.diff(few.columns[start:end]) > 0).all()


@given(OPTIONS, ROWS, st.integers(0, 5))
def test_how_the_rows_are_cut_into_blocks_does_not_change_the_fit(
    options: Options, rows: list[tuple[str, str]], cut: int
) -> None:
    whole = fitted([columns_of(rows)], options, 6)

    cut_up = fitted([columns_of(rows[:cut]), columns_of(rows[cut:])], options, 6)

    assert cut_up.words == whole.words
    assert (cut_up.idf is None) == (whole.idf is None)
    if whole.idf is not None and cut_up.idf is not None:
        assert cut_up.idf.tobytes() == whole.idf.tobytes()


@given(st.sampled_from(["xgboost", "linear-learner"]), OPTIONS, st.lists(FEW_WORDS | TRICKY | TEXT, min_size=1, max_size=4))
def test_a_request_of_few_texts_has_the_body_that_many_would_have(answers: str, options: Options, texts: list[str]) -> None:
    encoder = encoder_of(fitted_to(texts[:1], options), answers)
    instances: list[object] = [text if index % 2 else {"post": text} for index, text in enumerate(texts)]

    body = encoder.body_of(instances)

    assert body == encoder.request_body(encoder.encode(encoder.block_from_instances([*texts])))


def test_a_request_of_few_texts_waits_for_no_table_of_all_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the table is made")

    for name in ("sageline.encoder.text.tokenizer.character_kinds", "sageline.encoder.text.statistics._letter_kinds"):
        monkeypatch.setattr(name, refuse)
    encoder = encoder_of(TextEncoder(["a"], "count", ngrams=2, statistics=True))

    for text in ("plain", "hi, 我喜欢北京 हिन्दी e\u0301 " * 500):
        assert encoder.body_of([text]) == encoder.request_body(encoder.encode_instances([text]))


@pytest.mark.parametrize("instances", [[], ["a", None], ["\ud800"], [{"post": "a", "other": "b"}], [["a", "b"]]])
def test_a_request_that_is_none_is_refused_by_the_quick_way_too(instances: list[object]) -> None:
    encoder = encoder_of(TextEncoder(["a"], "count"))

    with pytest.raises(InvalidRequest):
        encoder.body_of(instances)


@given(st.lists(FEW_WORDS, max_size=6), st.lists(FEW_WORDS | TRICKY, max_size=6), st.integers(1, 3))
def test_the_vocabulary_is_the_most_frequent_words_and_ngrams_together(train: list[str], texts: list[str], ngrams: int) -> None:
    encoder = fitted_to(train, Options(ngrams=ngrams), 6)

    counts = Counter(term for text in train for term in terms_of(text, ngrams))
    assert encoder.words == sorted(counts, key=lambda term: (-counts[term], term))[:6]
    found = [Counter(terms_of(text, ngrams)) for text in texts]
    assert encode(encoder, texts) == [[counter[term] for term in encoder.words] for counter in found]


@given(st.lists(FEW_WORDS | TRICKY, min_size=1, max_size=6), st.integers(1, 3), st.booleans())
def test_ngrams_are_weighed_as_scikit_learn_weighs_them(texts: list[str], ngrams: int, sublinear: bool) -> None:
    encoder = fitted_to(texts, Options("tf-idf", ngrams, sublinear))
    if not encoder.words:
        return

    weigh = TfidfVectorizer(analyzer=partial(terms_of, ngrams=ngrams), vocabulary=encoder.words, sublinear_tf=sublinear)

    assert np.allclose(encode(encoder, texts), weigh.fit_transform(texts).toarray(), rtol=1e-6, atol=0)


@pytest.mark.usefixtures("way")
def test_an_ngram_stays_within_its_text_and_its_column() -> None:
    encoder = fitted_to(["a b", "c d"], Options(ngrams=2))

    assert encoder.words == ["a", "a b", "b", "c", "c d", "d"]
    columns = [StringArray.from_list(["a", "a b"]), StringArray.from_list(["b", "c d"])]
    assert encoder.encode(columns).to_dense().tolist() == [[1, 0, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1]]


def test_the_profile_counts_words_and_not_ngrams() -> None:
    counts = WordCounts(ngrams=3)
    counts.update([StringArray.from_list(["a b c", "a b"])])

    assert (counts.total, counts.documents, counts.different) == (5, 2, 6)


@pytest.mark.usefixtures("way")
def test_cells_hold_what_the_mode_says_of_ngrams_too() -> None:
    text, words = "a a a b", ["a", "a a", "a b"]
    logs = [1 + np.log(3), 1 + np.log(2), 1]

    for mode, sublinear, expected in (
        ("count", False, [3, 2, 1]),
        ("count", True, logs),
        ("binary", True, [1, 1, 1]),
        ("frequency", False, [3 / 4, 2 / 4, 1 / 4]),
        ("frequency", True, [log / 4 for log in logs]),
    ):
        assert encode(TextEncoder(words, mode, None, 2, sublinear), [text]) == [np.array(expected, dtype=np.float32).tolist()]


def test_a_text_is_hashed_to_the_same_columns_everywhere_and_for_ever() -> None:
    terms = ["a", "hello", "wörld", "漢字", "sixteen-bytes-ok", "averyveryverylongword", "hello wörld and more"]

    assert hash_columns(keys_of(terms), 18).tolist() == [54775, 174086, 93243, 157985, 64783, 85577, 257184]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], min_codepoint=1), min_size=1, max_size=40)), st.integers(1, 40))
def test_one_term_is_hashed_as_many_are(terms: list[str], bits: int) -> None:
    hashed = HashedTerms(bits)

    assert [hashed[term.encode()] for term in terms] == hash_columns(keys_of(terms), bits).tolist()


def test_hashed_terms_are_spread_evenly_and_share_a_column_as_seldom_as_the_docs_say() -> None:
    random, bits = Random(0), 14
    terms = [f"w{index}" for index in range(3000)] + [f"{index:b} and" for index in range(3000)]
    terms += ["".join(random.choices("abcdefgh", k=random.randint(9, 40))) for _ in range(4000)]

    counts = Counter(hash_columns(keys_of(terms), bits).tolist())

    shared = sum(count for count in counts.values() if count > 1) / len(terms)
    assert shared == pytest.approx(1 - np.exp(-len(terms) / 2**bits), abs=0.02)


@given(st.lists(FEW_WORDS, min_size=1, max_size=6), st.integers(1, 3), st.sampled_from([2, 10]))
def test_hashed_texts_are_counted_and_weighed_as_their_columns_are(texts: list[str], ngrams: int, bits: int) -> None:
    hashed = HashedTerms(bits)

    def analyze(text: str) -> list[str]:
        return [str(hashed[term.encode()]) for term in terms_of(text, ngrams)]

    counts, weights = (fitted_to(texts, Options(mode, ngrams, hash_bits=bits)) for mode in ("count", "tf-idf"))

    vocabulary = list(map(str, range(1 << bits)))
    expected = CountVectorizer(analyzer=analyze, vocabulary=vocabulary).transform(texts)
    found = counts.encode([StringArray.from_list(texts)])
    assert counts.feature_dim == found.shape[1] == 1 << bits
    assert (found.to_dense() == expected.toarray()).all()
    weighed = TfidfVectorizer(analyzer=analyze, vocabulary=vocabulary).fit_transform(texts).toarray()
    assert np.allclose(weights.encode([StringArray.from_list(texts)]).to_dense(), weighed, rtol=1e-6, atol=0)


@given(st.lists(st.tuples(FEW_WORDS | TRICKY | TEXT, TEXT), min_size=1, max_size=5), st.booleans())
@example([("", ""), ("ǅ Ⓐ ª ² Ⅷ ß", "AbC")], False)
def test_statistics_are_words_characters_and_the_share_of_capitals(rows: list[tuple[str, str]], many: bool) -> None:
    encoder = TextEncoder(["a"], "count", statistics=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words_module, "FEW_BYTES", -1 if many else 1 << 16)
        found = encoder.encode(columns_of(rows))

    for row, (first, second) in zip(found.to_dense().tolist(), rows, strict=True):
        letters = [character for character in first + second if character.isalpha()]
        capitals = sum(map(str.isupper, letters))
        words = len(words_of(first)) + len(words_of(second))
        assert row[1:] == [words, len(first + second), np.float32(capitals / len(letters) if letters else 0)]


@pytest.mark.usefixtures("way")
def test_statistics_of_a_missing_text_are_zeros_that_are_there() -> None:
    matrix = TextEncoder(["a", "b"], "count", statistics=True).encode([StringArray.from_list(["", "b B", ""])])

    assert matrix.row_offsets.tolist() == [0, 3, 7, 10]
    assert matrix.columns.tolist() == [2, 3, 4, 1, 2, 3, 4, 2, 3, 4]
    assert matrix.values.tolist() == [0, 0, 0, 2, 2, 3, 0.5, 0, 0, 0]


@given(OPTIONS, st.lists(FEW_WORDS, min_size=1, max_size=4))
def test_a_saved_encoder_reads_texts_as_it_did(options: Options, texts: list[str]) -> None:
    encoder = encoder_of(fitted_to(texts, options))

    loaded = FittedEncoder.load(encoder.save())

    assert loaded.feature_dim == encoder.feature_dim
    assert loaded.body_of([*texts, "new"]) == encoder.body_of([*texts, "new"])


@given(
    st.lists(st.tuples(st.integers(0, 1 << 21), st.floats(width=32)), min_size=1, unique_by=lambda cell: cell[0]),
    st.integers(0, 1 << 30),
)
def test_one_record_is_written_as_many_are(cells: list[tuple[int, float]], more: int) -> None:
    columns, values = zip(*sorted(cells), strict=True)
    width = columns[-1] + 1 + more
    matrix = SparseMatrix(np.array(values, dtype=np.float32), np.array(columns), np.array([0, len(cells)]), (1, width))

    assert recordio.write_record(columns, values, width) == recordio.write_sparse(matrix)
