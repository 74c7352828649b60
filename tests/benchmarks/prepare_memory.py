"""Time and peak memory of preparing a CSV of text, by its size, each in a process of its own.

    python -m tests.benchmarks.prepare_memory 10 100 1000

prints one JSON document per size in megabytes. ``measure`` is what the benchmark calls.
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
from pathlib import Path
from random import Random

from sageline.arrays.blocks import Block
from sageline.dataset.readers.source import open_blocks
from sageline.formats.npy import ArrayPair
from sageline.preparation.fit_and_encode import prepare, read_and_fit
from sageline.resolve.resolution import Resolution
from sageline.spec.model import validate_spec

_ROOT = Path(__file__).parents[2]
_MEGABYTE = 1_000_000
_SPEC = {
    "name": "benchmark",
    "task": "classification",
    "dataset": {"label": "service", "features": {"post": "text"}},
    "encoder": {"kind": "columns", "layout": "sparse"},
}


def write_text_csv(path: Path, megabytes: int) -> None:
    """A CSV of about that size: sentences of the sample dataset in random order, with words that occur once among them."""
    from tests.benchmarks.inputs import sample_rows, sample_sentences  # noqa: PLC0415 - the measured process needs less

    random = Random(0)
    sentences = sample_sentences()
    labels = sorted({label for _, label in sample_rows()})
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["post", "service"])
        written = 0
        while written < megabytes * _MEGABYTE:
            text = ". ".join([*random.choices(sentences, k=random.randint(1, 6)), f"Request {random.getrandbits(48):x}."])
            written += writer.writerow([text, random.choice(labels)])


def measure(path: Path) -> dict[str, float]:
    """Prepare the dataset in another process: ``megabytes`` of the file, ``seconds``, ``peak_megabytes`` of memory, all
    told, and ``base_megabytes``, what the process had before it began."""
    command = [sys.executable, "-m", "tests.benchmarks.prepare_memory", "--measured", str(path)]
    ended = subprocess.run(command, cwd=_ROOT, check=True, capture_output=True)
    result: dict[str, float] = json.loads(ended.stdout)
    return result


class Discard:
    def write(self, channel: str, part: bytes | ArrayPair) -> None:
        """What is prepared goes nowhere: only preparing is measured."""


def _measured(path: Path) -> dict[str, float]:
    def read_blocks() -> Iterator[Block]:
        with path.open("rb") as file:
            yield from open_blocks(file, path.name, "csv")

    base = peak_megabytes()
    start = time.perf_counter()
    prepared = prepare(
        read_blocks, read_and_fit(read_blocks, Resolution(validate_spec(_SPEC, "benchmark"))), Discard(), lambda _: None
    )
    return {
        "megabytes": round(path.stat().st_size / _MEGABYTE, 1),
        "seconds": round(time.perf_counter() - start, 2),
        "peak_megabytes": round(peak_megabytes(), 1),
        "base_megabytes": round(base, 1),
        "rows": sum(prepared.rows.values()),
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
        print(json.dumps(_measured(Path(arguments[1]))))  # noqa: T201 - the answer to the process that measures
        return
    with tempfile.TemporaryDirectory() as folder:
        for size in arguments:
            path = Path(folder) / "data.csv"
            write_text_csv(path, int(size))
            print(json.dumps(measure(path)), flush=True)  # noqa: T201 - a command


if __name__ == "__main__":
    main(sys.argv[1:])
