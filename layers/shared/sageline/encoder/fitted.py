"""A fitted encoder: the state that training data and every prediction request are encoded with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.matrix import AnyArray, FloatArray, Matrix, SparseMatrix
from sageline.arrays.numbers import parse_numbers
from sageline.arrays.strings import StringArray, row_chunks
from sageline.encoder import decoding, saved
from sageline.encoder.decoding import Prediction
from sageline.encoder.image import ImageEncoder
from sageline.encoder.image_file import ImageFileEncoder
from sageline.encoder.instances import InstanceReader
from sageline.encoder.labels import encode_classes
from sageline.encoder.table import TableEncoder
from sageline.encoder.text.tokens import TokenLines, label_token
from sageline.encoder.text.words import BagOfWordsEncoder
from sageline.errors import InvalidDataset, InvalidEncoder, InvalidSpec, PredictionFailed
from sageline.formats import csv, json_rows, npy, recordio
from sageline.formats.answers import read_answer
from sageline.formats.exchange import Exchange, exchange_for
from sageline.formats.npy import ArrayPair

_NO_MISSING = frozenset({"linear-learner", "knn", "tensorflow"})
"""Whose models take no missing number: neither can they learn from one, nor can JSON say one."""

_CHUNK_BYTES = 2 << 20  # of texts
_CHUNK_CELLS = 1 << 18  # of dense rows: their text takes a hundred times as many bytes while it is made


Features: TypeAlias = "BagOfWordsEncoder | TableEncoder | TokenLines | ImageEncoder | ImageFileEncoder"
"""How the feature columns are encoded, by kind."""

Encoded: TypeAlias = "Matrix | StringArray"
"""Encoded rows: numbers, or the lines of the encoder ``tokens``."""


@dataclass(frozen=True, eq=False)
class FittedEncoder:
    """Encodes rows as a model was trained on them, and decodes the model's answers.

    Attributes:
        task: ``classification`` or ``regression``.
        feature_columns: the columns that are encoded, in order, with their kind: ``text``, ``number``, ``category``,
            ``pixel``, ``image``.
        label_column: the column that is predicted.
        classes: the labels in class order; None for a regression.
        features: how the feature columns are encoded.
        answers: whose answers are read, one of :data:`sageline.formats.exchange.ANSWERS`.
        channel_format: of a script's channels: ``npy`` (as None) or ``csv``.
        unused_columns: those of the dataset that training left out, which rows to predict may have.
    """

    task: str
    feature_columns: dict[str, str]
    label_column: str
    classes: list[str] | None
    features: Features
    answers: str = "xgboost"
    channel_format: str | None = None
    unused_columns: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """``bag-of-words``, ``table``, ``tokens`` or ``image``."""
        return _KINDS[type(self.features)]

    @cached_property
    def exchange(self) -> Exchange:
        """The formats of the model that this encoder is for."""
        return exchange_for(self.answers, self.kind, self.feature_columns.values(), self.channel_format)

    @property
    def feature_dim(self) -> int:
        """Number of columns of an encoded row."""
        return self.features.feature_dim

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """(height, width) or (height, width, channels) of images; None for other rows."""
        return self.features.shape if isinstance(self.features, ImageEncoder | ImageFileEncoder) else None

    @property
    def reads_files(self) -> bool:
        """Whether a row is an image file."""
        return isinstance(self.features, ImageFileEncoder)

    def chunks(self, block: Block) -> Iterator[Block]:
        """The block in pieces whose encoded form takes a few megabytes: as a piece of a channel, a request, a file of a
        transform job."""
        dense = (
            self.feature_dim
            if isinstance(self.features, TableEncoder | ImageEncoder | ImageFileEncoder)
            or self.exchange.file_extension in ("npy", "csv")
            else 0
        )
        texts = [block.columns[name] for name in self.feature_columns]
        for start, end in row_chunks(texts, _CHUNK_BYTES):
            step = max(1, _CHUNK_CELLS // dense) if dense else end - start
            for first in range(start, end, step):
                last = min(first + step, end)
                yield block if last - first == block.rows else block.take(np.arange(first, last))

    def encode(self, block: Block) -> Encoded:
        """The block's feature columns as numbers: ``float32[rows, feature_dim]`` for a table or images, sparse for a bag of
        words;
        for tokens the lines.

        Raises:
            InvalidDataset: a value that is no number, or is beyond float32, or a missing one that the model does not take; names
                row and column.
        """
        if isinstance(self.features, ImageEncoder | ImageFileEncoder):
            return self.features.encode(block)
        if isinstance(self.features, TableEncoder):
            encoded = self.features.encode(block)
            if self.answers in _NO_MISSING:
                self._refuse_missing(block, encoded)
            return encoded
        return self.features.encode([block.columns[name] for name in self.feature_columns])

    def encode_instances(self, instances: list[object], warnings: list[str] | None = None) -> Encoded:
        """The rows of a prediction request.

        Args:
            warnings: as for :meth:`block_from_instances`.

        Raises:
            InvalidRequest: as :meth:`block_from_instances`.
        """
        return self.encode(self.block_from_instances(instances, warnings))

    def encode_labels(self, column: StringArray) -> FloatArray:
        """``float32[n]``: class indexes, NaN for a class not seen in training; a regression's values as they are.

        Raises:
            BadNumber: a value of a regression that is no number, or is beyond float32.
        """
        return parse_numbers(column) if self.classes is None else encode_classes(column, self.classes)

    def write(self, encoded: Encoded, labels: FloatArray) -> bytes | ArrayPair:
        """Encoded rows and their labels as training data: bytes, or for :attr:`Exchange.file_extension` ``npy`` a pair of arrays,
        ``float32[rows, feature_dim]`` or ``[rows, *image_shape]``, and ``int64[rows]`` classes or ``float32[rows]`` values."""
        if isinstance(encoded, StringArray):
            names = StringArray.from_list([label_token(name) for name in self.classes or []])
            return TokenLines().write(encoded, names.take(labels.astype(np.int64)))
        match self.exchange.file_extension:
            case "npy":
                return ArrayPair(self._tensor(encoded), labels if self.classes is None else labels.astype(np.int64))
            case "csv":
                return csv.write_rows(_dense(encoded), labels)
            case _:
                return self._records(encoded, labels)

    def request_body(self, encoded: Encoded) -> bytes:
        """Encoded rows as a request's body in :attr:`Exchange.request_content_type`."""
        if isinstance(encoded, StringArray):
            return json_rows.write_texts(encoded.tolist(), len(self.classes or []))
        return self._body(encoded, self.exchange.request_content_type)

    def batch_body(self, encoded: Encoded) -> bytes:
        """Encoded rows for a transform job, in :attr:`Exchange.batch_content_type`: bodies joined make a file, but where
        :attr:`Exchange.split_type` is ``None`` each is a file of its own."""
        if isinstance(encoded, StringArray):
            return json_rows.write_text_lines(encoded.tolist(), len(self.classes or []))
        return self._body(encoded, self.exchange.batch_content_type)

    def _body(self, matrix: Matrix, content_type: str) -> bytes:
        match content_type:
            case csv.CONTENT_TYPE:
                return csv.write_rows(_dense(matrix))
            case npy.CONTENT_TYPE:
                return npy.write_array(self._tensor(matrix))
            case json_rows.JSON:
                return json_rows.write_tensors(_dense(matrix), self._tensor_shape)
            case _:
                return self._records(matrix, None)

    def _records(self, matrix: Matrix, labels: FloatArray | None) -> bytes:
        if not isinstance(matrix, SparseMatrix):
            return recordio.write_dense(matrix, labels)
        # A record without keys is dense to the containers' readers, and refused among sparse ones. NaN stays missing for XGBoost.
        return recordio.write_sparse(matrix.fill_empty_rows(np.nan if self.answers == "xgboost" else 0.0), labels)

    @property
    def _tensor_shape(self) -> tuple[int, ...]:
        """A row's shape, in requests as in training; a row of CSV is flat."""
        is_flat = self.image_shape is None or self.exchange.file_extension == "csv"
        return (self.feature_dim,) if is_flat else self.image_shape or ()

    def _tensor(self, matrix: Matrix) -> FloatArray:
        return _dense(matrix).reshape(-1, *self._tensor_shape)

    def _refuse_missing(self, block: Block, encoded: FloatArray) -> None:
        missing = np.argwhere(np.isnan(encoded))
        if len(missing):
            row, column = missing[0].tolist()
            name = self.features.column_of(column) if isinstance(self.features, TableEncoder) else ""
            raise InvalidDataset(
                f"{block.where(row)}, column {name!r}: the value is missing, which {self.answers} does not take. Fill it in, or "
                f"set `encoder.missing` to mean, median or value in the spec."
            )

    def block_from_instances(self, instances: list[object], warnings: list[str] | None = None) -> Block:
        """The rows of a prediction request: objects ``{column: value}``, arrays in feature order, or bare strings
        when the only feature is text or an image file in base64; for pixels also arrays nested as the shape is. Numbers may be
        strings as the column spells them, and booleans where training had only 0 and 1; ``null`` is a missing number or
        category. Objects may have :attr:`unused_columns` too.

        Args:
            warnings: gets a sentence for each column that is absent and taken for missing, and for each that is ignored, since it
                is the label or unknown. Without it, these are errors.

        Raises:
            InvalidRequest: names ``instances[i]`` and the column: absent, wrong type.
        """
        block = self._instances.read(instances, warnings)
        return self.features.decoded(block) if isinstance(self.features, ImageFileEncoder) else block

    @cached_property
    def _instances(self) -> InstanceReader:
        categories = self.features.categories if isinstance(self.features, TableEncoder) else {}
        numbers = self.features.numbers if isinstance(self.features, TableEncoder) else {}
        return InstanceReader(
            self.feature_columns,
            {name: values for name, values in categories.items() if values is not None},
            self.label_column,
            shape=None if self.reads_files else self.image_shape,
            required=self.required_columns,
            spellings={name: number.spelling for name, number in numbers.items()},
            binary={name for name, number in numbers.items() if number.binary},
            unused=self.unused_columns,
        )

    @cached_property
    def required_columns(self) -> frozenset[str]:
        """Columns that rows to predict must have: pixels, image files, the only column if it is a text, and numbers that stay
        missing although the model takes no missing ones."""
        if isinstance(self.features, ImageEncoder | ImageFileEncoder):
            return frozenset(self.feature_columns)
        if isinstance(self.features, TableEncoder):
            return frozenset(self.features.columns_kept_missing() if self.answers in _NO_MISSING else ())
        return frozenset(self.feature_columns if len(self.feature_columns) == 1 else ())

    def decode(
        self, body: bytes, content_type: str, top_k: int = 1, *, rows: int | None = None, batch: bool = False
    ) -> list[Prediction]:
        """A model's answer, one dict per row: ``{"label", "probability", "top": [{"label", "probability"}]}`` for a
        classification (:mod:`sageline.encoder.decoding` says what ``top`` holds, at most ``top_k``, and when a ``probability`` is
        None), ``{"value"}`` for a regression.

        Args:
            content_type: of the answer.
            rows: how many rows were asked for; checked against the answer.
            batch: it is a transform job's output, or some of its lines.

        Raises:
            PredictionFailed: the answer cannot be read, or does not fit the request.
        """
        answer = read_answer(self.answers, body, content_type, batch=batch)
        if rows is not None and len(answer) != rows:
            raise PredictionFailed(f"the model answered for {len(answer)} of the request's {rows} rows.")
        if self.classes is None:
            return decoding.values(answer)
        match self.answers:
            case "blazingtext":
                return decoding.named_labels(answer, top_k)
            case "knn":
                return decoding.classes_of_neighbours(answer, self.classes, top_k)
            case algorithm:
                return decoding.classes_by_score(answer, self.classes, top_k, probabilities=algorithm == "xgboost")

    def save(self) -> dict[str, bytes]:
        """File names and contents: ``encoder.json`` and ``encoder.npz``."""
        document, arrays = self.features.state()
        document |= {
            "task": self.task,
            # A list: the order of the columns matters, and a JSON object has none.
            "feature_columns": [[name, kind] for name, kind in self.feature_columns.items()],
            "label_column": self.label_column,
            "classes": self.classes,
            "answers": self.answers,
            "channel_format": self.channel_format,
            "unused_columns": list(self.unused_columns),
        }
        return saved.pack(document, arrays)

    @classmethod
    def load(cls, files: Mapping[str, bytes]) -> FittedEncoder:
        """What :meth:`save` returned.

        Raises:
            InvalidEncoder: a file is missing, damaged, or written by a newer version.
        """
        document, arrays = saved.unpack(files)
        try:
            columns = {str(name): str(kind) for name, kind in document["feature_columns"]}
            features = _features(document, columns, arrays)
            # Up to version 2 there was XGBoost, and tokens that nothing trained on.
            answers = document.get("answers", "blazingtext" if document["kind"] == "tokens" else "xgboost")
            encoder = cls(
                document["task"],
                columns,
                document["label_column"],
                document["classes"],
                features,
                answers,
                document.get("channel_format"),
                tuple(document.get("unused_columns", ())),
            )
            encoder.exchange  # noqa: B018  # an error here rather than at the first request
            return encoder
        except (KeyError, ValueError, TypeError, InvalidSpec) as error:
            raise InvalidEncoder(f"{saved.DOCUMENT} lacks something or holds a wrong value: {error}; train again.") from None


# Any: JSON
def _features(document: Mapping[str, Any], columns: dict[str, str], arrays: Mapping[str, AnyArray]) -> Features:
    match document["kind"]:
        case "table":
            return TableEncoder.from_state(document, columns, arrays)
        case "image" if document.get("files"):
            return ImageFileEncoder.from_state(document, columns)
        case "image":
            return ImageEncoder.from_state(document, columns)
        case "tokens":
            return TokenLines.from_state(document, arrays)
        case "bag-of-words":
            return BagOfWordsEncoder.from_state(document, arrays)
        case other:
            raise ValueError(f"unknown kind {other!r}")


_KINDS: dict[type, str] = {
    BagOfWordsEncoder: "bag-of-words",
    TableEncoder: "table",
    TokenLines: "tokens",
    ImageEncoder: "image",
    ImageFileEncoder: "image",
}


def _dense(matrix: Matrix) -> FloatArray:
    return matrix.to_dense() if isinstance(matrix, SparseMatrix) else matrix
