"""How fast one process encodes the rows of a batch and writes their predictions: what the limits of ``sageline.batch.largest``
come from.

    python -m tests.benchmarks.batch_speed 15

makes a CSV file of so many megabytes for each kind of tests.benchmarks.prepare_speed, and prints megabytes and rows per second of
processor time, of EncodeBatch and of WritePredictions, with S3 in memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sageline.batch.batch import batch_of, load_encoder
from sageline.batch.encode import encode_batch
from sageline.batch.part_rows import PartRows
from sageline.batch.write import write_predictions
from sageline.json_objects import Json
from tests.benchmarks.prepare_memory import peak_megabytes
from tests.benchmarks.prepare_speed import KINDS, spec_of, write_file
from tests.unit.batch.batches import begun, trained
from tests.unit.world.world import BUCKET, RUN_ID, World, new_world

_ROOT = Path(__file__).parents[2]
_TRAINED_MEGABYTES = 1


def _measured(kind: str, train: Path, rows: Path) -> dict[str, object]:
    with new_world() as world:
        trained(world, train.read_bytes(), **_spec(kind))
        begun(world, rows.read_bytes())
        encoding = _seconds(lambda: encode_batch(RUN_ID, run=world.run))
        _answer(world)
        writing = _seconds(lambda: write_predictions(RUN_ID, run=world.run))
        count = world.record().details["predictions"]["rows"]
    megabytes = rows.stat().st_size / 1e6
    return {
        "kind": kind,
        "megabytes": round(megabytes),
        "rows": count,
        "encoded": {"megabytes_per_second": round(megabytes / encoding, 1), "rows_per_second": round(count / encoding)},
        "written": {"megabytes_per_second": round(megabytes / writing, 1), "rows_per_second": round(count / writing)},
        "peak_megabytes": round(peak_megabytes()),
    }


def _spec(kind: str) -> Json:
    """The spec without what the test world says itself."""
    spec = spec_of(kind)
    dataset = {**spec["dataset"], "uri": f"s3://{BUCKET}/datasets/flowers/data.csv"}
    return {"dataset": dataset, "algorithm": spec["algorithm"], **({"encoder": spec["encoder"]} if "encoder" in spec else {})}


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _answer(world: World) -> None:
    """What XGBoost answers, and BlazingText, which answers lines of JSON."""
    classes = load_encoder(world.run.files, batch_of(world.record())).classes or []
    of_xgboost = ",".join(["0.05"] * len(classes) if len(classes) > 2 else ["0.75"]).encode() + b"\n"
    layout = world.run.files.layout(RUN_ID)
    keys = world.keys(layout.channel_prefix("batch"))
    for key, rows in zip(keys, PartRows.read(world.run.files, layout).rows, strict=True):
        line = b'{"label": ["__label__0"], "prob": [0.75]}\n' if key.endswith(".jsonl") else of_xgboost
        world.put(f"{layout.transform_prefix}{key.rsplit('/', 1)[1]}.out", line * rows)


def main(arguments: list[str]) -> None:
    if arguments[0] == "--measured":
        print(json.dumps(_measured(arguments[1], Path(arguments[2]), Path(arguments[3]))))  # noqa: T201 - to the process above
        return
    with tempfile.TemporaryDirectory() as folder:
        train, rows = Path(folder) / "train.csv", Path(folder) / "rows.csv"
        for kind in KINDS:
            write_file(kind, train, _TRAINED_MEGABYTES)
            write_file(kind, rows, int(arguments[0]))
            command = [sys.executable, "-m", "tests.benchmarks.batch_speed", "--measured", kind, str(train), str(rows)]
            subprocess.run(command, cwd=_ROOT, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
