"""What the functions that evaluate a model in shards leave for each other, below ``runs/<run_id>/shards/``.

=============================  ==============================================================================
object                         what it holds
=============================  ==============================================================================
``evaluate-evaluation``        what is to be done (:class:`ShardedWork`), by its name
``evaluate-evaluation-00012``  what has come of a shard: what is merged, or why it could not be done
``evaluate-told``              what is told of the model's decision, once it is made
=============================  ==============================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

from sageline.errors import SagelineError
from sageline.evaluation.decision.validation_sample import ValidationSample
from sageline.evaluation.held_out_rows import (
    Model,
    ObjectRange,
    RowKind,
    ScoredAnswers,
    encode_for_champion,
    let_answers_expire,
    score_answers,
    validation_sample,
)
from sageline.runs.documents import RunFiles
from sageline.runs.payloads import EvaluationWork
from sageline.serving.stored import EncoderCache
from sageline.storage.shards.shard_files import Refused, ShardFiles

TOLD = "evaluate-told"

SCORED: dict[EvaluationWork, tuple[Model, RowKind]] = {
    "validation": ("evaluation", "validation"),
    "evaluation": ("evaluation", "rows"),
    "champion": ("champion", "rows"),
}
"""Whose answers are scored, and for which rows."""


@dataclass(frozen=True)
class ShardedWork:
    """What many functions do.

    Attributes:
        parts: of each shard: objects of answers, or of raw rows that are encoded.
        encoder_uri: of the model that has answered, or will.
        classes: the labels of the metrics; None for a regression, and where nothing is scored.
        positive: the one that is looked for.
    """

    parts: list[ObjectRange]
    encoder_uri: str
    classes: list[str] | None = None
    positive: str | None = None


def evaluate_shard(run_id: str, work: EvaluationWork, shard: int, *, run_files: RunFiles) -> None:
    """Do one shard of some work; what keeps it from being done is stored, so that it is said once, for the first such shard."""
    files = ShardFiles(run_files, run_id)
    asked: ShardedWork = files.get(work_name(work))
    try:
        found = _done(run_id, work, asked, shard, run_files)
    except SagelineError as error:
        files.put(shard_name(work, shard), Refused.because(error))
    else:
        files.put(shard_name(work, shard), found)


def _done(
    run_id: str, work: EvaluationWork, asked: ShardedWork, shard: int, files: RunFiles
) -> ScoredAnswers | ValidationSample | list[int] | None:
    encoder, part = EncoderCache(files.s3).get(asked.encoder_uri), asked.parts[shard]
    if work == "encoding":
        return encode_for_champion(run_id, encoder, files=files, part=part, stem=champion_stem(shard))
    if work == "decision":
        sample = validation_sample(run_id, encoder, files=files, part=part)
        let_answers_expire(run_id, encoder, files=files, of="evaluation", kinds=["validation"], part=part)
        return sample
    of, kind = SCORED[work]
    classes, positive = asked.classes, asked.positive
    scored = score_answers(run_id, encoder, files=files, of=of, classes=classes, positive=positive, kind=kind, part=part)
    let_answers_expire(run_id, encoder, files=files, of=of, kinds=[kind], part=part)
    return scored


def work_name(work: EvaluationWork) -> str:
    return f"evaluate-{work}"


def shard_name(work: EvaluationWork, shard: int) -> str:
    return f"evaluate-{work}-{shard:05d}"


def champion_stem(shard: int) -> str:
    """How the names of the objects begin that a shard encodes for the model in service."""
    return f"part-{shard:05d}"
