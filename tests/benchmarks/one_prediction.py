"""Encoding one document, as for a prediction, in a process that has done it before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from tests.benchmarks import inputs
from tests.benchmarks.peers import peer
from tests.benchmarks.results import SAGELINE, Goal, Result
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.text import KERAS, LENLP, SCIKIT_LEARN, WORD

MATRIX_ONLY, WHOLE_ARRAYS = "sageline, matrix only", "sageline, by whole arrays"

_WARM_UP = 20
_MILLISECONDS = 1000


def run(sizes: Sizes) -> Iterator[Result]:
    corpus = inputs.corpus(min(sizes.text_megabytes, 10))
    times = times_of_each(_encoders(corpus), corpus.documents[: sizes.predictions], sizes.rounds)
    for job, title, percentile in (("one_prediction", "median", 50), ("one_prediction_p95", "95th percentile", 95)):
        yield Result(
            job=job,
            title=f"encode one document for a prediction, {title} of {sizes.predictions:,}",
            unit="ms",
            samples={name: [float(np.percentile(taken, percentile)) for taken in rounds] for name, rounds in times.items()},
            goals=[Goal(than=name, speed=1) for name in (SCIKIT_LEARN, KERAS, LENLP)],
            bound="Python's calls, of which there is one for each step and none for each word: splitting, looking up, counting, "
            "sorting, packing",
            note="From the instance of a request to its body (sparse RecordIO), as a prediction does; `matrix only` and peers "
            "stop at the matrix. `by whole arrays` is the way that many texts take.",
        )


def times_of_each(
    encoders: Mapping[str, Callable[[str], object]], documents: list[str], rounds: int
) -> dict[str, list[list[float]]]:
    """Milliseconds of each document, by encoder and round."""
    for encode in encoders.values():
        for document in documents[:_WARM_UP]:
            encode(document)
    times: dict[str, list[list[float]]] = {name: [] for name in encoders}
    for _ in range(rounds):
        for name, encode in encoders.items():
            times[name].append([_milliseconds(encode, document) for document in documents])
    return times


def _milliseconds(encode: Callable[[str], object], document: str) -> float:
    start = time.perf_counter()
    encode(document)
    return (time.perf_counter() - start) * _MILLISECONDS


def _encoders(corpus: inputs.Corpus) -> dict[str, Callable[[str], object]]:
    encoder = inputs.fitted(corpus.blocks)
    encoders: dict[str, Callable[[str], object]] = {
        SAGELINE: lambda text: encoder.body_of([text]),
        MATRIX_ONLY: lambda text: encoder.encode(encoder.block_from_instances([text])),
        WHOLE_ARRAYS: lambda text: encoder.request_body(encoder.encode(encoder.block_from_instances([text]))),
    }
    if (sklearn := peer("sklearn.feature_extraction.text")) is not None:
        vectorizer = sklearn.CountVectorizer(max_features=inputs.WORDS, token_pattern=WORD).fit(corpus.documents)
        encoders[SCIKIT_LEARN] = lambda text: vectorizer.transform([text])
    if (keras := peer("keras_preprocessing.text")) is not None:
        tokenizer = keras.Tokenizer(num_words=inputs.WORDS + 1)
        tokenizer.fit_on_texts(corpus.documents)
        encoders[KERAS] = lambda text: tokenizer.texts_to_matrix([text], mode="count")
    if (lenlp := peer("lenlp.sparse")) is not None:
        counter = lenlp.CountVectorizer().fit(corpus.documents)
        encoders[LENLP] = lambda text: counter.transform([text])
    return encoders
