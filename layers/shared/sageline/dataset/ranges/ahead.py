"""Work on the next few things while what comes of those before them is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AHEAD = 8
"""How many small files, or states, are asked for at once: of thousands the requests would take longer than the reading, and
some states have 60 MB."""

SMALL_BYTES = 1 << 20
"""Up to this size a file is fetched before it is its turn; a larger one takes one request of many."""


def each_ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Generator[Result]:
    """What ``work`` gives for each item, in their order, or raises, when it is that item's turn; :data:`AHEAD` items are worked
    on at once, in threads. Nothing more is begun when the generator is closed."""
    remaining = iter(items)
    pool = ThreadPoolExecutor(AHEAD)
    try:
        coming = deque(pool.submit(work, item) for item in islice(remaining, AHEAD))
        while coming:
            found = coming.popleft().result()
            coming.extend(pool.submit(work, item) for item in islice(remaining, 1))
            yield found
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
