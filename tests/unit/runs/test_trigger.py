from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from sageline.errors import InvalidDataset, InvalidRequest
from sageline.names import run_id
from sageline.runs.trigger import (
    BatchRequest,
    CompletedDataset,
    Identity,
    RunRequest,
    Upload,
    check_upload_key,
    data_format,
    dataset_uri,
    identify,
    parse_trigger,
)
from tests.unit.golden import golden_event
from tests.unit.world.fake_sagemaker import Refused
from tests.unit.world.world import BUCKET, RUN_ID, World

EVENT_TIME = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)


def upload(key: str = "datasets/flowers/data.csv", version_id: str | None = None) -> Upload:
    return Upload(BUCKET, key, version_id, EVENT_TIME)


def test_an_event_of_s3_is_an_upload() -> None:
    trigger = parse_trigger(golden_event("configure_run/upload")["trigger"])
    assert trigger == upload(version_id="IYV3p45BT0ac8hjHg1houSdS1a.Mro8e")


def test_what_the_api_sends_for_a_batch_is_a_request_for_one(world: World) -> None:
    trigger = parse_trigger(golden_event("configure_run/batch")["trigger"])
    assert isinstance(trigger, BatchRequest)
    assert (trigger.endpoint, trigger.input) == ("flowers", f"s3://{BUCKET}/batch/flowers/rows.csv")
    assert identify(trigger, world.s3) == Identity(RUN_ID, "flowers")


def test_what_the_api_sends_is_a_request() -> None:
    trigger = parse_trigger(golden_event("configure_run/request")["trigger"])
    assert isinstance(trigger, RunRequest)
    assert trigger.run_id == RUN_ID


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"run_id": "not a run id", "spec": {}},
        {"run_id": RUN_ID},
        {"run_id": "not a run id", "batch": golden_event("configure_run/batch")["trigger"]["batch"]},
        {"run_id": RUN_ID, "batch": {"endpoint": "flowers", "input": "s3://b/batch/rows.csv"}},
        {"run_id": RUN_ID, "batch": {**golden_event("configure_run/batch")["trigger"]["batch"], "instance_count": "1"}},
        {"time": "yesterday", "detail": {"bucket": {"name": "b"}, "object": {"key": "k"}}},
        {"time": "2026-11-20T10:00:00Z", "detail": {"bucket": {"name": "b"}}},
    ],
)
def test_anything_else_is_refused_with_how_to_start_a_run(document: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest, match="uploading"):
        parse_trigger(document)


def test_the_same_upload_gives_the_same_run_and_another_version_another(world: World) -> None:
    first = world.put("datasets/flowers/data.csv", b"a")
    second = world.put("datasets/flowers/data.csv", b"b")
    ids = [identify(upload(version_id=version), world.s3).run_id for version in (first, first, second)]
    assert ids[0] == ids[1] != ids[2]


def test_an_uploads_id_has_the_time_of_the_upload(world: World) -> None:
    version = world.put("datasets/flowers/data.csv", b"a")
    stored = world.s3.head_object(Bucket=BUCKET, Key="datasets/flowers/data.csv")["LastModified"]
    identity = identify(upload(version_id=version), world.s3)
    assert identity == Identity(run_id("flowers", stored, "datasets/flowers/data.csv", version), "flowers")


def test_an_upload_that_is_gone_or_denied_has_the_time_of_the_event(world: World) -> None:
    gone = identify(upload(version_id="null"), world.s3)
    assert gone.run_id.startswith("flowers-20261120100000-")
    world.aws.refuse["HeadObject"] = Refused("403", "")
    assert identify(upload(version_id="null"), world.s3) == gone


def test_other_errors_of_s3_are_not_taken_for_a_missing_upload(world: World) -> None:
    world.aws.refuse["HeadObject"] = Refused("SlowDown", "")
    with pytest.raises(ClientError, match="SlowDown"):
        identify(upload(), world.s3)


def test_a_request_brings_its_own_id(world: World) -> None:
    assert identify(RunRequest(RUN_ID, {}), world.s3) == Identity(RUN_ID, "flowers")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("datasets/My Flowers!/data.csv", "my-flowers"),
        ("datasets/" + "x" * 40 + "/data.csv", "x" * 32),
        ("datasets/---/data.csv", "dataset"),
        ("flowers.csv", "flowers-csv"),
    ],
)
def test_even_an_upload_with_a_bad_key_has_an_id_under_which_its_failure_is_found(world: World, key: str, name: str) -> None:
    identity = identify(upload(key), world.s3)
    assert identity.name == name
    assert identity.run_id.startswith(f"{name}-20261120100000-")


@pytest.mark.parametrize("key", ["datasets/flowers/data.csv", "datasets/a-b-1/data.csv.gz", "datasets/flowers/data.feather"])
def test_a_good_folder_passes(world: World, key: str) -> None:
    check_upload_key(upload(key))

    assert identify(upload(key), world.s3).name == key.split("/")[1]


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("datasets/My Flowers/data.csv", "the folder 'My Flowers' cannot name a dataset; use lower-case"),
        ("datasets/" + "x" * 33 + "/data.csv", "at most 32"),
        ("data.csv", "the folder '' cannot name"),
        ("datasets/flowers/2026/data.csv", "too many folders; upload to datasets/flowers/data.csv"),
    ],
)
def test_a_bad_folder_is_named_with_what_to_do(key: str, problem: str) -> None:
    with pytest.raises(InvalidDataset, match=problem):
        check_upload_key(upload(key))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("data.csv", "csv"),
        ("my.data.csv.gz", "csv.gz"),
        ("x.jsonl", "jsonl"),
        ("x.svm.zst", "svm.zst"),
        ("A.CSV", "csv"),
        ("A.Csv.GZ", "csv.gz"),
    ],
)
def test_the_format_is_the_extension(name: str, expected: str) -> None:
    assert data_format(f"s3://b/{name}") == expected


@pytest.mark.parametrize(("name", "shown"), [("data.xyz", r"\.xyz"), ("data", "no extension")])
def test_an_unknown_extension_is_refused_with_those_that_are_known(name: str, shown: str) -> None:
    with pytest.raises(InvalidDataset, match=rf"{shown} is not a format that can be read; give \.csv, \.tsv, \.jsonl, \.parquet"):
        data_format(f"s3://b/{name}")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("data.feather", r"pandas\.read_feather\(\.\.\.\)\.to_csv\(\"data\.csv\", index=False\)"),
        ("Data.XLS", r"save the workbook as \.xlsx"),
        ("data.pq", r"name it \.parquet"),
        ("data.json", "write it as JSON Lines, one object per line"),
        ("data.tab", r"name it \.tsv"),
        ("data.ndjson.gz", r"name it \.jsonl\.gz"),
        ("data.csv.tar", "unpack it"),
        ("data.npy", r"numpy\.savez"),
    ],
)
def test_a_file_of_a_known_other_format_is_refused_with_how_to_convert_it(name: str, advice: str) -> None:
    with pytest.raises(InvalidDataset, match=f"is not a format that can be read; .*{advice}.*What is read: .csv, .tsv, .jsonl"):
        data_format(f"s3://b/{name}")


def test_ready_stands_for_the_folder_that_it_is_in() -> None:
    ready = upload("datasets/flowers/_READY")
    assert (ready.is_ready, ready.dataset_uri) == (True, f"s3://{BUCKET}/datasets/flowers/")
    assert upload().dataset_uri == f"s3://{BUCKET}/datasets/flowers/data.csv"
    check_upload_key(ready)


def test_the_same_ready_gives_the_same_run_and_another_one_another(world: World) -> None:
    key = "datasets/flowers/_READY"
    first, second = world.put(key, b""), world.put(key, b"")
    ids = [identify(upload(key, version), world.s3).run_id for version in (first, first, second)]
    assert ids[0] == ids[1] != ids[2]


def test_what_the_api_sends_for_parts_is_a_request_for_them(world: World) -> None:
    trigger = parse_trigger(golden_event("configure_run/complete")["trigger"])
    assert trigger == CompletedDataset(RUN_ID, "parted", f"s3://{BUCKET}/datasets/parted/")
    assert dataset_uri(trigger) == f"s3://{BUCKET}/datasets/parted/"
    assert identify(trigger, world.s3).run_id == RUN_ID


def test_a_part_that_is_named_as_if_it_were_all_of_the_dataset_is_refused() -> None:
    with pytest.raises(
        InvalidDataset, match=r"named data\.csv, and starts a run at once. .* name it data-00\.csv, which starts none"
    ):
        check_upload_key(upload("datasets/flowers/data.00.csv"))
