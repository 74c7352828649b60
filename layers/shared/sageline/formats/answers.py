"""Reading what a model's container answers, for an endpoint's answer and for batch transform's output alike.

Sources: the open-source SageMaker XGBoost container; SageMaker developer guide, "Linear learner response formats", "Data formats
for k-NN training input" (inference), "BlazingText algorithm" (inference); https://www.tensorflow.org/tfx/serving/api_rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sageline.arrays.matrix import FloatArray, SparseMatrix
from sageline.errors import PredictionFailed
from sageline.formats import npy, recordio
from sageline.formats.csv import read_rows

_SCORES = ("score", "probabilities", "probability", "predicted_score", "raw_scores", "raw_score")
"""Keys of scores; all but the first are those of XGBoost's selected outputs."""

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"


@dataclass(frozen=True, eq=False)
class Answer:
    """What was answered, row by row; what an algorithm does not answer is None.

    Attributes:
        scores: ``float32[rows, scores]``: a probability, a margin or a value, or one per class.
        predicted: ``float32[rows]``: the class, by its number, or the value that the algorithm settled for.
        labels: BlazingText's labels, the most probable first, without ``__label__``; ``scores`` has their probabilities, NaN
            where a row has fewer labels than the others.
        neighbours: k-NN, when asked to be verbose: ``float32[rows, k]``, labels of the nearest rows, the nearest first.
        distances: of the neighbours, ``float32[rows, k]``.
    """

    scores: FloatArray | None = None
    predicted: FloatArray | None = None
    labels: list[list[str]] | None = None
    neighbours: FloatArray | None = None
    distances: FloatArray | None = None

    def __len__(self) -> int:
        known = self.scores if self.scores is not None else self.predicted
        return 0 if known is None else len(known)


def read_answer(algorithm: str, body: bytes, content_type: str, *, batch: bool = False) -> Answer:
    """An answer of ``xgboost``, ``linear-learner``, ``knn``, ``blazingtext``, ``tensorflow`` (TensorFlow Serving),
    ``scikit-learn`` or ``pytorch``.

    Args:
        content_type: of the answer; parameters (``; charset=utf-8``) do not matter.
        batch: it is the output of batch transform: XGBoost writes lines of its own there, whatever was asked for.

    Raises:
        PredictionFailed: it cannot be read; says why.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    readers = _READERS[algorithm]
    if algorithm == "xgboost" and batch:
        media_type = "batch"
    if media_type not in readers:
        expected = " or ".join(name for name in readers if name != "batch")
        raise PredictionFailed(f"the model answered {content_type!r}; expected {expected}.")
    try:
        # What is beyond float32 becomes infinite, and is refused with the other numbers that are not finite.
        with np.errstate(over="ignore"):
            answer = readers[media_type](body)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        problem = f"{error} is missing" if isinstance(error, KeyError) else error
        raise PredictionFailed(f"the model's answer cannot be read as {media_type}: {problem}.") from None
    for numbers in (answer.scores if answer.labels is None else None, answer.predicted, answer.neighbours, answer.distances):
        if numbers is not None and not np.isfinite(numbers).all():
            raise PredictionFailed("the model's answer holds a score that is not a finite number.")
    return answer


def _numbers(body: bytes) -> FloatArray:
    matrix = read_rows(body.rstrip(b"\n") + b"\n" if body.strip() else b"").matrix
    return matrix.to_dense() if isinstance(matrix, SparseMatrix) else matrix


def _lines_of_numbers(body: bytes) -> Answer:
    return Answer(scores=_numbers(body))


def _lines_of_lists(body: bytes) -> Answer:
    """XGBoost in batch transform: Python's spelling of a number or a list of numbers on each line, and empty lines between what
    two requests were answered."""
    lines = body.translate(None, b"[] \r").lstrip(b"\n")
    while b"\n\n" in lines:
        lines = lines.replace(b"\n\n", b"\n")
    return _lines_of_numbers(lines)


# Any in what follows: JSON.
def _documents(body: bytes) -> list[Any]:
    """JSON documents one after the other, with or without line feeds between them."""
    decoder, text = json.JSONDecoder(), body.decode().strip()
    documents, at = [], 0
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        documents.append(document)
        while text[at : at + 1].isspace():
            at += 1
    return documents


def _predictions(body: bytes) -> list[Any]:
    """The predictions of ``{"predictions": [...]}``, or of several such documents."""
    return [prediction for document in _documents(body) for prediction in document["predictions"]]


def _of_predictions(predictions: list[Mapping[str, Any]]) -> Answer:
    """Objects with the keys of linear learner, k-NN, and XGBoost with selected outputs."""
    if not predictions:
        return Answer(scores=np.empty((0, 0), dtype=np.float32))

    def column(*keys: str) -> FloatArray | None:
        key = next((key for key in keys if key in predictions[0]), None)
        return None if key is None else _table([prediction[key] for prediction in predictions])

    scores, predicted = column(*_SCORES), column("predicted_label")
    if scores is None and predicted is None:
        raise ValueError(f"a prediction has the keys {', '.join(predictions[0])}")
    # XGBoost calls all its classes labels, k-NN those of the neighbours.
    neighbours = column("labels") if "distances" in predictions[0] else None
    return Answer(scores, _one_each(predicted), None, neighbours, column("distances"))


def _one_each(predicted: FloatArray | None) -> FloatArray | None:
    if predicted is None or not len(predicted):
        return None
    if predicted.shape[1] != 1:
        raise ValueError(f"predicted_label has {predicted.shape[1]} values, one is expected")
    return predicted[:, 0]


def _table(values: list[Any]) -> FloatArray:
    """Numbers, or lists of as many numbers, as ``float32[rows, numbers]``."""
    rows = [value if isinstance(value, list) else [value] for value in values]
    if len({len(row) for row in rows}) > 1:
        raise ValueError("rows of differing width")
    if any(isinstance(number, str) for row in rows for number in row):
        raise ValueError("text where a number is expected")
    return np.array(rows, dtype=np.float32).reshape(len(rows), len(rows[0]) if rows else 0)


def _records(body: bytes) -> Answer:
    columns = recordio.read_answer(body)
    neighbours = columns.get("labels") if "distances" in columns else None
    predicted = _one_each(columns.get("predicted_label"))
    return Answer(columns.get("score"), predicted, None, neighbours, columns.get("distances"))


def _words(documents: list[Mapping[str, Any]]) -> Answer:
    """BlazingText: labels with their probabilities; a probability may exceed 1 by its rounding, and is left as it is."""
    labels = [[str(label).removeprefix("__label__") for label in document["label"]] for document in documents]
    scores = np.full((len(documents), max(map(len, labels), default=0)), np.nan, dtype=np.float32)
    for row, document in enumerate(documents):
        if len(document["prob"]) != len(labels[row]):
            raise ValueError(f"row {row + 1} has {len(labels[row])} labels and {len(document['prob'])} probabilities")
        scores[row, : len(labels[row])] = document["prob"]
        if not np.isfinite(scores[row, : len(labels[row])]).all():
            raise ValueError(f"row {row + 1} has a probability that is not a finite number")
    return Answer(scores=scores, labels=labels)


def _blazingtext_json(body: bytes) -> Answer:
    return _words([prediction for document in _documents(body) for prediction in document])


def _tensors(body: bytes) -> Answer:
    """TensorFlow Serving: ``predictions`` for a request of instances, ``outputs`` for one of inputs."""
    rows: list[Any] = []
    for document in _documents(body):
        if "error" in document:
            raise ValueError(f"TensorFlow Serving says {document['error']!r}")
        rows += document["predictions"] if "predictions" in document else document["outputs"]
    if any(isinstance(row, dict) for row in rows):
        raise ValueError(f"the model has several outputs: {', '.join(rows[0])}")
    return _scores_or_numbers(_table(rows), whole=all(isinstance(row, int) for row in rows))


def _lists(body: bytes) -> Answer:
    """A script's predictions as its container writes them by default: a list of numbers, or of lists of numbers."""
    rows: list[Any] = []
    for document in _documents(body):
        rows += document["predictions"] if isinstance(document, dict) else document
    return _of_script(_table(rows))


def _array(body: bytes) -> Answer:
    array = npy.read_array(body)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"an array of {array.dtype}, numbers are expected")
    return _of_script(array.astype(np.float32).reshape(len(array), -1))


def _of_script(table: FloatArray) -> Answer:
    return _scores_or_numbers(table, whole=table.shape[1] == 1 and bool((table == np.floor(table)).all()))


def _scores_or_numbers(table: FloatArray, *, whole: bool) -> Answer:
    """Whole numbers, one per row, are what the model has settled for; all else is scores."""
    return Answer(predicted=table[:, 0]) if whole and len(table) else Answer(scores=table)


def _json(body: bytes) -> Answer:
    return _of_predictions(_predictions(body))


def _json_lines(body: bytes) -> Answer:
    return _of_predictions(_documents(body))


_FIRST_PARTY: dict[str, Callable[[bytes], Answer]] = {JSON: _json, JSON_LINES: _json_lines, recordio.CONTENT_TYPE: _records}
_SCRIPTS: dict[str, Callable[[bytes], Answer]] = {
    JSON: _lists,
    JSON_LINES: _lists,
    CSV: lambda body: _of_script(_numbers(body)),
    npy.CONTENT_TYPE: _array,
}
_READERS: dict[str, dict[str, Callable[[bytes], Answer]]] = {
    "xgboost": {CSV: _lines_of_numbers, JSON: _json, JSON_LINES: _json_lines, "batch": _lines_of_lists},
    "linear-learner": _FIRST_PARTY,
    "knn": _FIRST_PARTY,
    "blazingtext": {JSON: _blazingtext_json, JSON_LINES: lambda body: _words(_documents(body))},
    "tensorflow": {JSON: _tensors, JSON_LINES: _tensors},
    "scikit-learn": _SCRIPTS,
    "pytorch": _SCRIPTS,
}
