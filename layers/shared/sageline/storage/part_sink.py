"""Writing prepared data to S3 in objects of bounded size, or to one object, with bounded memory and no disk."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from botocore.exceptions import ClientError

from sageline.formats.npy import ArrayPair, write_joined
from sageline.names import INTERMEDIATE, RunLayout
from sageline.storage.object_writer import ObjectWriter
from sageline.storage.write_behind import WriteBehind

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PART_BYTES = 16 << 20
"""Above the 5 MB that each part of a multipart upload must have, and small enough for its 10,000 parts to be no limit."""

LINES = ("test-raw", "validation-labels")
"""Channels of JSON Lines, whatever the format of the others is."""

_log = logging.getLogger(__name__)


class S3PartSink:
    """Collects what is written per channel into ``runs/<run_id>/data/<channel>/part-00000.<ext>`` and so on.

    - Records may be joined in any way in CSV, RecordIO and JSON Lines alike, so pieces of any size make parts of one size.
    - Pairs of arrays (``npy``) become ``part-00000-x.npy`` and ``part-00000-y.npy``; weights ``part-00000-w.npy``.
    - With ``single_file`` a channel is one object, uploaded in parts.
    - With ``joined=False`` each piece is an object of its own.
    - With ``stem="validation"`` the objects are named ``validation-00000.<ext>``, so that several sinks can share a prefix.
    - With ``behind=True`` a thread does the writing, and its errors are raised a little later: fork before the first piece.

    As a context manager it stores what is pending at the end, and gives up what is unfinished on an error: a single file that is
    not complete never appears. Parts that were stored before stay; a second attempt writes the same again.
    """

    def __init__(
        self,
        s3: S3Client,
        layout: RunLayout,
        file_extension: str,
        part_bytes: int = PART_BYTES,
        *,
        single_file: bool = False,
        joined: bool = True,
        behind: bool = False,
        stem: str = "part",
    ) -> None:
        self._s3 = s3
        self._layout = layout
        self._extension = file_extension
        self._part_bytes = part_bytes if joined else 0
        self._single_file = single_file
        self._stem = stem
        self._channels: dict[str, _Channel] = {}
        self._behind = WriteBehind(self._write) if behind else None
        self.bytes_written: dict[str, int] = {}
        """Bytes of records per channel, those not yet stored included; with ``behind`` once it is closed."""
        self.lines: dict[str, list[int]] = {}
        """Of the channels of JSON Lines: how many each object has. Once it is closed."""

    def write(self, channel: str, part: bytes | ArrayPair) -> None:
        """Add whole records to a channel: ``train``, ``validation``, ``test-raw``, ``validation-labels``, or that of a transform
        job."""
        if self._behind is None:
            self._write((channel, part))
        else:
            self._behind.put((channel, part))

    def _write(self, piece: tuple[str, bytes | ArrayPair]) -> None:
        channel, part = piece
        written = self._channels.get(channel)
        if written is None:
            written = self._channels[channel] = self._open(channel, part)
        size = len(part) if isinstance(part, bytes) else sum(array.nbytes for array in part if array is not None)
        self.bytes_written[channel] = self.bytes_written.get(channel, 0) + size
        written.add(part, size)

    def stored(self, channel: str) -> int:
        """How many parts a channel has so far: objects, or pairs of them."""
        written = self._channels.get(channel)
        return 0 if written is None else written.stored

    def close(self) -> None:
        """Store what is still pending."""
        if self._behind is not None:
            self._behind.close()
        for channel in self._channels.values():
            channel.close()

    def abort(self) -> None:
        """Give up what is not stored yet; the error that is the reason for it goes on."""
        if self._behind is not None:
            self._behind.abort()
        for channel in self._channels.values():
            try:
                channel.abort()
            except ClientError as error:
                _log.warning("An unfinished upload is left, until the bucket's lifecycle removes it: %s", error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            self.abort()
            return
        try:
            self.close()
        except BaseException:
            self.abort()
            raise

    def _open(self, channel: str, part: bytes | ArrayPair) -> _Channel:
        prefix = self._layout.channel_prefix(channel)
        raw = channel in LINES
        if self._single_file and not raw:
            key = f"{prefix}part-00000.{self._extension}"
            return _SingleFile(ObjectWriter(self._s3, self._layout.bucket, key, self._part_bytes, tagging=INTERMEDIATE))
        if isinstance(part, ArrayPair):
            return _Pairs(self._put, f"{prefix}{self._stem}", self._part_bytes)
        lines = self.lines.setdefault(channel, []) if raw else None
        return _Parts(self._put, f"{prefix}{self._stem}", "jsonl" if raw else self._extension, self._part_bytes, lines)

    def _put(self, key: str, body: bytes) -> None:
        self._s3.put_object(Bucket=self._layout.bucket, Key=key, Body=body, Tagging=INTERMEDIATE)


class _Channel(Protocol):
    @property
    def stored(self) -> int: ...

    def add(self, part: bytes | ArrayPair, size: int) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...


class _Parts:
    """Objects of joined records; how many lines each has is added to a list, if there is one."""

    def __init__(
        self, put: Callable[[str, bytes], None], stem: str, extension: str, part_bytes: int, lines: list[int] | None
    ) -> None:
        self._put = put
        self._stem = stem
        self._extension = extension
        self._part_bytes = part_bytes
        self._lines = lines
        self._pending = bytearray()
        self.stored = 0

    def add(self, part: bytes | ArrayPair, size: int) -> None:
        if self._pending and len(self._pending) + size > self._part_bytes:
            self.close()
        self._pending += _bytes(part)
        if len(self._pending) >= self._part_bytes:
            self.close()

    def close(self) -> None:
        if self._pending:
            self._put(f"{self._stem}-{self.stored:05d}.{self._extension}", bytes(self._pending))
            if self._lines is not None:
                self._lines.append(self._pending.count(b"\n"))
            self._pending.clear()
            self.stored += 1

    def abort(self) -> None:
        self._pending.clear()


class _Pairs:
    """Objects of arrays, two by two, or three by three where the rows have weights."""

    def __init__(self, put: Callable[[str, bytes], None], stem: str, part_bytes: int) -> None:
        self._put = put
        self._stem = stem
        self._part_bytes = part_bytes
        self._pending: list[ArrayPair] = []
        self._bytes = 0
        self.stored = 0

    def add(self, part: bytes | ArrayPair, size: int) -> None:
        if isinstance(part, bytes):
            raise TypeError("a channel of arrays takes no other data")
        if self._bytes + size > self._part_bytes:
            self.close()
        self._pending.append(part)
        self._bytes += size
        if self._bytes >= self._part_bytes:
            self.close()

    def close(self) -> None:
        if self._pending:
            arrays = {
                "x": [pair.x for pair in self._pending],
                "y": [pair.y for pair in self._pending],
                "w": [pair.w for pair in self._pending if pair.w is not None],
            }
            for name, of_pairs in arrays.items():
                if of_pairs:
                    self._put(f"{self._stem}-{self.stored:05d}-{name}.npy", write_joined(of_pairs))
            self.stored += 1
        self.abort()

    def abort(self) -> None:
        self._pending.clear()
        self._bytes = 0


class _SingleFile:
    """One object, however large."""

    stored = 1

    def __init__(self, writer: ObjectWriter) -> None:
        self._writer = writer

    def add(self, part: bytes | ArrayPair, size: int) -> None:
        self._writer.write(_bytes(part))

    def close(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        self._writer.abort()


def _bytes(part: bytes | ArrayPair) -> bytes:
    if not isinstance(part, bytes):
        raise TypeError("arrays go to a channel of arrays only")
    return part
