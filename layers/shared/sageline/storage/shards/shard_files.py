"""What functions that each work on a shard leave for each other, below ``runs/<run_id>/shards/``; of a dataset:

====================  ==================================================================================
object                what it holds
====================  ==================================================================================
``cut``               the dataset, how it is read, and its shards (:class:`sageline.preparation.shards.sharding.Sharding`)
``sharding``          the same, when it is known where their ranges begin
``scan-00012``        what the scan of a shard has found, where ranges of text begin in the middle
``round-1``           what a round reads (:class:`sageline.preparation.shards.shard_fit.Round`)
``fit-1-00012``       what a round has counted of a shard
``group-1-003``       the same of the shards of a group, where there are many
``merged-1``          what a round has counted of the shards before those of the next one
``fitted``            what the rows are encoded with (``Fitted`` there)
``encoded-00012``     how many rows and bytes of a shard were written
====================  ==================================================================================

And of a batch, below ``runs/<run_id>/shards/batch/``:

=====================  =================================================================================
object                 what it holds
=====================  =================================================================================
``cut``, ``sharding``  as above (:class:`sageline.batch.shards.plan.BatchSharding`)
``scan-00012``         as above
``encoded-00012``      what was encoded of a shard (:class:`sageline.batch.encode.EncodedParts`)
``predictions-00012``  the predictions for a shard, as they are to stand in the file of all
``written-00012``      how many bytes these have
=====================  =================================================================================

Each is written under one key, however often a function is tried again. All expire with the run's other intermediate data.
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
from sageline.storage.shards.state_codec import decode_state, encode_state


@dataclass(frozen=True)
class Refused:
    """Why a shard could not be read, as the name of an error and its message."""

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
    """Reads and writes them.

    Args:
        folder: ``batch/`` for those of a batch; a run that trains may have both.
    """

    def __init__(self, files: RunFiles, run_id: str, folder: str = "") -> None:
        self.s3 = files.s3
        self._files = files
        self._folder = folder
        self.layout = files.layout(run_id)

    def put(self, name: str, value: object) -> None:
        """Store a value that :func:`sageline.storage.shards.state_codec.encode_state` takes."""
        self.s3.put_object(Bucket=self.layout.bucket, Key=self.key(name), Body=encode_state(value), Tagging=INTERMEDIATE)

    def get(self, name: str) -> Any:  # Any: what was stored
        """What was stored under a name.

        Raises:
            ObjectMissing: nothing, or it has expired.
        """
        return decode_state(self._files.read(self.key(name)))

    def each(self, names: Iterable[str]) -> Iterator[Any]:  # Any: what was stored
        """What was stored under several names, in their order; the next ones are fetched meanwhile."""
        with closing(each_ahead(self._files.read, map(self.key, names))) as found:
            yield from map(decode_state, found)

    def key(self, name: str) -> str:
        return f"{self.layout.shards_prefix}{self._folder}{name}"
