from __future__ import annotations

import io
import threading

import pytest

from sageline.storage import read_ahead
from sageline.storage.read_ahead import ReadAhead

CONTENT = bytes(range(256)) * 40


class Slow(io.RawIOBase):
    """A stream that says how far it was read, and may fail there."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.content = io.BytesIO(CONTENT)
        self.fails_at = fails_at
        self.filled = threading.Event()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self.content.seek(offset, whence)

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # Buffer has no type before Python 3.12
        if self.fails_at is not None and self.content.tell() >= self.fails_at:
            raise ConnectionError("S3 does not answer")
        count = self.content.readinto(buffer)
        if self.content.tell() > 3000:
            self.filled.set()
        return count


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "_CHUNK_BYTES", 1000)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "read ahead"]


def test_what_is_read_is_the_stream_to_its_end() -> None:
    with ReadAhead(io.BufferedReader(Slow())) as ahead:
        assert ahead.read() == CONTENT
        assert ahead.read(10) == b""
    assert threads() == []


def test_the_next_bytes_are_read_before_anybody_asks_for_them() -> None:
    slow = Slow()
    with ReadAhead(io.BufferedReader(slow, 100)) as ahead:
        assert threads() == []  # a process may be forked until the first read
        assert ahead.read(10) == CONTENT[:10]
        assert slow.filled.wait(10)
        assert slow.content.tell() < len(CONTENT)
    assert threads() == []


def test_an_error_is_raised_behind_the_bytes_before_it() -> None:
    with ReadAhead(io.BufferedReader(Slow(fails_at=5000), 1000)) as ahead:
        for start in range(0, 5000, 1000):
            assert ahead.read(1000) == CONTENT[start : start + 1000]
        with pytest.raises(ConnectionError, match="S3 does not answer"):
            ahead.read(1000)
    assert threads() == []


def test_a_format_with_a_table_at_its_end_is_read_from_wherever_it_asks() -> None:
    with io.BufferedReader(ReadAhead(io.BufferedReader(Slow()))) as ahead:
        assert ahead.read(4) == CONTENT[:4]
        assert ahead.seek(-10, io.SEEK_END) == len(CONTENT) - 10
        assert ahead.read() == CONTENT[-10:]
        ahead.seek(100)
        assert (ahead.read(50), ahead.tell()) == (CONTENT[100:150], 150)
        assert threads() == []
