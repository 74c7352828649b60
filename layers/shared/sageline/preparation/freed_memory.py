"""Giving freed memory back to the system, which glibc's allocator does by itself only at the end of its heap.

Arrays of all sizes come and go with each block, and what lasts stands between them. So what is free is cut into pieces that the
next block's arrays do not fit into, and the heap grows, though what is in use does not. Fixed thresholds
(``MALLOC_MMAP_THRESHOLD_``, ``MALLOC_TRIM_THRESHOLD_``) hold it as low, but give back every array, which takes twice the
processor's time; now and then it costs next to nothing.
"""

from __future__ import annotations

import ctypes
from typing import Final

EVERY: Final = 8
"""Blocks between two times: each takes some milliseconds, and the pages that are used again some more."""

_malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone: macOS and musl have none


def give_back() -> None:
    """Give back all memory of this process that is free."""
    if _malloc_trim is not None:
        _malloc_trim(0)


class FreedMemory:
    """Gives back what is free after every :data:`EVERY` blocks."""

    def __init__(self) -> None:
        self._blocks = 0

    def block_done(self) -> None:
        """Call it when nothing refers to the block any more."""
        self._blocks += 1
        if self._blocks % EVERY == 0:
            give_back()
