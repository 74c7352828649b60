"""Every golden event, through the handler that it is for. What comes of it in detail is tested where the use cases are."""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sageline.aws.clients import CLIENTS
from sageline.errors import SagelineError, SettingsError
from sageline.evaluation.held_out_rows import ObjectRange
from sageline.evaluation.shards.in_shards import InShards
from sageline.evaluation.shards.work import ShardedWork
from sageline.runs.store import RunRecord
from sageline_local.golden_events import golden_events
from tests.unit.batch import batches
from tests.unit.evaluation import candidates, evaluations
from tests.unit.golden import golden_event
from tests.unit.world.fake_sagemaker import ARN
from tests.unit.world.world import (
    BUCKET,
    EXECUTION,
    LIFETIMES,
    ROLE,
    RUN_ID,
    SERVERLESS_ROLE,
    STACK,
    TABLE,
    TOPIC,
    World,
    new_world,
)

SERVE_HTTP = {"inspect_dataset", "invoke_preprocess", "manage_pipelines"}
"""Whose events are HTTP requests: tested with the routes."""
FOLDERS = Path(__file__).resolve().parents[3] / "functions"
FUNCTIONS = sorted(app.parent.name for app in FOLDERS.glob("*/app.py") if app.parent.name not in SERVE_HTTP)
CONTEXT = SimpleNamespace(
    function_name="function",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:function",
    aws_request_id="52fdfc07-2182-154f-163f-5f0f9a621d72",
)
FLOWERS = b"size,colour,kind\n" + b"".join(b"%d,red,rose\n%d.5,blue,iris\n" % (i, i) for i in range(40))
OUTCOMES: dict[str, tuple[str, object]] = {
    "configure_run/upload": ("endpoint_name", "flowers"),
    "configure_run/upload-without-versions": ("endpoint_name", "flowers"),
    "configure_run/upload-into-a-folder-that-is-no-name": ("raises", "InvalidDataset"),
    "configure_run/upload-too-deep": ("raises", "InvalidDataset"),
    "configure_run/upload-of-an-unknown-format": ("raises", "InvalidDataset"),
    "configure_run/upload-of-a-part-named-data": ("raises", "InvalidDataset"),
    "configure_run/ready": ("endpoint_name", "parted"),
    "configure_run/ready-without-parts": ("raises", "DatasetNotFound"),
    "configure_run/complete": ("run_id", RUN_ID),
    "configure_run/request": ("run_id", RUN_ID),
    "configure_run/request-already-started": ("raises", "AlreadyStarted"),
    "configure_run/request-without-dataset": ("raises", "InvalidSpec"),
    "configure_run/not-a-trigger": ("raises", "InvalidRequest"),
    "configure_run/batch": ("kind", "batch"),
    "configure_run/change": ("kind", "change"),
    "configure_run/candidate": ("then", "candidate"),
    "choose_candidate/choose": ("algorithm", "linear-learner"),
    "choose_candidate/choose-where-all-have-failed": ("raises", "CandidatesFailed"),
    "encode_batch/encode": ("rows", 6),
    "encode_batch/plan": ("shards", 1),
    "encode_batch/settle": ("scan", False),
    "encode_batch/encode-shard": ("shard", 0),
    "encode_batch/merge": ("rows", 6),
    "start_transform/start": ("outcome", None),
    "start_transform/start-for-the-champion": ("outcome", None),
    "write_predictions/write": ("rows", 6),
    "write_predictions/write-shard": ("shard", 0),
    "write_predictions/join": ("rows", 6),
    "evaluate_model/evaluate": ("decision", "compare"),
    "evaluate_model/compare": ("decision", "rejected"),
    "evaluate_model/compare-champion-failed": ("decision", "rejected"),
    "evaluate_model/evaluate-without-champion": ("decision", None),
    "evaluate_model/validate": ("decision", "validated"),
    "evaluate_shard/decision": ("shard", 0),
    "plan_shards/plan": ("shards", 1),
    "plan_shards/settle": ("scan", False),
    "scan_shard/scan": ("shard", 0),
    "scan_shard/scan-batch": ("shard", 0),
    "fit_shard/fit": ("shard", 0),
    "merge_fit/merge": ("again", False),
    "encode_shard/encode": ("shard", 0),
    "prepare_data/prepare": ("num_class", 2),
    "prepare_data/prepare-shards": ("num_class", 2),
    "start_training/start": ("arn", f"{ARN}:training-job/{RUN_ID}"),
    "start_training/start-without-validation": ("arn", f"{ARN}:training-job/{RUN_ID}"),
    "start_training/start-a-script": ("arn", f"{ARN}:training-job/{RUN_ID}"),
    "check_status/wait-for-training-job": ("outcome", None),
    "check_status/wait-for-tuning-job": ("outcome", None),
    "check_status/wait-for-endpoint": ("outcome", None),
    "check_status/training-job-changed": ("outcome", None),
    "check_status/tuning-job-changed": ("outcome", None),
    "check_status/transform-job-changed": ("outcome", None),
    "check_status/endpoint-changed": ("outcome", None),
    "check_status/endpoint-changed-nobody-waits": ("outcome", f"nobody waits for {ARN}:endpoint/wines"),
    "check_status/wait-for-alarm": ("outcome", None),
    "check_status/alarm-fired": ("outcome", None),
    "create_model/create": ("model_name", RUN_ID),
    "create_model/restore": ("restored", []),
    "create_model/restore-no-change": ("raises", "ResourceConflict"),
    "deploy_endpoint/deploy": ("variant", RUN_ID),
    "deploy_endpoint/shift": ("raises", "ResourceConflict"),  # the world of this test has no endpoint to shift on
    "deploy_endpoint/shift-without-steps": ("raises", "ResourceConflict"),
    "deploy_endpoint/promote-before-its-steps": ("raises", "ResourceConflict"),
    "deploy_endpoint/promote": ("status", "Succeeded"),
    "delete_endpoint/discard": ("discarded", [f"model/{RUN_ID}", f"model/{RUN_ID}-open"]),
    "delete_endpoint/delete": ("statusCode", 200),
    "delete_endpoint/delete-unknown": ("statusCode", 200),
    "delete_endpoint/delete-without-scope": ("statusCode", 403),
    "delete_endpoint/expire-given-more-time": ("deleted", []),
    "delete_endpoint/expire": ("deleted", []),  # the endpoint is not there any more
    "record_failure/execution-aborted": ("status", "Stopped"),
    "sweep/hourly": ("findings", []),
    "record_failure/bad-dataset": ("run_id", None),
    "record_failure/before-the-run-existed": ("run_id", None),
    "record_failure/request": ("run_id", RUN_ID),
    "record_failure/failed-training-job": ("run_id", RUN_ID),
    "record_failure/failed-tuning-job": ("run_id", RUN_ID),
    "record_failure/failed-transform-job": ("run_id", RUN_ID),
    "record_failure/step-timed-out": ("run_id", None),
    "record_failure/discard-failed-too": ("run_id", RUN_ID),
    "record_failure/not-a-trigger": ("run_id", ""),
}
"""What each event leads to: a key of the answer with its value (None: any), or an error by its name."""
BATCH_SHARDS = (
    *("encode_batch/plan", "scan_shard/scan-batch", "encode_batch/settle", "encode_batch/encode-shard", "encode_batch/merge"),
    *("write_predictions/write-shard", "write_predictions/join"),
)
"""In the order in which they come."""
OF_A_BATCH = {
    *BATCH_SHARDS,
    *("configure_run/batch", "encode_batch/encode", "write_predictions/write"),
    *("start_transform/start", "start_transform/start-for-the-champion"),
}
OF_AUTO = {
    *("configure_run/candidate", "evaluate_model/validate"),
    *("choose_candidate/choose", "choose_candidate/choose-where-all-have-failed"),
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The functions' environment, and clients on moto and a SageMaker in memory."""
    for name, value in {
        "BUCKET_NAME": BUCKET,
        "RUNS_TABLE_NAME": TABLE,
        "STACK_NAME": STACK,
        "SAGEMAKER_ROLE_ARN": ROLE,
        "SERVERLESS_MODEL_ROLE_ARN": SERVERLESS_ROLE,
        "NETWORK_SCRIPT_ROLE_ARN": "none",
        "ALLOW_SCRIPT_NETWORK": "false",
        "ROLLOUT_TOPIC_ARN": TOPIC,
        "DELETE_ENDPOINT_FUNCTION_NAME": "sageline-delete-endpoint",
        "SWEEP_DELETES": "false",
        "CHECK_INTERVAL_SECONDS": "300",
        "MAX_WORKERS": "200",
        "LOG_RETENTION_DAYS": "30",
        **{name.upper(): value for name, value in dataclasses.asdict(LIFETIMES).items()},
    }.items():
        monkeypatch.setenv(name, value)
    with new_world() as world:
        for name, client in (vars(world.run.clients) | {"lambda_": Invoked(world)}).items():
            monkeypatch.setitem(vars(CLIENTS), name, client)
        yield world


@dataclasses.dataclass
class Invoked:
    """Lambda, as far as one function invokes another: the one that undoes deployments, at once."""

    world: World

    def get_account_settings(self) -> dict[str, object]:
        return {"AccountLimit": {"UnreservedConcurrentExecutions": 1000}}

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: str) -> None:  # noqa: N803  # Lambda's own names
        assert (FunctionName, InvocationType) == ("sageline-delete-endpoint", "Event")
        handle("delete_endpoint/discard", json.loads(Payload))


def handle(case: str, event: Any = None) -> Any:
    """What the function answers to an event, by default the golden one."""
    handler = importlib.import_module(f"functions.{case.split('/', maxsplit=1)[0]}.app").handler
    return handler(golden_event(case) if event is None else event, CONTEXT)


def event_of_upload(case: str, version_id: str) -> Any:
    """The golden event, about the version that is in the bucket."""
    event = golden_event(case)
    item = event.get("trigger", {}).get("detail", {}).get("object", {})
    if "version-id" in item:
        item["version-id"] = version_id
    return event


def prepare_for(case: str, world: World) -> None:
    """Bring about what the states before have left."""
    if case in OF_A_BATCH:
        prepare_for_a_batch(case, world)
    elif case in OF_AUTO:
        prepare_for_auto(case, world)
    elif case in OF_SHARDS:
        prepare_for_shards(case, world)
    elif case.startswith("evaluate_model"):
        evaluations.answered(world)
        if case.startswith("evaluate_model/compare"):
            handle("evaluate_model/evaluate")
            evaluations.answered(world, "champion")
    elif case == "evaluate_shard/decision":
        evaluations.answered(world)
        shards = InShards(world.run, world.run.files.read_spec(RUN_ID), world.record())
        shards.begin("decision", ShardedWork([ObjectRange(0, 1, 0, 1, 1)], shards.encoder_uri))
    elif case == "configure_run/request-already-started":
        world.run.store.claim(RunRecord(run_id=RUN_ID, name="flowers", execution_arn="another"))
    elif case in ("configure_run/ready", "configure_run/complete"):
        world.put("datasets/parted/data-00.csv", FLOWERS)
        world.put("datasets/parted/data-01.csv", FLOWERS)
    elif not case.startswith(("configure_run", "record_failure/b", "record_failure/step", "record_failure/not")):
        world.begin()
        world.put_artifact(f"runs/{RUN_ID}/training/{RUN_ID}/output/model.tar.gz")
        prepare_for_a_step(case, world)


def prepare_for_a_batch(case: str, world: World) -> None:
    batches.trained(world)
    if case != "configure_run/batch":
        batches.begun(world)
    if case == "write_predictions/write":
        handle("encode_batch/encode")
        batches.transformed(world)
    if case in BATCH_SHARDS:
        for before in BATCH_SHARDS[: BATCH_SHARDS.index(case)]:
            handle(before)
            batches.transformed(world)
    world.put(batches.ROWS, batches.SIX_ROWS)


def prepare_for_auto(case: str, world: World) -> None:
    if case == "configure_run/candidate":
        world.put("datasets/flowers/data.csv", FLOWERS)
        handle("configure_run/request")
        return
    planned = candidates.begun(world)
    if case == "evaluate_model/validate":
        candidates.answered(world, planned["xgboost"])
    elif case == "choose_candidate/choose":
        candidates.validated(world, planned["xgboost"], 9)
        candidates.validated(world, planned["linear-learner"], 1)


def configure_one_algorithm() -> None:
    event = golden_event("configure_run/request")
    event["trigger"]["spec"]["algorithm"] = {"name": "xgboost"}
    handle("configure_run/request", event)


OF_SHARDS = (
    *("plan_shards/plan", "plan_shards/settle", "scan_shard/scan", "fit_shard/fit", "merge_fit/merge", "encode_shard/encode"),
    "prepare_data/prepare-shards",
)
"""In the order in which they come."""


def prepare_for_shards(case: str, world: World) -> None:
    world.put("datasets/flowers/data.csv", FLOWERS)
    event = golden_event("configure_run/request")
    event["trigger"]["spec"] |= {"algorithm": {"name": "xgboost"}, "preparation": {"workers": 2}}
    handle("configure_run/request", event)
    for before in OF_SHARDS[: OF_SHARDS.index(case)]:
        handle(before)


def prepare_for_a_step(case: str, world: World) -> None:
    if case.startswith("prepare_data"):
        world.run.store.claim(RunRecord(run_id=RUN_ID, name="flowers", execution_arn=EXECUTION))
        configure_one_algorithm()
    if case.startswith(("deploy_endpoint", "delete_endpoint", "create_model/restore")):
        world.make_models(RUN_ID)
    if case == "create_model/restore":
        handle("configure_run/change")
    if case == "deploy_endpoint/promote":
        handle("deploy_endpoint/deploy")
        world.fake.settle("flowers")


def test_every_golden_event_of_these_functions_is_replayed() -> None:
    assert set(OUTCOMES) == {str(event) for event in golden_events() if event.function in FUNCTIONS}


@pytest.mark.parametrize("case", OUTCOMES)
def test_a_golden_event_leads_to_its_answer(world: World, case: str) -> None:
    key, expected = OUTCOMES[case]
    event = event_of_upload(case, world.put("datasets/flowers/data.csv", FLOWERS))
    prepare_for(case, world)
    if key == "raises":
        with pytest.raises(SagelineError) as caught:
            handle(case, event)
        assert (type(caught.value).__name__, str(caught.value) != "") == (expected, True)
        return
    answer = handle(case, event)
    assert answer[key] == expected if expected is not None else answer[key]
    json.dumps(answer)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_without_its_environment_names_what_is_missing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BUCKET_NAME", raising=False)
    case = next(case for case in OUTCOMES if case.startswith(name))
    with pytest.raises(SettingsError, match="BUCKET_NAME"):
        handle(case)


@pytest.mark.slow
def test_an_endpoint_that_cannot_be_deleted_yet_is_an_http_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sageline.deployment.endpoints._PATIENCE_SECONDS", 1)
    monkeypatch.setattr("sageline.deployment.endpoints._LOOK_EVERY_SECONDS", 1)
    world.begin()
    world.make_models(RUN_ID)
    handle("deploy_endpoint/deploy")
    answer = handle("delete_endpoint/delete")
    assert answer["statusCode"] == 503
    assert json.loads(answer["body"])["error"]["code"] == "EndpointNotReady"


def test_a_deleted_endpoint_says_what_was_deleted_and_once_more_nothing(world: World) -> None:
    prepare_for("deploy_endpoint/promote", world)
    handle("deploy_endpoint/promote")
    first, second = (json.loads(handle("delete_endpoint/delete")["body"]) for _ in range(2))
    assert "endpoint/flowers" in first["deleted"]
    assert second == {"endpoint": "flowers", "deleted": []}


def test_a_run_that_is_aborted_is_undone(world: World) -> None:
    world.begin()
    world.make_models(RUN_ID)

    assert handle("record_failure/execution-aborted") == {"run_id": RUN_ID, "status": "Stopped"}

    assert world.fake.models == {}


def test_an_endpoint_whose_time_is_over_is_deleted(world: World) -> None:
    prepare_for("deploy_endpoint/promote", world)
    handle("deploy_endpoint/promote")
    [schedule] = world.scheduled()
    target = world.run.clients.scheduler.get_schedule(Name=schedule, GroupName=LIFETIMES.schedule_group_name)["Target"]

    assert "endpoint/flowers" in handle("delete_endpoint/expire", json.loads(target["Input"]))["deleted"]

    assert world.fake.endpoints == {}


def test_the_sweep_counts_endpoints_and_what_it_has_found(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.fake.create_model({"ModelName": "old", "Tags": [{"Key": "sageline:stack", "Value": STACK}]})

    report = handle("sweep/hourly")

    assert [finding["name"] for finding in report["findings"]] == ["old"]
    [emitted] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert (emitted["Endpoints"], emitted["Leftovers"], emitted["stack"]) == ([0.0], [1.0], STACK)


def test_a_run_counts_as_started_succeeded_or_failed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    prepare_for("deploy_endpoint/promote", world)
    handle("deploy_endpoint/promote")
    handle("record_failure/not-a-trigger")
    world.put("datasets/flowers/data.csv", FLOWERS)
    handle("configure_run/upload-without-versions")
    emitted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    counted = [name for line in emitted for name in ("RunStarted", "RunSucceeded", "RunFailed") if name in line]
    assert counted == ["RunSucceeded", "RunFailed", "RunStarted"]


def test_a_run_that_only_makes_a_model_counts_as_succeeded_when_that_is_judged(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluations.prepared(world, deployment=None)
    evaluations.answer(world, "evaluation", evaluations.right_but(world, 3))
    assert handle("evaluate_model/evaluate")["status"] == "Succeeded"
    assert '"RunSucceeded"' in capsys.readouterr().out


def test_candidates_count_as_no_runs(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    prepare_for("evaluate_model/validate", world)
    capsys.readouterr()
    candidate = golden_event("configure_run/candidate")
    event = golden_event("record_failure/request") | {"trigger": candidate["trigger"]}

    handle("evaluate_model/validate")
    handle("record_failure/request", event)
    assert '"_aws"' not in capsys.readouterr().out

    handle("configure_run/candidate", candidate | {"execution_arn": world.record(candidate["trigger"]["run_id"]).execution_arn})
    assert '"_aws"' not in capsys.readouterr().out


def test_a_report_that_cannot_be_written_is_logged_with_its_run(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    evaluations.prepared(world)
    evaluations.answer(world, "evaluation", evaluations.right_but(world, 3))
    monkeypatch.setattr("sageline.report.write.render", lambda report: report["no such thing"])
    assert handle("evaluate_model/evaluate")["decision"] == "accepted"
    [logged] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert (RUN_ID in logged.getMessage(), logged.exc_info and logged.exc_info[0]) == (True, TypeError)


def test_a_batch_counts_as_succeeded_when_its_predictions_are_written(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    prepare_for("write_predictions/write", world)
    handle("write_predictions/write")
    assert '"RunSucceeded"' in capsys.readouterr().out


def test_a_refused_model_is_counted_and_no_row_is_logged(
    world: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    prepare_for("evaluate_model/compare", world)
    handle("evaluate_model/compare")
    assert '"RunRejected"' in capsys.readouterr().out
    logged = str([vars(record) for record in caplog.records])
    assert "Model judged" in logged
    assert "iris" not in logged


def test_no_row_of_a_batch_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    prepare_for("write_predictions/write", world)
    handle("write_predictions/write")
    logged = str([vars(record) for record in caplog.records])
    assert "Batch encoded" in logged
    assert "Predictions written" in logged
    assert "iris" not in logged
    assert "5.25" not in logged


def test_no_row_of_the_data_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.put("datasets/flowers/data.csv", FLOWERS)
    prepare_for("prepare_data/prepare", world)
    handle("prepare_data/prepare")
    logged = str([vars(record) for record in caplog.records])
    assert "Data prepared" in logged
    assert "iris" not in logged
