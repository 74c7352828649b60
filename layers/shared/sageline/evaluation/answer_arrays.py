"""A transform job's answers as whole arrays: what the metrics are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sageline.arrays.matrix import FloatArray
from sageline.arrays.strings import IntArray
from sageline.encoder.decoding import class_numbers, scores_of_classes
from sageline.encoder.fitted import FittedEncoder
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


@dataclass(frozen=True, eq=False)
class ReadClasses:
    """A transform job's answers as the model gave them, and what its decision makes of them.

    Attributes:
        before: without the decision.
        after: with it; the same object where there is none.
        own: ``int64[rows]``: the classes that the algorithm has chosen itself; None where it only answers scores.
    """

    before: ClassAnswers
    after: ClassAnswers
    own: IntArray | None = None


def read_classes(encoder: FittedEncoder, body: bytes, rows: int) -> ReadClasses:
    """The classes in the output of a transform job, or in one object of it.

    Raises:
        PredictionFailed: the output cannot be read, or is not for so many rows.
    """
    classes = encoder.classes or []
    answer = _read(encoder, body, rows)
    told = scores_of_classes(answer, encoder.answers, classes)
    if told is None:
        numbers = np.empty(0, dtype=np.float32) if answer.predicted is None else answer.predicted
        chosen = class_numbers(numbers, len(classes))
        labels = ClassAnswers(chosen, None, are_probabilities=False)
        return ReadClasses(labels, labels, chosen)
    before = ClassAnswers(told.scores.argmax(axis=1) if told.own is None else told.own, told.scores, told.are_probabilities)
    decided = encoder.decide(told)
    after = before if decided is None else ClassAnswers(decided[1], decided[0], are_probabilities=True)
    return ReadClasses(before, after, told.own)


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
