from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from sageline.json_objects import Json
from sageline.names import RunLayout
from sageline_cli import demo, temporary_stack
from sageline_cli.connection import Connection
from sageline_cli.errors import CommandFailed
from sageline_local.errors import PortInUse
from tests.unit.cli.fakes import BUCKET, RUN_ID, FakeApi, FakeStack, run_record

LABELS = ["ec2"] * 6 + ["iam"] * 3 + ["s3"]
"""Of the held-out rows; the fake model answers ec2 to all but the last row, and that one right."""


@pytest.fixture
def run() -> Json:
    return run_record(name=demo.NAME, endpoint_name=demo.NAME)


@pytest.fixture(autouse=True)
def stack(connection: Connection, run: Json, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[FakeStack]:
    """A stack whose runs end at once, as ``run`` says, with ten held-out rows."""
    FakeStack.reset()
    rows = [json.dumps({"features": {"post": f"text {number}"}, "label": label}) for number, label in enumerate(LABELS)]
    prefix = RunLayout(BUCKET, RUN_ID).test_raw_prefix
    connection.s3.put_object(Bucket=BUCKET, Key=f"{prefix}part-00000.jsonl", Body="\n".join(rows[:4]).encode() + b"\n")
    connection.s3.put_object(Bucket=BUCKET, Key=f"{prefix}part-00001.jsonl", Body="\n".join(rows[4:]).encode() + b"\n")
    monkeypatch.setenv("SAGELINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SAGELINE_SETUP_SECONDS", "12.5")
    monkeypatch.delenv("SAGELINE_PORT", raising=False)
    monkeypatch.setattr(temporary_stack, "LocalStack", FakeStack)
    monkeypatch.setattr(demo, "connect_to_local", lambda environment: connection)
    monkeypatch.setattr(temporary_stack, "watch", lambda connection, run_id, to_the_end, console: (run, []))
    monkeypatch.setattr(demo, "write_sample", lambda name, path: (path.parent.mkdir(parents=True), path.write_text("a\n1\n"))[1])
    return FakeStack


@pytest.fixture(autouse=True)
def _answers(api: FakeApi) -> None:
    def respond(request: httpx.Request) -> tuple[int, object]:
        count = len(json.loads(request.content)["instances"])
        predictions = [{"label": "ec2", "probability": 0.8} for _ in range(count - 1)] + [{"label": "s3", "probability": 0.9}]
        return 200, {"predictions": predictions, "endpoint": demo.NAME, "variant": "v", "model_version": "v"}

    api.routes["POST", f"/endpoints/{demo.NAME}/predictions"] = respond
    api.answer("DELETE", f"/endpoints/{demo.NAME}", {"endpoint": demo.NAME, "deleted": ["endpoint"]})


def report(tmp_path: Path) -> Any:  # parsed JSON
    return json.loads((tmp_path / "home" / "demo.json").read_text())


def deleted(api: FakeApi) -> bool:
    return api.requests[-1].method == "DELETE"


def test_the_demo_writes_its_numbers_deletes_the_endpoint_and_stops_the_stack(api: FakeApi, tmp_path: Path) -> None:
    assert demo.main() == 0
    written = report(tmp_path)
    assert written["run_id"].startswith(f"{demo.NAME}-")
    assert {key: written[key] for key in ("status", "endpoint", "classes", "accuracy", "majority_baseline")} == {
        "status": "succeeded",
        "endpoint": demo.NAME,
        "classes": 3,
        "accuracy": 0.7,
        "majority_baseline": 0.6,
    }
    assert written["predictions"][0] == {"text": "text 0", "label": "ec2", "probability": 0.8, "expected": "ec2"}
    assert set(written["seconds"]) == {"setup", "deploy", "run", "predict", "total"}
    assert written["seconds"]["setup"] == 12.5
    assert written["seconds"]["total"] >= 12.5
    assert deleted(api)
    assert FakeStack.log == ["up", "down"]


def test_signals_are_handled_as_before_once_it_is_over() -> None:
    endings = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in endings]
    assert demo.main() == 0
    assert [signal.getsignal(number) for number in endings] == before


def test_a_port_that_is_no_number_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGELINE_PORT", "many")
    assert demo.main() == 2
    assert FakeStack.log == []


def test_a_stack_that_was_up_before_stays_up(stack: type[FakeStack]) -> None:
    stack.state = "up"
    assert demo.main() == 0
    assert stack.log == ["up"]


def test_a_run_that_fails_fails_the_demo_and_the_stack_is_stopped(run: Json, tmp_path: Path) -> None:
    run |= {"status": "Failed", "error": {"state": "CheckTraining", "message": "no memory"}}
    assert demo.main() == 1
    written = report(tmp_path)
    assert written["status"] == "failed"
    assert "no memory" in written["error"]
    assert written["run_id"] in written["error"]
    assert FakeStack.log == ["up", "down"]


def test_the_endpoint_is_deleted_even_if_predictions_fail(api: FakeApi, tmp_path: Path) -> None:
    api.fail("POST", f"/endpoints/{demo.NAME}/predictions", 502, "PredictionFailed", "The model failed.")
    assert demo.main() == 1
    assert deleted(api)
    assert report(tmp_path)["error"] == "The model failed."


def test_a_stack_that_does_not_come_up_fails_the_demo(stack: type[FakeStack], tmp_path: Path) -> None:
    stack.refuses = PortInUse("Port 4566 is taken.")
    assert demo.main() == 1
    assert report(tmp_path)["error"] == "Port 4566 is taken."
    assert stack.log == ["up", "down"]


def test_an_interruption_stops_the_run_and_takes_the_stack_down(
    monkeypatch: pytest.MonkeyPatch, api: FakeApi, tmp_path: Path
) -> None:
    def interrupted(*arguments: object) -> Json:
        signal.raise_signal(signal.SIGTERM)
        raise CommandFailed("not reached")

    monkeypatch.setattr(temporary_stack, "watch", interrupted)
    assert demo.main() == 1
    assert FakeStack.log == ["up", "down"]
    written = report(tmp_path)
    assert written["error"] == "interrupted"
    assert (api.requests[-1].method, api.requests[-1].url.path) == ("DELETE", f"/pipelines/{written['run_id']}")
