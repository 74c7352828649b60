"""Whether one function evaluates, or many, each a shard; and what many have found, put together."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Final, Literal, TypeAlias

from sageline.costs.sharded_evaluation import evaluation_usd, with_evaluation
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import RunFinished
from sageline.evaluation.decision.model_decision import ToldDecision, choose_for_run, may_decide
from sageline.evaluation.decision.validation_sample import ValidationSample
from sageline.evaluation.held_out_rows import (
    LABELS,
    STEMS,
    AskedRows,
    ObjectRange,
    ScoredAnswers,
    answers_prefix,
    validation_sample,
)
from sageline.evaluation.shards.work import SCORED, TOLD, ShardedWork, champion_stem, shard_name, work_name
from sageline.names import RunLayout
from sageline.runs.context import RunContext
from sageline.runs.payloads import EvaluationWork, ShardedEvaluation
from sageline.runs.store import RunRecord
from sageline.serving.stored import EncoderCache
from sageline.spec.model import Spec
from sageline.storage.shards.shard_files import Refused, ShardFiles

ALONE_BYTES: Final = 1 << 30
"""What one function reads alone. On a laptop's core scoring reads 22 to 59 MB a second and encoding 9 to 21 (``python -m
tests.benchmarks.evaluation_speed``), on Lambda's about 0.6 times as much: of 15 minutes it takes one and a half to score so much,
and three and a half to encode it."""

SHARD_BYTES: Final = 256 << 20
"""A quarter of that: functions that start in two seconds work for 20 to 50."""

MOST_SHARDS: Final = 1_000
"""As many functions as an account runs at once by default; what they leave is merged by one."""

WorkDone: TypeAlias = EvaluationWork | Literal[""]
"""What many functions have done last; empty where they have done nothing yet."""


@dataclass(frozen=True)
class InShards:
    """The evaluation of a run.

    Attributes:
        spec: resolved.
        record: as it was when the function began.
    """

    run: RunContext
    spec: Spec
    record: RunRecord

    @property
    def encoder_uri(self) -> str:
        """Of the run's own model."""
        layout = self.run.files.layout(self.record.run_id)
        return layout.uri(layout.encoder_prefix)

    @property
    def noted(self) -> dict[str, Any]:  # Any: a JSON document
        """By work: how many shards, how many functions at once, why, and about what they cost; ``details.evaluation_shards`` of
        the run's record."""
        noted: dict[str, Any] = self.record.details.get("evaluation_shards", {})
        return noted

    def parts(self, work: EvaluationWork, asked: AskedRows) -> list[ObjectRange] | None:
        """The shards of some work; None where one function is enough, or where the run is of a version that cannot cut it.

        Args:
            asked: what is noted of the answers, or of the raw rows that are encoded.
        """
        counts = self._counts(work, asked)
        if asked.lines is None or len(counts) < 2:
            return None
        size = self._bytes(work)
        if size <= ALONE_BYTES and not self._is_asked_for:
            return None
        shards = max(math.ceil(size / SHARD_BYTES), self._workers if self._is_asked_for else 1)
        return cut(counts, min(shards, MOST_SHARDS))

    def begin(self, work: EvaluationWork, asked: ShardedWork) -> ShardedEvaluation:
        """Have the shards do it; the answer that leads to them."""
        run_id, shards = self.record.run_id, len(asked.parts)
        self._files.put(work_name(work), asked)
        workers, reason = min(self._workers, shards), self._reason(work)
        about = evaluation_usd(self._bytes(work), shards, encodes=work == "encoding")
        told = {"shards": shards, "workers": workers, "reason": reason, "usd": about}
        self.run.store.enter(run_id, "EvaluateShards", evaluation_shards={**self.noted, work: told})
        return {
            "status": "Running",
            "decision": "shards",
            "reason": reason,
            "metrics": {},
            "rows": asked.parts[0].of_rows,
            "work": work,
            "shards": shards,
            "workers": workers,
        }

    def decision(self, encoder: FittedEncoder, done: WorkDone) -> tuple[FittedEncoder, ToldDecision] | ShardedEvaluation:
        """The encoder with the decision of its model, which is written beside it if there is any; or what many functions are to
        do first.

        Raises:
            PredictionFailed: what the model has answered for the validation rows cannot be read.
        """
        run_id, files = self.record.run_id, self.run.files
        if not may_decide(self.spec, encoder):
            return encoder, ToldDecision()
        asked = AskedRows.read(run_id, "evaluation", files=files)
        if done == "decision":
            sample: ValidationSample | None = self._sample()
        elif asked.validation is not None and (parts := self.parts("decision", asked)) is not None:
            return self.begin("decision", ShardedWork(parts, self.encoder_uri))
        else:
            sample = validation_sample(run_id, encoder, files=files)
        return (encoder, ToldDecision()) if sample is None else choose_for_run(sample, run_id, self.spec, encoder, files=files)

    def told(self) -> ToldDecision:
        """What is told of the decision, as it was kept."""
        told: ToldDecision = self._files.get(TOLD)
        return told

    def keep_told(self, told: ToldDecision) -> None:
        """Keep it for the next time that the state is entered."""
        self._files.put(TOLD, told)

    def scored(self, work: EvaluationWork) -> ScoredAnswers:
        """What the answers come to.

        Raises:
            PredictionFailed: a shard's could not be read.
        """
        states: Iterator[ScoredAnswers] = self._states(work)
        found = next(states)
        for state in states:
            found.merge(state)
        return found

    def _sample(self) -> ValidationSample:
        """Validation rows to make a decision by; raises as :meth:`scored`."""
        states: Iterator[ValidationSample] = self._states("decision")
        found = next(states)
        for state in states:
            found.merge(state)
        return found

    def champion_rows(self, encoder: FittedEncoder, asked: AskedRows) -> AskedRows:
        """What the model in service is asked about, when the shards have encoded it.

        Args:
            encoder: of that model.
            asked: what the new model was asked about.

        Raises:
            InvalidDataset, InvalidRequest: the rows lack a column of the model, or hold a value that it cannot take.
        """
        rows: list[int] = []
        names: list[str] = []
        for shard, counts in enumerate(self._states("encoding")):
            rows += counts
            names += [f"{champion_stem(shard)}-{number:05d}.{encoder.exchange.batch_extension}" for number in range(len(counts))]
        return AskedRows(rows, names={"rows": names}, lines=asked.lines)

    def _states(self, work: EvaluationWork) -> Iterator[Any]:  # Any: what was stored
        asked: ShardedWork = self._files.get(work_name(work))
        for state in self._files.each(shard_name(work, shard) for shard in range(len(asked.parts))):
            if isinstance(state, Refused):
                raise state.to_error()
            yield state

    def _counts(self, work: EvaluationWork, asked: AskedRows) -> list[int]:
        """How many rows each object has that can be cut."""
        if work == "encoding":
            return (asked.lines or {}).get(LABELS["rows"], [])
        return asked.counts("validation" if work in ("decision", "validation") else "rows")

    def _bytes(self, work: EvaluationWork) -> int:
        """What is read for it."""
        layout = self._files.layout
        of, kind = SCORED.get(work, ("evaluation", "rows" if work == "encoding" else "validation"))
        raw = self._bytes_below(layout, layout.channel_prefix(LABELS[kind]))
        return raw if work == "encoding" else raw + self._bytes_below(layout, f"{answers_prefix(layout, of)}{STEMS[kind]}-")

    def _bytes_below(self, layout: RunLayout, prefix: str) -> int:
        pages = self.run.files.s3.get_paginator("list_objects_v2").paginate(Bucket=layout.bucket, Prefix=prefix)
        return sum(item["Size"] for page in pages for item in page.get("Contents", []))

    def _reason(self, work: EvaluationWork) -> str:
        if self._is_asked_for:
            return "the run is prepared in shards, as asked for"
        return f"there are {self._bytes(work) / 1e9:.3g} GB to read"

    @property
    def _is_asked_for(self) -> bool:
        """Whether the spec asks for many functions."""
        return (self.spec.preparation.workers or 1) > 1

    @property
    def _workers(self) -> int:
        """How many functions may work at once."""
        planned = self.record.details.get("preparation") or {}
        most = self.spec.preparation.workers if self._is_asked_for else planned.get("most_workers")
        return int(most or planned.get("workers") or 1)

    @property
    def _files(self) -> ShardFiles:
        return ShardFiles(self.run.files, self.record.run_id)


def entered(run_id: str, state: str, run: RunContext) -> tuple[InShards, FittedEncoder]:
    """The evaluation of a run that enters a state, and its encoder. What was done in shards for it by then is in its cost.

    Raises:
        RunFinished: the run was stopped.
    """
    run.store.enter(run_id, state)
    record = run.store.get(run_id)
    if record.status == "Stopped":
        raise RunFinished(f"Run {run_id} was stopped.")
    shards = InShards(run, run.files.read_spec(run_id), record)
    # Not as soon as it begins: then check_status may be writing what the transform job has cost.
    cost = record.details.get("cost")
    if cost is not None and (counted := with_evaluation(cost, run_id, shards.noted)) != cost:
        run.store.note(run_id, cost=counted)
    return shards, EncoderCache(run.files.s3).get(shards.encoder_uri)


def cut(counts: list[int], shards: int) -> list[ObjectRange]:
    """So many ranges of objects, but none without one, with about as many rows each; of every object, how many rows it has."""
    before = [0, *accumulate(counts)]
    shards = min(shards, len(counts))
    places = [0]
    for number in range(1, shards):
        wanted = before[-1] * number / shards
        place = bisect_left(before, wanted)
        if wanted - before[place - 1] < before[place] - wanted:
            place -= 1
        places.append(min(max(place, places[-1] + 1), len(counts) - shards + number))
    of_all = (len(counts), before[-1])
    return [ObjectRange(first, last, before[first], *of_all) for first, last in pairwise([*places, len(counts)])]
