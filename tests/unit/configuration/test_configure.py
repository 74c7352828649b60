from __future__ import annotations

import json
from typing import Any

import pytest

from sageline.configuration.configure import configure
from sageline.errors import (
    AlreadyStarted,
    BudgetExceeded,
    DatasetNotFound,
    InvalidDataset,
    InvalidHyperparameter,
    InvalidRequest,
    InvalidSpec,
    ResourceConflict,
    SettingsError,
)
from sageline.runs.payloads import Configured
from sageline.runs.trigger import Upload, identify
from tests.unit.deployment.test_deploy import INSTANCES, serve_first_run
from tests.unit.golden import golden_event
from tests.unit.sessions import session
from tests.unit.world.world import BUCKET, EXECUTION, RUN_ID, World, with_clients

KEY = "datasets/flowers/data.csv"
URI = f"s3://{BUCKET}/{KEY}"
FLOWERS = b"size,colour,kind\n" + b"".join(b"%d,red,rose\n%d.5,blue,iris\n" % (i, i) for i in range(40))
UPLOAD, REQUEST = "configure_run/upload", "configure_run/request"


def configure_case(world: World, event: Any, execution_arn: str = EXECUTION) -> Configured:
    return configure(execution_arn, event["trigger"], run=world.run)


def uploaded(world: World, name: str = UPLOAD, body: bytes = FLOWERS) -> Any:
    """The golden event of an upload, and its object in the bucket."""
    event = golden_event(name)
    item = event["trigger"]["detail"]["object"]
    item["version-id"] = world.put(item["key"], body)
    return event


def written_spec(world: World, run_id: str) -> Any:
    return json.loads(world.get(f"runs/{run_id}/spec.json"))


def test_an_upload_makes_a_run_with_a_complete_spec(world: World) -> None:
    configured = configure_case(world, uploaded(world))
    run = world.record(configured["run_id"])
    candidates = [candidate["run_id"] for candidate in run.details["candidates"]]
    expected = {"run_id": run.run_id, "endpoint_name": "flowers", "kind": "auto", "then": "deploy", "candidates": candidates}
    assert configured == expected
    assert (run.status, run.state, run.endpoint_name, run.dataset_uri) == ("Running", "TrainCandidates", "flowers", URI)
    spec = written_spec(world, run.run_id)
    assert (spec["name"], spec["task"]) == ("flowers", "classification")
    said = {"uri": URI, "label": "kind", "features": {"size": "number", "colour": "category"}}
    assert {key: spec["dataset"][key] for key in said} == said
    assert (run.details["schema"]["label"], run.details["schema"]["kinds"]) == ("kind", {"number": 1, "category": 1})
    assert len(run.details["schema"]["findings"]["codes"]) == 3  # columns
    serverless = {"memory_mb": 2048, "max_concurrency": 5, "provisioned_concurrency": None}
    assert spec["deployment"]["serverless"] == serverless


def test_the_spec_beside_the_upload_counts(world: World) -> None:
    world.put("datasets/flowers/spec.json", b'{"dataset": {"label": "colour"}, "deployment": {"endpoint": "colours"}}')
    configured = configure_case(world, uploaded(world))
    assert configured["endpoint_name"] == "colours"
    assert written_spec(world, configured["run_id"])["dataset"]["label"] == "colour"


def test_a_request_makes_the_run_that_it_names(world: World) -> None:
    world.put(KEY, FLOWERS)
    configured = configure_case(world, golden_event(REQUEST))
    assert (configured["run_id"], configured["endpoint_name"], configured["then"]) == (RUN_ID, "flowers", "deploy")
    assert world.record().dataset_uri == URI


def test_a_second_delivery_of_the_same_upload_starts_nothing(world: World) -> None:
    event = uploaded(world)
    run_id = configure_case(world, event)["run_id"]
    before = world.record(run_id)
    with pytest.raises(AlreadyStarted, match=run_id):
        configure_case(world, event, EXECUTION + "-two")
    assert world.record(run_id) == before


def test_a_repetition_inside_the_same_execution_goes_on(world: World) -> None:
    event = uploaded(world)
    assert configure_case(world, event) == configure_case(world, event)


def test_another_upload_under_the_same_key_is_another_run_with_its_own_data(world: World) -> None:
    first, second = uploaded(world), uploaded(world, body=FLOWERS.replace(b"colour", b"petals"))
    runs = [configure_case(world, event)["run_id"] for event in (first, second)]
    assert runs[0] != runs[1]
    assert [list(written_spec(world, run_id)["dataset"]["features"]) for run_id in runs] == [
        ["size", "colour"],
        ["size", "petals"],
    ]
    versions = [event["trigger"]["detail"]["object"]["version-id"] for event in (first, second)]
    assert [world.record(run_id).details["dataset"]["version_id"] for run_id in runs] == versions


def test_an_upload_without_a_version_is_read_as_it_is(world: World) -> None:
    world.put(KEY, FLOWERS)
    run_id = configure_case(world, golden_event("configure_run/upload-without-versions"))["run_id"]
    assert world.record(run_id).status == "Running"


@pytest.mark.parametrize(
    ("case", "problem"),
    [
        ("configure_run/upload-into-a-folder-that-is-no-name", "the folder 'My Flowers' cannot name a dataset"),
        ("configure_run/upload-too-deep", "too many folders"),
        ("configure_run/upload-of-an-unknown-format", r"\.feather is not a format that can be read"),
    ],
)
def test_an_upload_that_no_run_can_be_made_of_is_refused_and_leaves_a_record(world: World, case: str, problem: str) -> None:
    event = uploaded(world, case)
    with pytest.raises(InvalidDataset, match=problem):
        configure_case(world, event)
    item = event["trigger"]["detail"]["object"]
    identity = identify(Upload(BUCKET, item["key"], item["version-id"], world.clock()), world.s3)
    assert world.record(identity.run_id).execution_arn == EXECUTION


def test_a_request_without_data_is_refused(world: World) -> None:
    with pytest.raises(InvalidSpec, match=r"`dataset\.uri` is missing"):
        configure_case(world, golden_event("configure_run/request-without-dataset"))


def test_an_input_that_is_no_trigger_is_refused(world: World) -> None:
    with pytest.raises(InvalidRequest, match="start runs by uploading"):
        configure_case(world, golden_event("configure_run/not-a-trigger"))


def test_data_that_is_not_there_is_named(world: World) -> None:
    with pytest.raises(DatasetNotFound, match=URI):
        configure_case(world, golden_event(REQUEST))


@pytest.mark.parametrize(
    ("spec", "error", "problem"),
    [
        (b'{"epochs": 3}', InvalidSpec, r"spec\.json: unknown key `epochs`"),
        (b"{", InvalidSpec, "not valid JSON"),
        (b'{"name": "wines"}', InvalidSpec, "`name` is 'wines' and the upload's folder is 'flowers'; leave `name` out"),
        (b'{"dataset": {"uri": "s3://b/other.csv"}}', InvalidSpec, r"`dataset\.uri` is 's3://b/other\.csv' and the upload is"),
        (b'{"dataset": {"label": "species"}}', InvalidSpec, "`dataset.label` names 'species'"),
        (b'{"algorithm": {"name": "xgboost", "hyperparameters": {"eta": 7}}}', InvalidHyperparameter, "eta: 7.0 is not in"),
        (
            b'{"algorithm": {"spot": true, "max_runtime_seconds": 3601}}',
            InvalidSpec,
            "xgboost keeps no checkpoints, .* or `spot` to false",
        ),
        (
            b'{"algorithm": {"name": "knn", "spot": true, "max_runtime_seconds": 7200}}',
            InvalidSpec,
            r"knn keeps no checkpoints, .* it may wait and train for 3600 s at most",
        ),
    ],
)
def test_a_spec_that_cannot_work_is_refused_before_anything_starts(
    world: World, spec: bytes, error: type[Exception], problem: str
) -> None:
    world.put("datasets/flowers/spec.json", spec)
    with pytest.raises(error, match=problem):
        configure_case(world, uploaded(world))
    assert world.fake.changes() == []
    assert world.keys("runs/") == []


def test_a_region_without_an_image_of_the_algorithm_is_refused_before_anything_starts(world: World) -> None:
    far = session().client("sagemaker", region_name="mx-central-1")
    with pytest.raises(
        SettingsError, match=r"No image of xgboost is known for region 'mx-central-1'; those of pytorch, tensorflow"
    ):
        configure(EXECUTION, uploaded(world)["trigger"], run=with_clients(world.run, sagemaker=far))
    assert world.keys("runs/") == []


def test_a_spec_that_names_its_own_upload_is_fine(world: World) -> None:
    world.put("datasets/flowers/spec.json", json.dumps({"name": "flowers", "dataset": {"uri": URI}}).encode())
    assert configure_case(world, uploaded(world))["endpoint_name"] == "flowers"


@pytest.mark.slow
def test_only_the_head_of_a_large_dataset_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sageline.storage.dataset_object.RANGE_BYTES", 1 << 16)
    asked: list[str] = []
    world.s3.meta.events.register("provide-client-params.s3.GetObject", lambda params, **_: asked.append(params.get("Range")))
    configure_case(world, uploaded(world, body=FLOWERS + b"1,red,rose\n" * 1_200_000))
    assert len([item for item in asked if item]) < 150


def test_an_endpoint_of_somebody_else_is_refused_before_anything_starts(world: World) -> None:
    serve_first_run(world)
    world.fake.tags.clear()
    before = world.fake.changes()
    with pytest.raises(ResourceConflict, match="'flowers' exists and was not made by stack"):
        configure_case(world, uploaded(world))
    assert world.fake.changes() == before


def test_a_champion_with_another_task_is_noticed_before_anything_starts(world: World) -> None:
    serve_first_run(world)
    champion = {"task": "regression", "dataset": {"uri": URI, "label": "size"}}
    world.put(f"runs/{RUN_ID}/spec.json", json.dumps(champion).encode())
    world.put("datasets/flowers/spec.json", b'{"evaluation": {"beat_champion": true}}')
    before = world.fake.changes()
    with pytest.raises(
        InvalidSpec, match=f"compares with {RUN_ID}, which endpoint flowers serves: that does a regression, and this"
    ):
        configure_case(world, uploaded(world))
    assert world.fake.changes() == before

    world.put(f"runs/{RUN_ID}/spec.json", json.dumps({**champion, "task": "classification"}).encode())
    world.put("datasets/flowers/spec.json", b'{"name": "flowers", "evaluation": {"beat_champion": true}}')
    assert configure_case(world, uploaded(world), EXECUTION + "2")["endpoint_name"] == "flowers"


def test_an_endpoint_that_cannot_become_serverless_is_refused_before_anything_starts(world: World) -> None:
    serve_first_run(world, deployment=INSTANCES)
    with pytest.raises(ResourceConflict, match="runs on instances"):
        configure_case(world, uploaded(world))
    world.put("datasets/flowers/spec.json", json.dumps({"deployment": {"instances": {}}}).encode())
    assert configure_case(world, uploaded(world))["endpoint_name"] == "flowers"


def test_a_run_is_written_down_when_it_is_claimed_and_when_it_is_configured(world: World) -> None:
    writes: list[str] = []
    world.run.store._table.meta.client.meta.events.register(
        "after-call.dynamodb", lambda model, **_: writes.append(model.name) if model.name != "GetItem" else None
    )

    configure_case(world, uploaded(world))

    of_several_algorithms = ["UpdateItem"]  # that they are trained now
    assert writes == ["PutItem", "UpdateItem", *of_several_algorithms]


def test_what_was_found_out_of_a_run_that_is_refused_is_in_its_record(world: World) -> None:
    world.put("datasets/flowers/spec.json", b'{"algorithm": {"name": "xgboost"}, "budget_usd": 0.001}')
    event = uploaded(world)

    with pytest.raises(BudgetExceeded):
        configure_case(world, event)

    item = event["trigger"]["detail"]["object"]
    record = world.record(identify(Upload(BUCKET, item["key"], item["version-id"], world.clock()), world.s3).run_id)
    assert (record.dataset_uri, record.endpoint_name) == (URI, None)
    assert (record.details["schema"]["label"], set(record.details)) == ("kind", {"dataset", "schema", "preparation", "cost"})
