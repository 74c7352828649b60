"""Judging a model by what it has answered: time and memory, in a process of its own and without S3.

    python -m tests.benchmarks.judge_model 100000

prints one JSON document for so many test rows. ``measure`` is what the benchmark calls.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sageline.encoder.fitted import FittedEncoder
from sageline.evaluation.answer_arrays import read_classes
from sageline.evaluation.baseline import compare_with_baseline
from sageline.evaluation.classification import ClassificationSums
from sageline.evaluation.document import evaluation_json
from sageline.evaluation.gate import GateDecision, check_baseline, check_limits
from sageline.evaluation.model_warnings import model_warnings
from sageline.report.from_record import report_data
from sageline.report.page import render
from sageline.runs.store import RunRecord
from sageline.spec.model import SplitSpec
from tests.benchmarks.prepare_memory import peak_megabytes
from tests.benchmarks.results import SAGELINE, Goal, Result
from tests.benchmarks.sizes import Sizes
from tests.unit.encoder.encoders import table

CLASSES = 100
MOST_SECONDS, MOST_MEGABYTES = 2, 512

_ROOT = Path(__file__).parents[2]
_PART_ROWS = (1 << 20) // CLASSES
"""As many rows as a part of the test rows has."""


def run(sizes: Sizes) -> Iterator[Result]:
    measured = [measure(sizes.judged_rows) for _ in range(sizes.rounds)]
    rows = f"{sizes.judged_rows:,} rows, {CLASSES} classes"
    yield Result(
        job="judge_model",
        title=f"EvaluateModel: metrics, their errors, evaluation.json and report.html ({rows})",
        unit="s",
        samples={SAGELINE: [each["judge_seconds"] for each in measured]},
        goals=[Goal(most=MOST_SECONDS)],
        bound="sums by class and group, and drawing the page",
        note="From the answers as arrays; without S3.",
    )
    yield Result(
        job="judge_model_answers",
        title=f"EvaluateModel: reading the answers of XGBoost ({rows}, {measured[0]['megabytes']:,.0f} MB)",
        unit="s",
        samples={SAGELINE: [each["read_seconds"] for each in measured]},
        note="A transform job writes each probability with all the digits of a float64: numpy's reading of these is two thirds.",
    )
    yield Result(
        job="judge_model_memory",
        title=f"EvaluateModel: peak memory ({rows})",
        unit="MB",
        samples={SAGELINE: [each["peak_megabytes"] for each in measured]},
        goals=[Goal(most=MOST_MEGABYTES)],
        note="With reading the answers. "
        f"{measured[0]['base_megabytes']:.0f} MB of it before it began: Python, numpy and pydantic.",
    )


def measure(rows: int) -> dict[str, float]:
    """Judge in another process: ``megabytes`` of answers, ``read_seconds``, ``judge_seconds``, ``peak_megabytes``, all told, and
    ``base_megabytes``, what the process had before it began."""
    with tempfile.TemporaryDirectory() as folder:
        _write_answers(Path(folder), rows)
        command = [sys.executable, "-m", "tests.benchmarks.judge_model", "--measured", folder]
        ended = subprocess.run(command, cwd=_ROOT, check=True, capture_output=True)
        result: dict[str, float] = json.loads(ended.stdout)
        return result


def _write_answers(folder: Path, rows: int) -> None:
    """``labels.npy`` and the parts of a transform job's output, which are lists as Python spells them."""
    random = np.random.default_rng(0)
    labels = random.integers(0, CLASSES, rows)
    np.save(folder / "labels.npy", labels)
    for first in range(0, rows, _PART_ROWS):
        part = labels[first : first + _PART_ROWS]
        scores = random.exponential(size=(len(part), CLASSES)) ** 4
        scores[np.arange(len(part)), part] *= 10
        shares = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
        (folder / f"part-{first:09d}.out").write_text("".join(f"{row}\n" for row in shares.tolist()), encoding="ascii")


def _measured(folder: Path) -> dict[str, float]:
    names = [f"class {number}" for number in range(CLASSES)]
    encoder = FittedEncoder("classification", {"size": "number"}, "kind", names, table({"size": None}))
    labels = np.load(folder / "labels.npy")
    parts = sorted(folder.glob("part-*"))
    base = peak_megabytes()
    sums, at, reading, start = ClassificationSums(names), 0, 0.0, time.perf_counter()
    for part in parts:
        expected = labels[at : at + _PART_ROWS]
        before = time.perf_counter()
        answers = read_classes(encoder, part.read_bytes(), len(expected)).after
        reading += time.perf_counter() - before
        sums.update(expected, answers)
        at += len(expected)
    baseline = compare_with_baseline("accuracy", sums)
    decision = GateDecision(
        (*check_limits(sums.metrics(), {"accuracy": 0.1}, None), *([check_baseline(baseline)] if baseline else []))
    )
    document = evaluation_json(
        run_id="r",
        created_at="",
        metric="accuracy",
        sums=sums,
        warnings=model_warnings(
            sums, ["accuracy"], baseline=baseline, refused=True, labels=names, split=SplitSpec.model_validate({})
        ),
        baseline=baseline,
        decision=None,
        before=None,
        champion=None,
        gate=decision,
    )
    record = RunRecord(run_id="r", name="benchmark", execution_arn="", created_at="2026-11-20T10:00:00.000Z")
    render(report_data(record, evaluation=json.loads(document), spec=None, profile=None))
    return {
        "megabytes": round(sum(part.stat().st_size for part in parts) / 1_000_000, 1),
        "read_seconds": round(reading, 3),
        "judge_seconds": round(time.perf_counter() - start - reading, 3),
        "peak_megabytes": round(peak_megabytes(), 1),
        "base_megabytes": round(base, 1),
    }


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--measured"]:
        print(json.dumps(_measured(Path(arguments[1]))))  # noqa: T201 - the answer to the process that measures
        return
    for rows in arguments:
        print(json.dumps(measure(int(rows))), flush=True)  # noqa: T201 - a command


if __name__ == "__main__":
    main(sys.argv[1:])
