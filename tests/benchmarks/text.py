"""Bag of words: fitting a vocabulary, encoding documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sageline.arrays.blocks import Block
from sageline.encoder.fitted import FittedEncoder
from tests.benchmarks import inputs
from tests.benchmarks.peers import peer
from tests.benchmarks.results import SAGELINE, Goal, Result
from tests.benchmarks.rounds import speeds_by_round
from tests.benchmarks.sizes import Sizes

SCIKIT_LEARN, KERAS, LENLP = "scikit-learn", "Keras", "lenlp"
FROM_STRINGS = "sageline, from str"
WORD = r"\w+"  # scikit-learn with the same words: by its default a word has two characters or more

_KERAS_BATCH = 4096  # texts_to_matrix makes a dense matrix of 8 bytes per cell


def run(sizes: Sizes) -> Iterator[Result]:
    corpus = inputs.corpus(sizes.text_megabytes)
    count = f"{len(corpus.documents):,} documents, {corpus.megabytes:,.0f} MB"
    yield Result(
        job="fit_vocabulary",
        title=f"fit a vocabulary of {inputs.WORDS} words ({count})",
        unit="MB/s",
        samples=speeds_by_round(_fitting(corpus), sizes.rounds, corpus.megabytes),
        goals=[Goal(than=SCIKIT_LEARN, speed=5), Goal(than=LENLP, speed=3.5)],
        bound="whole-array passes over the text (lower-casing, word boundaries, hashing, look-up in a table), each limited by "
        "memory and numpy's cost per element",
        note="scikit-learn with the same word rule (`\\w+`). Keras 3 has no `Tokenizer` any more: it is that of "
        "`keras-preprocessing`, with its own word rule. The peers take Python strings, Sageline the UTF-8 blocks that its "
        "readers yield; `from str` includes making these from Python strings. `lenlp` is "
        "Rust, on one thread here; it leaves punctuation out instead of separating words at it, and keeps every word.",
    )
    yield Result(
        job="encode_documents",
        title=f"encode documents as counts of {inputs.WORDS} words ({count})",
        unit="MB/s",
        samples=speeds_by_round(_encoding(corpus), sizes.rounds, corpus.megabytes),
        goals=[Goal(than=SCIKIT_LEARN, speed=8), Goal(than=LENLP, speed=3.5)],
        bound="the same passes as fitting, and a sort of the cells of each chunk of rows",
        note="Sageline encodes block by block, as `prepare_data` does; Keras makes a dense matrix, in batches of documents; "
        "scikit-learn and `lenlp` make one sparse matrix, `lenlp` of all words, as it has no limit.",
    )


def _fitting(corpus: inputs.Corpus) -> dict[str, Callable[[], object]]:
    contestants: dict[str, Callable[[], object]] = {
        SAGELINE: lambda: inputs.fitted(corpus.blocks),
        FROM_STRINGS: lambda: inputs.fitted(list(inputs.blocks_of(corpus.documents))),
    }
    if (sklearn := peer("sklearn.feature_extraction.text")) is not None:
        contestants[SCIKIT_LEARN] = lambda: sklearn.CountVectorizer(max_features=inputs.WORDS, token_pattern=WORD).fit(
            corpus.documents
        )
    if (keras := peer("keras_preprocessing.text")) is not None:
        contestants[KERAS] = lambda: keras.Tokenizer(num_words=inputs.WORDS + 1).fit_on_texts(corpus.documents)
    if (lenlp := peer("lenlp.sparse")) is not None:
        contestants[LENLP] = lambda: lenlp.CountVectorizer().fit(corpus.documents)
    return contestants


def _encoding(corpus: inputs.Corpus) -> dict[str, Callable[[], object]]:
    encoder = inputs.fitted(corpus.blocks)
    contestants: dict[str, Callable[[], object]] = {
        SAGELINE: lambda: _encode(encoder, corpus.blocks),
        FROM_STRINGS: lambda: _encode(encoder, inputs.blocks_of(corpus.documents)),
    }
    if (sklearn := peer("sklearn.feature_extraction.text")) is not None:
        vectorizer = sklearn.CountVectorizer(max_features=inputs.WORDS, token_pattern=WORD).fit(corpus.documents)
        contestants[SCIKIT_LEARN] = lambda: vectorizer.transform(corpus.documents)
    if (keras := peer("keras_preprocessing.text")) is not None:
        tokenizer = keras.Tokenizer(num_words=inputs.WORDS + 1)
        tokenizer.fit_on_texts(corpus.documents)

        def encode_in_batches() -> None:
            for start in range(0, len(corpus.documents), _KERAS_BATCH):
                tokenizer.texts_to_matrix(corpus.documents[start : start + _KERAS_BATCH], mode="count")

        contestants[KERAS] = encode_in_batches
    if (lenlp := peer("lenlp.sparse")) is not None:
        counter = lenlp.CountVectorizer().fit(corpus.documents)
        contestants[LENLP] = lambda: counter.transform(corpus.documents)
    return contestants


def _encode(encoder: FittedEncoder, blocks: Iterable[Block]) -> None:
    """One block after the other, none of which is kept: as ``prepare_data`` does."""
    for block in blocks:
        encoder.encode(block)
