"""A batch up to its encoded rows: what is refused, what is written for the transform job."""

from __future__ import annotations

import io
import json
from functools import partial

import numpy as np
import pytest

from sageline.batch import encode as batch_encode
from sageline.batch.batch import batch_of, load_encoder, read_rows
from sageline.batch.encode import encode_batch
from sageline.configuration.configure import configure
from sageline.errors import AlreadyStarted, DatasetNotFound, EndpointNotFound, InvalidDataset, InvalidRequest, RunFinished
from tests.unit.batch.batches import FLOWERS, MODEL, ROWS, SIX_ROWS, begun, encoded, trained
from tests.unit.golden import golden_event
from tests.unit.world.world import BUCKET, EXECUTION, RUN_ID, World

PARTS = f"runs/{RUN_ID}/data/batch/"


def refusal(world: World, rows: bytes, key: str = ROWS) -> str:
    with pytest.raises(InvalidDataset) as caught:
        encoded(world, rows, key)
    return str(caught.value)


# ---- Configuring ----


def test_a_batch_is_a_run_that_knows_its_rows_its_model_and_where_it_writes(world: World) -> None:
    trained(world)
    assert begun(world) == {"run_id": RUN_ID, "endpoint_name": "flowers", "kind": "batch", "then": "nothing"}
    record = world.record()
    batch = batch_of(record)
    assert (record.name, record.endpoint_name, record.dataset_uri) == ("flowers", "flowers", f"s3://{BUCKET}/{ROWS}")
    assert (batch.model, batch.variant, batch.endpoint) == (MODEL, MODEL, "flowers")
    assert batch.encoder_uri == f"s3://{BUCKET}/runs/{MODEL}/encoder/"
    assert batch.output == f"s3://{BUCKET}/runs/{RUN_ID}/predictions.csv"
    assert batch.rows.size == len(SIX_ROWS)


def test_the_same_request_twice_is_one_batch(world: World) -> None:
    trained(world)
    begun(world)
    with pytest.raises(AlreadyStarted):
        configure("another execution", golden_event("configure_run/batch")["trigger"], run=world.run)


def test_a_batch_of_a_deleted_endpoint_says_so(world: World) -> None:
    trained(world)
    world.run.routings.delete("flowers")
    with pytest.raises(EndpointNotFound, match="Endpoint flowers was deleted"):
        begun(world)


def test_a_batch_for_a_variant_that_was_replaced_meanwhile_says_so(world: World) -> None:
    trained(world)
    event = golden_event("configure_run/batch")
    event["trigger"]["batch"]["variant"] = "flowers-20261101100000-000000"
    with pytest.raises(EndpointNotFound, match="does not serve flowers-20261101100000-000000 any more"):
        configure(EXECUTION, event["trigger"], run=world.run)


def test_rows_that_are_not_there_are_an_error_that_names_them(world: World) -> None:
    trained(world)
    with pytest.raises(DatasetNotFound, match=f"s3://{BUCKET}/{ROWS}"):
        configure(EXECUTION, golden_event("configure_run/batch")["trigger"], run=world.run)


@pytest.mark.parametrize("uri", ["s3://elsewhere/batch/rows.csv", f"s3://{BUCKET}/runs/rows.csv"])
def test_rows_that_the_functions_may_not_read_are_refused(world: World, uri: str) -> None:
    trained(world)
    event = golden_event("configure_run/batch")
    event["trigger"]["batch"]["input"] = uri
    with pytest.raises(InvalidRequest, match=f"put the file into the stack's bucket, below s3://{BUCKET}/batch/"):
        configure(EXECUTION, event["trigger"], run=world.run)


def test_a_run_without_an_endpoint_may_have_a_batch_for_its_own_model(world: World) -> None:
    world.put(ROWS, SIX_ROWS)
    trained(world, deployment=None, batch={"input": f"s3://{BUCKET}/{ROWS}", "instance_count": 2})
    batch = batch_of(world.record(MODEL))
    assert (batch.model, batch.endpoint, batch.instance_count) == (MODEL, None, 2)
    assert batch.encoder_uri == f"s3://{BUCKET}/runs/{MODEL}/encoder/"
    assert world.record(MODEL).endpoint_name is None


def test_a_run_that_trains_and_scores_tells_the_rows_of_both(world: World) -> None:
    world.put(ROWS, SIX_ROWS)
    trained(world, deployment=None, batch={"input": f"s3://{BUCKET}/{ROWS}"})
    encode_batch(MODEL, run=world.run)
    assert world.record(MODEL).details["rows"].keys() == {"train", "validation", "test", "batch"}


def test_what_such_a_run_does_after_training_is_told_to_the_state_machine(world: World) -> None:
    world.put("datasets/flowers/data.csv", FLOWERS)
    world.put(ROWS, SIX_ROWS)
    told = []
    one: dict[str, object] = {"algorithm": {"name": "xgboost"}}
    wanted: list[dict[str, object]] = [
        one,
        {**one, "deployment": None},
        {**one, "deployment": None, "batch": {"input": f"s3://{BUCKET}/{ROWS}"}},
        {},
        {"deployment": None, "batch": {"input": f"s3://{BUCKET}/{ROWS}"}},
    ]
    for number, spec in enumerate(wanted):
        trigger = {
            "run_id": f"flowers-2026112010000{number}-0a1b2c",
            "spec": {"dataset": {"uri": f"s3://{BUCKET}/datasets/flowers/data.csv"}, **spec},
        }
        configured = configure(EXECUTION, trigger, run=world.run)
        told.append((configured["kind"], configured["then"], configured["endpoint_name"]))
    assert told == [
        ("training", "deploy", "flowers"),
        ("training", "nothing", None),
        ("training", "batch", None),
        ("auto", "deploy", "flowers"),
        ("auto", "batch", None),
    ]


def test_a_batch_whose_columns_do_not_fit_is_refused_before_the_training(world: World) -> None:
    world.put(ROWS, b"weight,Size\n1,2\n")
    with pytest.raises(InvalidDataset, match=r"they are 'size', 'colour'\. Is 'Size' meant to be 'size'\?"):
        trained(world, deployment=None, batch={"input": f"s3://{BUCKET}/{ROWS}"})


# ---- Encoding ----


def test_rows_are_encoded_as_the_model_was_trained_and_the_plan_says_how_they_are_sent(world: World) -> None:
    trained(world)
    answer = encoded(world)
    assert (answer["rows"], answer["parts"]) == (6, 1)
    assert answer["transform"] == golden_event("start_transform/start")["transform"]
    assert world.keys(PARTS) == [f"{PARTS}part-00000.csv"]
    assert world.get(f"{PARTS}part-00000.csv").splitlines()[:2] == [b"0.25,1,0", b"1.25,0,1"]
    assert json.loads(world.get(f"runs/{RUN_ID}/data/batch.json")) == {"rows": [6]}
    assert world.record().details["rows"] == {"batch": 6}


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        ("batch/flowers/rows.csv", b"size,wild\n1,True\n2,false\n3,\n"),
        ("batch/flowers/rows.jsonl", b'{"size": 1, "wild": true}\n{"size": 2, "wild": false}\n{"size": 3, "wild": null}\n'),
    ],
)
def test_true_and_false_are_1_and_0_where_training_had_only_these(world: World, key: str, rows: bytes) -> None:
    trained(
        world, b"size,wild,kind\n" + b"".join(b"%d.5,%d,%s\n" % (i, i % 2, [b"rose", b"iris"][i % 3 == 0]) for i in range(60))
    )

    encoded(world, rows, key)

    assert b"".join(world.get(part) for part in world.keys(PARTS)) == b"1,1\n2,0\n3,\n"


def test_encoded_rows_expire(world: World) -> None:
    trained(world)
    encoded(world)
    tags = world.s3.get_object_tagging(Bucket=BUCKET, Key=f"{PARTS}part-00000.csv")["TagSet"]
    assert tags == [{"Key": "sageline:retention", "Value": "intermediate"}]


def test_columns_may_come_in_any_order_with_the_label_and_with_what_training_left_out(world: World) -> None:
    trained(world)
    encoded(world, b"kind,colour,id,size\nnobody knows,red,a,1.25\n")
    assert world.get(f"{PARTS}part-00000.csv") == b"1.25,0,1\n"
    assert world.record().details["batch"]["warnings"] == []


def test_an_absent_column_is_missing_in_every_row_and_the_record_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(world)
    monkeypatch.setattr("sageline.encoder.fitted._CHUNK_CELLS", 3)  # chunks of one row
    encoded(world, b"size\n1\n2\n")
    assert world.get(f"{PARTS}part-00000.csv") == b"1,0,0\n2,0,0\n"
    assert world.record().details["batch"]["warnings"] == ["column 'colour' is absent and taken for missing."]
    assert batch_of(world.record()).model == MODEL


def test_an_unknown_column_is_ignored_and_the_record_says_so(world: World) -> None:
    trained(world)
    encoded(world, b"size,colour,weight,color\n1,red,3,blue\n")
    assert world.get(f"{PARTS}part-00000.csv") == b"1,0,1\n"
    assert world.record().details["batch"]["warnings"] == [
        "unknown column 'weight' is ignored.",
        "unknown column 'color' is ignored; did you mean 'colour'?",
    ]


def test_rows_without_any_column_of_the_model_are_refused(world: World) -> None:
    trained(world)
    assert "rows.csv: none of the model's columns is there; they are 'size', 'colour'" in refusal(world, b"weight\n1\n")


def test_all_columns_that_must_be_there_are_named(world: World) -> None:
    pixels = b"pixel0,pixel1,pixel2,pixel3"
    data = pixels + b",kind\n" + b"".join(b"%d,2,3,%d,%s\n" % (i, 60 - i, b"ab"[i % 2 : i % 2 + 1]) for i in range(60))
    uri, features = f"s3://{BUCKET}/datasets/flowers/data.csv", dict.fromkeys(pixels.decode().split(","), "pixel")
    trained(world, data, dataset={"uri": uri, "label": "kind", "features": features}, encoder={"kind": "image"})
    message = refusal(world, b"pixel0,pixel2\n1,2\n")
    assert "rows.csv: columns 'pixel1', 'pixel3' are absent and must be there." in message


def test_a_value_that_is_no_number_is_named_with_row_and_column(world: World) -> None:
    trained(world)
    message = refusal(world, SIX_ROWS + b"big,red\n")
    assert f"s3://{BUCKET}/{ROWS}: row 7" in message
    assert "'size'" in message
    assert "big" in message
    assert world.keys(PARTS) == []


def test_a_file_without_rows_is_refused(world: World) -> None:
    trained(world)
    assert refusal(world, b"size,colour\n").endswith("has a header line and no rows; upload a header line and at least one row.")


@pytest.mark.parametrize("limit", ["PART_BYTES", "_PART_ROWS"])
def test_parts_are_cut_and_hold_every_row_once_in_order(world: World, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    trained(world)
    monkeypatch.setattr(batch_encode, limit, 20 if limit == "PART_BYTES" else 2)
    monkeypatch.setattr("sageline.encoder.fitted._CHUNK_CELLS", 6)  # chunks of two rows
    answer = encoded(world)
    parts = [world.get(key) for key in world.keys(PARTS)]
    sizes = [float(line.split(b",")[0]) for part in parts for line in part.splitlines()]
    assert answer["parts"] == 3
    assert [len(part.splitlines()) for part in parts] == json.loads(world.get(f"runs/{RUN_ID}/data/batch.json"))["rows"]
    assert sizes == [0.25, 1.25, 2.25, 3.25, 4.25, 5.25]


def test_a_model_of_many_classes_gets_fewer_rows_in_a_part(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it answers is held in memory part by part."""
    trained(world)
    monkeypatch.setattr(batch_encode, "_PART_ANSWERS", 6)
    assert encoded(world)["parts"] == 2


def test_a_row_that_no_request_can_hold_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(world)
    monkeypatch.setattr(batch_encode, "_MAX_REQUEST_BYTES", 9)
    monkeypatch.setattr("sageline.encoder.fitted._CHUNK_CELLS", 3)
    message = refusal(world, SIX_ROWS + b"1.123456,red\n")
    assert "rows.csv: row 7: encoded it has 13 bytes, and a transform job sends 9 at a time" in message


def test_what_is_not_split_goes_as_one_request_for_each_part(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(world, algorithm={"name": "tensorflow"})
    monkeypatch.setattr("sageline.encoder.fitted._CHUNK_CELLS", 6)
    answer = encoded(world)
    assert answer["transform"]["split_type"] == "None"
    assert (answer["rows"], answer["parts"]) == (6, 3)
    assert [len(json.loads(world.get(key))["instances"]) for key in world.keys(PARTS)] == [2, 2, 2]


def test_an_npz_file_needs_no_labels(world: World) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, x=np.arange(12, dtype=np.float32).reshape(6, 2))
    data = b"x0,x1,kind\n" + b"".join(b"%d,%d,%s\n" % (2 * i, 3 * i, b"ab"[i % 2 : i % 2 + 1]) for i in range(60))
    trained(world, data)
    encoded(world, buffer.getvalue(), "batch/flowers/rows.npz")
    assert world.get(f"{PARTS}part-00000.csv").splitlines() == [b"%d,%d" % (2 * i, 2 * i + 1) for i in range(6)]


def test_encoded_twice_gives_the_same(world: World) -> None:
    trained(world)
    first = encoded(world)
    keys = world.keys()
    assert encode_batch(RUN_ID, run=world.run) == first
    assert world.keys() == keys


def test_a_stopped_batch_encodes_nothing(world: World) -> None:
    trained(world)
    begun(world)
    world.run.store.finish(RUN_ID, "Stopped")
    with pytest.raises(RunFinished):
        encode_batch(RUN_ID, run=world.run)
    assert world.keys(PARTS) == []


def test_a_run_without_a_batch_is_told_so(world: World) -> None:
    world.begin()
    with pytest.raises(InvalidRequest, match="scores no batch"):
        encode_batch(RUN_ID, run=world.run)


ORDERS = b"ordered,colour,size,kind\n" + b"".join(
    b"2021-%02d-%02d,%s,%d.5,%s\n" % (i % 12 + 1, i % 28 + 1, [b"red", b"blue"][i % 2], i % 50, [b"rose", b"iris"][i % 3 == 0])
    for i in range(80)
)


def test_a_batch_reads_odd_values_as_a_prediction_does_and_counts_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(world, ORDERS)
    odd = {3: b"soon,red", 4: b"2021-02-31,green", 90: b"soon,green", 150: b",red"}
    lines = [b"%s,%d.5\n" % (odd.get(row, b"2021-05-30,blue"), row) for row in range(1, 201)]
    monkeypatch.setattr(batch_encode, "read_rows", partial(read_rows, block_bytes=512))

    encoded(world, b"ordered,colour,size\n" + b"".join(lines))

    warnings = world.record().details["batch"]["warnings"]
    assert warnings == [
        "row 4 and 1 more, column 'colour': 'green' are values that training did not have, or only once.",
        "row 3 and 2 more, column 'ordered': 'soon', '2021-02-31' are no dates as the column's are, year first as in 2021-05-30, "
        "and taken for missing.",
    ]
    rows = b"".join(world.get(part) for part in world.keys(PARTS)).splitlines()
    assert len(rows) == 200
    encoder = load_encoder(world.run.files, batch_of(world.record()))
    cells = [dict(zip(("ordered", "colour", "size"), line.decode().strip().split(","), strict=True)) for line in lines]
    assert b"".join(encoder.body_of([cell], []) for cell in cells).splitlines() == rows


def test_the_rows_of_a_batch_with_hundreds_of_odd_values_are_counted(world: World) -> None:
    trained(world, ORDERS)
    rows = b"".join(b"later %d,colour %d,1\n" % (row, row) for row in range(1, 1501))

    encoded(world, b"ordered,colour,size\n" + rows)

    unseen, no_dates = world.record().details["batch"]["warnings"]
    assert unseen.startswith("row 1 and 1,499 more, column 'colour': 'colour 1', 'colour 2', 'colour 3' and over 997 more are")
    assert no_dates.startswith("row 1 and 1,499 more, column 'ordered': 'later 1', 'later 2', 'later 3' and over 997 more are")


def test_a_column_that_the_model_does_not_read_need_not_be_readable(world: World) -> None:
    trained(world)
    rows = b"".join(b'{"size": %d.25, "colour": "red", "id": [1, 2]}\n' % row for row in range(3))

    encoded(world, rows, "batch/flowers/rows.jsonl")

    assert world.get(f"{PARTS}part-00000.csv").splitlines() == [b"0.25,0,1", b"1.25,0,1", b"2.25,0,1"]
