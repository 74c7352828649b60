"""Word vectors: fastText's skip-gram and CBOW, and the two files in which BlazingText leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import floret
import numpy as np
from numpy.typing import NDArray

from sagemaker_emulator.engines.blazingtext import model_file
from sagemaker_emulator.engines.first_party.failures import CustomerError

TEXT, BINARY = "vectors.txt", "vectors.bin"
_END_OF_LINE = "</s>"


class Vectors(Protocol):
    """What a served model knows of words."""

    def of(self, word: str) -> NDArray[np.float32]:
        """``float32[vector_dim]``; zeros for a word that is not known."""


class WordTable:
    """A vector for each word of the training data, and for no other."""

    def __init__(self, rows: Mapping[str, int], matrix: NDArray[np.float32]) -> None:
        self._rows = rows
        self._matrix = matrix

    def of(self, word: str) -> NDArray[np.float32]:
        row = self._rows.get(word)
        return np.zeros(self._matrix.shape[1], dtype=np.float32) if row is None else self._matrix[row]


class Subwords:
    """A vector for any word, of its parts."""

    def __init__(self, model: floret.floret._floret) -> None:
        self._model = model

    def of(self, word: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self._model.get_word_vector(word)
        return vector


def train(values: Mapping[str, object], data: Path) -> floret.floret._floret:
    """From parsed hyperparameters, the container's defaults among them; raises CustomerError."""
    subwords = values["subwords"] == "true"

    def whole(name: str) -> int:
        return int(str(values[name]))

    try:
        return floret.train_unsupervised(
            str(data),
            model="cbow" if values["mode"] == "cbow" else "skipgram",
            lr=float(str(values["learning_rate"])),
            dim=whole("vector_dim"),
            ws=whole("window_size"),
            epoch=whole("epochs"),
            minCount=whole("min_count"),
            minn=whole("min_char") if subwords else 0,
            maxn=whole("max_char") if subwords else 0,
            neg=whole("negative_samples"),
            t=float(str(values["sampling_threshold"])),
            bucket=whole("buckets"),
            thread=1,
            verbose=0,
        )
    except (ValueError, RuntimeError) as error:  # fastText's own words, such as "Empty vocabulary"
        raise CustomerError(f"{error}") from error


def save(model: floret.floret._floret, directory: Path, *, subwords: bool) -> None:
    """``vectors.txt`` and ``vectors.bin``: word2vec's formats, or fastText's model where parts of words have vectors."""
    words = [word for word in model.get_words() if word != _END_OF_LINE]
    matrix = np.array([model.get_word_vector(word) for word in words], dtype="<f4").reshape(len(words), -1)
    head = f"{len(words)} {matrix.shape[1]}\n"
    with (directory / TEXT).open("w", encoding="utf-8") as file:
        file.write(head)
        for word, row in zip(words, matrix, strict=True):
            file.write(f"{word} {' '.join(f'{value:.6g}' for value in row)}\n")
    if subwords:
        model_file.save(model, directory / BINARY)
        return
    with (directory / BINARY).open("wb") as binary:
        binary.write(head.encode())
        for word, row in zip(words, matrix, strict=True):
            binary.write(f"{word} ".encode() + row.tobytes() + b"\n")


def load(path: Path) -> Vectors:
    """Raises :class:`model_file.NoModel`."""
    if model_file.is_model(path):
        return Subwords(model_file.load(path))
    data = path.read_bytes()
    head, _, rest = data.partition(b"\n")
    try:
        count, width = (int(number) for number in head.split())
        rows, matrix, at = {}, np.empty((count, width), dtype=np.float32), 0
        for row in range(count):
            end = rest.index(b" ", at)
            rows[rest[at:end].decode()] = row
            matrix[row] = np.frombuffer(rest, dtype="<f4", count=width, offset=end + 1)
            at = end + 1 + 4 * width + 1
    except ValueError as error:
        raise model_file.NoModel(f"{path.name} has no vectors that can be read: {error}") from error
    return WordTable(rows, matrix)
