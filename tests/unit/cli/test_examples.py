from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from sageline.json_objects import Json
from sageline.names import RunLayout
from sageline_cli import example_jobs, examples, temporary_stack
from sageline_cli.connection import Connection
from sageline_cli.errors import CommandFailed
from sageline_cli.held_out import score_values
from sageline_cli.submit import read_spec
from tests.unit.cli.fakes import BUCKET, RUN_ID, FakeApi, FakeStack, run_record

ENDPOINT = "regression-demo"


@pytest.fixture(autouse=True)
def _stack(connection: Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A stack whose runs end at once, with four held-out rows of a regression."""
    FakeStack.reset()
    rows = [json.dumps({"features": {"age": value}, "label": float(value)}) for value in (10, 20, 30, 40)]
    key = f"{RunLayout(BUCKET, RUN_ID).test_raw_prefix}part-00000.jsonl"
    connection.s3.put_object(Bucket=BUCKET, Key=key, Body="\n".join(rows).encode())
    run = run_record(endpoint_name=ENDPOINT, details={"deployment": {"endpoint": ENDPOINT}})
    monkeypatch.setenv("SAGELINE_HOME", str(tmp_path))
    monkeypatch.delenv("SAGELINE_PORT", raising=False)
    monkeypatch.setattr(temporary_stack, "LocalStack", FakeStack)
    monkeypatch.setattr(temporary_stack, "watch", lambda connection, run_id, to_the_end, console: (run, []))
    monkeypatch.setattr(examples, "connect_to_local", lambda environment: connection)
    monkeypatch.setitem(examples.JOBS, "regression", examples.Job("A job", "diabetes"))


def answer(api: FakeApi, value: Callable[[float], float]) -> None:
    def respond(request: httpx.Request) -> tuple[int, object]:
        instances = json.loads(request.content)["instances"]
        predictions = [{"value": value(instance["age"])} for instance in instances]
        return 200, {"predictions": predictions, "endpoint": ENDPOINT, "variant": RUN_ID, "model_version": RUN_ID}

    api.routes["POST", f"/endpoints/{ENDPOINT}/predictions"] = respond
    api.answer("DELETE", f"/endpoints/{ENDPOINT}", {"endpoint": ENDPOINT, "deleted": []})


def report(tmp_path: Path) -> Any:  # parsed JSON
    return json.loads((tmp_path / "examples" / "regression.json").read_text())


def test_an_example_is_scored_beside_its_baseline_and_its_endpoint_deleted(api: FakeApi, tmp_path: Path) -> None:
    answer(api, lambda age: age + 1)

    assert examples.main(["regression"]) == 0

    written = report(tmp_path)
    assert written["status"] == "succeeded"
    assert written["regression"]["scores"]["spec"] == {
        "run_id": RUN_ID,
        "rows": 4,
        "rmse": 1.0,
        "r2": 0.992,
        "mean_baseline": 11.1803,
    }
    assert api.requests[-1].method == "DELETE"
    assert FakeStack.log == ["up", "down"]


def test_a_model_that_has_learnt_nothing_fails_the_example(api: FakeApi, tmp_path: Path) -> None:
    answer(api, lambda age: 25.0)

    assert examples.main(["regression"]) == 1

    assert "no better than one that knows nothing" in report(tmp_path)["error"]
    assert api.requests[-1].method == "DELETE"


@pytest.mark.parametrize("names", [[], ["regresion"]])
def test_a_job_that_is_not_there_is_wrong_usage(names: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert examples.main(names) == 2
    assert "Give one or more of: regression, tuning" in capsys.readouterr().err
    assert FakeStack.log == []


@pytest.mark.parametrize("name", list(examples.JOBS))
def test_the_specs_of_the_examples_are_valid(name: str, tmp_path: Path) -> None:
    job = examples.JOBS[name]
    dataset = tmp_path / f"data{job.suffix}"

    for spec in job.specs:
        assert read_spec(examples.FOLDER / name / spec, f"{name}-demo", dataset)


def test_a_split_shows_what_each_model_answered(api: FakeApi, connection: Connection) -> None:
    asked: list[float] = []

    def respond(request: httpx.Request) -> tuple[int, object]:
        [instance] = json.loads(request.content)["instances"]
        asked.append(instance["age"])
        variant = RUN_ID if len(asked) % 2 else "other"
        return 200, {"predictions": [{"value": instance["age"] + len(asked) % 2}], "variant": variant}

    api.routes["POST", f"/endpoints/{ENDPOINT}/predictions"] = respond
    held_out = [{"features": {"age": value}, "label": float(value)} for value in (10, 20, 30, 40)]
    run: Json = run_record(endpoint_name=ENDPOINT)

    split = example_jobs.after_split(connection, run, held_out, Console(quiet=True))["split"]

    assert {model: (found["rows"], found["rmse"]) for model, found in split.items()} == {
        "xgboost": (2, 1.0),
        "linear-learner": (2, 0.0),
    }


def test_traffic_that_is_not_split_fails_the_example(
    api: FakeApi, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(example_jobs, "_SPLIT_SECONDS", 0.1)
    answer(api, lambda age: age)
    run = run_record(endpoint_name=ENDPOINT, run_id="another")

    with pytest.raises(CommandFailed, match="model of run another got no traffic"):
        example_jobs.after_split(connection, run, [{"features": {"age": 10}, "label": 10.0}], Console(quiet=True))


def test_the_error_of_a_perfect_prediction_is_zero() -> None:
    assert score_values([{"value": 1.0}, {"value": 3.0}], [1.0, 3.0]) == {"rmse": 0.0, "r2": 1.0, "mean_baseline": 1.0}
