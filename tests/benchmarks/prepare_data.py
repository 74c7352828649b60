"""Preparing CSV files of text: time and memory by size."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.prepare_memory import measure, write_text_csv
from tests.benchmarks.results import SAGELINE, Goal, Result
from tests.benchmarks.sizes import Sizes

MOST_MEGABYTES = 512
_LINEAR = 1.25

_BOUND = "reading the CSV twice and hashing every row for the split, besides fitting and encoding"
_NOTE = "Sentences of the sample in random order, and a word in each document that occurs nowhere else."


def run(sizes: Sizes) -> Iterator[Result]:
    previous: tuple[int, float] | None = None
    for megabytes in sizes.prepare_megabytes:
        measured = _prepare(megabytes)
        seconds = measured["seconds"]
        # Linear growth: no longer per byte than the smaller file, and a quarter for what else the machine does.
        goal = Goal(most=round(_LINEAR * previous[1] * megabytes / previous[0], 1)) if previous else None
        yield Result(
            job=f"prepare_data_{megabytes}_mb",
            title=f"prepare_data, {megabytes:,} MB of text CSV ({measured['rows']:,.0f} rows)",
            unit="s",
            samples={SAGELINE: [seconds]},
            goals=[goal] if goal else [],
            bound=_BOUND,
            note=f"{megabytes / seconds:.1f} MB/s, read twice. {_NOTE}",
        )
        yield Result(
            job=f"prepare_data_{megabytes}_mb_memory",
            title=f"prepare_data, {megabytes:,} MB of text CSV: peak memory",
            unit="MB",
            samples={SAGELINE: [measured["peak_megabytes"]]},
            goals=[Goal(most=MOST_MEGABYTES)],
            note=f"{measured['base_megabytes']:.0f} MB of it before it began: Python, numpy and pydantic.",
        )
        previous = megabytes, seconds


def _prepare(megabytes: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        write_text_csv(path, megabytes)
        return measure(path)
