"""What the functions that share some work leave for each other, below ``runs/<run_id>/shards/``.

Each object is written under one key, however often a function is tried again. All expire with the run's other intermediate data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sageline import errors
from sageline.dataset.ranges.ahead import each_ahead
from sageline.errors import SagelineError
from sageline.names import INTERMEDIATE
from sageline.runs.documents import RunFiles
from sageline.storage.state_codec import decode_state, encode_state


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
        with closing(each_ahead(self._files.read, map(self._key, names))) as found:
            yield from map(decode_state, found)

    def _key(self, name: str) -> str:
        return f"{self.layout.shards_prefix}{name}"
