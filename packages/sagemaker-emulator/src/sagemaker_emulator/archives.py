"""Unpacking archives that somebody else has made: nothing outside the directory, and no more than it may be."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

_MEBIBYTE = 1 << 20
_GIBIBYTE = 1 << 30
# Of tar's own records between two members: a long name or link takes a few KB.
_MOST_HEADER_BYTES = _MEBIBYTE
# What tarfile reads ahead.
_SLACK_BYTES = 64 * 1024
_LEFT_FREE_BYTES = _GIBIBYTE


@dataclass(frozen=True)
class Limits:
    """What an archive may unpack to."""

    total_bytes: int
    members: int


CODE = Limits(_GIBIBYTE, 20_000)
MODEL = Limits(20 * _GIBIBYTE, 100_000)


class Unacceptable(Exception):
    """The archive is broken, unsafe or too large; the message says which."""


def unpack(archive: Path, target: Path, limits: Limits) -> None:
    """Unpack a gzip tar into ``target``; raises :class:`Unacceptable`, and then what was unpacked before stays.

    No absolute or ``..`` paths, no links to outside, no devices (Python's filter ``data``); besides the limits, the disk is
    never filled.
    """
    most = min(limits.total_bytes, _room(target))
    try:
        with gzip.open(archive) as stream:
            _unpack(_Metered(stream), target, limits, most)
    except gzip.BadGzipFile as error:
        raise Unacceptable("not a gzip file") from error
    except (tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise Unacceptable(str(error)) from error


def gunzip(packed: Path, target: Path) -> None:
    """Write what a gzip file holds; raises :class:`Unacceptable` for one that is none or would fill the disk."""
    most = _room(target.parent)
    try:
        with gzip.open(packed) as content, target.open("wb") as file:
            while chunk := content.read(_MEBIBYTE):
                most -= len(chunk)
                if most < 0:
                    raise Unacceptable("the disk has no room for what it holds")
                file.write(chunk)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Unacceptable(f"it is not gzip: {error}") from error


def _room(directory: Path) -> int:
    """Bytes that may be written."""
    return max(0, shutil.disk_usage(directory).free - _LEFT_FREE_BYTES)


class _Metered(io.RawIOBase):
    """A stream that gives no more than was allowed: a header that says it is large is not read into memory."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        super().__init__()
        self._stream = stream
        self._left = 0

    def allow(self, count: int) -> None:
        self._left = count + _SLACK_BYTES

    def read(self, count: int = -1) -> bytes:
        data = self._stream.read(self._left + 1 if count < 0 else min(count, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise Unacceptable("a record of the archive is longer than it says, or a header longer than 1 MB")
        return data


def _unpack(stream: _Metered, target: Path, limits: Limits, most: int) -> None:
    total = members = previous = 0
    stream.allow(_MOST_HEADER_BYTES)
    # As a stream, which is read once from its beginning to its end.
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        while True:
            stream.allow(_MOST_HEADER_BYTES + previous)
            member = tar.next()
            if member is None:
                return
            members, total, previous = members + 1, total + member.size, member.size
            if member.size < 0:
                raise Unacceptable("a member of the archive has a negative size")
            if members > limits.members:
                raise Unacceptable(f"the archive has more than {limits.members} members")
            if total > most:
                raise Unacceptable(f"the archive unpacks to more than {_size(most)}: {_why(most, limits)}")
            stream.allow(member.size)
            tar.extract(member, target, filter="data")


def _why(most: int, limits: Limits) -> str:
    return "that is the limit" if most == limits.total_bytes else "the disk has no room for more"


def _size(count: int) -> str:
    return f"{count / _GIBIBYTE:.3g} GiB" if count >= _GIBIBYTE else f"{count / _MEBIBYTE:.3g} MiB"
