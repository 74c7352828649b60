"""Which files of a folder are the parts of a dataset, and what is said of the others."""

from __future__ import annotations

import pytest

from sageline.errors import DatasetNotFound, InvalidDataset
from sageline.storage import dataset_folder
from sageline.storage.dataset_folder import FolderParts, choose_parts, name_of
from sageline.storage.dataset_object import DatasetObject

FOLDER = "s3://sageline-data/datasets/wine/"


def choose(*names: str, empty: tuple[str, ...] = (), folders: tuple[str, ...] = ()) -> FolderParts:
    files = [DatasetObject(FOLDER + name, "v", "etag", 0 if name in empty else 10) for name in names]
    return choose_parts(FOLDER, files, folders)


def names(chosen: FolderParts) -> tuple[list[str], list[str]]:
    return list(map(name_of, chosen.parts)), list(map(name_of, chosen.test))


def test_parts_are_in_the_order_of_their_names() -> None:
    assert names(choose("data-10.csv", "data-2.csv", "data_1.csv", "database.csv")) == (
        ["data-10.csv", "data-2.csv", "data_1.csv", "database.csv"],
        [],
    )


def test_what_belongs_to_a_dataset_and_is_no_part_is_not_remarked_on() -> None:
    chosen = choose("data-0.csv", "spec.json", "source.tar.gz", "_READY", "_SUCCESS", ".data.csv.crc", "README.md")
    assert (names(chosen), chosen.notes) == ((["data-0.csv"], []), ())


def test_train_and_test_files_are_the_split_and_that_is_said() -> None:
    chosen = choose("test.csv", "train-1.csv", "train-0.csv")
    assert names(chosen) == (["train-0.csv", "train-1.csv"], ["test.csv"])
    [note] = chosen.notes
    assert "the rows of test.csv are the test rows, and no others" in note


def test_train_files_alone_are_a_dataset_like_any_and_that_is_said() -> None:
    chosen = choose("train-0.csv", "train-1.csv")
    assert names(chosen) == (["train-0.csv", "train-1.csv"], [])
    assert "no test files, so the test rows are taken out of the train files" in chosen.notes[0]


def test_what_may_be_data_and_is_not_read_is_said() -> None:
    left_out, folders = choose("data-0.csv", "part-1.csv", "more.jsonl", folders=("2024",)).notes
    assert "more.jsonl, part-1.csv left out: the names of parts begin with data, train or test" in left_out
    assert "the folder 2024 left out" in folders


def test_parts_of_no_bytes_are_left_out_and_that_is_said() -> None:
    chosen = choose("data-0.csv", "data-1.csv", empty=("data-0.csv",))
    assert names(chosen) == (["data-1.csv"], [])
    assert "data-0.csv: no bytes in it, left out" in chosen.notes[0]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (("data-0.csv", "train.csv"), "data-0.csv beside train.csv: it cannot be told whether"),
        (("data.csv", "test.csv"), "data.csv beside test.csv: it cannot be told whether"),
        (("test-0.csv", "test-1.csv"), "test-0.csv, test-1.csv and no train"),
        (("data-0.csv", "data-1.jsonl"), "data-0.csv is csv and data-1.jsonl is jsonl; the parts of a dataset are of one format"),
        (("data.csv", "data.csv.gz"), "so that what an earlier upload has left is not read a second time"),
        (("train.csv", "test.csv.gz"), "train.csv is csv and test.csv.gz is csv.gz"),
        (("data-0.zip", "data-1.zip"), r"data-0\.zip is an archive of images, which is no part; upload one of all images"),
        (("data-0.csv", "data_description.txt"), r"data_description.txt: \.txt is not a format that can be read"),
    ],
)
def test_what_cannot_be_one_dataset_is_refused_with_the_files_named(files: tuple[str, ...], expected: str) -> None:
    with pytest.raises(InvalidDataset, match=expected):
        choose(*files)


def test_parts_that_are_all_empty_are_refused() -> None:
    with pytest.raises(InvalidDataset, match=r"data-0\.csv, data-1\.csv: no bytes in them"):
        choose("data-0.csv", "data-1.csv", empty=("data-0.csv", "data-1.csv"))
    with pytest.raises(InvalidDataset, match=r"test\.csv: no bytes in them"):
        choose("train.csv", "test.csv", empty=("test.csv",))


def test_a_folder_without_parts_is_refused_with_what_is_in_it() -> None:
    with pytest.raises(DatasetNotFound, match=r"no parts. Upload files .* There are part-0\.csv, 2024/\."):
        choose("part-0.csv", "spec.json", "_READY", folders=("2024",))
    with pytest.raises(DatasetNotFound, match=r"and then _READY\.$"):
        choose("_READY")


def test_more_parts_than_can_be_read_in_time_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset_folder, "MOST_PARTS", 3)
    choose("data-0.csv", "data-1.csv", "data-2.csv")
    with pytest.raises(InvalidDataset, match="4 parts, and a dataset may have 3"):
        choose("data-0.csv", "data-1.csv", "data-2.csv", "data-3.csv")
