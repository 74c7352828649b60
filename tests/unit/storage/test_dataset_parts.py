"""A dataset of several parts is read as if it were one file, whatever is uploaded meanwhile."""

from __future__ import annotations

import gzip
import re

import pytest

from sageline.arrays.blocks import Block, Coverage
from sageline.dataset.ranges.ahead import AHEAD
from sageline.dataset.readers.source import FIND_OUT
from sageline.errors import DatasetAccessDenied, DatasetNotFound, InvalidDataset
from sageline.names import RunLayout
from sageline.storage.dataset_object import DatasetObject
from sageline.storage.dataset_parts import (
    Dataset,
    dataset_of,
    find_dataset,
    read_blocks,
    read_manifest,
    sample_dataset,
    some_parts,
)
from tests.unit.world.fake_sagemaker import Refused
from tests.unit.world.world import BUCKET, RUN_ID, World

FOLDER = "datasets/wine/"
URI = f"s3://{BUCKET}/{FOLDER}"
LAYOUT = RunLayout(BUCKET, RUN_ID)


def put(world: World, **parts: bytes) -> None:
    for name, body in parts.items():
        world.put(f"{FOLDER}{name.replace('_', '-')}.csv", body)


def read(world: World, dataset: Dataset | None = None, notes: list[str] | None = None) -> list[Block]:
    return list(read_blocks(world.s3, dataset or find_dataset(world.s3, URI), FIND_OUT, [] if notes is None else notes))


def values(blocks: list[Block], column: str) -> list[str]:
    return [value for block in blocks for value in block.columns[column].tolist()]


def refusal(world: World) -> str:
    with pytest.raises(InvalidDataset) as caught:
        read(world)
    return caught.value.message


def test_parts_are_read_in_order_with_the_columns_of_the_first(world: World) -> None:
    put(world, data_1=b"kind,size\nrose,3\n", data_0=b"size,kind\n1,iris\n2,rose\n")

    blocks = read(world)

    assert [list(block.columns) for block in blocks] == [["size", "kind"]] * 2
    assert (values(blocks, "size"), values(blocks, "kind")) == (["1", "2", "3"], ["iris", "rose", "rose"])


def test_a_row_is_named_by_its_part_and_its_number_there(world: World) -> None:
    put(world, data_0=b"size,kind\n1,iris\n2,rose\n", data_1=b"size,kind\n3,iris\n4,rose\n")
    assert read(world)[1].where(1) == f"{URI}data-1.csv: row 2"


def test_a_damaged_row_is_named_by_its_part(world: World) -> None:
    put(world, data_0=b"size,kind\n1,iris\n", data_1=b"size,kind\n1,iris\n2\n")
    assert f"{URI}data-1.csv: row 2 (line 3" in refusal(world)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (b"size\n1\n", "it lacks 'kind'."),
        (b"size,kind,hue\n1,iris,2\n", "it has 'hue' besides."),
        (b"size,class\n1,iris\n", "it lacks 'kind' and has 'class' besides."),
    ],
)
def test_a_part_with_other_columns_is_named_with_them(world: World, second: bytes, expected: str) -> None:
    put(world, data_0=b"size,kind\n1,iris\n", data_1=second)
    said = refusal(world)
    assert f"{URI}data-1.csv: the columns are not those of {URI}data-0.csv: {expected}" in said
    assert "the same columns, in any order, and each its own header line" in said


def test_test_files_without_the_label_are_told_from_mistakes(world: World) -> None:
    put(world, train=b"size,kind\n1,iris\n", test=b"size\n1\n")
    said = refusal(world)
    assert f"{URI}test.csv: the columns are not those of {URI}train.csv: it lacks 'kind'." in said
    assert "sageline batch" in said


def test_rows_of_test_files_are_marked_and_come_first(world: World) -> None:
    put(world, train_0=b"size\n1\n", train_1=b"size\n2\n", test=b"size\n3\n")
    blocks = read(world)
    assert ([block.side for block in blocks], values(blocks, "size")) == (["test", "train", "train"], ["3", "1", "2"])


def test_a_part_without_rows_adds_nothing_and_that_is_said(world: World) -> None:
    put(world, data_0=b"size,kind\n", data_1=b"size,kind\n1,iris\n", data_2=b"")
    notes: list[str] = []

    assert values(read(world, notes=notes), "size") == ["1"]

    assert f"{URI}data-0.csv: a header line and no rows." in notes
    assert any("data-2.csv: no bytes in it" in note for note in notes)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"data_0": b"size\n", "data_1": b"size\n"}, "none of the parts has a row"),
        ({"train": b"size\n1\n", "test": b"size\n"}, "none of the test files has a row"),
        ({"train": b"size\n", "test": b"size\n1\n"}, "none of the train files has a row"),
    ],
)
def test_a_dataset_without_rows_is_refused(world: World, parts: dict[str, bytes], expected: str) -> None:
    put(world, **parts)
    assert expected in refusal(world)


def test_what_is_said_of_many_parts_is_said_once(world: World) -> None:
    put(world, **{f"data_{number}": f"price;name\n{number},5;Café {number}\n".encode("cp1252") for number in range(4)})
    notes: list[str] = []

    read(world, notes=notes)

    about_encoding = [note for note in notes if "1252" in note]
    assert len(about_encoding) == 1, notes


def test_thousands_of_parts_are_found_page_by_page(world: World) -> None:
    for number in range(2_345):
        world.put(f"{FOLDER}data-{number:04d}.csv", b"size\n1\n")
    world.put(f"{FOLDER}data-0000.csv", b"size\n2\n")

    dataset = find_dataset(world.s3, URI)

    assert len(dataset.parts) == 2_345
    assert dataset.parts[0].version_id == world.s3.head_object(Bucket=BUCKET, Key=f"{FOLDER}data-0000.csv")["VersionId"]
    listed = dataset.to_json(LAYOUT)
    assert (len(listed["parts"]), listed["parts_in_all"], listed["size"]) == (100, 2_345, dataset.size)
    assert listed["parts"][0] == {"name": "data-0000.csv", "version_id": dataset.parts[0].version_id, "size": 7}


def test_a_part_that_is_deleted_or_in_a_folder_of_its_own_is_none(world: World) -> None:
    put(world, data_0=b"size\n1\n", data_1=b"size\n2\n")
    world.put(f"{FOLDER}2024/data-2.csv", b"size\n3\n")
    world.put(FOLDER, b"")  # as S3's console makes a folder
    world.s3.delete_object(Bucket=BUCKET, Key=f"{FOLDER}data-1.csv")
    notes: list[str] = []

    assert values(read(world, notes=notes), "size") == ["1"]

    assert any("the folder 2024 left out" in note for note in notes)


@pytest.mark.parametrize("change", ["replaced", "deleted", "added"])
def test_what_changes_after_the_listing_changes_nothing(world: World, change: str) -> None:
    put(world, data_0=b"size\n1\n", data_1=b"size\n2\n")
    dataset = find_dataset(world.s3, URI)
    if change == "deleted":
        world.s3.delete_object(Bucket=BUCKET, Key=f"{FOLDER}data-1.csv")
    else:
        put(world, **{"data_1" if change == "replaced" else "data_2": b"other,columns\n3,4\n"})

    assert values(read(world, read_manifest(dataset.manifest())), "size") == ["1", "2"]


def test_a_part_replaced_in_a_bucket_without_versions_is_noticed(world: World) -> None:
    world.aws.s3.keeps_versions = False
    world.s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}data-0.csv", Body=b"size\n1\n")
    dataset = find_dataset(world.s3, URI)
    assert dataset.parts[0].version_id is None
    world.s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}data-0.csv", Body=b"size\n2\n")

    with pytest.raises(InvalidDataset, match=r"data-0\.csv: the object was replaced while the run was reading it"):
        read(world, dataset)


def test_a_run_reads_what_its_record_names_of_one_file_or_of_parts(world: World) -> None:
    put(world, train=b"size\n1\n", test=b"size\n2\n")
    several = find_dataset(world.s3, URI)
    world.put(LAYOUT.parts_key, several.manifest())
    assert dataset_of({"dataset": several.to_json(LAYOUT)}, LAYOUT, world.s3) == several
    one = DatasetObject(f"{URI}data.csv", "v", "etag", 10)
    assert dataset_of({"dataset": one.to_json()}, LAYOUT, world.s3) == Dataset(one.uri, (one,))


def test_a_folder_that_may_not_be_listed_is_said_to_be(world: World) -> None:
    def denied() -> None:
        raise Refused("AccessDenied", "Access Denied")

    world.aws.before["ListObjectVersions"] = denied
    with pytest.raises(DatasetAccessDenied, match="for a folder s3:ListBucketVersions"):
        find_dataset(world.s3, URI)


@pytest.mark.parametrize("uri", ["s3://another-bucket/x/", "s3://No_Bucket/x/", URI])
def test_a_folder_that_is_not_there_is_not_found(world: World, uri: str) -> None:
    with pytest.raises(DatasetNotFound):
        find_dataset(world.s3, uri)


def test_the_uri_of_a_folder_needs_its_slash(world: World) -> None:
    with pytest.raises(InvalidDataset, match="The URI of a folder of parts ends with a slash"):
        find_dataset(world.s3, URI.rstrip("/"))


def test_parts_may_be_compressed(world: World) -> None:
    for number in range(2):
        world.put(f"{FOLDER}data-{number}.csv.gz", gzip.compress(b"size\n%d\n" % number))
    assert values(read(world), "size") == ["0", "1"]


def test_a_sample_is_taken_from_parts_all_over_the_dataset(world: World) -> None:
    put(world, **{f"data_{number:02d}": b"size\n" + b"%d\n" % number * 50 for number in range(40)})
    notes: list[str] = []

    blocks = list(sample_dataset(world.s3, find_dataset(world.s3, URI), FIND_OUT, notes, piece_bytes=64))

    seen = sorted(set(values(blocks, "size")), key=int)
    assert (len(seen), seen[0], seen[-1]) == (8, "0", "39")


@pytest.mark.parametrize(("parts", "rows", "is_all"), [(1, 9, True), (8, 9, True), (9, 9, False), (1, 900, False)])
def test_whether_a_sample_is_all_rows_is_told(world: World, parts: int, rows: int, is_all: bool) -> None:
    put(world, **{f"data_{number}": b"size\n" + b"1\n" * rows for number in range(parts)})
    coverage = Coverage()

    blocks = list(sample_dataset(world.s3, find_dataset(world.s3, URI), FIND_OUT, [], piece_bytes=64, coverage=coverage))

    assert coverage.is_all is is_all
    assert (len(values(blocks, "size")) == parts * rows) is is_all


def test_a_sample_of_one_part_is_that_of_a_file(world: World) -> None:
    body = b"size\n" + b"".join(b"%d\n" % number for number in range(10_000))
    put(world, data_0=body)

    blocks = list(sample_dataset(world.s3, find_dataset(world.s3, URI), FIND_OUT, [], piece_bytes=1000))

    seen = set(map(int, values(blocks, "size")))
    assert {0, 9_999} <= seen
    assert len(seen) < 3_000


def test_a_sample_sees_both_sides(world: World) -> None:
    put(
        world,
        **{f"train_{number}": b"size\n1\n" for number in range(50)},
        **{f"test_{number}": b"size\n2\n" for number in range(50)},
    )
    dataset = find_dataset(world.s3, URI)

    assert [side for _, side in some_parts(dataset)] == ["test"] * 2 + ["train"] * 6

    blocks = list(sample_dataset(world.s3, dataset, FIND_OUT, [], piece_bytes=64))
    assert values(blocks, "size") == ["2"] * 2 + ["1"] * 6


def test_rows_in_the_middle_of_many_parts_are_found_by_their_size(world: World) -> None:
    put(world, **{f"data_{number:02d}": b"size,colour\n" + (b"7,red\n" if number == 17 else b"") for number in range(60)})

    blocks = list(sample_dataset(world.s3, find_dataset(world.s3, URI), FIND_OUT, [], piece_bytes=64))

    assert values(blocks, "size") == ["7"]


def test_a_side_whose_rows_are_in_the_middle_is_sampled_too(world: World) -> None:
    put(
        world,
        **{f"train_{number:02d}": b"size\n1\n" for number in range(20)},
        **{f"test_{number:02d}": b"size\n" + (b"2\n" if number == 5 else b"") for number in range(20)},
    )

    blocks = list(sample_dataset(world.s3, find_dataset(world.s3, URI), FIND_OUT, [], piece_bytes=64))

    assert {block.side for block in blocks if block.rows} == {"test", "train"}


def test_where_no_part_that_was_looked_at_has_rows_the_folder_is_named(world: World) -> None:
    put(world, **{f"data_{number:02d}": b"size,colour\n" for number in range(60)})

    with pytest.raises(InvalidDataset) as refused:
        list(sample_dataset(world.s3, find_dataset(world.s3, URI), FIND_OUT, [], piece_bytes=64))

    assert refused.value.message == (
        f"{URI}: none of the 16 parts that were looked at has a row, the largest among them; there are 60 parts. Upload rows, "
        "and leave out parts that have none."
    )


def test_a_folder_of_far_too_many_objects_is_not_listed_to_its_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    put(world, **{f"data_{number:02d}": b"size\n1\n" for number in range(12)})
    monkeypatch.setattr("sageline.storage.dataset_parts.MOST_LISTED", 10)

    assert re.search(r"more than 10 objects, .* and a dataset may have 10,000 parts\. Join", refusal(world))


def test_parts_are_the_rows_of_one_file(world: World) -> None:
    rows = [b"%d,%d\n" % (number, number % 7) for number in range(100)]
    put(world, **{f"data_{start}": b"a,b\n" + b"".join(rows[start * 10 : start * 10 + 10]) for start in range(10)})
    world.put("datasets/one/data.csv", b"a,b\n" + b"".join(rows))
    [one] = read(world, find_dataset(world.s3, f"s3://{BUCKET}/datasets/one/data.csv"))

    parts = read(world)

    assert {name: values(parts, name) for name in ("a", "b")} == {name: column.tolist() for name, column in one.columns.items()}


def test_an_empty_file_of_its_own_is_still_an_error(world: World) -> None:
    world.put("datasets/one/data.csv", b"a,b\n")
    with pytest.raises(InvalidDataset, match="a header line and no rows"):
        read(world, find_dataset(world.s3, f"s3://{BUCKET}/datasets/one/data.csv"))


def test_parts_are_fetched_ahead_and_no_further_than_some(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    put(world, **{f"data_{number:02d}": b"size\n%d\n" % number for number in range(40)})
    dataset = find_dataset(world.s3, URI)
    fetched: list[int] = []
    world.s3.meta.events.register("after-call.s3.GetObject", lambda **_: fetched.append(1))

    blocks = read_blocks(world.s3, dataset, FIND_OUT, [])
    next(blocks)
    blocks.close()  # type: ignore[attr-defined]  # it is a generator

    assert 1 < len(fetched) <= 2 + AHEAD


@pytest.mark.parametrize("small", [0, 1 << 20])
def test_fetched_ahead_or_not_the_rows_are_the_same_and_in_order(
    world: World, monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    monkeypatch.setattr("sageline.storage.dataset_parts.SMALL_BYTES", small)
    put(world, **{f"data_{number:02d}": b"size\n%d\n" % number for number in range(40)})
    assert values(read(world), "size") == [str(number) for number in range(40)]


def test_a_part_that_is_gone_when_it_is_fetched_ahead_is_said_to_be(world: World) -> None:
    put(world, data_0=b"size\n1\n", data_1=b"size\n2\n")
    dataset = find_dataset(world.s3, URI)
    world.s3.delete_object(Bucket=BUCKET, Key=f"{FOLDER}data-1.csv", VersionId=str(dataset.parts[1].version_id))
    with pytest.raises(DatasetNotFound, match=r"data-1\.csv: it was deleted while the run went on"):
        read(world, dataset)
