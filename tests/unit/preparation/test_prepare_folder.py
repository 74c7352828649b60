"""PrepareData reads a folder of parts as the one file that holds their rows."""

from __future__ import annotations

import json

import pytest

from sageline.configuration.configure import configure
from sageline.errors import InvalidDataset
from sageline.preparation.prepare import prepare_data
from tests.unit.configuration.test_configure import FLOWERS, KEY
from tests.unit.golden import golden_event
from tests.unit.preparation.test_prepare import DATA, configured, warnings_of
from tests.unit.world.world import BUCKET, EXECUTION, RUN_ID, World, with_one_algorithm

FOLDER = "datasets/flowers/"
HEADER, *ROWS = FLOWERS.splitlines(keepends=True)


def configured_folder(world: World, files: dict[str, list[bytes]], **spec: object) -> None:
    for name, rows in files.items():
        world.put(FOLDER + name, HEADER + b"".join(rows))
    event = golden_event("configure_run/request")
    event["trigger"]["spec"] = with_one_algorithm({"name": "flowers", "dataset": {"uri": f"s3://{BUCKET}/{FOLDER}"}, **spec})
    configure(EXECUTION, event["trigger"], run=world.run)


def encoded(world: World) -> dict[str, list[bytes]]:
    """The rows of each channel, in any order."""
    return {key.split("/")[3]: sorted(world.get(key).splitlines()) for key in world.keys(f"{DATA}/") if "/part-" in key}


def test_parts_are_prepared_as_the_one_file_is_that_holds_their_rows(world: World) -> None:
    configured(world, FLOWERS)
    one = prepare_data(RUN_ID, run=world.run), encoded(world)
    world.s3.delete_object(Bucket=BUCKET, Key=KEY)

    configured_folder(world, {f"data-{part}.csv": ROWS[part * 20 : part * 20 + 20] for part in range(4)})

    assert (prepare_data(RUN_ID, run=world.run), encoded(world)) == one


def test_the_rows_of_the_test_files_are_the_test_rows_and_no_others(world: World) -> None:
    configured_folder(world, {"train-0.csv": ROWS[:30], "train-1.csv": ROWS[30:60], "test.csv": ROWS[60:]})

    prepared = prepare_data(RUN_ID, run=world.run)

    held_out = [json.loads(line) for line in world.get(f"{DATA}/test-raw/part-00000.jsonl").splitlines()]
    asked = [f"{row['features']['size']:g},{row['features']['colour']},{row['label']}\n".encode() for row in held_out]
    assert sorted(asked) == sorted(ROWS[60:])
    assert prepared["channels"]["train"]["rows"] + prepared["channels"]["validation"]["rows"] == 60
    assert prepared["channels"]["validation"]["rows"] > 0
    assert not any("train files too" in warning for warning in world.record().details["schema"]["warnings"])


def test_few_train_rows_leave_some_for_validation_and_take_none_of_the_test_rows(world: World) -> None:
    configured_folder(
        world, {"train.csv": ROWS[:24], "test.csv": ROWS[24:]}, split={"train": 0.89, "validation": 0.01, "test": 0.1}
    )

    prepared = prepare_data(RUN_ID, run=world.run)

    assert (prepared["channels"]["validation"]["rows"], prepared["test_rows"]) == (2, len(ROWS) - 24)  # one of each class


def test_rows_that_train_and_test_files_share_are_kept_counted_and_warned_of(world: World) -> None:
    configured_folder(world, {"train.csv": ROWS[:64], "test.csv": ROWS[60:]})
    told = world.record().details["schema"]["warnings"]  # already, as so small a dataset is read as a whole

    prepared = prepare_data(RUN_ID, run=world.run)

    assert world.record().details["schema"]["warnings"] == told
    [warning] = [text for text in world.record().details["schema"]["warnings"] if "train files too" in text]
    assert warning.startswith("4 of the 20 rows of the test files (20.0%) are in the train files too")
    assert (prepared["test_rows"], sum(channel["rows"] for channel in prepared["channels"].values())) == (20, 64)


def test_parts_are_read_in_the_versions_that_the_run_was_claimed_with(world: World) -> None:
    configured_folder(world, {"data-0.csv": ROWS[:40], "data-1.csv": ROWS[40:]})
    world.put(f"{FOLDER}data-1.csv", b"something,else\n1,2\n")
    world.put(f"{FOLDER}data-2.csv", b"something,else\n1,2\n")

    prepared = prepare_data(RUN_ID, run=world.run)

    assert prepared["test_rows"] + sum(channel["rows"] for channel in prepared["channels"].values()) == 80


def test_a_bad_cell_is_named_by_its_part_and_its_row_there(world: World) -> None:
    configured_folder(
        world,
        {"data-0.csv": ROWS[:60], "data-1.csv": [*ROWS[60:], b"tall,red,rose\n"]},
        dataset={"uri": f"s3://{BUCKET}/{FOLDER}", "label": "kind", "features": {"size": "number", "colour": "category"}},
    )
    with pytest.raises(InvalidDataset, match=r"datasets/flowers/data-1\.csv: row 21"):
        prepare_data(RUN_ID, run=world.run)


def test_what_is_wrong_with_all_parts_together_is_said_of_the_folder(world: World) -> None:
    configured_folder(world, {"data-0.csv": ROWS[:1], "data-1.csv": ROWS[1:2]})
    with pytest.raises(InvalidDataset, match=f"s3://{BUCKET}/{FOLDER}: 2 rows are too few"):
        prepare_data(RUN_ID, run=world.run)


def test_labels_that_only_test_files_have_are_warned_of(world: World) -> None:
    test = [*ROWS[60:], b"9,red,orchid\n", b"10,red,orchid\n"]
    configured_folder(world, {"train.csv": ROWS[:60], "test.csv": test})

    prepare_data(RUN_ID, run=world.run)

    assert warnings_of(world)[0] == (
        "A class is in no train row, so the model never answers it, and 2 rows are not used: 'orchid' (2). "
        "Add rows of it to the train files."
    )
