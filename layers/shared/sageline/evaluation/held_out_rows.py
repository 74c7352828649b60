"""The rows held out of training: as they were given, as what a model takes, and what it answers for them."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import accumulate, islice
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
from sageline.evaluation.decision.validation_sample import ValidationSample
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

RowKind: TypeAlias = Literal["rows", "validation"]
"""Which rows: those of the test, or those of the validation that the model is asked about."""

VALIDATION_STEM = "validation"
"""How the names of validation rows' objects begin. They share a prefix with those of test rows: whether a transform job keeps
folders below it, AWS's pages leave open (the example of TransformOutput.S3OutputPath in the API reference drops one)."""

STEMS: dict[RowKind, str] = {"rows": "part", "validation": VALIDATION_STEM}
LABELS: dict[RowKind, str] = {"rows": "test-raw", "validation": "validation-labels"}
"""The channels that hold what is right."""

_CALLED: dict[RowKind, str] = {"rows": "test", "validation": "validation"}

_PIECE_BYTES = 2 << 20  # of JSON
_PIECE_CELLS = 1 << 18  # of dense rows: their text takes a hundred times as many bytes while it is made


@dataclass(frozen=True)
class AskedRows:
    """How many rows each object of a transform job has, as ``runs/<run_id>/data/<of>.json`` notes it.

    Attributes:
        rows: of test rows.
        validation: of validation rows; None where none are asked about.
        names: of the objects, by what their rows are; None where they are numbered through.
        lines: how many lines each object of raw rows and of labels has, by channel; None in a run of an earlier version.
    """

    rows: list[int]
    validation: list[int] | None = None
    names: dict[str, list[str]] | None = None
    lines: dict[str, list[int]] | None = None

    @classmethod
    def read(cls, run_id: str, of: Model, *, files: RunFiles) -> AskedRows:
        """What was noted.

        Raises:
            ObjectMissing: it is gone.
        """
        document = json.loads(files.read(_part_rows_key(files.layout(run_id), of)))
        return cls(**{name: document.get(name) for name in ("rows", "validation", "names", "lines")})

    def to_json(self) -> dict[str, Any]:  # Any: a JSON document
        return {name: value for name, value in asdict(self).items() if value is not None}

    def counts(self, kind: RowKind) -> list[int]:
        """How many rows each object of such rows has."""
        return (self.rows if kind == "rows" else self.validation) or []

    def objects(self, kind: RowKind, encoder: FittedEncoder) -> list[tuple[str, int]]:
        """The name of each object of such rows, and how many rows it has."""
        counts = self.counts(kind)
        numbered = [part_name(number, encoder, STEMS[kind]) for number in range(len(counts))]
        return list(zip(self.names[kind] if self.names else numbered, counts, strict=True))


@dataclass(frozen=True)
class ObjectRange:
    """Some of the objects that hold rows, one after the other.

    Attributes:
        first, last: the number of the first one, and of the one after the last.
        first_row: the position of the first row.
        of_objects, of_rows: how many objects there are, and how many rows they have.
    """

    first: int
    last: int
    first_row: int
    of_objects: int
    of_rows: int

    @classmethod
    def all(cls, counts: Sequence[int]) -> ObjectRange:
        """All objects, of which each has so many rows."""
        return cls(0, len(counts), 0, len(counts), sum(counts))


@dataclass(frozen=True)
class ScoredAnswers:
    """What a model's answers for the test rows come to.

    Attributes:
        sums: by the model's decision, where it has one.
        before: without it; None where there is none.
    """

    sums: ClassificationSums | RegressionSums
    before: ClassificationSums | None = None

    def merge(self, after: ScoredAnswers) -> None:
        """Count the rows of another one of the same model, which come after these."""
        if isinstance(self.sums, ClassificationSums) and isinstance(after.sums, ClassificationSums):
            self.sums.merge(after.sums)
        if isinstance(self.sums, RegressionSums) and isinstance(after.sums, RegressionSums):
            self.sums.merge(after.sums)
        if self.before is not None and after.before is not None:
            self.before.merge(after.before)

    def among(self, classes: list[str] | None) -> ScoredAnswers:
        """The same with the metrics of more classes, of which the first ones are those of these."""
        if classes is None or not isinstance(self.sums, ClassificationSums):
            return self
        return ScoredAnswers(self.sums.among(classes), None if self.before is None else self.before.among(classes))


def plan_evaluation(run_id: str, spec: Spec, encoder: FittedEncoder, asked: AskedRows, *, files: RunFiles) -> TransformPlan:
    """What RunEvaluationTransform is asked for: a run's test rows, and maybe validation rows, encoded for its own model, which
    may not be there yet."""
    instance_type = spec.evaluation.instance_type
    return _plan(run_id, encoder, asked, files=files, of="evaluation", model_name=run_id, instance_type=instance_type)


def encode_for_champion(
    run_id: str, encoder: FittedEncoder, *, files: RunFiles, part: ObjectRange | None = None, stem: str = STEMS["rows"]
) -> list[int]:
    """Encode a run's raw test rows for a transform job of the model in service:
    ``runs/<run_id>/data/champion/part-00000.<ext>`` and so on.

    Args:
        encoder: of the model, which need not be one of this run.
        part: of the objects of raw rows; None for all of them.
        stem: how the names of the objects begin.

    Returns:
        How many rows each object has.

    Raises:
        InvalidDataset, InvalidRequest: the rows lack a column of the model, or hold a value that it cannot take.
    """
    layout = files.layout(run_id)
    with S3PartSink(files.s3, layout, encoder.exchange.batch_extension, joined=False, stem=stem) as sink:
        parts = TransformParts(sink, "champion", encoder)
        for piece in _pieces(files, layout, encoder, part):
            parts.add(piece)
        parts.close()
    return parts.rows


def plan_champion(
    run_id: str, encoder: FittedEncoder, asked: AskedRows, *, files: RunFiles, model_name: str, instance_type: str
) -> TransformPlan:
    """What RunChampionTransform is asked for: a run's test rows, encoded for the model in service."""
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
        output_uri=layout.uri(answers_prefix(layout, of)),
        instance_type=instance_type,
        instance_count=1,
    )


def first_rows(run_id: str, count: int, *, files: RunFiles) -> list[dict[str, Any]]:  # Any: JSON values
    """The features of a run's first test rows, ``{column: value}``."""
    return [json.loads(line)["features"] for line in islice(_lines(files, files.layout(run_id), LABELS["rows"]), count)]


def score_answers(
    run_id: str,
    encoder: FittedEncoder,
    *,
    files: RunFiles,
    of: Model,
    classes: list[str] | None,
    positive: str | None = None,
    kind: RowKind = "rows",
    part: ObjectRange | None = None,
) -> ScoredAnswers:
    """What a model's transform job has answered, compared with what is right.

    Args:
        encoder: of the model.
        classes: the labels of the metrics, which hold all that the model or a row may have; None for a regression.
        positive: the one that is looked for; None for none in particular.
        part: which answers; None for all of them.

    Raises:
        PredictionFailed: an answer is missing, or cannot be read.
    """
    asked = AskedRows.read(run_id, of, files=files)
    part = part or ObjectRange.all(asked.counts(kind))
    number_of = {name: number for number, name in enumerate(classes or [])}
    looked_for = None if positive is None else number_of.get(positive)
    scored = _nothing_scored(classes, looked_for, part, decides=encoder.decision is not None)
    sums, before, own = scored.sums, scored.before, encoder.classes or []
    for body, its_rows, where in _answers(run_id, encoder, asked, part, files=files, of=of, kind=kind):
        expected, weights = [row["label"] for row in its_rows], _weights(its_rows)
        with _named(where):
            if isinstance(sums, RegressionSums):
                sums.update(np.array(expected, dtype=np.float64), read_values(encoder, body, len(its_rows)), weights)
                continue
            numbers = np.array([number_of[label] for label in expected], dtype=np.int64)
            answers = read_classes(encoder, body, len(its_rows))
            sums.update(numbers, answers.after.among(own, sums.classes), weights)
            if before is not None:
                before.update(numbers, answers.before.among(own, sums.classes), weights)
    return scored


def _nothing_scored(classes: list[str] | None, positive: int | None, part: ObjectRange, *, decides: bool) -> ScoredAnswers:
    first_row, of_rows = part.first_row, part.of_rows
    if classes is None:
        return ScoredAnswers(RegressionSums(first_row=first_row, of_rows=of_rows))
    sums, before = (ClassificationSums(classes, positive, first_row=first_row, of_rows=of_rows) for _ in range(2))
    return ScoredAnswers(sums, before if decides else None)


def validation_sample(
    run_id: str, encoder: FittedEncoder, *, files: RunFiles, part: ObjectRange | None = None
) -> ValidationSample | None:
    """What a run's model has answered for validation rows, and their labels; None where it was not asked about any.

    Args:
        part: which answers; None for all of them.

    Raises:
        PredictionFailed: as :func:`score_answers`.
    """
    asked = AskedRows.read(run_id, "evaluation", files=files)
    if asked.validation is None:
        return None
    part = part or ObjectRange.all(asked.validation)
    number_of = {name: number for number, name in enumerate(encoder.classes or [])}
    sample = ValidationSample(len(number_of), first_row=part.first_row, of_rows=part.of_rows)
    for body, its_rows, where in _answers(run_id, encoder, asked, part, files=files, of="evaluation", kind="validation"):
        with _named(where):
            answers = read_classes(encoder, body, len(its_rows))
        expected = np.array([number_of[row["label"]] for row in its_rows], dtype=np.int64)
        sample.add(expected, answers, _weights(its_rows))
    return sample


def let_answers_expire(
    run_id: str,
    encoder: FittedEncoder,
    *,
    files: RunFiles,
    of: Model,
    kinds: Sequence[RowKind] = ("rows", "validation"),
    part: ObjectRange | None = None,
) -> None:
    """Tag the answers, which SageMaker has written, so that they expire.

    Args:
        part: which of them; None for all.
    """
    layout = files.layout(run_id)
    tags: TaggingTypeDef = {"TagSet": [{"Key": "sageline:retention", "Value": "intermediate"}]}
    asked = AskedRows.read(run_id, of, files=files)
    for kind in kinds:
        which = part or ObjectRange.all(asked.counts(kind))
        for name, _ in asked.objects(kind, encoder)[which.first : which.last]:
            key = f"{answers_prefix(layout, of)}{name}.out"
            files.s3.put_object_tagging(Bucket=layout.bucket, Key=key, Tagging=tags)


@contextmanager
def _named(where: str) -> Iterator[None]:
    """Names the object in what goes wrong with it."""
    try:
        yield
    except PredictionFailed as error:
        raise PredictionFailed(f"{where}: {error.message}") from None


def answers_prefix(layout: RunLayout, of: Model) -> str:
    """What the keys of a transform job's answers begin with."""
    return f"{layout.transform_prefix}{of}/"


def _part_rows_key(layout: RunLayout, of: Model) -> str:
    return f"{layout.prefix}data/{of}.json"


def _answers(
    run_id: str, encoder: FittedEncoder, asked: AskedRows, part: ObjectRange, *, files: RunFiles, of: Model, kind: RowKind
) -> Iterator[tuple[bytes, list[dict[str, Any]], str]]:  # Any: JSON values
    """Some of the objects that the transform job has left, the rows that each answers, and how an error names it.

    Raises:
        PredictionFailed: one is missing, or they are not as many as there are rows.
    """
    layout, answered = files.layout(run_id), part.first_row
    held_out = map(json.loads, _labelled(files, layout, kind, asked, part.first_row))
    for name, rows in asked.objects(kind, encoder)[part.first : part.last]:
        key = f"{answers_prefix(layout, of)}{name}.out"
        try:
            body = files.s3.get_object(Bucket=layout.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if is_missing_object(error):
                raise PredictionFailed(f"The transform job has left no {layout.uri(key)}, the answers for {rows} rows.") from None
            raise
        its_rows = list(islice(held_out, rows))
        answered += len(its_rows)
        if len(its_rows) < rows:
            raise PredictionFailed(f"{layout.uri(key)}: there are {rows} answers for {len(its_rows)} {_CALLED[kind]} rows.")
        yield body, its_rows, layout.uri(key)
    left = sum(1 for _ in held_out) if part.last == part.of_objects else 0
    if left:
        there = f"{answered + left} {_CALLED[kind]} rows"
        raise PredictionFailed(f"The transform job was asked about {answered} of {there} only; start another run.")


def _labelled(files: RunFiles, layout: RunLayout, kind: RowKind, asked: AskedRows, first_row: int) -> Iterator[bytes]:
    """The lines that say what is right, from a row on."""
    ends = list(accumulate((asked.lines or {}).get(LABELS[kind], [])))
    first = bisect_right(ends, first_row) if first_row else 0
    return islice(_lines(files, layout, LABELS[kind], first), first_row - (ends[first - 1] if first else 0), None)


def _lines(files: RunFiles, layout: RunLayout, channel: str, first: int = 0, last: int | None = None) -> Iterator[bytes]:
    """The lines of some of a channel's objects, each a JSON document."""
    pages = files.s3.get_paginator("list_objects_v2").paginate(Bucket=layout.bucket, Prefix=layout.channel_prefix(channel))
    for key in [item["Key"] for page in pages for item in page.get("Contents", [])][first:last]:
        yield from files.read(key).splitlines()


def _weights(rows: Sequence[Mapping[str, Any]]) -> DoubleArray | None:  # Any: JSON
    """``float64[rows]``: how much each row counts; None where all count alike."""
    return np.array([row["weight"] for row in rows], dtype=np.float64) if rows and "weight" in rows[0] else None


def _pieces(files: RunFiles, layout: RunLayout, encoder: FittedEncoder, part: ObjectRange | None) -> Iterator[EncodedRows]:
    limit = min(most_rows(encoder), max(1, _PIECE_CELLS // _dense_cells(encoder)))
    rows: list[object] = []
    objects, first = ((part.first, part.last), part.first_row) if part else ((0, None), 0)
    size = 0
    for number, line in enumerate(_lines(files, layout, LABELS["rows"], *objects), first):
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
