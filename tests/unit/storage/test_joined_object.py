"""Objects that are joined to one: in their order, each byte once, by copies wherever S3 allows it."""

from __future__ import annotations

import random
from itertools import groupby

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from sageline.storage.joined_object import LEAST_PART_BYTES, ObjectBytes, join_objects, parts_of
from tests.unit.world.world import BUCKET, World

MEGABYTE = 1 << 20


def join(world: World, bodies: list[bytes]) -> bytes:
    for number, body in enumerate(bodies):
        world.put(f"pieces/{number}", body)
    pieces = [ObjectBytes(f"pieces/{number}", 0, len(body)) for number, body in enumerate(bodies)]
    join_objects(world.s3, BUCKET, pieces, "joined", content_type="text/csv")
    return world.get("joined")


@pytest.mark.parametrize(
    "sizes", [[10], [10, 20, 30], [6 * MEGABYTE], [0, 6 * MEGABYTE, 0, 3, 12 * MEGABYTE, 5 * MEGABYTE, 7], [3 * MEGABYTE] * 4]
)
def test_the_bytes_are_those_of_the_pieces_in_their_order(world: World, sizes: list[int]) -> None:
    bodies = [random.Random(number).randbytes(size) for number, size in enumerate(sizes)]

    assert join(world, bodies) == b"".join(bodies)
    assert world.s3.head_object(Bucket=BUCKET, Key="joined")["ContentType"] == "text/csv"
    assert "Uploads" not in world.s3.list_multipart_uploads(Bucket=BUCKET)


def test_a_piece_that_is_gone_leaves_no_upload(world: World) -> None:
    with pytest.raises(ClientError):
        join_objects(world.s3, BUCKET, [ObjectBytes("pieces/gone", 0, 10)], "joined", content_type="text/csv")

    assert "Uploads" not in world.s3.list_multipart_uploads(Bucket=BUCKET)
    assert world.keys("joined") == []


SIZES = st.one_of(st.integers(0, 3), st.integers(0, 12 * MEGABYTE), st.integers(0, 2_000 * MEGABYTE))


@given(st.lists(SIZES, max_size=30), st.integers(10, 600))
def test_every_part_is_one_that_s3_takes(sizes: list[int], copied_megabytes: int) -> None:
    pieces = [ObjectBytes(str(number), 0, size) for number, size in enumerate(sizes)]

    parts = list(parts_of(pieces, copied_megabytes * MEGABYTE))

    assert all(sum(piece.size for piece in part) >= LEAST_PART_BYTES for part in parts[:-1])
    copied = [part[0] for part in parts if len(part) == 1 and part[0].size >= LEAST_PART_BYTES]
    assert all(piece.size <= copied_megabytes * MEGABYTE for piece in copied)
    assert all(sum(piece.size for piece in part) < 2 * LEAST_PART_BYTES for part in parts if part[0] not in copied)
    read = [piece for part in parts for piece in part if piece.size]
    for key, some in groupby(read, lambda piece: piece.key):
        ends = [0]
        for piece in some:
            assert piece.start == ends[-1]
            ends.append(piece.end)
        assert ends[-1] == sizes[int(key)]
    assert [key for key, _ in groupby(piece.key for piece in read)] == [str(number) for number, size in enumerate(sizes) if size]
