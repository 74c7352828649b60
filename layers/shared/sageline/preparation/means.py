"""What preparing may make use of besides its own process: a second one, and the disk. The result is the same with any."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sageline.preparation.second_process import usable_cores
from sageline.preparation.spill import Spill

SMALL_BYTES = 8 << 20
"""Up to this size a dataset is prepared faster than a process is started."""

_KEPT_FREE = 64 << 20  # of the disk, for whatever else needs it


@dataclass(frozen=True)
class Means:
    """What preparing may make use of.

    Attributes:
        processes: 1 or 2.
        spill: keeps what was read for the second reading.
    """

    processes: int = 1
    spill: Spill | None = None


ALONE = Means()


@contextmanager
def means_for(size: int, folder: Path | None = None) -> Iterator[Means]:
    """What is worth while for a dataset of ``size`` bytes: a second process where there is a second core, and a spill where the
    disk has room for so much.

    Args:
        folder: of the spill; that of temporary files unless it is given.
    """
    if size <= SMALL_BYTES:
        yield ALONE
        return
    processes = min(2, usable_cores())
    folder = folder or Path(tempfile.gettempdir())
    room = shutil.disk_usage(folder).free - _KEPT_FREE
    if size > room:
        yield Means(processes)
        return
    with Spill(folder, room) as spill:
        yield Means(processes, spill)
