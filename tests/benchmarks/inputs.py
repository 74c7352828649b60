"""What the benchmark runs on: texts and matrices, the same in every run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from random import Random

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.matrix import FloatArray, SparseMatrix
from sageline.arrays.strings import StringArray
from sageline.dataset.readers.source import BLOCK_BYTES
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.fitting import finish_fit, start_fit
from sageline.spec.model import Spec, validate_spec
from sageline_local.samples import aws_docs

MEGABYTE = 1_000_000
WORDS = 500
"""Size of the vocabulary, so the width of the matrices too."""

SPEC: dict[str, object] = {
    "name": "benchmark",
    "task": "classification",
    "dataset": {"label": "service", "features": {"post": "text"}},
    "encoder": {"kind": "columns", "layout": "sparse", "text": {"max_words": WORDS, "statistics": False}},
    "algorithm": {"name": "xgboost"},
}


def spec() -> Spec:
    return validate_spec(SPEC, "benchmark")


@cache
def sample_rows() -> list[tuple[str, str]]:
    """Texts of the sample dataset with their labels."""
    return [(str(text), str(label)) for text, label in aws_docs().rows]


@cache
def sample_sentences() -> list[str]:
    return [sentence for text, _ in sample_rows() for sentence in text.split(". ") if sentence]


@dataclass(frozen=True)
class Corpus:
    """Documents, as Python strings and as the blocks that Sageline reads them in."""

    documents: list[str]
    blocks: list[Block]
    megabytes: float  # of UTF-8

    @classmethod
    def of(cls, documents: list[str]) -> Corpus:
        blocks = list(blocks_of(documents))
        return cls(documents, blocks, sum(len(block.columns["post"].data) for block in blocks) / MEGABYTE)


def corpus(megabytes: float) -> Corpus:
    """The sample dataset again and again, up to a size, with hardly a document that is a literal repeat of another.

    A document has as many sentences as its model in the sample, but at least two, drawn from all sentences of the sample:
    words and lengths are the sample's.
    """
    random = Random(0)
    sentences = sample_sentences()
    lengths = cycle([max(2, text.count(". ") + 1) for text, _ in sample_rows()])
    documents: list[str] = []
    left = megabytes * MEGABYTE
    while left > 0:
        documents.append(". ".join(random.choices(sentences, k=next(lengths))))
        left -= len(documents[-1].encode())
    return Corpus.of(documents)


def blocks_of(documents: list[str]) -> Iterator[Block]:
    """Blocks as large as those that a dataset is read in."""
    start = size = 0
    for index, document in enumerate(documents):
        size += len(document.encode())
        if size >= BLOCK_BYTES or index == len(documents) - 1:
            column = StringArray.from_list(documents[start : index + 1])
            yield Block.of({"post": column}, first_row=start + 1)
            start, size = index + 1, 0


def fitted(blocks: list[Block]) -> FittedEncoder:
    """The encoder of a 500 words, fitted to the blocks as ``prepare_data`` does."""
    fit = start_fit(spec(), {}, {})
    for block in blocks:
        fit.update(block, np.ones(block.rows, dtype=np.bool_), StringArray.empty(block.rows))
    return finish_fit(fit, spec(), sorted({label for _, label in sample_rows()}), "benchmark")


def sparse_counts(documents: Corpus, rows: int) -> SparseMatrix:
    """How often each word of the vocabulary occurs in the first ``rows`` documents, again and again if there are fewer."""
    texts = [documents.documents[index % len(documents.documents)] for index in range(rows)]
    encoded = fitted(documents.blocks).encode(Block.of({"post": StringArray.from_list(texts)}))
    if not isinstance(encoded, SparseMatrix):
        raise TypeError("a bag of words is sparse")
    return encoded


def dense_counts(documents: Corpus, rows: int) -> FloatArray:
    """The same with the cells of absent words, ``float32[rows, 500]``: small integers, mostly 0."""
    return sparse_counts(documents, rows).to_dense()


def dense_floats(rows: int) -> FloatArray:
    """Normally distributed numbers, ``float32[rows, 500]``: each needs eight or nine digits."""
    return np.random.default_rng(0).normal(size=(rows, WORDS)).astype(np.float32)


def labels_of(rows: int) -> FloatArray:
    """Class indexes, ``float32[rows]``."""
    return np.random.default_rng(1).integers(0, 20, size=rows).astype(np.float32)
