"""A script's code inside a model's archive, where serving containers without a network look for it: in the folder ``code``.

A gzip file may have several members, and a tar archive ends at its first empty block. So entries of ``code/`` as a member of
their own, without the end of an archive, can be put before the bytes of any ``model.tar.gz``: what was in it is neither read nor
packed again. Where the model has a file of the same path itself, that comes later and stays.
"""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
from pathlib import PurePosixPath

CODE_FOLDER = "code"
CODE_IN_CONTAINER = f"/opt/ml/model/{CODE_FOLDER}"


def code_member(source: bytes) -> bytes:
    """What to put before a model's archive: the files of a ``sourcedir.tar.gz``, below ``code/``, as one gzip member.

    The same source makes the same bytes. Takes as much memory as both archives, compressed.

    Raises:
        ValueError: a file's path leads out of the archive.
    """
    buffer = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(source), mode="r:gz") as archive,
        gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=6, mtime=0) as member,
    ):
        for entry in archive:
            if (info := _in_code_folder(entry)) is None:
                continue
            member.write(info.tobuf(tarfile.PAX_FORMAT))
            if content := archive.extractfile(entry) if entry.isfile() else None:
                shutil.copyfileobj(content, member)
                member.write(bytes(-info.size % tarfile.BLOCKSIZE))
    return buffer.getvalue()


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
