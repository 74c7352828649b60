"""How long the console's pages take with 1,000 runs: ``python -m tests.benchmarks.console_pages``.

On a local stack of its own, with one endpoint: its run's record is put into the runs table again and again, under other ids,
names, times and statuses. Each page is asked for in turn, by one browser; the first round, which starts processes of the
functions, is not counted.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import httpx

from sageline.json_objects import Json
from sageline.runs.store import iso
from sageline_cli.connection import connect_to_local
from sageline_cli.console.stack import StackAccess
from sageline_local.stack import LocalStack
from tests.ports import free_port
from tests.served_console import served
from tests.workflow.workbench import Workbench, flowers

RUNS, ROUNDS = 1_000, 15
_NAMES = ("wine", "flowers", "orders", "churn", "reviews")
_STATUSES = ("Succeeded",) * 7 + ("Failed", "Rejected", "Stopped")
_ENDPOINT = "measured"
_SPEC: Json = {
    "algorithm": {"name": "xgboost", "hyperparameters": {"num_round": 50}},
    "deployment": {"endpoint": _ENDPOINT, "instances": {}},
}


def pages(run_id: str) -> list[str]:
    """What a browser asks for, as it follows the console's address."""
    of_endpoint = [f"endpoints/{_ENDPOINT}{part}" for part in ("", "/status", "/controls", "/row", "/traffic")]
    lists = ["", "?name=wine", "?status=Failed", "?name=wine&status=Failed", "new", "endpoints", "endpoint-rows"]
    return [*lists, *of_endpoint, f"runs/{run_id}", f"runs/{run_id}/live"]


def deploy(stack: LocalStack, directory: Path) -> str:
    """The run of the endpoint that the pages show."""
    workbench = Workbench.on(stack, directory)
    ended = workbench.wait(workbench.submit(_ENDPOINT, flowers(), _SPEC).run_id)
    if ended["status"] != "Succeeded":
        raise RuntimeError(f"The run for the benchmark has not succeeded: {ended['error']}")
    return str(ended["run_id"])


def put_runs(stack: LocalStack, like: str, count: int) -> None:
    """Records of runs, like that of a run, one a minute before it."""
    table, dynamodb = stack.require_up().outputs["RunsTableName"], stack.clients().dynamodb
    item = dynamodb.get_item(TableName=table, Key={"pk": {"S": f"RUN#{like}"}, "sk": {"S": "RUN"}})["Item"]
    last = datetime.fromisoformat(item["created_at"]["S"])
    for number in range(count):
        name, moment = _NAMES[number % len(_NAMES)], last - timedelta(minutes=1 + number)
        run_id = f"{name}-{moment:%Y%m%d%H%M%S}-{number:06x}"
        texts = {
            "pk": f"RUN#{run_id}",
            "run_id": run_id,
            "name": name,
            "status": _STATUSES[number // len(_NAMES) % len(_STATUSES)],
            "created_at": iso(moment),
            "updated_at": iso(moment + timedelta(seconds=50)),
            "endpoint_name": name,
        }
        dynamodb.put_item(TableName=table, Item=item | {key: {"S": text} for key, text in texts.items()})


def taken(url: str, asked: Sequence[str], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each page in each round."""
    found: dict[str, list[float]] = {path: [] for path in asked}
    with httpx.Client(base_url=url, timeout=60) as browser:
        for number in range(rounds + 1):
            for path in asked:
                start = time.perf_counter()
                answer = browser.get(path, headers={"hx-request": "true"})
                milliseconds = 1000 * (time.perf_counter() - start)
                answer.raise_for_status()
                if number:
                    found[path].append(milliseconds)
    return found


def run(runs: int, rounds: int) -> Iterator[tuple[str, list[float]]]:
    """Each page, as a person would write its address, and what it took."""
    with tempfile.TemporaryDirectory() as directory:
        stack = LocalStack(Path(directory) / "stack", free_port())
        stack.up()
        try:
            yield from measured(stack, Path(directory), runs, rounds)
        finally:
            stack.down(delete=True)


def measured(stack: LocalStack, directory: Path, runs: int, rounds: int) -> Iterator[tuple[str, list[float]]]:
    run_id = deploy(stack, directory)
    put_runs(stack, run_id, runs)
    access = StackAccess("local stack", lambda: connect_to_local({"SAGELINE_HOME": str(stack.home)}))
    with served(access, stack.require_up().endpoint_url or "") as url:
        for path, milliseconds in taken(url, pages(run_id), rounds).items():
            yield f"/{path.replace(run_id, 'RUN').replace(_ENDPOINT, 'NAME')}", milliseconds


def main() -> None:
    sys.stdout.write("| page | ms, median | longest |\n|---|---|---|\n")
    for page, milliseconds in run(RUNS, ROUNDS):
        sys.stdout.write(f"| `{page}` | {median(milliseconds):.0f} | {max(milliseconds):.0f} |\n")


if __name__ == "__main__":
    main()
