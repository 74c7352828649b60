"""How fast the same rows are read and prepared as CSV and as Parquet: one process each, processor time.

    python -m tests.benchmarks.format_speed 100

writes so many megabytes of mixed CSV (a text, 8 numbers, 4 categories, 2 dates) and the same rows as Parquet, and prints
megabytes of the CSV file per second: for reading alone, with the hashes that the split goes by, and for all of the preparation.
"""

from __future__ import annotations

import csv
import datetime
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sageline.arrays.blocks import Block
from sageline.dataset.readers.source import open_blocks
from sageline.dataset.split import hash_columns
from sageline.preparation.fit_and_encode import prepare, read_and_fit
from sageline.resolve.resolution import Resolution
from sageline.spec.model import validate_spec
from tests.benchmarks.prepare_memory import Discard, peak_megabytes

_ROOT = Path(__file__).parents[2]
_MEGABYTE = 1_000_000
_ROWS = 20_000  # written at a time
_WORDS = np.array([f"word{number}" for number in range(5000)])
_CATEGORIES = np.array([f"value-{number}" for number in range(50)])
_FIRST = datetime.datetime(2020, 1, 1)
_PARTS = ("read", "hash", "table", "text")


def _rows(random: np.random.Generator) -> dict[str, list[Any]]:  # Any: what a cell holds
    words = _WORDS[random.zipf(1.3, (_ROWS, 12)).clip(1, len(_WORDS)) - 1]
    columns: dict[str, list[Any]] = {"text": [" ".join(text) for text in words]}
    for number in range(4):
        columns[f"number{number}"] = (random.normal(size=_ROWS) * 100).tolist()
        columns[f"count{number}"] = random.integers(0, 1000 * 10**number, _ROWS).tolist()
        columns[f"category{number}"] = random.choice(_CATEGORIES, _ROWS).tolist()
    for number in range(2):
        seconds = random.integers(0, 10**8, _ROWS).tolist()
        columns[f"date{number}"] = [_FIRST + datetime.timedelta(seconds=second) for second in seconds]
    return {**columns, "label": random.choice(["a", "b", "c"], _ROWS).tolist()}


def _write(folder: Path, megabytes: int) -> None:
    random, writer = np.random.default_rng(0), None
    with (folder / "data.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        while file.tell() < megabytes * _MEGABYTE:
            columns = _rows(random)
            table = pa.table(columns)
            if writer is None:
                writer = pq.ParquetWriter(folder / "data.parquet", table.schema)
                lines.writerow(columns)
            writer.write_table(table)
            spelled = (
                [cell.isoformat() for cell in cells] if name.startswith("date") else cells for name, cells in columns.items()
            )
            lines.writerows(zip(*spelled, strict=True))
    if writer is not None:
        writer.close()


def _spec(encoder: str) -> dict[str, object]:
    kinds = {f"{kind}{number}": kind for kind in ("number", "category") for number in range(4)}
    kinds |= {f"count{number}": "number" for number in range(4)}
    return {
        "name": "benchmark",
        "task": "classification",
        "dataset": {"label": "label", "features": kinds if encoder == "table" else {"text": "text"}},
        "encoder": {"kind": "table" if encoder == "table" else "bag-of-words"},
        "algorithm": {"name": "xgboost"},
    }


def _measured(part: str, path: Path) -> dict[str, object]:
    def read_blocks() -> Iterator[Block]:
        with path.open("rb") as file:
            yield from open_blocks(file, path.name, path.suffix[1:])

    start = time.process_time()
    if part in ("read", "hash"):
        for block in read_blocks():
            if part == "hash":
                hash_columns(block)
    else:
        resolution = Resolution(validate_spec(_spec(part), "benchmark"))
        prepare(read_blocks, read_and_fit(read_blocks, resolution), Discard(), lambda _: None)
    seconds = time.process_time() - start
    size = path.with_suffix(".csv").stat().st_size / _MEGABYTE
    peak = round(peak_megabytes())
    return {"part": part, "format": path.suffix[1:], "megabytes_per_second": round(size / seconds, 1), "peak_megabytes": peak}


def main(arguments: list[str]) -> None:
    if arguments[0] == "--measured":
        print(json.dumps(_measured(arguments[1], Path(arguments[2]))))  # noqa: T201 - the answer to the process that measures
        return
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), int(arguments[0]))
        for part in _PARTS:
            for name in ("data.csv", "data.parquet"):
                command = [sys.executable, "-m", "tests.benchmarks.format_speed", "--measured", part, str(Path(folder) / name)]
                subprocess.run(command, cwd=_ROOT, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
