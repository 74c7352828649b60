"""One dataset prepared on the local stack by one function and in shards: the seconds of each, and whether both leave the same.

    python -m tests.benchmarks.two_ways text 2000 alone shards
    python -m tests.benchmarks.two_ways text 640 one-at-a-time shards

brings up a local stack of its own, makes a CSV file of so many megabytes, prepares it once for each way, one after the other, and
prints a JSON document a run. ``alone`` is ``{"workers": 1}``, ``shards`` is ``{"workers": 2}``, ``one-at-a-time`` is the same
of a stack whose MaxWorkers is 1, and ``default`` says nothing. Each run is stopped when its data are prepared.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from sageline.json_objects import Json
from sageline_cli.upload import upload
from sageline_local.stack import LocalStack
from tests.benchmarks.prepare_memory import write_csv
from tests.ports import free_port
from tests.workflow.workbench import Workbench

_WORKERS: dict[str, int | None] = {"alone": 1, "shards": 2, "one-at-a-time": 2, "default": None}
_FEATURES: dict[str, Json] = {"text": {"post": "text"}, "mixed": {}}
_FOLDERS = ("data/train/", "data/validation/", "data/test-raw/", "encoder/")
_SECONDS_BETWEEN_LOOKS = 2


def _spec(kind: str, workers: int | None) -> Json:
    features = _FEATURES[kind]
    return {
        "task": "classification",
        "dataset": {"label": "service", **({"features": features} if features else {})},
        "algorithm": {"name": "xgboost", "hyperparameters": {"num_round": 2}},
        "encoder": {"kind": "columns", "layout": "sparse"},
        "deployment": None,
        **({} if workers is None else {"preparation": {"workers": workers}}),
    }


def _prepared(workbench: Workbench, run_id: str) -> Json:
    """The record of the run, once its data are prepared, or it has failed."""
    while True:
        run = workbench.run(run_id)
        if run is not None and (run["status"] != "Running" or "rows" in run["details"]):
            return run
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _seconds(workbench: Workbench, execution_arn: str) -> dict[str, float]:
    """Of each state of the preparation, from its start to that of the next one."""
    entered = [
        (event["timestamp"], event["stateEnteredEventDetails"]["name"])
        for event in workbench.history(execution_arn)
        if event["type"].endswith("StateEntered")
    ]
    seconds: dict[str, float] = {}
    for (start, name), (end, _) in pairwise(entered):
        seconds[name] = round(seconds.get(name, 0.0) + (end - start).total_seconds(), 1)
    names = [name for _, name in entered]
    first = names.index("PlanShards" if "PlanShards" in names else "PrepareData")
    last = names.index("PrepareData") if "PrepareData" in names else len(names) - 2  # it failed in between
    return {name: seconds[name] for name in dict.fromkeys(names[first : last + 1])}


def _fingerprints(workbench: Workbench, run_id: str) -> dict[str, str]:
    """Of each folder, a hash of its objects, one after the other."""
    s3, bucket = workbench.connection.s3, workbench.connection.bucket
    found = {}
    for folder in _FOLDERS:
        digest = hashlib.sha256()
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"runs/{run_id}/{folder}"):
            for item in page.get("Contents", []):
                for chunk in s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].iter_chunks(1 << 20):
                    digest.update(chunk)
        found[folder] = digest.hexdigest()[:16]
    return found


def run_one(workbench: Workbench, kind: str, data: Path, way: str) -> dict[str, Any]:  # Any: JSON
    """Prepare the dataset; the run's seconds by state and fingerprints by folder."""
    spec = _spec(kind, _WORKERS[way])
    workbench.directory.mkdir(exist_ok=True)
    data.rename(path := workbench.directory / f"{way}.csv")
    try:
        connection = workbench.connection
        uploaded = upload(connection.s3, connection.bucket, path, way, spec=json.dumps(spec).encode(), advance=lambda _: None)
    finally:
        path.rename(data)
    run = _prepared(workbench, uploaded.run_id)
    if run["status"] == "Running":
        workbench.connection.api.stop_run(uploaded.run_id)
    seconds = _seconds(workbench, run["execution_arn"])
    return {
        "way": way,
        "megabytes": round(data.stat().st_size / 1e6, 1),
        "status": run["status"],
        "error": run["error"],
        "preparation": run["details"].get("preparation"),
        "seconds": seconds,
        "all": round(sum(seconds.values()), 1),
        "rows": run["details"].get("rows"),
        "fingerprints": _fingerprints(workbench, uploaded.run_id),
    }


def main(arguments: list[str]) -> None:
    kind, megabytes, *ways = arguments
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.csv"
        write_csv(kind, data, int(megabytes))
        for workers in (1, 2):
            chosen = [way for way in ways if (way == "one-at-a-time") == (workers == 1)]
            if not chosen:
                continue
            stack = LocalStack(Path(folder) / f"stack-{workers}", free_port())
            stack.up(parameters={"MaxWorkers": str(workers)})
            try:
                workbench = Workbench.on(stack, Path(folder) / "uploads")
                for way in chosen:
                    print(json.dumps(run_one(workbench, kind, data, way)), flush=True)  # noqa: T201 - a command
            finally:
                stack.down(delete=True)


if __name__ == "__main__":
    main(sys.argv[1:])
