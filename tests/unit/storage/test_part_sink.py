from __future__ import annotations

import io

import numpy as np
import pytest

from sageline.formats.npy import ArrayPair, read_array
from sageline.names import RunLayout
from sageline.storage.part_sink import S3PartSink
from tests.unit.world.world import BUCKET, RUN_ID, World

DATA = f"runs/{RUN_ID}/data"


def sink(world: World, part_bytes: int) -> S3PartSink:
    return S3PartSink(world.s3, RunLayout(BUCKET, RUN_ID), "csv", part_bytes)


def test_small_pieces_are_collected_into_parts_of_bounded_size(world: World) -> None:
    parts = sink(world, 10)
    for piece in (b"aaaa", b"bbbb", b"cccc", b"dd"):
        parts.write("train", piece)
    parts.close()
    assert [world.get(key) for key in world.keys(f"{DATA}/train/")] == [b"aaaabbbb", b"ccccdd"]
    assert parts.bytes_written == {"train": 14}


def test_a_piece_larger_than_a_part_is_a_part_of_its_own(world: World) -> None:
    parts = sink(world, 10)
    for piece in (b"a", b"b" * 25, b"c"):
        parts.write("train", piece)
    parts.close()
    assert [len(world.get(key)) for key in world.keys(f"{DATA}/train/")] == [1, 25, 1]


def test_channels_are_kept_apart_and_raw_rows_are_json_lines(world: World) -> None:
    parts = sink(world, 100)
    parts.write("train", b"1,2\n")
    parts.write("test-raw", b"{}\n")
    parts.close()
    parts.close()
    assert world.keys() == [f"{DATA}/test-raw/part-00000.jsonl", f"{DATA}/train/part-00000.csv"]


def test_how_many_rows_each_object_of_raw_rows_has_is_counted(world: World) -> None:
    parts = sink(world, 10)
    for piece in (b"{}\n{}\n", b"{}\n", b"{}\n"):
        parts.write("test-raw", piece)
    parts.write("train", b"1,2\n")
    parts.close()

    assert parts.lines == {"test-raw": [3, 1]}
    assert [world.get(key).count(b"\n") for key in world.keys(f"{DATA}/test-raw/")] == [3, 1]


def test_parts_carry_the_tag_by_which_they_expire(world: World) -> None:
    parts = sink(world, 100)
    parts.write("train", b"1,2\n")
    parts.close()
    tags = world.s3.get_object_tagging(Bucket=BUCKET, Key=f"{DATA}/train/part-00000.csv")["TagSet"]
    assert tags == [{"Key": "sageline:retention", "Value": "intermediate"}]


def pair(*values: int) -> ArrayPair:
    """Images of 1 by 2 pixels: 8 bytes of pixels and 8 of the class each."""
    return ArrayPair(np.array([[[value, value]] for value in values], dtype=np.float32), np.array(values, dtype=np.int64))


def test_pairs_of_arrays_are_collected_into_pairs_of_files(world: World) -> None:
    with S3PartSink(world.s3, RunLayout(BUCKET, RUN_ID), "npy", 40) as parts:
        for values in ([1], [2], [3, 4], [5]):
            parts.write("train", pair(*values))
        parts.write("test-raw", b"{}\n")

    keys = world.keys(f"{DATA}/train/")
    arrays = [read_array(world.get(key)) for key in keys]
    names = [key.removeprefix(f"{DATA}/train/part-0000") for key in keys]
    assert names == [f"{part}-{axis}.npy" for part in range(3) for axis in "xy"]
    assert [array.tolist() for array in arrays[1::2]] == [[1, 2], [3, 4], [5]]
    assert [array.shape for array in arrays[::2]] == [(2, 1, 2), (2, 1, 2), (1, 1, 2)]
    assert (arrays[0].dtype, arrays[1].dtype) == (np.float32, np.int64)
    assert parts.bytes_written == {"train": 80, "test-raw": 3}
    assert np.array_equal(np.load(io.BytesIO(world.get(keys[0]))), arrays[0])


def test_a_channel_of_one_file_may_be_larger_than_a_part(world: World) -> None:
    megabyte = bytes(1 << 20)
    with S3PartSink(world.s3, RunLayout(BUCKET, RUN_ID), "txt", 5 << 20, single_file=True) as parts:
        for _ in range(12):
            parts.write("train", megabyte)
        parts.write("validation", b"__label__a b\n")
        parts.write("test-raw", b"{}\n")

    keys = [f"{DATA}/test-raw/part-00000.jsonl", f"{DATA}/train/part-00000.txt", f"{DATA}/validation/part-00000.txt"]
    assert world.keys(DATA) == keys
    assert len(world.get(keys[1])) == 12 << 20
    tags = world.s3.get_object_tagging(Bucket=BUCKET, Key=keys[1])["TagSet"]
    assert tags == [{"Key": "sageline:retention", "Value": "intermediate"}]


def test_a_file_that_is_not_finished_never_appears(world: World) -> None:
    def write_and_fail() -> None:
        with S3PartSink(world.s3, RunLayout(BUCKET, RUN_ID), "txt", 5 << 20, single_file=True) as parts:
            parts.write("train", bytes(6 << 20))
            assert len(world.s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]) == 1
            raise KeyError("the data is bad")

    with pytest.raises(KeyError, match="the data is bad"):
        write_and_fail()

    assert world.keys(DATA) == []
    assert "Uploads" not in world.s3.list_multipart_uploads(Bucket=BUCKET)


def test_pieces_that_may_not_be_joined_are_objects_of_their_own(world: World) -> None:
    with S3PartSink(world.s3, RunLayout(BUCKET, RUN_ID), "json", joined=False) as parts:
        for piece in (b"{1}", b"{22}"):
            parts.write("batch", piece)

    keys = [f"{DATA}/batch/part-00000.json", f"{DATA}/batch/part-00001.json"]
    assert [world.get(key) for key in keys] == [b"{1}", b"{22}"]
