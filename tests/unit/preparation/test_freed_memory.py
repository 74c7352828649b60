"""What is freed block by block goes back to the system."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from sageline.arrays.blocks import Block
from sageline.arrays.strings import StringArray
from sageline.preparation import freed_memory, second_process
from sageline.preparation.freed_memory import EVERY, give_back
from sageline.preparation.hashed_blocks import hashed_blocks
from sageline.preparation.second_process import ProcessChannel, SecondProcess
from sageline.preparation.spill import Spill
from sageline.spec.model import SplitSpec

_MEGABYTE = 1 << 20


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One element for each time that memory is given back."""
    given: list[None] = []
    for module in (freed_memory, second_process):
        monkeypatch.setattr(module, "give_back", lambda: given.append(None))
    return given


def _blocks() -> Iterator[Block]:
    for number in range(2 * EVERY + 1):
        yield Block.of({"name": StringArray.from_list([str(number)])})


def test_free_memory_between_arrays_that_last_is_given_back() -> None:
    arrays = [np.ones(64 << 10, dtype=np.uint8) for _ in range(3200)]
    lasting = arrays[::100]
    del arrays
    before = psutil.Process().memory_info().rss
    give_back()
    assert before - psutil.Process().memory_info().rss > 100 * _MEGABYTE
    assert all(array.all() for array in lasting)


def test_reading_gives_memory_back_every_few_blocks(times: list[None]) -> None:
    assert sum(1 for _ in hashed_blocks(_blocks, None, SplitSpec())) == 2 * EVERY + 1
    assert len(times) == 2


def test_reading_from_the_spill_gives_memory_back_every_few_blocks(times: list[None], tmp_path: Path) -> None:
    with Spill(tmp_path, _MEGABYTE) as spill:
        list(hashed_blocks(_blocks, spill, SplitSpec()))
        times.clear()
        list(hashed_blocks(_blocks, spill, SplitSpec()))
    assert len(times) == 2


def test_receiving_gives_memory_back_every_few_blocks(times: list[None]) -> None:
    here, there = map(ProcessChannel, multiprocessing.Pipe())
    for number in range(2 * EVERY + 1):
        here.send(number)
        assert there.receive() == number
    assert len(times) == 2


def test_a_process_gives_memory_back_before_it_is_forked(times: list[None]) -> None:
    with SecondProcess(lambda channel: channel.send(len(times))) as second:
        assert second.receive() == 1
