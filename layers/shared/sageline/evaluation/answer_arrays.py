"""A transform job's answers as whole arrays: what the metrics are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sageline.arrays.matrix import FloatArray
from sageline.arrays.strings import IntArray
from sageline.encoder.decoding import class_numbers, score_per_class
from sageline.encoder.fitted import FittedEncoder
from sageline.encoder.text.tokens import label_of
from sageline.errors import PredictionFailed
from sageline.formats.answers import Answer, read_answer


@dataclass(frozen=True, eq=False)
class ClassAnswers:
    """What a classifier answers for some rows.

    Attributes:
        chosen: ``int64[rows]``: the number of the class that each row is given.
        scores: ``float32[rows, classes]``: the higher, the more probable; minus infinity for a class that the model does not
            know; None where only labels are answered.
        are_probabilities: whether the scores are probabilities.
    """

    chosen: IntArray
    scores: FloatArray | None
    are_probabilities: bool

    def __len__(self) -> int:
        return len(self.chosen)

    def among(self, own: Sequence[str], classes: Sequence[str]) -> ClassAnswers:
        """The same answers with the classes numbered as in ``classes``, which holds all of the model's ``own`` and maybe more."""
        if list(own) == list(classes):
            return self
        number_of = {name: number for number, name in enumerate(classes)}
        numbers = np.array([number_of[name] for name in own], dtype=np.int64)
        scores = None
        if self.scores is not None:
            scores = np.full((len(self), len(classes)), -np.inf, dtype=np.float32)
            scores[:, numbers] = self.scores
        return ClassAnswers(numbers[self.chosen], scores, self.are_probabilities)


def read_classes(encoder: FittedEncoder, body: bytes, rows: int) -> ClassAnswers:
    """The classes in the output of a transform job, or in one object of it.

    Raises:
        PredictionFailed: the output cannot be read, or is not for so many rows.
    """
    classes = encoder.classes or []
    answer = _read(encoder, body, rows)
    if answer.labels is not None:
        return _named(answer.labels, answer.scores, classes)
    chosen = None if answer.predicted is None else class_numbers(answer.predicted, len(classes))
    if answer.scores is None:
        return ClassAnswers(np.empty(0, dtype=np.int64) if chosen is None else chosen, None, are_probabilities=False)
    scores, known = score_per_class(answer.scores, len(classes), probabilities=encoder.answers == "xgboost")
    return ClassAnswers(scores.argmax(axis=1).astype(np.int64) if chosen is None else chosen, scores, known)


def read_values(encoder: FittedEncoder, body: bytes, rows: int) -> FloatArray:
    """The values of a regression, ``float32[rows]`` on the scale of the labels, in the output of a transform job.

    Raises:
        PredictionFailed: as :func:`read_classes`.
    """
    return encoder.values(_read(encoder, body, rows))


def _read(encoder: FittedEncoder, body: bytes, rows: int) -> Answer:
    answer = read_answer(encoder.answers, body, encoder.exchange.batch_accept, batch=True)
    if len(answer) != rows:
        raise PredictionFailed(f"the model answered for {len(answer)} of {rows} rows.")
    return answer


def _named(labels: Sequence[Sequence[str]], probabilities: FloatArray | None, classes: Sequence[str]) -> ClassAnswers:
    """BlazingText's answers, which name labels, the most probable first."""
    number_of = {name: number for number, name in enumerate(classes)}
    try:
        numbers = [[number_of[label_of(name)] for name in names] for names in labels]
    except KeyError as error:
        raise PredictionFailed(f"the model named the label {error}, which it was not trained on.") from None
    if not all(numbers):
        raise PredictionFailed(f"the model named no label for row {numbers.index([]) + 1}, which may hold no word it knows.")
    scores = np.zeros((len(labels), len(classes)), dtype=np.float32)
    if probabilities is not None:
        counts = [len(names) for names in numbers]
        rows = np.repeat(np.arange(len(numbers)), counts)
        columns = np.array([number for names in numbers for number in names], dtype=np.int64)
        scores[rows, columns] = probabilities[np.arange(probabilities.shape[1]) < np.array(counts)[:, None]]
    chosen = np.array([names[0] for names in numbers], dtype=np.int64)
    return ClassAnswers(chosen, np.minimum(scores, 1), are_probabilities=True)
