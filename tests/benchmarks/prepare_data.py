"""Preparing CSV files: time and memory by what they hold and by size."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.prepare_memory import measure, write_csv
from tests.benchmarks.results import SAGELINE, Goal, Result
from tests.benchmarks.sizes import Sizes

MOST_MEGABYTES = 512
_LINEAR = 1.25
_ALONE = f"{SAGELINE}, one process"

_BOUND = "reading the CSV and hashing every row for the split, besides fitting and encoding"
_BOUND_OF_MEMORY = "words that are counted, some 90 MB of a million, and what one block takes while it is read, hashed and fitted"
_NOTES = {
    "text": "Sentences of the sample in random order, and a word in each document that occurs nowhere else.",
    "mixed": "One column of text, eight of numbers, four of categories, two of dates.",
}


def run(sizes: Sizes) -> Iterator[Result]:
    for kind, all_megabytes in (("text", sizes.prepare_megabytes), ("mixed", sizes.prepare_megabytes[-1:])):
        previous: tuple[int, float] | None = None
        for megabytes in all_megabytes:
            measured, alone = _prepare(kind, megabytes)
            seconds = measured["seconds"]
            # Linear growth: no longer per byte than the smaller file, and a quarter for what else the machine does.
            goal = Goal(most=round(_LINEAR * previous[1] * megabytes / previous[0], 1)) if previous else None
            job = f"prepare_data_{megabytes}_mb" if kind == "text" else f"prepare_data_{kind}_{megabytes}_mb"
            yield Result(
                job=job,
                title=f"prepare_data, {megabytes:,} MB of {kind} CSV ({measured['rows']:,.0f} rows)",
                unit="s",
                samples={SAGELINE: [seconds], _ALONE: [alone["seconds"]]},
                goals=[goal] if goal else [],
                bound=_BOUND,
                note=f"{megabytes / seconds:.1f} MB/s with {_counted(measured['processes'])}, "
                f"{megabytes / alone['seconds']:.1f} MB/s with one that reads twice. {_NOTES[kind]}",
            )
            yield Result(
                job=f"{job}_memory",
                title=f"prepare_data, {megabytes:,} MB of {kind} CSV: peak memory",
                unit="MB",
                samples={SAGELINE: [measured["peak_megabytes"]], _ALONE: [alone["peak_megabytes"]]},
                goals=[Goal(most=MOST_MEGABYTES)],
                bound=_BOUND_OF_MEMORY,
                note=f"What is resident of {_counted(measured['processes'])}, added up; {measured['base_megabytes']:.0f} MB "
                "of it before: Python, numpy and pydantic.",
            )
            previous = megabytes, seconds


def _counted(processes: float) -> str:
    return "one process" if processes == 1 else f"{processes:.0f} processes"


def _prepare(kind: str, megabytes: int) -> tuple[dict[str, float], dict[str, float]]:
    """Measured as PrepareData does it, and with one process and no disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        write_csv(kind, path, megabytes)
        return measure(path, kind), measure(path, kind, alone=True)
