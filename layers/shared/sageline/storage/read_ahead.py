"""Reading from S3 while what was read is worked on."""

from __future__ import annotations

import io
import queue
import threading
from contextlib import suppress
from types import TracebackType

_CHUNK_BYTES = 4 << 20
_CHUNKS = 2  # that wait to be read
_SECONDS_BETWEEN_LOOKS = 0.01


class ReadAhead(io.RawIOBase):
    """A stream of which a thread reads the next few megabytes already; its errors are raised when the bytes before are read.

    It can be sought in too, as formats with a table of contents need it: from then on nothing is read ahead. The thread starts
    with the first read. The stream is this one's to read until this one is closed, which does not close it.

    Args:
        stream: at its beginning.
    """

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self._position = 0
        self._is_ahead = True
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._chunks: queue.Queue[bytes | BaseException] = queue.Queue(_CHUNKS)
        self._chunk = memoryview(b"")
        self._is_at_end = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence == io.SEEK_CUR:
            offset, whence = self._position + offset, io.SEEK_SET
        self._stop()
        self._is_ahead = False
        self._position = self._stream.seek(offset, whence)
        return self._position

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # Buffer has no type before Python 3.12
        count = self._take(buffer) if self._is_ahead else self._stream.readinto(buffer)
        self._position += count
        return count

    def close(self) -> None:
        self._stop()
        super().close()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _take(self, buffer: memoryview) -> int:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="read ahead", daemon=True)
            self._thread.start()
        if not self._chunk and not self._is_at_end:
            chunk = self._chunks.get()
            self._is_at_end = not isinstance(chunk, bytes) or not chunk
            if isinstance(chunk, BaseException):
                raise chunk
            self._chunk = memoryview(chunk)
        count = min(len(buffer), len(self._chunk))
        buffer[:count] = self._chunk[:count]
        self._chunk = self._chunk[count:]
        return count

    def _run(self) -> None:
        chunk: bytes | BaseException = b" "
        while chunk and not isinstance(chunk, BaseException) and not self._stopped.is_set():
            try:
                chunk = self._stream.read(_CHUNK_BYTES)
            except BaseException as error:
                chunk = error
            self._chunks.put(chunk)

    def _stop(self) -> None:
        """End the thread, when it has read what it is reading."""
        self._stopped.set()
        while self._thread is not None and self._thread.is_alive():
            with suppress(queue.Empty):
                self._chunks.get_nowait()
            self._thread.join(_SECONDS_BETWEEN_LOOKS)
