"""A dataset that is prepared in shards on the local stack: the same bytes, each role its own, nothing left when it is stopped."""

from __future__ import annotations

import re
import time
from contextlib import suppress

import psutil
import pytest

from sageline.json_objects import Json
from tests.workflow.test_runs import QUICK, SLOW
from tests.workflow.workbench import Workbench, flowers, until

pytestmark = pytest.mark.stack

ROWS = 9000
SHARDS = ["PlanShards", "NeedsScan", "ScanShards", "SettleShards", "FitShards", "AreMany", "MergeFit", "IsFitted", "EncodeShards"]
PREPARATION = {"workers": 2}
WITHOUT_ENDPOINT = {**QUICK, "deployment": None}


def objects_of(workbench: Workbench, run_id: str, folder: str) -> list[str]:
    s3, bucket = workbench.connection.s3, workbench.connection.bucket
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"runs/{run_id}/{folder}")
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


def joined(workbench: Workbench, run_id: str, folder: str) -> bytes:
    """The objects of a channel, one after the other."""
    s3, bucket = workbench.connection.s3, workbench.connection.bucket
    keys = objects_of(workbench, run_id, folder)
    return b"".join(s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys)


@pytest.fixture(scope="module")
def runs(workbench: Workbench) -> tuple[Json, Json]:
    """The same rows prepared by one function, and in shards; both runs have ended."""
    started = [
        workbench.submit("alone", flowers(ROWS), WITHOUT_ENDPOINT),
        workbench.submit("sharded", flowers(ROWS), {**WITHOUT_ENDPOINT, "preparation": PREPARATION}),
    ]
    alone, sharded = [workbench.wait(run.run_id) for run in started]
    return alone, sharded


class TestSameBytes:
    def test_the_run_goes_by_the_shards_and_ends_well(self, workbench: Workbench, runs: tuple[Json, Json]) -> None:
        _, sharded = runs

        assert sharded["status"] == "Succeeded", sharded["error"]
        states = workbench.states(sharded["execution_arn"])
        at = states.index("PlanShards")
        assert states[at : at + len(SHARDS) + 1] == [*SHARDS, "PrepareData"]
        assert sharded["details"]["preparation"]["workers"] == 2
        assert sharded["details"]["preparation"]["shards"] == 2

    @pytest.mark.parametrize("folder", ["data/train/", "data/validation/", "data/test-raw/", "data/evaluation/part", "encoder/"])
    def test_what_it_leaves_is_what_one_function_leaves(self, workbench: Workbench, runs: tuple[Json, Json], folder: str) -> None:
        alone, sharded = (run["run_id"] for run in runs)

        assert joined(workbench, sharded, folder) == joined(workbench, alone, folder) != b""

    def test_each_shard_writes_its_own_objects(self, workbench: Workbench, runs: tuple[Json, Json]) -> None:
        _, sharded = runs

        names = [key.rpartition("/")[2] for key in objects_of(workbench, sharded["run_id"], "data/train/")]
        assert {re.fullmatch(r"part-(\d{5})-\d{5}\.csv", name)[1] for name in names} == {"00000", "00001"}  # type: ignore[index]

    def test_both_models_are_judged_alike(self, runs: tuple[Json, Json]) -> None:
        alone, sharded = runs

        assert sharded["details"]["rows"] == alone["details"]["rows"]
        assert sharded["details"]["evaluation"]["metrics"] == alone["details"]["evaluation"]["metrics"]


def kill_at_work(workbench: Workbench, function: str) -> None:
    """End a process of a function of this stack when it has begun to work: it has used the processor since the first look, and
    has asked for something."""
    endpoint, deadline = workbench.connection.s3.meta.endpoint_url, time.monotonic() + 120
    others: set[int] = set()
    waiting: dict[int, float] | None = None
    while time.monotonic() < deadline:
        spent: dict[int, float] = {}
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.pid in others:
                    continue
                variables = process.environ()
                if function not in variables.get("AWS_LAMBDA_FUNCTION_NAME", "") or variables.get("AWS_ENDPOINT_URL") != endpoint:
                    if time.time() - process.create_time() > 2:  # before, it may become another program
                        others.add(process.pid)
                    continue
                times = process.cpu_times()
                spent[process.pid] = times.user + times.system
                has_begun = waiting is not None and spent[process.pid] > waiting.get(process.pid, 0.0)
                if has_begun and process.net_connections("tcp"):
                    process.kill()
                    return
        waiting = spent if waiting is None else waiting
        time.sleep(0.002)
    raise TimeoutError(f"{function} has not begun to work")


def tried_again(workbench: Workbench, execution_arn: str) -> list[str]:
    """The maps of which a child was tried more than once, for each such child."""
    stepfunctions = workbench.connection.stepfunctions
    found = []
    for map_run in stepfunctions.list_map_runs(executionArn=execution_arn)["mapRuns"]:
        for child in stepfunctions.list_executions(mapRunArn=map_run["mapRunArn"])["executions"]:
            tries = sum(event["type"] == "TaskScheduled" for event in workbench.history(child["executionArn"]))
            if tries > 1:
                found.append(map_run["mapRunArn"].rpartition("/")[2].partition(":")[0])
    return found


def test_a_function_that_is_killed_half_way_reads_its_shard_again(workbench: Workbench, runs: tuple[Json, Json]) -> None:
    _, undisturbed = runs
    run_id = workbench.submit("sharded-killed", flowers(ROWS), {**WITHOUT_ENDPOINT, "preparation": PREPARATION}).run_id

    kill_at_work(workbench, "FitShard")

    run = workbench.wait(run_id)
    assert run["status"] == "Succeeded", run["error"]
    assert tried_again(workbench, run["execution_arn"]) == ["FitShards"]
    for folder in ("data/train/", "data/validation/", "data/test-raw/", "encoder/"):
        assert joined(workbench, run_id, folder) == joined(workbench, undisturbed["run_id"], folder) != b""


def test_a_run_that_is_stopped_in_the_middle_leaves_no_child(workbench: Workbench) -> None:
    # Slow to train, so that it has not ended if a look comes too late.
    spec = {**SLOW, "deployment": None, "preparation": PREPARATION}
    run_id = workbench.submit("sharded-stopped", flowers(ROWS), spec).run_id
    started = until(lambda: found if (found := workbench.run(run_id)) and found["state"] in SHARDS else None)

    workbench.connection.api.stop_run(run_id)

    until(lambda: not workbench.is_going_on(started["execution_arn"]) or None)
    assert workbench.wait(run_id)["status"] == "Stopped"
    time.sleep(5)  # a call of a function that is under way goes on to its end
    left = objects_of(workbench, run_id, "shards/")
    time.sleep(3)  # longer than a shard takes
    assert objects_of(workbench, run_id, "shards/") == left
    assert objects_of(workbench, run_id, "data/profile.json") == []


def test_a_quote_that_is_never_closed_is_said_once_with_its_file_and_row(workbench: Workbench) -> None:
    rows = [f"{'a word ' * 140}{number},{'ab'[number % 2]}\n" for number in range(12_000)]
    rows[1250] = '"' + rows[1250]  # between two of the pieces that ConfigureRun looks at

    run_id = workbench.submit(
        "sharded-quote", "text,kind\n" + "".join(rows), {**WITHOUT_ENDPOINT, "preparation": PREPARATION}
    ).run_id

    run = workbench.wait(run_id)
    assert (run["status"], run["error"]["state"]) == ("Failed", "MergeFit")
    assert "sharded-quote/data.csv: row 1251" in run["error"]["message"]
    assert "EncodeShards" not in workbench.states(run["execution_arn"])
