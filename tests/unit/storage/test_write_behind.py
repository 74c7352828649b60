from __future__ import annotations

import threading

import numpy as np
import pytest

from sageline.formats.npy import ArrayPair
from sageline.names import RunLayout
from sageline.storage.part_sink import S3PartSink
from sageline.storage.write_behind import WriteBehind
from tests.unit.world.world import BUCKET, RUN_ID, World


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "write behind"]


def test_everything_is_written_in_order_when_it_is_closed() -> None:
    written: list[int] = []
    behind = WriteBehind(written.append)
    assert threads() == []  # a process may be forked until the first is put
    for number in range(100):
        behind.put(number)
    behind.close()
    assert written == list(range(100))
    assert threads() == []


def test_what_goes_wrong_is_raised_and_nothing_after_it_is_written() -> None:
    written: list[int] = []

    def write(number: int) -> None:
        if number == 3:
            raise ConnectionError("S3 does not answer")
        written.append(number)

    behind = WriteBehind(write)
    with pytest.raises(ConnectionError, match="S3 does not answer"):  # noqa: PT012 - at which of them it is raised is open
        for number in range(100):
            behind.put(number)
        behind.close()
    behind.abort()
    assert written == [0, 1, 2]
    assert threads() == []


def test_what_waits_when_it_is_given_up_is_not_written() -> None:
    written: list[int] = []
    begun, goes_on = threading.Event(), threading.Event()

    def write(number: int) -> None:
        written.append(number)
        begun.set()
        goes_on.wait(10)

    behind = WriteBehind(write)
    for number in range(5):
        behind.put(number)
    assert begun.wait(10)
    threading.Timer(0.1, goes_on.set).start()
    behind.abort()
    assert written == [0]
    assert threads() == []


@pytest.mark.parametrize("single_file", [False, True])
def test_a_sink_that_writes_behind_stores_the_same_objects(world: World, *, single_file: bool) -> None:
    stored = []
    for behind in (False, True):
        with S3PartSink(world.s3, RunLayout(BUCKET, RUN_ID), "csv", 100, single_file=single_file, behind=behind) as sink:
            for number in range(20):
                sink.write("train", b"%d\n" % number)
                sink.write("test-raw", b"{}\n")
        stored.append(({key: world.get(key) for key in world.keys("runs/")}, sink.bytes_written))
    assert stored[0] == stored[1]


def test_a_sink_that_writes_behind_says_what_cannot_be_written(world: World) -> None:
    arrays = ArrayPair(np.zeros((1, 1), dtype=np.float32), np.zeros(1, dtype=np.int64))

    sink = S3PartSink(world.s3, RunLayout(BUCKET, RUN_ID), "csv", 100, behind=True)
    with pytest.raises(TypeError, match="arrays go to a channel of arrays only"), sink:  # noqa: PT012 - raised by any of them
        sink.write("train", b"1\n")
        sink.write("train", arrays)
    assert world.keys() == []
    assert threads() == []
