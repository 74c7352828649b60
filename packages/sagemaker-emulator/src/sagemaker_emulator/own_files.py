"""Files of a container's directory, which its program may have replaced by links to files that are not its own."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

_PROCESS_FILES = Path("/proc/self/fd")


def open_own(root: Path, path: Path) -> BinaryIO | None:
    """A regular file below ``root``, open for reading; None when it is none, is gone, or a link leads out of ``root``."""
    try:
        # A pipe would be waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    file = os.fdopen(descriptor, "rb")
    # What was opened, not what has the name by now; where the system does not tell that, the name is looked at.
    opened = (_PROCESS_FILES / str(descriptor)).resolve() if _PROCESS_FILES.is_dir() else path.resolve()
    if stat.S_ISREG(os.fstat(descriptor).st_mode) and opened.is_relative_to(root.resolve()):
        return file
    file.close()
    return None


def read_own(root: Path, path: Path, most: int) -> str:
    """The beginning of a text file below ``root``, at most so many bytes; empty when it is not there."""
    file = open_own(root, path)
    if file is None:
        return ""
    with file:
        return file.read(most).decode(errors="replace")


def is_own_directory(root: Path, path: Path) -> bool:
    """Whether ``path`` is a directory below ``root`` that no link leads out of."""
    return path.is_dir() and path.resolve() == root.resolve() / path.relative_to(root)
