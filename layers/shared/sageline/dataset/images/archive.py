"""What a ZIP archive of class folders holds: its images with their labels, and what is ignored.

Only the directory at the archive's end is read here; what is wrong with a name, or too large, is refused before anything is
unpacked. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import contextlib
import io
import re
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from sageline.errors import InvalidDataset
from sageline.formats.image_files import EXTENSIONS

MOST_FILES = 200_000
"""In one archive: what is known of each takes about a kilobyte of memory."""
MOST_FILE_BYTES = 64 << 20
"""Of one image, unpacked."""
_MOST_GROWTH = 200  # how many times larger a file may get by unpacking, if that makes it larger than a megabyte
_SMALL_BYTES = 1 << 20

_END, _END_64 = b"PK\x05\x06", b"PK\x06\x06"
_TAIL_BYTES = (1 << 16) + 22 + 20 + 56  # the longest comment, and the three records before it
_SOME = 3
_FOLDERS = "a folder for each class, with its images: cat/1.jpg, dog/1.jpg"

_ENCRYPTED = 0x1
_UTF_8 = 0x800
_NOT_DATA = re.compile(r"\.|__MACOSX$|Thumbs\.db$|desktop\.ini$", re.IGNORECASE)  # how such a part of a path begins


@dataclass(frozen=True)
class Entry:
    """An image in the archive. ``name``: its path there, as errors say it."""

    name: str
    label: str
    info: zipfile.ZipInfo


def list_images(archive: zipfile.ZipFile, source: str, notes: list[str]) -> list[Entry]:
    """The images, in the order in which they lie in the archive. A folder around all others is passed over.

    Args:
        notes: gets a sentence about files that are ignored: hidden ones and what systems leave behind, and others than images.

    Raises:
        InvalidDataset: there is no image, or only one folder; a file that lies in no folder or too deep, whose name leads out of
            the archive, which is encrypted, or unpacks to too much. Names it.
    """
    images: list[tuple[list[str], zipfile.ZipInfo]] = []
    hidden: list[str] = []
    others: list[str] = []
    for info in archive.infolist():
        name = _name(info)
        parts = _parts(name, source)
        if info.is_dir():
            continue
        if any(_NOT_DATA.match(part) for part in parts):
            hidden.append(name)
        elif parts[-1].rpartition(".")[2].lower() not in EXTENSIONS:
            others.append(name)
        else:
            _check(info, name, source)
            images.append((parts, info))
    if not images:
        held = f"it holds {_listed(others or hidden)}" if others or hidden else "it is empty"
        raise InvalidDataset(
            f"{source}: there is no image in the archive; {held}. A .zip file is read as images, with {_FOLDERS}; for a table, "
            "unpack it and upload the file itself."
        )
    if hidden:
        notes.append(f"{source}: what is hidden or left by a system is ignored ({_files(hidden)}): {_listed(hidden)}.")
    if others:
        read = f"images are {', '.join(f'.{extension}' for extension in EXTENSIONS)}"
        notes.append(f"{source}: what is no image by its name is ignored ({_files(others)}; {read}): {_listed(others)}.")
    entries = _labelled(images, source)
    return sorted(entries, key=lambda entry: entry.info.header_offset)


def check_count(stream: BinaryIO, source: str) -> None:
    """Refuse an archive of too many files before its directory is read, which takes memory for each; leaves the stream anywhere.

    Raises:
        InvalidDataset: there are more than :data:`MOST_FILES`.
    """
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - _TAIL_BYTES))
    tail = stream.read(_TAIL_BYTES)
    end, end_64 = tail.rfind(_END), tail.rfind(_END_64)
    count = 0
    if 0 <= end <= len(tail) - 12:
        (count,) = struct.unpack_from("<H", tail, end + 10)
    if count == 0xFFFF and 0 <= end_64 <= len(tail) - 40:
        (count,) = struct.unpack_from("<Q", tail, end_64 + 32)
    if count > MOST_FILES:
        raise InvalidDataset(f"{source}: the archive holds {count:,} files, and {MOST_FILES:,} are the limit; upload fewer.")


def _name(info: zipfile.ZipInfo) -> str:
    """The path of a file. Programs that write UTF-8 without saying so are more than those that mean the code page of 1981."""
    name = info.filename
    if not info.flag_bits & _UTF_8:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode()
    return name.replace("\\", "/")


def _parts(name: str, source: str) -> list[str]:
    parts = name.split("/")
    if ".." in parts or parts[0] == "" or ":" in parts[0]:
        raise InvalidDataset(
            f"{source}: the name {name!r} in the archive leads out of it; pack the folders again, by names such as cat/1.jpg."
        )
    return [part for part in parts if part not in ("", ".")]


def _check(info: zipfile.ZipInfo, name: str, source: str) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise InvalidDataset(f"{source}: {name} is encrypted; pack the archive again without a password.")
    if info.file_size > MOST_FILE_BYTES:
        raise InvalidDataset(
            f"{source}: {name} has {info.file_size:,} bytes unpacked, and an image may have {MOST_FILE_BYTES:,}; make it smaller."
        )
    if info.file_size > max(_SMALL_BYTES, _MOST_GROWTH * info.compress_size):
        raise InvalidDataset(
            f"{source}: {name} would grow from {info.compress_size:,} to {info.file_size:,} bytes by unpacking, over "
            f"{_MOST_GROWTH} times, which no image does; leave it out, or save it as PNG or JPEG."
        )


def _labelled(images: Sequence[tuple[list[str], zipfile.ZipInfo]], source: str) -> list[Entry]:
    depth = 0
    first = images[0][0]
    while all(len(parts) > depth + 2 and parts[depth] == first[depth] for parts, _ in images):
        depth += 1
    for parts, _ in images:
        name = "/".join(parts)
        if len(parts) == depth + 1:
            raise InvalidDataset(f"{source}: {name} lies in no folder of a class; there must be {_FOLDERS}.")
        if len(parts) > depth + 2:
            raise InvalidDataset(
                f"{source}: {name} lies in a folder within a folder, so that it is not clear which is its class; there must be "
                f"{_FOLDERS}, and no train/ or test/ around them: which rows test the model is decided by `split`."
            )
    labels = {parts[depth] for parts, _ in images}
    if len(labels) == 1:
        raise InvalidDataset(
            f"{source}: all {len(images):,} images lie in the one folder {next(iter(labels))!r}, and a folder is a class; there "
            f"must be two or more: {_FOLDERS}."
        )
    return [Entry("/".join(parts), parts[depth], info) for parts, info in images]


def _files(names: Sequence[str]) -> str:
    return "1 file" if len(names) == 1 else f"{len(names):,} files"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SOME
    return ", ".join(names[:_SOME]) + (f" and {more:,} more" if more > 0 else "")
