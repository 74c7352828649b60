"""What the functions that share some work leave for each other, below ``runs/<run_id>/shards/``.

Each object is written under one key, however often a function is tried again. All expire with the run's other intermediate data.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sageline import errors
from sageline.errors import SagelineError
from sageline.names import INTERMEDIATE
from sageline.runs.documents import RunFiles
from sageline.storage.state_codec import decode_state, encode_state

_AHEAD = 8  # states that are fetched before they are merged: some have 60 MB


@dataclass(frozen=True)
class Refused:
    """Why a shard could not be worked on, as the name of an error and its message."""

    error: str
    message: str
    details: dict[str, Any]  # Any: what an error's details hold

    @classmethod
    def because(cls, error: SagelineError) -> Refused:
        return cls(type(error).__name__, error.message, error.details)

    def to_error(self) -> SagelineError:
        kind = getattr(errors, self.error, None)
        if not (isinstance(kind, type) and issubclass(kind, SagelineError)):
            return SagelineError(self.message, **self.details)
        return kind(self.message, **self.details)


class ShardFiles:
    """Reads and writes them."""

    def __init__(self, files: RunFiles, run_id: str) -> None:
        self._s3 = files.s3
        self._files = files
        self.layout = files.layout(run_id)

    def put(self, name: str, value: object) -> None:
        """Store a value that :func:`sageline.storage.state_codec.encode_state` takes."""
        self._s3.put_object(Bucket=self.layout.bucket, Key=self._key(name), Body=encode_state(value), Tagging=INTERMEDIATE)

    def get(self, name: str) -> Any:  # Any: what was stored
        """What was stored under a name.

        Raises:
            ObjectMissing: nothing, or it has expired.
        """
        return decode_state(self._files.read(self._key(name)))

    def each(self, names: Iterable[str]) -> Iterator[Any]:  # Any: what was stored
        """What was stored under several names, in their order; the next ones are fetched meanwhile."""
        remaining = iter(names)
        with ThreadPoolExecutor(_AHEAD) as pool:
            coming = deque(pool.submit(self._files.read, self._key(name)) for name in islice(remaining, _AHEAD))
            while coming:
                found = coming.popleft().result()
                if (name := next(remaining, None)) is not None:
                    coming.append(pool.submit(self._files.read, self._key(name)))
                yield decode_state(found)

    def _key(self, name: str) -> str:
        return f"{self.layout.shards_prefix}{name}"
