"""WritePredictions: a transform job's answers as predictions, one for each row of the input, in its order."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Final, TypeVar

from botocore.exceptions import ClientError

from sageline.aws.errors import is_missing_object
from sageline.batch.batch import Batch, WrittenPredictions, batch_of, load_encoder, read_rows
from sageline.batch.encode import part_name, part_rows_key
from sageline.batch.locations import gives_csv
from sageline.dataset.readers.source import open_lines
from sageline.encoder.decoding import Prediction
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import PredictionFailed, RunFinished
from sageline.formats.spreadsheet import without_formula
from sageline.names import RunLayout, split_format, split_s3_uri
from sageline.runs.context import RunContext
from sageline.runs.documents import RunFiles
from sageline.storage.dataset_object import open_object
from sageline.storage.object_writer import ObjectWriter

PART_BYTES: Final = 16 << 20

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import TaggingTypeDef

RowT = TypeVar("RowT")

_PIECE_ROWS = 1_000


def write_predictions(run_id: str, *, run: RunContext) -> WrittenPredictions:
    """Write what the model says of each row, and note the run's success.

    - CSV, and any other table, gives CSV: the input's columns, then ``prediction`` and, for a classification, ``probability``
      (empty where the model tells none); a name that the input has already gets an underscore. Cells that a spreadsheet would run
      stay, unless the batch says ``escape_formulas``.
    - JSON Lines gives the same lines with these keys at the end.
    - npz and libsvm give JSON Lines ``{"row": 1, "prediction", "probability"}``, counted from 1.

    Raises:
        PredictionFailed: answers are missing, cannot be read, or are not as many as there are rows.
        RunFinished: the run was stopped meanwhile.
    """
    run.store.enter(run_id, "WritePredictions")
    batch = batch_of(run.store.get(run_id))
    encoder = load_encoder(run.files, batch)
    layout = run.files.layout(run_id)
    predictions = _Predictions(encoder, layout, run.files)
    rows = _write(batch, predictions, run.files)
    predictions.let_expire()
    written = {"uri": batch.output, "rows": rows}
    if not run.store.finish(run_id, "Succeeded", predictions=written):
        raise RunFinished(f"Run {run_id} was stopped while its predictions were being written.")
    return {"uri": batch.output, "rows": rows, "status": "Succeeded"}


class _Predictions:
    """The predictions, part by part. What a model answered for a part is held in memory, and no more than that."""

    def __init__(self, encoder: FittedEncoder, layout: RunLayout, files: RunFiles) -> None:
        self._encoder = encoder
        self._layout = layout
        self._files = files
        document = files.read(part_rows_key(layout))
        self._part_rows: list[int] = json.loads(document)["rows"]
        self.rows: int = sum(self._part_rows)
        self.features = encoder.feature_columns
        self.has_probability = encoder.task == "classification"

    def __iter__(self) -> Iterator[Prediction]:
        return chain.from_iterable(self._part(number, rows) for number, rows in enumerate(self._part_rows))

    def let_expire(self) -> None:
        """Tag the answers, which SageMaker has written, so that they expire."""
        tags: TaggingTypeDef = {"TagSet": [{"Key": "sageline:retention", "Value": "intermediate"}]}
        for number in range(len(self._part_rows)):
            self._files.s3.put_object_tagging(Bucket=self._layout.bucket, Key=self._key(number), Tagging=tags)

    def _part(self, number: int, rows: int) -> list[Prediction]:
        key = self._key(number)
        try:
            body = self._files.s3.get_object(Bucket=self._layout.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if is_missing_object(error):
                raise PredictionFailed(
                    f"The transform job has left no {self._layout.uri(key)}, the answers for rows {self._range(number)}."
                ) from None
            raise
        try:
            return self._encoder.decode(body, self._encoder.exchange.batch_accept, rows=rows, batch=True)
        except PredictionFailed as error:
            raise PredictionFailed(f"{self._layout.uri(key)}, rows {self._range(number)}: {error.message}") from None

    def _key(self, number: int) -> str:
        return f"{self._layout.transform_prefix}{part_name(number, self._encoder)}.out"

    def _range(self, number: int) -> str:
        first = sum(self._part_rows[:number]) + 1
        return f"{first} to {first + self._part_rows[number] - 1}"


def _write(batch: Batch, predictions: _Predictions, files: RunFiles) -> int:
    """Store the predictions; how many there are."""
    bucket, key = split_s3_uri(batch.output)
    is_csv = gives_csv(batch.format)
    writer = ObjectWriter(
        files.s3, bucket, key, PART_BYTES, content_type="text/csv; charset=utf-8" if is_csv else "application/x-ndjson"
    )
    lines = _csv_lines if is_csv else _json_lines if split_format(batch.format).base == "jsonl" else _numbered_lines
    try:
        for piece in _joined(lines(batch, predictions, files)):
            writer.write(piece)
        writer.close()
    except BaseException:
        writer.abort()
        raise
    return predictions.rows


def _csv_lines(batch: Batch, predictions: _Predictions, files: RunFiles) -> Iterator[bytes]:
    answers = iter(predictions)
    blocks = read_rows(files, batch, predictions.features)
    rows = ((list(block.columns), row) for block in blocks for row in zip(*block.columns.values(), strict=True))
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")

    def written(*cells: object) -> Iterable[object]:
        return map(without_formula, cells) if batch.escape_formulas else cells

    for number, ((columns, row), prediction) in enumerate(_paired(rows, answers)):
        if number == 0:
            table.writerow(written(*columns, *_names(predictions, columns)))
        table.writerow(written(*row, *_values(prediction)))
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()


def _json_lines(batch: Batch, predictions: _Predictions, files: RunFiles) -> Iterator[bytes]:
    with open_object(files.s3, batch.rows) as stream:
        names: list[str] = []
        for line, prediction in _paired(
            open_lines(stream, batch.rows.uri, split_format(batch.format).compression), iter(predictions)
        ):
            # The line stays as it was spelled; that it is an object of known keys was seen when it was encoded.
            names = names or _names(predictions, json.loads(line))
            head = line.strip()[:-1].rstrip()
            tail = json.dumps(dict(zip(names, _values(prediction), strict=True)), ensure_ascii=False).encode()
            yield head + (b", " if not head.endswith(b"{") else b"") + tail[1:] + b"\n"


def _numbered_lines(batch: Batch, predictions: _Predictions, files: RunFiles) -> Iterator[bytes]:
    names = _names(predictions, ())
    for number, prediction in enumerate(predictions, start=1):
        document = {"row": number, **dict(zip(names, _values(prediction), strict=True))}
        yield json.dumps(document, ensure_ascii=False).encode() + b"\n"


def _names(predictions: _Predictions, taken: Iterable[str]) -> list[str]:
    names = ["prediction", "probability"] if predictions.has_probability else ["prediction"]
    used = set(taken)
    while used & set(names):
        names = [f"{name}_" for name in names]
    return names


def _values(prediction: Prediction) -> list[object]:
    return [prediction["value"]] if "value" in prediction else [prediction["label"], prediction["probability"]]


def _paired(rows: Iterator[RowT], answers: Iterator[Prediction]) -> Iterator[tuple[RowT, Prediction]]:
    """Each row with its prediction.

    Raises:
        PredictionFailed: there are more of the one than of the other.
    """
    for number, (row, answer) in enumerate(zip_longest(rows, answers), start=1):
        if row is None or answer is None:
            lacking = "answer" if answer is None else "row of the input"
            raise PredictionFailed(f"There are not as many answers as rows: for number {number} there is no {lacking}.")
        yield row, answer


def _joined(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The same in pieces of many lines."""
    pending: list[bytes] = []
    for line in lines:
        pending.append(line)
        if len(pending) == _PIECE_ROWS:
            yield b"".join(pending)
            pending.clear()
    yield b"".join(pending)
