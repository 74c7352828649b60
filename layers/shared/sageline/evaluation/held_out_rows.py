"""The rows held out of training: as they were given, as what a model takes, and what it answers for them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from botocore.exceptions import ClientError

from sageline.arrays.matrix import DoubleArray
from sageline.aws.errors import is_missing_object
from sageline.batch.encode import EncodedRows, TransformParts, most_rows, part_name, transform_plan
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import InvalidDataset, PredictionFailed, SagelineError
from sageline.evaluation.answer_arrays import read_classes, read_values
from sageline.evaluation.classification import ClassificationSums
from sageline.evaluation.decision.choose import ValidationRows
from sageline.evaluation.regression import RegressionSums
from sageline.names import RunLayout
from sageline.runs.documents import RunFiles
from sageline.runs.payloads import TransformPlan
from sageline.spec.model import Spec
from sageline.storage.part_sink import S3PartSink

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import TaggingTypeDef

Model: TypeAlias = Literal["evaluation", "champion"]
"""Whose answers: the new model's, or those of the one in service."""

VALIDATION_STEM = "validation"
"""How the names of validation rows' objects begin. They share a prefix with those of test rows: whether a transform job keeps
folders below it, AWS's pages leave open (the example of TransformOutput.S3OutputPath in the API reference drops one)."""

_STEMS = {"rows": "part", "validation": VALIDATION_STEM}
_CALLED = {"rows": "test", "validation": "validation"}

_PIECE_BYTES = 2 << 20  # of JSON
_PIECE_CELLS = 1 << 18  # of dense rows: their text takes a hundred times as many bytes while it is made


@dataclass(frozen=True)
class AskedRows:
    """How many rows each object of a transform job has, as ``runs/<run_id>/data/<of>.json`` notes it.

    Attributes:
        rows: of test rows.
        validation: of validation rows; None where none are asked about.
        names: of the objects, by what their rows are; None where they are numbered through.
    """

    rows: list[int]
    validation: list[int] | None = None
    names: dict[str, list[str]] | None = None

    def to_json(self) -> dict[str, Any]:  # Any: a JSON document
        return {name: value for name, value in asdict(self).items() if value is not None}

    def objects(self, kind: Literal["rows", "validation"], encoder: FittedEncoder) -> list[tuple[str, int]]:
        """The name of each object of such rows, and how many rows it has."""
        counts = (self.rows if kind == "rows" else self.validation) or []
        numbered = [part_name(number, encoder, _STEMS[kind]) for number in range(len(counts))]
        return list(zip(self.names[kind] if self.names else numbered, counts, strict=True))


@dataclass(frozen=True)
class ScoredAnswers:
    """What a model's answers for the test rows come to.

    Attributes:
        sums: by the model's decision, where it has one.
        before: without it; None where there is none.
    """

    sums: ClassificationSums | RegressionSums
    before: ClassificationSums | None = None


def plan_evaluation(run_id: str, spec: Spec, encoder: FittedEncoder, asked: AskedRows, *, files: RunFiles) -> TransformPlan:
    """What RunEvaluationTransform is asked for: a run's test rows, and maybe validation rows, encoded for its own model, which
    may not be there yet."""
    instance_type = spec.evaluation.instance_type
    return _plan(run_id, encoder, asked, files=files, of="evaluation", model_name=run_id, instance_type=instance_type)


def encode_for_champion(
    run_id: str, encoder: FittedEncoder, *, files: RunFiles, model_name: str, instance_type: str
) -> TransformPlan:
    """Encode a run's raw test rows for a transform job of the model in service:
    ``runs/<run_id>/data/champion/part-00000.<ext>`` and so on.

    Args:
        encoder: of the model, which need not be one of this run.

    Raises:
        InvalidDataset, InvalidRequest: the rows lack a column of the model, or hold a value that it cannot take.
    """
    layout = files.layout(run_id)
    with S3PartSink(files.s3, layout, encoder.exchange.batch_extension, joined=False) as sink:
        parts = TransformParts(sink, "champion", encoder)
        for piece in _pieces(files, layout, encoder):
            parts.add(piece)
        parts.close()
    asked = AskedRows(parts.rows)
    return _plan(run_id, encoder, asked, files=files, of="champion", model_name=model_name, instance_type=instance_type)


def _plan(
    run_id: str, encoder: FittedEncoder, asked: AskedRows, *, files: RunFiles, of: Model, model_name: str, instance_type: str
) -> TransformPlan:
    """Note in ``runs/<run_id>/data/<of>.json`` how many rows each object has; what a transform job is asked for."""
    layout = files.layout(run_id)
    files.put(_part_rows_key(layout, of), json.dumps(asked.to_json()).encode(), "application/json")
    return transform_plan(
        encoder,
        model=model_name,
        input_uri=layout.uri(layout.channel_prefix(of)),
        output_uri=layout.uri(_answers_prefix(layout, of)),
        instance_type=instance_type,
        instance_count=1,
    )


def first_rows(run_id: str, count: int, *, files: RunFiles) -> list[dict[str, Any]]:  # Any: JSON values
    """The features of a run's first test rows, ``{column: value}``."""
    return [json.loads(line)["features"] for line in islice(_raw_rows(files, files.layout(run_id)), count)]


def score_answers(
    run_id: str,
    encoder: FittedEncoder,
    *,
    files: RunFiles,
    of: Model,
    classes: list[str] | None,
    positive: str | None = None,
    kind: Literal["rows", "validation"] = "rows",
) -> ScoredAnswers:
    """What a model's transform job has answered, compared with what is right.

    Args:
        encoder: of the model.
        kind: which rows: those of the test, or those of the validation that it was asked about.
        classes: the labels of the metrics, which hold all that the model or a row may have; None for a regression.
        positive: the one that is looked for; None for none in particular.

    Raises:
        PredictionFailed: an answer is missing, or cannot be read.
    """
    layout = files.layout(run_id)
    known = _raw_rows(files, layout) if kind == "rows" else _lines(files, layout, layout.validation_labels_prefix)
    held_out = map(json.loads, known)
    number_of = {name: number for number, name in enumerate(classes or [])}
    looked_for = None if positive is None else number_of.get(positive)
    sums: ClassificationSums | RegressionSums = RegressionSums() if classes is None else ClassificationSums(classes, looked_for)
    before = ClassificationSums(classes, looked_for) if classes is not None and encoder.decision is not None else None
    own = encoder.classes or []
    for body, rows, where in _answers(files, layout, encoder, of, kind):
        its_rows = list(islice(held_out, rows))
        expected, weights = [row["label"] for row in its_rows], _weights(its_rows)
        with _named(where):
            if len(expected) < rows:
                raise PredictionFailed(f"there are {rows} answers for {len(expected)} {_CALLED[kind]} rows.")
            if isinstance(sums, RegressionSums):
                sums.update(np.array(expected, dtype=np.float64), read_values(encoder, body, rows), weights)
                continue
            numbers = np.array([number_of[label] for label in expected], dtype=np.int64)
            answers = read_classes(encoder, body, rows)
            sums.update(numbers, answers.after.among(own, sums.classes), weights)
            if before is not None:
                before.update(numbers, answers.before.among(own, sums.classes), weights)
    if next(held_out, None) is not None:
        raise PredictionFailed(
            f"The transform job was asked about {sums.rows} of the {_CALLED[kind]} rows only; start another run."
        )
    return ScoredAnswers(sums, before)


def validation_rows(run_id: str, encoder: FittedEncoder, *, files: RunFiles) -> ValidationRows | None:
    """What a run's model has answered for validation rows, and their labels; None where it was not asked about any.

    Raises:
        PredictionFailed: as :func:`score_answers`.
    """
    layout = files.layout(run_id)
    if _asked_rows(files, layout, "evaluation").validation is None:
        return None
    known = [json.loads(line) for line in _lines(files, layout, layout.validation_labels_prefix)]
    number_of = {name: number for number, name in enumerate(encoder.classes or [])}
    found = []
    for body, rows, where in _answers(files, layout, encoder, "evaluation", "validation"):
        with _named(where):
            found.append(read_classes(encoder, body, rows))
    answered = sum(len(answers.before) for answers in found)
    if answered != len(known):
        raise PredictionFailed(f"The transform job has answered {answered} of {len(known)} validation rows; start another run.")
    before = [answers.before for answers in found]
    tables = [answers.scores for answers in before if answers.are_probabilities and answers.scores is not None]
    own = [answers.own for answers in found if answers.own is not None]
    return ValidationRows(
        np.array([number_of[row["label"]] for row in known], dtype=np.int64),
        np.concatenate(tables) if tables and len(tables) == len(found) else None,
        np.concatenate(own) if own and len(own) == len(found) else None,
        _weights(known),
    )


def let_answers_expire(run_id: str, encoder: FittedEncoder, *, files: RunFiles, of: Model) -> None:
    """Tag the answers, which SageMaker has written, so that they expire."""
    layout = files.layout(run_id)
    tags: TaggingTypeDef = {"TagSet": [{"Key": "sageline:retention", "Value": "intermediate"}]}
    asked = _asked_rows(files, layout, of)
    for name, _ in [*asked.objects("rows", encoder), *asked.objects("validation", encoder)]:
        key = f"{_answers_prefix(layout, of)}{name}.out"
        files.s3.put_object_tagging(Bucket=layout.bucket, Key=key, Tagging=tags)


@contextmanager
def _named(where: str) -> Iterator[None]:
    """Names the object in what goes wrong with it."""
    try:
        yield
    except PredictionFailed as error:
        raise PredictionFailed(f"{where}: {error.message}") from None


def _answers_prefix(layout: RunLayout, of: Model) -> str:
    return f"{layout.transform_prefix}{of}/"


def _part_rows_key(layout: RunLayout, of: Model) -> str:
    return f"{layout.prefix}data/{of}.json"


def _asked_rows(files: RunFiles, layout: RunLayout, of: Model) -> AskedRows:
    document = json.loads(files.read(_part_rows_key(layout, of)))
    return AskedRows(document["rows"], document.get("validation"), document.get("names"))


def _answers(
    files: RunFiles, layout: RunLayout, encoder: FittedEncoder, of: Model, kind: Literal["rows", "validation"] = "rows"
) -> Iterator[tuple[bytes, int, str]]:
    """The objects that the transform job has left, how many rows each answers, and how an error names it."""
    for name, rows in _asked_rows(files, layout, of).objects(kind, encoder):
        key = f"{_answers_prefix(layout, of)}{name}.out"
        try:
            body = files.s3.get_object(Bucket=layout.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if is_missing_object(error):
                raise PredictionFailed(f"The transform job has left no {layout.uri(key)}, the answers for {rows} rows.") from None
            raise
        yield body, rows, layout.uri(key)


def _lines(files: RunFiles, layout: RunLayout, prefix: str) -> Iterator[bytes]:
    """The lines of the objects below a prefix, each a JSON document."""
    pages = files.s3.get_paginator("list_objects_v2").paginate(Bucket=layout.bucket, Prefix=prefix)
    for key in [item["Key"] for page in pages for item in page.get("Contents", [])]:
        yield from files.read(key).splitlines()


def _raw_rows(files: RunFiles, layout: RunLayout) -> Iterator[bytes]:
    return _lines(files, layout, layout.test_raw_prefix)


def _weights(rows: Sequence[Mapping[str, Any]]) -> DoubleArray | None:  # Any: JSON
    """``float64[rows]``: how much each row counts; None where all count alike."""
    return np.array([row["weight"] for row in rows], dtype=np.float64) if rows and "weight" in rows[0] else None


def _pieces(files: RunFiles, layout: RunLayout, encoder: FittedEncoder) -> Iterator[EncodedRows]:
    limit = min(most_rows(encoder), max(1, _PIECE_CELLS // _dense_cells(encoder)))
    rows: list[object] = []
    size = first = 0
    for number, line in enumerate(_raw_rows(files, layout)):
        if rows and (len(rows) == limit or size + len(line) > _PIECE_BYTES):
            yield _piece(rows, encoder, first)
            rows, size, first = [], 0, number
        rows.append(_instance(json.loads(line), encoder))
        size += len(line)
    if rows:
        yield _piece(rows, encoder, first)


def _piece(rows: list[object], encoder: FittedEncoder, first: int) -> EncodedRows:
    where = f"test rows {first + 1} to {first + len(rows)}"
    try:
        return EncodedRows(len(rows), encoder.batch_body(encoder.encode_instances(rows, [])), where)
    except SagelineError as error:
        raise type(error)(f"{where}: {error.message}") from None


def _dense_cells(encoder: FittedEncoder) -> int:
    """Numbers that an encoded row takes while it is written."""
    return 1 if encoder.is_short and encoder.exchange.batch_extension in ("recordio", "jsonl") else max(1, encoder.feature_dim)


def _instance(row: Mapping[str, Any], encoder: FittedEncoder) -> dict[str, Any]:  # Any: JSON
    """The columns that the model reads, spelled as it reads them: what is a number for one model may be a text for another.

    Raises:
        InvalidDataset: the rows have not all of them.
    """
    given = {**row.get("others", {}), **row["features"]}
    missing = [name for name in encoder.feature_columns if name not in given]
    if missing:
        listed = ", ".join(map(repr, missing[:5])) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        raise InvalidDataset(f"the test rows have no column {listed}, which the model reads")
    return {name: _spelled(given[name], kind) for name, kind in encoder.feature_columns.items()}


def _spelled(value: Any, kind: str) -> Any:  # Any: JSON
    if kind == "text":
        return value if isinstance(value, str) else "" if value is None else repr(value).removesuffix(".0")
    return None if kind == "category" and value == "" else value
