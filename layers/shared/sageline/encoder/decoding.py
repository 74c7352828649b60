"""What a model answered, row by row, as predictions: labels with probabilities, or values.

A prediction of a class has the shape ``{"label", "probability", "top": [{"label", "probability"}, ...]}``; ``top`` begins with
the label, and holds what the answer tells of others, the more probable first:

- all classes, where there is a score for each. Scores that are no probabilities (margins, logits) rank them, and then each
  ``probability`` is None;
- the classes among the neighbours, for k-NN; the probability is the share of the neighbours;
- the labels that BlazingText names;
- the label alone, with None, where nothing else is answered.

The label is the algorithm's own choice where it makes one: linear learner calibrates its threshold, so the label of two may be
the less probable one. A model with a decision (:mod:`sageline.encoder.decision`) answers the label that this says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from sageline.arrays.matrix import FloatArray
from sageline.arrays.strings import IntArray
from sageline.encoder.text.tokens import label_of
from sageline.errors import PredictionFailed
from sageline.formats.answers import Answer
from sageline.formats.csv import write_rows

Prediction: TypeAlias = dict[str, Any]  # Any: JSON

_ROUNDING = 1e-6
_SUM_ROUNDING = 1e-2  # of many small probabilities in half precision
_BOTH = np.array([0, 1])


def values(numbers: FloatArray) -> list[Prediction]:
    """A regression's answers, ``float32[rows]``, as ``{"value"}`` per row."""
    return [{"value": plain(number)} for number in numbers]


def value_per_row(answer: Answer) -> FloatArray:
    """A regression's answer as the model gives it, on the scale that it has learnt, ``float32[rows]``.

    Raises:
        PredictionFailed: not one value per row.
    """
    scores = answer.scores if answer.scores is not None else None if answer.predicted is None else answer.predicted[:, None]
    if scores is None or not len(scores):
        return np.empty(0, dtype=np.float32)
    if scores.shape[1] != 1:
        raise PredictionFailed(f"the model answered {scores.shape[1]} values per row; a regression has one.")
    return scores[:, 0]


def classes_by_score(answer: Answer, classes: Sequence[str], top_k: int, *, probabilities: bool) -> list[Prediction]:
    """A classification's answer of scores, of predicted class numbers, or of both.

    Args:
        probabilities: nothing but probabilities makes sense as scores.

    Raises:
        PredictionFailed: neither a score per class nor a class number per row, or scores that are no probabilities although they
            must be.
    """
    if not len(answer):
        return []
    chosen = None if answer.predicted is None else class_numbers(answer.predicted, len(classes))
    if answer.scores is None:
        return [] if chosen is None else [_prediction([(classes[index], None)]) for index in chosen.tolist()]
    scores, known = score_per_class(answer.scores, len(classes), probabilities=probabilities)
    order = np.argsort(-scores, axis=1, kind="stable")
    if chosen is not None:
        order = _first(order, chosen)
    return _of_scores(scores, order, classes, top_k, known=known)


def _of_scores(scores: FloatArray, order: IntArray, classes: Sequence[str], top_k: int, *, known: bool) -> list[Prediction]:
    """``order``: each row's class numbers as ``top`` has them."""
    best = order[:, : max(top_k, 1)].tolist()
    return [
        _prediction([(classes[index], plain(row[index]) if known else None) for index in indexes])
        for row, indexes in zip(scores, best, strict=True)
    ]


def decided_classes(probabilities: FloatArray, chosen: IntArray, classes: Sequence[str], top_k: int) -> list[Prediction]:
    """A decision's answer: the label that it has chosen, then the other classes by their probabilities.

    Args:
        probabilities: ``float32[rows, classes]``.
        chosen: ``int64[rows]``.
    """
    if len(classes) == len(_BOTH):
        order = chosen[:, None] ^ _BOTH
    else:
        ranks = -probabilities
        ranks[np.arange(len(chosen)), chosen] = -np.inf
        order = ranks.argsort(axis=1, kind="stable")
    return _of_scores(probabilities, order, classes, top_k, known=True)


@dataclass(frozen=True, eq=False)
class ClassScores:
    """What a classification's answer tells of every class.

    Attributes:
        scores: ``float32[rows, classes]``: the higher, the more probable.
        are_probabilities: whether the scores are probabilities.
        own: ``int64[rows]``: the classes that the algorithm has chosen itself, where it does.
    """

    scores: FloatArray
    are_probabilities: bool
    own: IntArray | None = None


def scores_of_classes(answer: Answer, algorithm: str, classes: Sequence[str]) -> ClassScores | None:
    """A classification's answer as whole arrays; None where only labels are answered, as k-NN does.

    A label that BlazingText has not named gets 0.

    Raises:
        PredictionFailed: as when the same answer is read as predictions.
    """
    if answer.labels is not None:
        return _scores_of_named(answer.labels, answer.scores, classes)
    if answer.scores is None or algorithm == "knn":
        return None
    own = None if answer.predicted is None else class_numbers(answer.predicted, len(classes))
    scores, known = score_per_class(answer.scores, len(classes), probabilities=algorithm == "xgboost")
    return ClassScores(scores, known, own)


def _scores_of_named(labels: Sequence[Sequence[str]], probabilities: FloatArray | None, classes: Sequence[str]) -> ClassScores:
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
    own = np.array([names[0] for names in numbers], dtype=np.int64)
    return ClassScores(np.minimum(scores, 1), are_probabilities=True, own=own)


def classes_of_neighbours(answer: Answer, classes: Sequence[str], top_k: int) -> list[Prediction]:
    """k-NN's answer: the label, and the share that each class has among the neighbours, if these are told.

    Raises:
        PredictionFailed: a number that is no class.
    """
    if answer.predicted is None or answer.neighbours is None:
        return classes_by_score(Answer(predicted=answer.predicted), classes, top_k, probabilities=False)
    chosen = class_numbers(answer.predicted, len(classes))
    shape = answer.neighbours.shape
    neighbours = class_numbers(answer.neighbours.ravel(), len(classes)).reshape(shape)
    predictions = []
    for label, row in zip(chosen.tolist(), neighbours, strict=True):
        counts = np.bincount(row, minlength=len(classes))
        there = [index for index in np.argsort(-counts, kind="stable").tolist() if counts[index] and index != label]
        pairs = [(classes[index], plain(np.float32(counts[index] / shape[1]))) for index in [label, *there]]
        predictions.append(_prediction(pairs[: max(top_k, 1)]))
    return predictions


def named_labels(answer: Answer, top_k: int) -> list[Prediction]:
    """BlazingText's answer, which names the labels.

    Raises:
        PredictionFailed: no label for a row.
    """
    labels = answer.labels or []
    if not all(labels):
        raise PredictionFailed(f"the model named no label for row {labels.index([]) + 1}, which may hold no word it knows.")
    scores = np.empty((0, 0), dtype=np.float32) if answer.scores is None else answer.scores
    return [
        _prediction([(label_of(name), plain(score)) for name, score in zip(names[: max(top_k, 1)], row, strict=False)])
        for names, row in zip(labels, scores, strict=True)
    ]


def probability_per_class(answer: Answer, algorithm: str, classes: Sequence[str]) -> FloatArray:
    """``float32[rows, classes]``: what a classification's answer tells of every class.

    For k-NN the share of the neighbours, 0 for a class that none of them has. NaN where nothing is told: every class of a model
    that answers the label alone, or scores that are no probabilities; a label that BlazingText has not named.

    Raises:
        PredictionFailed: as when the same answer is read as predictions.
    """
    table = np.full((len(answer), len(classes)), np.nan, dtype=np.float32)
    if answer.labels is not None and answer.scores is not None:
        number_of = {name: number for number, name in enumerate(classes)}
        for row, (names, scores) in enumerate(zip(answer.labels, answer.scores, strict=True)):
            numbers = [number_of.get(label_of(name), -1) for name in names]
            if -1 in numbers:
                raise PredictionFailed(f"the model named the label {names[numbers.index(-1)]!r}, which it was not trained on.")
            table[row, numbers] = scores[: len(numbers)]
    elif algorithm == "knn":
        if answer.neighbours is not None and answer.neighbours.size:
            rows, neighbours = answer.neighbours.shape
            numbers_there = class_numbers(answer.neighbours, len(classes)) + np.arange(rows)[:, None] * len(classes)
            counts = np.bincount(numbers_there.ravel(), minlength=table.size).reshape(table.shape)
            table = (counts / neighbours).astype(np.float32)
    elif answer.scores is not None and len(answer):
        scores, known = score_per_class(answer.scores, len(classes), probabilities=algorithm == "xgboost")
        table = scores if known else table
    return table


def with_probabilities(predictions: Sequence[Prediction], table: FloatArray, classes: Sequence[str]) -> list[Prediction]:
    """The predictions with ``probabilities``, ``{label: probability}`` of every class in their order, None for NaN."""
    lines = write_rows(table).splitlines()  # with the digits that float32 has, as :func:`plain`
    rows = [[float(cell) if cell else None for cell in line.split(b",")] for line in lines]
    return [
        {**prediction, "probabilities": dict(zip(classes, row, strict=True))}
        for prediction, row in zip(predictions, rows, strict=True)
    ]


def score_per_class(scores: FloatArray, classes: int, *, probabilities: bool) -> tuple[FloatArray, bool]:
    """``float32[rows, classes]``, and whether these are probabilities.

    Args:
        probabilities: as for :func:`classes_by_score`, and so is what is raised.
    """
    scores, known = _per_class(scores, classes)
    if probabilities and not known:
        raise PredictionFailed("the model answered numbers outside 0 to 1, which are no probabilities; check its objective.")
    if not probabilities and scores.shape[1] > 1:
        known = known and bool((np.abs(scores.sum(axis=1) - 1) < _SUM_ROUNDING).all())
    return scores, known


def _prediction(pairs: Sequence[tuple[str, float | None]]) -> Prediction:
    top = [{"label": label, "probability": probability} for label, probability in pairs]
    return {**top[0], "top": top}


def _are_class_numbers(numbers: FloatArray, classes: int) -> bool:
    return bool(((numbers == np.floor(numbers)) & (numbers >= 0) & (numbers < classes)).all())


def class_numbers(numbers: FloatArray, classes: int) -> IntArray:
    """``int64[n]``: class numbers as an algorithm answers them; PredictionFailed names one that is no class."""
    if not _are_class_numbers(numbers, classes):
        wrong = next(number for number in numbers.tolist() if not 0 <= number < classes or number != int(number))
        raise PredictionFailed(f"the model answered the class {wrong:g}; it was trained on classes 0 to {classes - 1}.")
    return numbers.astype(np.int64)


def _per_class(scores: FloatArray, classes: int) -> tuple[FloatArray, bool]:
    """``float32[rows, classes]``, and whether they may be probabilities; of two classes, a score of the second is enough."""
    of_the_second = classes == 2 and scores.shape[1] == 1
    if not of_the_second and scores.shape[1] != classes:
        raise PredictionFailed(f"the model answered {scores.shape[1]} values per row; expected {classes} probabilities.")
    are_probabilities = bool(scores.min() >= -_ROUNDING and scores.max() <= 1 + _ROUNDING)
    if of_the_second:
        scores = np.column_stack([1 - scores if are_probabilities else -scores, scores])
    return scores, are_probabilities


def _first(order: IntArray, chosen: IntArray) -> IntArray:
    """Each row's numbers with the chosen one in front."""
    others = order[order != chosen[:, None]].reshape(len(order), order.shape[1] - 1)
    return np.column_stack([chosen, others])


def plain(number: np.float32) -> float:
    """The number with the digits that float32 has: 0.43, not 0.4300000071525574."""
    return float(str(number))
