"""What is measured of a dataset, from the cache where it is there."""

from __future__ import annotations

import functools
import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from sageline.json_objects import Json
from tests.quality import cache
from tests.quality.answers import Answers, Judged, difference, load, save, value_of
from tests.quality.arms import Arm
from tests.quality.datasets.sources import as_csv
from tests.quality.datasets.tables import Dataset
from tests.quality.peers import flaml, hist_gradient_boosting
from tests.quality.peers.table import Table, read_table
from tests.quality.rows import test_rows
from tests.quality.sageline_run import run

WANTED_TEST_ROWS = 800
MOST_SPLITS = 5


@dataclass(frozen=True, eq=False)
class Measured:
    """A model's answers on one split of a dataset.

    Attributes:
        rows: which of the table's rows the test rows are.
        facts: ``seconds`` (all told), and of Sageline ``candidates`` and ``dollars``.
    """

    judged: Judged
    answers: Answers
    rows: list[int]
    facts: Json = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        seconds: float = self.facts["seconds"]
        return seconds


@dataclass(frozen=True, eq=False)
class Kept:
    """Where packages and results are kept."""

    folder: Path

    def data(self, dataset: Dataset) -> bytes:
        """The CSV that is uploaded."""
        return _data(self.folder / "packages", dataset)

    def sageline(self, dataset: Dataset, arm: Arm, seed: int) -> Measured:
        """Sageline's model on a split; :func:`tests.quality.sageline_run.run` says what it raises."""
        data = self.data(dataset)

        def measure() -> Measured:
            done = run(data, dataset.label, list(dataset.exclude), arm, seed=seed)
            facts = {
                "seconds": sum(done.seconds.values()),
                "dollars": done.dollars,
                "candidates": [asdict(candidate) for candidate in done.candidates],
            }
            return Measured(done.judged, done.answers, test_rows(data, dataset.label, done.raw), facts)

        key = cache.key(cache.version_of_sageline(), _digest(data), dataset.label, list(dataset.exclude), arm.spec, seed)
        return self._kept("sageline", dataset, key, measure)

    def hist_gradient_boosting(self, dataset: Dataset, beside: Measured) -> Measured:
        """scikit-learn's, on the rows of a run."""
        return self._peer("hist_gradient_boosting", dataset, beside, hist_gradient_boosting.answers)

    def flaml(self, dataset: Dataset, beside: Measured, preset: str) -> Measured:
        """FLAML's, on the rows of a run of a preset and in its seconds."""
        seconds = max(flaml.LEAST_SECONDS, beside.seconds)
        more = () if preset == "quick" else (preset,)
        return self._peer("flaml", dataset, beside, lambda table, judged: flaml.answers(table, judged, seconds), *more)

    def _peer(
        self, name: str, dataset: Dataset, beside: Measured, answer: Callable[[Table, Judged], Answers], *more: str
    ) -> Measured:
        data, judged = self.data(dataset), beside.judged

        def measure() -> Measured:
            began = time.perf_counter()
            table = read_table(data, dataset.label, list(dataset.exclude), beside.rows, values=judged.classes is None)
            answers = answer(table, judged)
            return Measured(judged, answers, beside.rows, {"seconds": time.perf_counter() - began})

        version = cache.version_of_peers()
        key = cache.key(version, _digest(data), dataset.label, list(dataset.exclude), beside.rows, judged.metric, *more)
        return self._kept(name, dataset, key, measure)

    def _kept(self, name: str, dataset: Dataset, key: str, measure: Callable[[], Measured]) -> Measured:
        path = self.folder / name / dataset.name / f"{key}.npz"
        if not path.exists():
            measured = measure()
            judged, answers = measured.judged, measured.answers
            facts = measured.facts | {
                "metric": judged.metric,
                "classes": judged.classes,
                "positive": judged.positive,
                "rows": measured.rows,
            }
            save(path, facts, {"expected": judged.expected, "chosen": answers.chosen, "scores": answers.scores})
        facts, arrays = load(path)
        judged = Judged(facts["metric"], facts["classes"], facts["positive"], arrays["expected"])
        return Measured(judged, Answers(arrays["chosen"], arrays.get("scores")), facts["rows"], facts)


@functools.cache
def _data(folder: Path, dataset: Dataset) -> bytes:
    return as_csv(dataset.load(folder))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def splits_of(rows: int) -> int:
    """How many splits a table of so many rows is measured on: enough for :data:`WANTED_TEST_ROWS` in all, up to a few."""
    return min(MOST_SPLITS, max(1, math.ceil(WANTED_TEST_ROWS / (0.2 * rows))))


def mean_value(measured: Sequence[Measured], metric: str | None = None) -> float:
    """A metric's mean over the splits; the one that models are judged by if none is named."""
    return float(np.mean([value_of(each.judged, each.answers, metric) for each in measured]))


def paired(first: Sequence[Measured], second: Sequence[Measured]) -> tuple[float, float]:
    """Mean over the splits of how much better the first is, and its standard error."""
    found = [difference(one.judged, one.answers, other.answers) for one, other in zip(first, second, strict=True)]
    better, errors = np.array(found).T
    return float(better.mean()), float(np.sqrt((errors**2).sum()) / len(errors))
