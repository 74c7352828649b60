"""WritePredictions: a transform job's answers as predictions, one for each row of the input, in its order."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Final

from sageline.arrays.blocks import Block
from sageline.batch.answers import TransformAnswers
from sageline.batch.batch import Batch, WrittenPredictions, batch_of, load_encoder, read_rows
from sageline.batch.locations import gives_csv
from sageline.batch.part_rows import PartRows
from sageline.dataset.readers.source import open_lines
from sageline.encoder.decoding import Prediction
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import PredictionFailed, RunFinished
from sageline.formats.spreadsheet import without_formula
from sageline.names import split_format, split_s3_uri
from sageline.runs.context import RunContext
from sageline.runs.documents import RunFiles
from sageline.storage.dataset_object import open_object
from sageline.storage.object_writer import ObjectWriter

PART_BYTES: Final = 16 << 20

_PIECE_ROWS = 1_000


@dataclass(frozen=True)
class GivenRows:
    """Rows as they were given: of a table in blocks, of JSON Lines line by line.

    Attributes:
        added: the keys that JSON Lines get, which follow from the file's first row; None where the first of these rows is it.
    """

    blocks: Callable[[], Iterator[Block]]
    lines: Callable[[], Iterator[bytes]]
    added: list[str] | None = None


def write_predictions(run_id: str, *, run: RunContext) -> WrittenPredictions:
    """Write what the model says of each row, and note the run's success.

    - CSV, and any other table, gives CSV: the input's columns, then ``prediction`` and, for a classification, ``probability``
      (empty where the model tells none); a name that the input has already gets an underscore. Cells that a spreadsheet would run
      stay, unless the batch says ``escape_formulas``.
    - JSON Lines gives the same lines with these keys at the end; the first row says whether they need an underscore, and a later
      row that has such a key already gets one more.
    - npz and libsvm give JSON Lines ``{"row": 1, "prediction", "probability"}``, counted from 1.

    Raises:
        PredictionFailed: answers are missing, cannot be read, or are not as many as there are rows.
        RunFinished: the run was stopped meanwhile.
    """
    run.store.enter(run_id, "WritePredictions")
    batch = batch_of(run.store.get(run_id))
    encoder = load_encoder(run.files, batch)
    layout = run.files.layout(run_id)
    predictions = TransformAnswers(encoder, layout, run.files, PartRows.read(run.files, layout).of_all())
    bucket, key = split_s3_uri(batch.output)
    writer = ObjectWriter(run.files.s3, bucket, key, PART_BYTES, content_type=content_type(batch))
    write_pieces(pieces_of(batch, predictions, _all_rows(batch, encoder, run.files), encoder), writer)
    predictions.let_expire()
    return succeeded(run_id, batch, predictions.rows, run=run)


def succeeded(run_id: str, batch: Batch, rows: int, *, run: RunContext) -> WrittenPredictions:
    """Note that all predictions are written.

    Raises:
        RunFinished: the run was stopped meanwhile.
    """
    if not run.store.finish(run_id, "Succeeded", predictions={"uri": batch.output, "rows": rows}):
        raise RunFinished(f"Run {run_id} was stopped while its predictions were being written.")
    return {"uri": batch.output, "rows": rows, "status": "Succeeded"}


def content_type(batch: Batch) -> str:
    """Of the predictions."""
    return "text/csv; charset=utf-8" if gives_csv(batch.format) else "application/x-ndjson"


def write_pieces(pieces: Iterator[bytes], writer: ObjectWriter) -> int:
    """Write and close; how many bytes there are. On an error nothing is left."""
    size = 0
    try:
        for piece in pieces:
            writer.write(piece)
            size += len(piece)
        writer.close()
    except BaseException:
        writer.abort()
        raise
    return size


def pieces_of(batch: Batch, predictions: TransformAnswers, rows: GivenRows, encoder: FittedEncoder) -> Iterator[bytes]:
    """The predictions in pieces of many lines, with the header of a table before the first row of the batch.

    Raises:
        PredictionFailed: while iterating, as :func:`write_predictions`.
    """
    if gives_csv(batch.format):
        return _csv_pieces(batch, predictions, rows, encoder)
    if split_format(batch.format).base == "jsonl":
        return _joined(_json_lines(predictions, rows, encoder))
    return _joined(_numbered_lines(predictions, encoder))


def added_names(encoder: FittedEncoder, taken: Iterable[str]) -> list[str]:
    """What is added to rows that have these names already."""
    return _free_names(["prediction", "probability"] if encoder.task == "classification" else ["prediction"], taken)


def _free_names(names: list[str], taken: Iterable[str]) -> list[str]:
    """These, with as many underscores as none of them needs to be taken."""
    used = set(taken)
    while used & set(names):
        names = [f"{name}_" for name in names]
    return names


def _names_in(line: bytes, names: list[str]) -> list[str]:
    """The names for one row of JSON Lines, which may have a key that the first row lacks. Only a line that may have one of these
    is read: it is there as it is spelled, or with an escape."""
    if b"\\" in line or any(name.encode() in line for name in names):
        return _free_names(names, json.loads(line))
    return names


def _all_rows(batch: Batch, encoder: FittedEncoder, files: RunFiles) -> GivenRows:
    def lines() -> Iterator[bytes]:
        with open_object(files.s3, batch.rows) as stream:
            yield from open_lines(stream, batch.rows.uri, split_format(batch.format).compression)

    return GivenRows(lambda: read_rows(files, batch, encoder.feature_columns), lines)


def _csv_pieces(batch: Batch, predictions: TransformAnswers, given: GivenRows, encoder: FittedEncoder) -> Iterator[bytes]:
    number, answers = predictions.before, iter(predictions)
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")

    def write(rows: Iterable[Iterable[object]]) -> None:
        table.writerows((map(without_formula, row) for row in rows) if batch.escape_formulas else rows)

    for block in given.blocks():
        if number == 0:
            write([[*block.columns, *added_names(encoder, block.columns)]])
        rows = zip(*block.columns.values(), strict=True)
        while some := list(islice(rows, _PIECE_ROWS)):
            answered = list(islice(answers, len(some)))
            if len(answered) < len(some):
                raise _not_as_many(number + len(answered) + 1, "answer")
            write((*row, *_values(answer)) for row, answer in zip(some, answered, strict=True))
            number += len(some)
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    if next(answers, None) is not None:
        raise _not_as_many(number + 1, "row of the input")


def _json_lines(predictions: TransformAnswers, given: GivenRows, encoder: FittedEncoder) -> Iterator[bytes]:
    names = given.added or []
    rows = enumerate(zip_longest(given.lines(), iter(predictions)), start=predictions.before + 1)
    for number, (line, prediction) in rows:
        if line is None or prediction is None:
            raise _not_as_many(number, "answer" if prediction is None else "row of the input")
        # The line stays as it was spelled; that it is an object of known keys was seen when it was encoded.
        names = names or added_names(encoder, json.loads(line))
        head = line.strip()[:-1].rstrip()
        tail = json.dumps(dict(zip(_names_in(line, names), _values(prediction), strict=True)), ensure_ascii=False).encode()
        yield head + (b", " if not head.endswith(b"{") else b"") + tail[1:] + b"\n"


def _numbered_lines(predictions: TransformAnswers, encoder: FittedEncoder) -> Iterator[bytes]:
    names = added_names(encoder, ())
    for number, prediction in enumerate(predictions, start=predictions.before + 1):
        document = {"row": number, **dict(zip(names, _values(prediction), strict=True))}
        yield json.dumps(document, ensure_ascii=False).encode() + b"\n"


def _values(prediction: Prediction) -> list[object]:
    return [prediction["value"]] if "value" in prediction else [prediction["label"], prediction["probability"]]


def _not_as_many(number: int, lacking: str) -> PredictionFailed:
    return PredictionFailed(f"There are not as many answers as rows: for number {number} there is no {lacking}.")


def _joined(lines: Iterator[bytes]) -> Iterator[bytes]:
    """The same in pieces of many lines."""
    pending: list[bytes] = []
    for line in lines:
        pending.append(line)
        if len(pending) == _PIECE_ROWS:
            yield b"".join(pending)
            pending.clear()
    yield b"".join(pending)
