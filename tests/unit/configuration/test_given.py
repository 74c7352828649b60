"""What starts a run of several parts, and how often."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sageline.configuration.configure import configure
from sageline.errors import AlreadyStarted, DatasetNotFound, InvalidDataset, InvalidSpec
from sageline.runs.payloads import Configured
from sageline.runs.store import RunRecord
from tests.unit.configuration.test_configure import FLOWERS, written_spec
from tests.unit.golden import golden_event
from tests.unit.world.world import BUCKET, EXECUTION, RUN_ID, World

FOLDER = "datasets/parted/"
URI = f"s3://{BUCKET}/{FOLDER}"
HEADER, *ROWS = FLOWERS.splitlines(keepends=True)


def put_parts(world: World, *names: str) -> None:
    """The flowers, dealt out to parts of these names."""
    for number, name in enumerate(names):
        world.put(FOLDER + name, HEADER + b"".join(ROWS[number :: len(names)]))


def ready(world: World, *, put: bool = True) -> Any:
    """The golden event of `_READY`, about the version that was put last."""
    event = golden_event("configure_run/ready")["trigger"]
    item = event["detail"]["object"]
    if put:
        world.put(item["key"], b"")
    item["version-id"] = world.s3.head_object(Bucket=BUCKET, Key=item["key"])["VersionId"]
    return event


def start(world: World, trigger: Any, execution: str = EXECUTION) -> tuple[Configured, RunRecord]:
    configured = configure(execution, trigger, run=world.run)
    return configured, world.record(configured["run_id"])


def test_ready_makes_a_run_of_all_parts(world: World) -> None:
    put_parts(world, "data-00.csv", "data-01.csv", "data-02.csv")

    configured, run = start(world, ready(world))

    assert (configured["endpoint_name"], run.dataset_uri) == ("parted", URI)
    assert [part["name"] for part in run.details["dataset"]["parts"]] == ["data-00.csv", "data-01.csv", "data-02.csv"]
    assert run.details["dataset"]["size"] == len(FLOWERS) + 2 * len(HEADER)
    spec = written_spec(world, run.run_id)
    assert (spec["name"], spec["dataset"]["uri"], spec["dataset"]["label"]) == ("parted", URI, "kind")
    assert len(json.loads(world.get(f"runs/{run.run_id}/parts.json"))["parts"]) == 3


def test_ready_delivered_twice_is_one_run_and_uploaded_twice_two(world: World) -> None:
    put_parts(world, "data-00.csv", "data-01.csv")
    first, _ = start(world, ready(world))
    with pytest.raises(AlreadyStarted, match=first["run_id"]):
        start(world, ready(world, put=False), EXECUTION + "-two")

    second, _ = start(world, ready(world), EXECUTION + "-three")

    assert first["run_id"] != second["run_id"]


def test_the_spec_beside_the_parts_counts_and_may_name_their_folder(world: World) -> None:
    put_parts(world, "data-00.csv", "data-01.csv")
    world.put(f"{FOLDER}spec.json", json.dumps({"dataset": {"uri": URI, "label": "colour"}}).encode())
    _, run = start(world, ready(world))
    assert written_spec(world, run.run_id)["dataset"]["label"] == "colour"


def test_a_spec_of_other_data_beside_the_parts_is_refused(world: World) -> None:
    put_parts(world, "data-00.csv", "data-01.csv")
    world.put(f"{FOLDER}spec.json", json.dumps({"dataset": {"uri": f"{URI}data.csv"}}).encode())
    with pytest.raises(InvalidSpec, match=f"and the upload is {URI}; leave it out"):
        start(world, ready(world))


def test_a_request_makes_the_same_run_of_the_parts(world: World) -> None:
    put_parts(world, "data-00.csv", "data-01.csv")
    world.put(f"{FOLDER}spec.json", b'{"deployment": null}')

    configured, run = start(world, golden_event("configure_run/complete")["trigger"])

    assert (configured["run_id"], configured["then"], run.dataset_uri) == (RUN_ID, "nothing", URI)


def test_a_spec_may_name_a_folder_as_its_data(world: World) -> None:
    put_parts(world, "train-0.csv", "test.csv")
    trigger = golden_event("configure_run/request")["trigger"] | {"spec": {"name": "flowers", "dataset": {"uri": URI}}}

    _, run = start(world, trigger)

    assert [(part["name"], part["side"]) for part in run.details["dataset"]["parts"]] == [
        ("test.csv", "test"),
        ("train-0.csv", "train"),
    ]
    assert any("the rows of test.csv are the test rows" in note for note in run.details["schema"]["notes"])


def test_ready_without_a_part_is_a_failure_that_has_its_record(world: World) -> None:
    event = ready(world)
    with pytest.raises(DatasetNotFound, match=f"{URI}: no parts"):
        start(world, event)
    [run] = world.run.store.list().runs
    assert (run.name, run.dataset_uri) == ("parted", URI)


def test_ready_beside_one_file_that_has_started_its_run_starts_no_second_one(world: World) -> None:
    put_parts(world, "data.csv")
    upload = golden_event("configure_run/upload")["trigger"]
    version = world.s3.head_object(Bucket=BUCKET, Key=f"{FOLDER}data.csv")["VersionId"]
    upload["detail"]["object"] |= {"key": f"{FOLDER}data.csv", "version-id": version}
    first, _ = start(world, upload)

    with pytest.raises(
        InvalidDataset, match=f"data.csv is the only part, and its upload has started run {first['run_id']} already"
    ):
        start(world, ready(world), EXECUTION + "-two")


def test_ready_beside_one_file_and_others_reads_them_all_and_says_that_the_one_has_a_run_of_its_own(world: World) -> None:
    put_parts(world, "data.csv", "data-01.csv")
    _, run = start(world, ready(world))
    assert run.details["dataset"]["parts_in_all"] == 2
    assert any("its upload has started a run of this part alone, parted-" in note for note in run.details["schema"]["notes"])


def test_a_folder_that_is_no_name_is_refused_as_for_an_upload(world: World) -> None:
    event = golden_event("configure_run/ready")["trigger"]
    event["detail"]["object"]["key"] = "datasets/My Parts/_READY"
    with pytest.raises(InvalidDataset, match=r"upload again to datasets/<name>/_READY"):
        start(world, event)
    event["detail"]["object"]["key"] = "datasets/parted/2024/_READY"
    with pytest.raises(InvalidDataset, match=r"too many folders; upload to datasets/parted/_READY"):
        start(world, event)


def test_a_part_that_is_damaged_is_found_when_it_is_sampled(world: World) -> None:
    put_parts(world, "data-00.csv", "data-01.csv")
    world.put(f"{FOLDER}data-02.csv", b"size,kind\n1,rose\n")
    with pytest.raises(InvalidDataset, match=r"data-02\.csv: the columns are not those of .*data-00\.csv: it lacks 'colour'"):
        start(world, ready(world))
