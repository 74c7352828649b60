"""Archives of others, looked through before they are unpacked: a few kilobytes may hold gigabytes, a name may lead anywhere."""

from __future__ import annotations

import gzip
import io
import posixpath
import tarfile
import zlib
from collections.abc import Iterator

from sageline.errors import InvalidSpec

MAX_UNPACKED_BYTES = 100 << 20
"""The size of all members with their headers: a training script and what it imports. A function of 512 MB holds them in
memory."""
MAX_MEMBERS = 10_000
MAX_DEPTH = 32
"""Folders within one another."""


def list_files(archive: bytes, where: str) -> list[str]:
    """The paths of the regular files in a ``tar.gz``. Reads as much as the limits allow, and holds none of it.

    Args:
        where: the spec's key and the archive's URI, with which an error begins.

    Raises:
        InvalidSpec: it is no such archive, or exceeds a limit, or has a member that does not belong into one: a path or a link
            that leads outside, a device.
    """
    files: list[str] = []
    apparent = 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(archive)) as plain:
            for count, member in enumerate(_members(plain, where), start=1):
                _check_member(member, where)
                apparent += max(member.size, 0)
                if count > MAX_MEMBERS:
                    raise _too_much(f"{where} has more than {MAX_MEMBERS:,} members")
                if apparent > MAX_UNPACKED_BYTES:  # a sparse file is larger than what is stored of it
                    raise _too_much(f"{where} unpacks to more than {MAX_UNPACKED_BYTES:,} bytes")
                if member.isfile():
                    files.append(member.name.removeprefix("./"))
    except (tarfile.TarError, zlib.error, OSError, EOFError, ValueError) as error:
        raise InvalidSpec(f"{where} is no tar.gz archive: {error}.") from None
    return files


class _Limited(io.RawIOBase):
    """What is read is counted; more than the limit is an error."""

    def __init__(self, plain: gzip.GzipFile, where: str) -> None:
        self._plain = plain
        self._where = where
        self._left = MAX_UNPACKED_BYTES

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._plain.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise _too_much(f"{self._where} unpacks to more than {MAX_UNPACKED_BYTES:,} bytes")
        return data


def _members(plain: gzip.GzipFile, where: str) -> Iterator[tarfile.TarInfo]:
    with tarfile.open(fileobj=_Limited(plain, where), mode="r|") as opened:
        yield from opened


def _too_much(what: str) -> InvalidSpec:
    return InvalidSpec(f"{what}, which is the limit: data belongs in the dataset.")


def _check_member(member: tarfile.TarInfo, where: str) -> None:
    name = member.name
    if _leads_outside(name):
        raise InvalidSpec(f"{where} has the member {name[:200]!r}, which leads out of the archive; pack it by relative paths.")
    if name.count("/") > MAX_DEPTH:
        raise InvalidSpec(f"{where} has a member {name.count('/')} folders deep; {MAX_DEPTH} are the limit: {name[:200]!r}.")
    if member.issym() or member.islnk():
        target = posixpath.join(posixpath.dirname(name), member.linkname) if member.issym() else member.linkname
        if _leads_outside(posixpath.normpath(target)):
            raise InvalidSpec(
                f"{where} has the link {name[:200]!r} to {member.linkname[:200]!r}, outside of the archive; pack the file itself "
                "(tar --dereference)."
            )
    elif not (member.isfile() or member.isdir()):
        raise InvalidSpec(f"{where} has the member {name[:200]!r}, a device or a pipe; pack files, folders and links among them.")


def _leads_outside(path: str) -> bool:
    return path.startswith("/") or ".." in path.split("/")
