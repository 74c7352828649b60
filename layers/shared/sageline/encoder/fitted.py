"""A fitted encoder: the state that training data and every prediction request are encoded with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from sageline.arrays.blocks import Block
from sageline.arrays.matrix import AnyArray, FloatArray, Matrix, SparseMatrix
from sageline.arrays.numbers import parse_numbers
from sageline.arrays.strings import IntArray, StringArray, row_chunks
from sageline.encoder import decoding, saved
from sageline.encoder.columns import of_before
from sageline.encoder.columns.columns import ColumnsEncoder
from sageline.encoder.columns.one_row import RowEncoder, dense_row
from sageline.encoder.decision import Decision
from sageline.encoder.decoding import ClassScores, Prediction
from sageline.encoder.image import ImageEncoder
from sageline.encoder.image_file import ImageFileEncoder
from sageline.encoder.instances import InstanceReader, instance_name
from sageline.encoder.labels import TRANSFORMS, answered_values, encode_classes, learnt_values
from sageline.encoder.text.tokens import TokenLines, label_token
from sageline.encoder.text.words import RowCells
from sageline.errors import InvalidDataset, InvalidEncoder, InvalidSpec, PredictionFailed
from sageline.formats import csv, json_rows, libsvm, npy, recordio
from sageline.formats.answers import Answer, read_answer
from sageline.formats.exchange import Exchange, exchange_for
from sageline.formats.npy import ArrayPair

_NO_MISSING = frozenset({"linear-learner", "knn", "tensorflow"})
"""Whose models take no missing number: neither can they learn from one, nor can JSON say one."""

_FEW_ROWS = 32  # that are encoded one by one
_CHUNK_BYTES = 2 << 20  # of texts
_CHUNK_CELLS = 1 << 18  # of dense rows: their text takes a hundred times as many bytes while it is made


Features: TypeAlias = "ColumnsEncoder | TokenLines | ImageEncoder | ImageFileEncoder"
"""How the feature columns are encoded, by kind."""

Encoded: TypeAlias = "Matrix | StringArray"
"""Encoded rows: numbers, or the lines of the encoder ``tokens``."""


@dataclass(frozen=True, eq=False)
class FittedEncoder:
    """Encodes rows as a model was trained on them, and decodes the model's answers.

    Attributes:
        task: ``classification`` or ``regression``.
        feature_columns: the columns that are encoded, in order, with their kind: ``text``, ``number``, ``category``, ``date``,
            ``pixel``, ``image``.
        label_column: the column that is predicted.
        classes: the labels in class order; None for a regression.
        features: how the feature columns are encoded.
        answers: whose answers are read, one of :data:`sageline.formats.exchange.ANSWERS`.
        channel_format: of a script's channels: ``npy`` (as None) or ``csv``.
        unused_columns: those of the dataset that training left out, which rows to predict may have.
        target_transform: the scale that a regression is learnt on (:mod:`sageline.encoder.labels`).
        weighted: whether the rows of the channels have weights; not saved, since requests have none.
        decision: how the model's probabilities become labels, if that was chosen; it is saved beside the encoder, not in it.
    """

    task: str
    feature_columns: dict[str, str]
    label_column: str
    classes: list[str] | None
    features: Features
    answers: str = "xgboost"
    channel_format: str | None = None
    unused_columns: tuple[str, ...] = ()
    target_transform: str = "none"
    weighted: bool = False
    decision: Decision | None = None

    @property
    def kind(self) -> str:
        """``columns``, ``tokens`` or ``image``."""
        return _KINDS[type(self.features)]

    @cached_property
    def exchange(self) -> Exchange:
        """The formats of the model that this encoder is for."""
        avoids_csv = isinstance(self.features, ColumnsEncoder) and self.features.avoids_csv
        return exchange_for(self.answers, self.kind, self.channel_format, avoids_csv=avoids_csv)

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
        dense = 0 if self.is_short else self.feature_dim
        texts = [block.columns[name] for name in self.feature_columns]
        for start, end in row_chunks(texts, _CHUNK_BYTES):
            step = max(1, _CHUNK_CELLS // dense) if dense else end - start
            for first in range(start, end, step):
                last = min(first + step, end)
                yield block if last - first == block.rows else block.take(np.arange(first, last))

    @property
    def is_short(self) -> bool:
        """Whether a row's encoded form takes about as much memory as the row, however many columns it has."""
        if isinstance(self.features, ColumnsEncoder):
            return self.features.layout == "sparse" and self.exchange.file_extension not in ("npy", "csv")
        return isinstance(self.features, TokenLines)

    def encode(self, block: Block) -> Encoded:
        """The block's feature columns as numbers: ``float32[rows, feature_dim]``, or sparse as a table's layout says; for tokens
        the lines. Train rows with folds are encoded without the labels of their own fold.

        Raises:
            InvalidDataset: a value that is no number, or is beyond float32, or a missing one that the model does not take; names
                row and column.
        """
        if isinstance(self.features, ImageEncoder | ImageFileEncoder):
            return self.features.encode(block)
        if isinstance(self.features, ColumnsEncoder):
            if self.answers in _NO_MISSING and self.features.kept_missing:
                self._refuse_missing(block, self.features)
            return self.features.encode(block)
        return self.features.encode([block.columns[name] for name in self.feature_columns])

    def encode_instances(
        self, instances: list[object], warnings: list[str] | None = None, name: Callable[[int], str] = instance_name
    ) -> Encoded:
        """The rows of a prediction request; arguments and errors are those of :meth:`block_from_instances`."""
        return self.encode(self.block_from_instances(instances, warnings, name))

    def encode_labels(self, column: StringArray) -> FloatArray:
        """``float32[n]``: class indexes, NaN for a class not seen in training; a regression's values on the scale of the labels.

        Raises:
            BadNumber: a value of a regression that is no number, or is beyond float32.
        """
        return parse_numbers(column) if self.classes is None else encode_classes(column, self.classes)

    def write(
        self, encoded: Encoded, labels: FloatArray, weights: FloatArray | None = None, *, to_train: bool = True
    ) -> bytes | ArrayPair:
        """Encoded rows and their labels as training data, a regression's on the scale that is learnt: bytes, or for
        :attr:`Exchange.file_extension` ``npy`` a pair of arrays, ``float32[rows, feature_dim]`` or ``[rows, *image_shape]``, and
        ``int64[rows]`` classes or ``float32[rows]`` values. ``weights`` are ``float32[rows]``, of an encoder that is
        :attr:`weighted`. With ``to_train=False`` the rows are those of another channel than ``train``."""
        labels = learnt_values(labels, self.target_transform)
        if isinstance(encoded, StringArray):
            names = StringArray.from_list([label_token(name) for name in self.classes or []])
            return TokenLines().write(encoded, names.take(labels.astype(np.int64)))
        match self.exchange.file_extension:
            case "npy":
                return ArrayPair(self._tensor(encoded), labels if self.classes is None else labels.astype(np.int64), weights)
            case "csv":
                return csv.write_rows(_dense(encoded), labels, weights)
            case "libsvm":
                its_weights = np.ones_like(labels) if weights is None else weights
                return libsvm.write_weighted_rows(encoded, labels, its_weights, keeps_width=to_train)
            case _:
                return self._records(encoded, labels)

    def request_body(self, encoded: Encoded) -> bytes:
        """Encoded rows as a request's body in :attr:`Exchange.request_content_type`."""
        if isinstance(encoded, StringArray):
            return json_rows.write_texts(encoded.tolist(), len(self.classes or []))
        return self._body(encoded, self.exchange.request_content_type)

    def body_of(
        self, instances: list[object], warnings: list[str] | None = None, name: Callable[[int], str] = instance_name
    ) -> bytes:
        """:meth:`request_body` of :meth:`encode_instances`, and the same errors; for a few plain rows the quick way."""
        rows = self._plain_rows(instances) if len(instances) <= _FEW_ROWS else None
        if rows is None:
            return self.request_body(self.encode_instances(instances, warnings, name))
        if self._takes_records:
            return b"".join([self._record(*row) for row in rows])
        return self.request_body(np.array([dense_row(row, self.feature_dim) for row in rows], dtype=np.float32))

    def _plain_rows(self, instances: list[object]) -> list[RowCells] | None:
        """The cells of rows with all columns, of which every value is plain; None for anything else."""
        encode, names, only_text = self._row_encoder, self._names, self._only_text
        if encode is None:
            return None
        rows = []
        for instance in instances:
            row = {only_text: instance} if only_text is not None and type(instance) is str else instance
            if type(row) is not dict or row.keys() != names or any(row[name] is None for name in self._needed):
                return None
            cells = encode.cells(row)
            if cells is None:
                return None
            rows.append(cells)
        return rows or None

    @cached_property
    def _row_encoder(self) -> RowEncoder | None:
        """Encodes single rows; None where they are not columns, or the model takes other bytes than rows of numbers."""
        is_sparse_array = (
            isinstance(self.features, ColumnsEncoder) and self.features.layout == "sparse" and not self._takes_records
        )
        return RowEncoder(self.features) if isinstance(self.features, ColumnsEncoder) and not is_sparse_array else None

    @cached_property
    def _takes_records(self) -> bool:
        is_sparse = isinstance(self.features, ColumnsEncoder) and self.features.layout == "sparse"
        return is_sparse and self.exchange.request_content_type == recordio.CONTENT_TYPE

    @cached_property
    def _names(self) -> Set[str]:
        return self.feature_columns.keys()

    @cached_property
    def _needed(self) -> frozenset[str]:
        return self.required_columns

    @cached_property
    def _only_text(self) -> str | None:
        return next(iter(self.feature_columns)) if list(self.feature_columns.values()) == ["text"] else None

    def _record(self, columns: Sequence[int], values: Sequence[float]) -> bytes:
        if not columns:
            columns, values = [0], [self._of_empty_row]
        return recordio.write_record(columns, values, self.feature_dim)

    @property
    def _of_empty_row(self) -> float:
        """What a row without a cell gets in its first column. A record without keys is dense to the containers' readers, and
        refused among sparse ones. NaN stays missing for XGBoost."""
        return np.nan if self.answers == "xgboost" else 0.0

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
        return recordio.write_sparse(matrix.fill_empty_rows(self._of_empty_row), labels)

    @property
    def _tensor_shape(self) -> tuple[int, ...]:
        """A row's shape, in requests as in training; a row of CSV is flat."""
        is_flat = self.image_shape is None or self.exchange.file_extension == "csv"
        return (self.feature_dim,) if is_flat else self.image_shape or ()

    def _tensor(self, matrix: Matrix) -> FloatArray:
        return _dense(matrix).reshape(-1, *self._tensor_shape)

    def _refuse_missing(self, block: Block, columns: ColumnsEncoder) -> None:
        found = columns.first_missing(block)
        if found is not None:
            row, name = found
            raise InvalidDataset(
                f"{block.where(row)}, column {name!r}: the value is missing, which {self.answers} does not take. Fill it in, or "
                f"set `encoder.number.missing` to mean, median or value in the spec."
            )

    def block_from_instances(
        self, instances: list[object], warnings: list[str] | None = None, name: Callable[[int], str] = instance_name
    ) -> Block:
        """The rows of a prediction request: objects ``{column: value}``, arrays in feature order, or bare strings
        when the only feature is text or an image file in base64; for pixels also arrays nested as the shape is. Numbers may be
        strings as the column spells them, and booleans where training had only 0 and 1; ``null`` is a missing number or
        category. Objects may have :attr:`unused_columns` too.

        Args:
            warnings: gets a sentence for each column that is absent and taken for missing, and for each that is ignored, since it
                is the label or unknown. Without it, these are errors.
            name: how errors and warnings call the instance of an index.

        Raises:
            InvalidRequest: names the instance and the column: absent, wrong type.
        """
        block = self._instances.read(instances, warnings, name)
        return self.features.decoded(block, name) if isinstance(self.features, ImageFileEncoder) else block

    @cached_property
    def _instances(self) -> InstanceReader:
        table = self.features if isinstance(self.features, ColumnsEncoder) else ColumnsEncoder(())
        return InstanceReader(
            self.feature_columns,
            {name: part.index for name, part in table.categories.items()},
            self.label_column,
            shape=None if self.reads_files else self.image_shape,
            required=self.required_columns,
            spellings={name: number.spelling for name, number in table.numbers.items()},
            binary={name for name, number in table.numbers.items() if number.binary},
            dates={name: date.format for name, date in table.dates.items()},
            unused=self.unused_columns,
        )

    @cached_property
    def required_columns(self) -> frozenset[str]:
        """Columns that rows to predict must have: pixels, image files, the only column if it is a text, and numbers that stay
        missing although the model takes no missing ones."""
        if isinstance(self.features, ImageEncoder | ImageFileEncoder):
            return frozenset(self.feature_columns)
        columns = self.feature_columns
        if isinstance(self.features, ColumnsEncoder) and list(columns.values()) != ["text"]:
            return frozenset(self.features.kept_missing if self.answers in _NO_MISSING else ())
        return frozenset(columns if len(columns) == 1 else ())

    def decode(
        self,
        body: bytes,
        content_type: str,
        top_k: int = 1,
        *,
        rows: int | None = None,
        batch: bool = False,
        probabilities: bool = False,
    ) -> list[Prediction]:
        """A model's answer, one dict per row: ``{"label", "probability", "top": [{"label", "probability"}]}`` for a
        classification (:mod:`sageline.encoder.decoding` says what ``top`` holds, at most ``top_k``, and when a ``probability`` is
        None), ``{"value"}`` for a regression.

        Args:
            content_type: of the answer.
            rows: how many rows were asked for; checked against the answer.
            batch: it is a transform job's output, or some of its lines.
            probabilities: adds ``"probabilities": {label: probability}`` of every class to a classification, with None as
                :func:`sageline.encoder.decoding.probability_per_class` has NaN.

        Raises:
            PredictionFailed: the answer cannot be read, or does not fit the request.
        """
        answer = read_answer(self.answers, body, content_type, batch=batch)
        if rows is not None and len(answer) != rows:
            raise PredictionFailed(f"the model answered for {len(answer)} of the request's {rows} rows.")
        if self.classes is None:
            return decoding.values(self.values(answer))
        decided = self._decided(answer, self.classes)
        if decided is None:
            predictions = self._labels(answer, self.classes, top_k)
        else:
            predictions = decoding.decided_classes(*decided, self.classes, top_k)
        if not probabilities:
            return predictions
        told = decoding.probability_per_class(answer, self.answers, self.classes) if decided is None else decided[0]
        return decoding.with_probabilities(predictions, told, self.classes)

    def values(self, answer: Answer) -> FloatArray:
        """A regression's answer on the scale of the labels, ``float32[rows]``.

        Raises:
            PredictionFailed: not one value per row.
        """
        return answered_values(decoding.value_per_row(answer), self.target_transform)

    def decide(self, told: ClassScores) -> tuple[FloatArray, IntArray] | None:
        """The probabilities and the classes by the model's :attr:`decision`, as :meth:`Decision.decide`; None without one.

        Raises:
            PredictionFailed: the model has answered scores that are no probabilities.
        """
        if self.decision is None:
            return None
        if not told.are_probabilities:
            raise PredictionFailed("the model answered scores that are no probabilities, which its threshold was chosen for.")
        return self.decision.decide(told.scores, told.own)

    def _decided(self, answer: Answer, classes: list[str]) -> tuple[FloatArray, IntArray] | None:
        if self.decision is None or not len(answer):
            return None
        told = decoding.scores_of_classes(answer, self.answers, classes)
        return None if told is None else self.decide(told)

    def _labels(self, answer: Answer, classes: list[str], top_k: int) -> list[Prediction]:
        match self.answers:
            case "blazingtext":
                return decoding.named_labels(answer, top_k)
            case "knn":
                return decoding.classes_of_neighbours(answer, classes, top_k)
            case algorithm:
                return decoding.classes_by_score(answer, classes, top_k, probabilities=algorithm == "xgboost")

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
            "target_transform": self.target_transform,
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
                _known_transform(document.get("target_transform", "none")),
            )
            encoder.exchange  # noqa: B018  # an error here rather than at the first request
            return encoder
        except (KeyError, ValueError, TypeError, InvalidSpec) as error:
            raise InvalidEncoder(f"{saved.DOCUMENT} lacks something or holds a wrong value: {error}; train again.") from None


# Any: JSON
def _features(document: Mapping[str, Any], columns: dict[str, str], arrays: Mapping[str, AnyArray]) -> Features:
    match document["kind"]:
        case "columns":
            return ColumnsEncoder.from_state(document, arrays)
        case "image" if document.get("files"):
            return ImageFileEncoder.from_state(document, columns)
        case "image":
            return ImageEncoder.from_state(document, columns)
        case "tokens":
            return TokenLines.from_state(document, arrays)
        case "bag-of-words":
            return of_before.bag_of_words(document, columns, arrays)
        case "table":
            return of_before.table(document, columns, arrays)
        case other:
            raise ValueError(f"unknown kind {other!r}")


def _known_transform(name: str) -> str:
    if name not in TRANSFORMS:
        raise ValueError(f"unknown target_transform {name!r}")
    return name


_KINDS: dict[type, str] = {
    ColumnsEncoder: "columns",
    TokenLines: "tokens",
    ImageEncoder: "image",
    ImageFileEncoder: "image",
}


def _dense(matrix: Matrix) -> FloatArray:
    return matrix.to_dense() if isinstance(matrix, SparseMatrix) else matrix
