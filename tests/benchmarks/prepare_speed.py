"""How fast one process prepares each kind of dataset: what the limits of ``sageline.configuration.dataset_size`` come from.

    python -m tests.benchmarks.prepare_speed 15

writes a CSV file of so many megabytes for each kind, and prints megabytes per second of processor time, and the peak memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from sageline.arrays.blocks import Block
from sageline.dataset.readers.source import open_blocks
from sageline.json_objects import Json
from sageline.preparation.fit_and_encode import prepare, read_and_fit
from sageline.resolve.resolution import Resolution
from sageline.spec.model import validate_spec
from tests.benchmarks.prepare_memory import Discard, peak_megabytes, write_text_csv

_ROOT = Path(__file__).parents[2]
_MEGABYTE = 1_000_000
_ROWS = 5_000  # written at a time
_CATEGORIES = np.array([f"value-{number}" for number in range(50)])


def _numbers(random: np.random.Generator, columns: int) -> np.ndarray:
    return random.normal(size=(_ROWS, columns)).round(3).astype(str)


def _categories(random: np.random.Generator, columns: int) -> np.ndarray:
    return random.choice(_CATEGORIES, (_ROWS, columns))


def _pixels(random: np.random.Generator, columns: int) -> np.ndarray:
    return random.integers(0, 256, (_ROWS, columns)).astype(str)


_TABLES: dict[str, tuple[Callable[[np.random.Generator, int], np.ndarray], int, str, dict[str, object]]] = {
    "2 numbers": (_numbers, 2, "number", {"kind": "columns", "layout": "dense"}),
    "20 numbers": (_numbers, 20, "number", {"kind": "columns", "layout": "dense"}),
    "300 numbers": (_numbers, 300, "number", {"kind": "columns", "layout": "dense"}),
    "6 categories": (_categories, 6, "category", {"kind": "columns", "layout": "dense"}),
    "784 pixels": (_pixels, 784, "pixel", {"kind": "image", "shape": [28, 28]}),
}
_TEXTS: dict[str, dict[str, object]] = {
    "words": {"encoder": {"kind": "columns", "layout": "sparse"}, "algorithm": {"name": "xgboost"}},
    "tokens": {"encoder": {"kind": "tokens"}, "algorithm": {"name": "blazingtext"}},
}


KINDS = (*_TEXTS, *_TABLES)


def write_file(kind: str, path: Path, megabytes: int) -> None:
    if kind in _TEXTS:
        write_text_csv(path, megabytes)
        return
    values, columns, *_ = _TABLES[kind]
    random = np.random.default_rng(0)
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join([*_names(columns), "kind"]) + "\n")
        while file.tell() < megabytes * _MEGABYTE:
            rows = zip(values(random, columns), random.choice(["a", "b"], _ROWS), strict=True)
            file.writelines(f"{','.join(row)},{label}\n" for row, label in rows)


def _names(columns: int) -> list[str]:
    return [f"column{number}" for number in range(columns)]


def spec_of(kind: str) -> Json:
    common = {"name": "benchmark", "task": "classification"}
    if kind in _TEXTS:
        return {**common, "dataset": {"label": "service", "features": {"post": "text"}}, **_TEXTS[kind]}
    _, columns, holds, encoder = _TABLES[kind]
    return {
        **common,
        "dataset": {"label": "kind", "features": dict.fromkeys(_names(columns), holds)},
        "encoder": encoder,
        "algorithm": {"name": "xgboost"},
    }


def _measured(kind: str, path: Path) -> dict[str, object]:
    def read_blocks() -> Iterator[Block]:
        with path.open("rb") as file:
            yield from open_blocks(file, path.name, "csv")

    start = time.process_time()
    prepare(
        read_blocks, read_and_fit(read_blocks, Resolution(validate_spec(spec_of(kind), "benchmark"))), Discard(), lambda _: None
    )
    size = path.stat().st_size / _MEGABYTE
    speed = round(size / (time.process_time() - start), 1)
    return {"kind": kind, "megabytes": round(size), "megabytes_per_second": speed, "peak_megabytes": round(peak_megabytes())}


def main(arguments: list[str]) -> None:
    if arguments[0] == "--measured":
        print(json.dumps(_measured(arguments[1], Path(arguments[2]))))  # noqa: T201 - the answer to the process that measures
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        for kind in KINDS:
            write_file(kind, path, int(arguments[0]))
            command = [sys.executable, "-m", "tests.benchmarks.prepare_speed", "--measured", kind, str(path)]
            subprocess.run(command, cwd=_ROOT, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
