"""A script's code inside a model's archive, where serving containers without a network look for it: in the folder ``code``.

The new archive is one gzip member and one tar archive, as any other: of several members, which gzip allows, some readers take
the first only and say nothing. So the model is decompressed, and compressed again while it passes. Its tar archive is not read:
the code's entries come before it, without the end of an archive of their own. Where the model has a file of the same path itself,
that comes later and stays.
"""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CODE_FOLDER = "code"
CODE_IN_CONTAINER = f"/opt/ml/model/{CODE_FOLDER}"

_CHUNK_BYTES = 1 << 20
_FASTEST = 1
_GZIP = 16 + zlib.MAX_WBITS


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


def with_code(model: Readable, source: bytes) -> io.BufferedReader:
    """A ``model.tar.gz`` with a script's files below ``code/``, to be read once.

    The same model and source make the same bytes. Takes as much memory as the source, packed and unpacked.

    Args:
        model: of a ``model.tar.gz``.
        source: a ``sourcedir.tar.gz``.

    Raises:
        ValueError: a path of the source leads out of the archive.
        gzip.BadGzipFile, zlib.error, EOFError: while it is read, if the model is no gzip file or not a whole one.
    """
    return io.BufferedReader(_Pieces(_compressed(_entries(source), model)), _CHUNK_BYTES)


class _Pieces(io.RawIOBase):
    """A file of pieces that come one after the other."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        target = memoryview(buffer)
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _compressed(entries: bytes, model: Readable) -> Iterator[bytes]:
    compressor = zlib.compressobj(_FASTEST, zlib.DEFLATED, _GZIP)
    yield compressor.compress(entries)
    with gzip.GzipFile(fileobj=model) as unpacked:  # type: ignore[call-overload]  # it reads, and needs nothing else to
        chunk = unpacked.read(_CHUNK_BYTES)
        if not chunk:
            raise EOFError("it is empty")
        while chunk:
            yield compressor.compress(chunk)
            chunk = unpacked.read(_CHUNK_BYTES)
    yield compressor.flush()


def _entries(source: bytes) -> bytes:
    """The source's files as entries of a tar archive that does not end."""
    entries = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(source), mode="r:gz") as archive:
        for entry in archive:
            if (info := _in_code_folder(entry)) is None:
                continue
            entries.write(info.tobuf(tarfile.PAX_FORMAT))
            if content := archive.extractfile(entry) if entry.isfile() else None:
                shutil.copyfileobj(content, entries)
                entries.write(bytes(-info.size % tarfile.BLOCKSIZE))
    return entries.getvalue()


def _in_code_folder(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """The header of an entry that moves to ``code/``; None for what is neither a file, a folder nor a link."""
    path = _inside(entry.name)
    if not path.parts or not (entry.isfile() or entry.isdir() or entry.issym() or entry.islnk()):
        return None
    info = tarfile.TarInfo(f"{CODE_FOLDER}/{path}")
    info.type = tarfile.REGTYPE if entry.isfile() else entry.type
    info.mode = entry.mode
    info.size = entry.size if entry.isfile() else 0
    info.linkname = f"{CODE_FOLDER}/{_inside(entry.linkname)}" if entry.islnk() else entry.linkname
    return info


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"the archive's entry {name!r} leads out of it")
    return path
