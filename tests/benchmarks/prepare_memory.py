"""Time and peak memory of preparing a CSV file, by its kind and size, each in processes of their own.

    python -m tests.benchmarks.prepare_memory text 10 100 1000

prints two JSON documents per size in megabytes: as PrepareData does it on this machine, and with one process and no spill. The
other kind is ``mixed``. ``measure`` is what the benchmark calls.
"""

from __future__ import annotations

import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from random import Random

import numpy as np
import psutil

from sageline.arrays.blocks import Block
from sageline.arrays.dates import DateFormat
from sageline.dataset.readers.source import open_blocks
from sageline.formats.npy import ArrayPair
from sageline.preparation.fit_and_encode import prepare, read_and_fit
from sageline.preparation.means import ALONE, means_for
from sageline.resolve.resolution import Resolution
from sageline.spec.model import validate_spec

_ROOT = Path(__file__).parents[2]
_MEGABYTE = 1_000_000
_ROWS = 2_000  # of a mixed table, made at a time
_COMMON = {"name": "benchmark", "task": "classification", "algorithm": {"name": "xgboost"}}
_NUMBERS = [f"number{number}" for number in range(8)]
_CATEGORIES = [f"category{number}" for number in range(4)]
_DATES = {"day": DateFormat("ymd"), "time": DateFormat("ymd", has_time=True)}
_MIXED = (
    {"post": "text"} | dict.fromkeys(_NUMBERS, "number") | dict.fromkeys(_CATEGORIES, "category") | dict.fromkeys(_DATES, "date")
)
_SPECS = {
    "text": {
        **_COMMON,
        "dataset": {"label": "service", "features": {"post": "text"}},
        "encoder": {"kind": "columns", "layout": "sparse"},
    },
    "mixed": {
        **_COMMON,
        "dataset": {"label": "service", "features": _MIXED},
        "encoder": {"kind": "columns", "layout": "sparse"},
    },
}
_SECONDS_BETWEEN_LOOKS = 0.02


def write_csv(kind: str, path: Path, megabytes: int) -> None:
    """A CSV file of about that size, the same for the same size: ``text`` or ``mixed``."""
    (write_text_csv if kind == "text" else _write_mixed_csv)(path, megabytes)


def write_text_csv(path: Path, megabytes: int) -> None:
    """Sentences of the sample dataset in random order, with words that occur once among them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        written = writer.writerow(["post", "service"])
        for row in _texts(Random(0)):
            if written >= megabytes * _MEGABYTE:
                break
            written += writer.writerow(row)


def _write_mixed_csv(path: Path, megabytes: int) -> None:
    """One column of text, eight of numbers, four of categories, two of dates."""
    random, texts = np.random.default_rng(0), _texts(Random(0))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        written = writer.writerow(["post", *_NUMBERS, *_CATEGORIES, "day", "time", "service"])
        while written < megabytes * _MEGABYTE:
            numbers = random.normal(size=(_ROWS, len(_NUMBERS))).round(3).astype(str).tolist()
            categories = np.char.add("value-", random.integers(0, 50, (_ROWS, len(_CATEGORIES))).astype(str)).tolist()
            days = (np.datetime64("2015-01-01") + random.integers(0, 3_000, _ROWS)).astype(str).tolist()
            times = (np.datetime64("2020-01-01T00:00:00") + random.integers(0, 10**8, _ROWS)).astype(str).tolist()
            for text_and_label, *rest in zip(texts, numbers, categories, days, times, strict=False):
                text, label = text_and_label
                written += writer.writerow([text, *rest[0], *rest[1], *rest[2:], label])


def _texts(random: Random) -> Iterator[tuple[str, str]]:
    from tests.benchmarks.inputs import sample_rows, sample_sentences  # noqa: PLC0415 - the measured process needs less

    sentences = sample_sentences()
    labels = sorted({label for _, label in sample_rows()})
    while True:
        text = ". ".join([*random.choices(sentences, k=random.randint(1, 6)), f"Request {random.getrandbits(48):x}."])
        yield text, random.choice(labels)


def measure(path: Path, kind: str = "text", *, alone: bool = False) -> dict[str, float]:
    """Prepare the dataset in other processes: ``megabytes`` of the file, ``rows``, ``seconds``, ``processor_seconds`` of all
    processes together, ``processes``, ``peak_megabytes`` of memory, the sum of what is resident of each process, and
    ``base_megabytes``, what the first one had before it began.

    Args:
        alone: in one process, and without the disk.
    """
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.prepare_memory",
        "--measured",
        kind,
        str(path),
        *(["alone"] if alone else []),
    ]
    peak = 0
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE) as running:
        first = psutil.Process(running.pid)
        while running.poll() is None:
            peak = max(peak, _resident(first))
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        answer = running.stdout.read() if running.stdout else b""
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, command)
    result: dict[str, float] = json.loads(answer)
    return result | {"peak_megabytes": round(max(peak / _MEGABYTE, result.pop("peak_of_first")), 1)}


def _resident(first: psutil.Process) -> int:
    """Bytes of memory that a process and those that it has started have now."""
    with suppress(psutil.NoSuchProcess):
        return sum(process.memory_info().rss for process in (first, *first.children(recursive=True)))
    return 0


class Discard:
    def write(self, channel: str, part: bytes | ArrayPair) -> None:
        """What is prepared goes nowhere: only preparing is measured."""


def resolution_of(kind: str) -> Resolution:
    """The resolved spec of a file of :func:`write_csv`."""
    return Resolution(validate_spec(_SPECS[kind], "benchmark"), date_formats=_DATES)


def _measured(kind: str, path: Path, *, alone: bool) -> dict[str, float]:
    def read_blocks() -> Iterator[Block]:
        with path.open("rb") as file:
            yield from open_blocks(file, path.name, "csv")

    base = peak_megabytes()
    start = time.perf_counter()
    resolution = resolution_of(kind)
    with nullcontext(ALONE) if alone else means_for(path.stat().st_size) as means:
        first = read_and_fit(read_blocks, resolution, means=means)
        prepared = prepare(read_blocks, first, Discard(), lambda _: None, means)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "megabytes": round(path.stat().st_size / _MEGABYTE, 1),
        "rows": sum(prepared.rows.values()),
        "seconds": round(time.perf_counter() - start, 2),
        "processor_seconds": round(sum(usage.ru_utime + usage.ru_stime for usage in used), 2),
        "processes": means.processes,
        "peak_of_first": round(peak_megabytes(), 1),
        "base_megabytes": round(base, 1),
    }


def peak_megabytes() -> float:
    """The most memory that this process has had so far."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not ru_maxrss: there it begins with what the process had that started this one.
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / _MEGABYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MEGABYTE  # macOS counts in bytes


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--measured"]:
        _, kind, measured, *means = arguments
        answer = _measured(kind, Path(measured), alone=means == ["alone"])
        print(json.dumps(answer))  # noqa: T201 - to the process that measures
        return
    kind, *sizes = arguments
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        for size in sizes:
            write_csv(kind, path, int(size))
            for alone in (False, True):
                print(json.dumps(measure(path, kind, alone=alone)), flush=True)  # noqa: T201 - a command


if __name__ == "__main__":
    main(sys.argv[1:])
