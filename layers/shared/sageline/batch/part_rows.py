"""How many rows each object has that a transform job sends: noted when it is encoded, checked when its answer is read."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sageline.batch.batch import CHANNEL
from sageline.names import RunLayout
from sageline.runs.documents import RunFiles
from sageline.storage.shards.object_names import part_stem


@dataclass(frozen=True)
class PartRows:
    """What ``runs/<run_id>/data/batch.json`` holds.

    Attributes:
        rows: of each object, in the order of the rows.
        parts: how many objects each shard has; None where one function has encoded all rows.
        added: the keys that JSON Lines in shards get, which follow from their first row; None for all else.
    """

    rows: list[int]
    parts: list[int] | None = None
    added: list[str] | None = None

    @classmethod
    def read(cls, files: RunFiles, layout: RunLayout) -> PartRows:
        return cls(**json.loads(files.read(part_rows_key(layout))))

    def write(self, files: RunFiles, layout: RunLayout) -> None:
        document = {name: value for name, value in vars(self).items() if value is not None}
        files.put(part_rows_key(layout), json.dumps(document).encode(), "application/json")

    def of_all(self) -> AnsweredParts:
        """The objects of a batch that one function has encoded."""
        return AnsweredParts([numbered(number) for number in range(len(self.rows))], self.rows, 0)

    def of_shard(self, shard: int) -> AnsweredParts:
        """The objects of a shard.

        Raises:
            ValueError: the batch is not in shards.
        """
        if self.parts is None:
            raise ValueError("a batch that one function has encoded")
        first = sum(self.parts[:shard])
        count = self.parts[shard]
        names = [numbered(number, part_stem(shard)) for number in range(count)]
        return AnsweredParts(names, self.rows[first : first + count], sum(self.rows[:first]))


@dataclass(frozen=True)
class AnsweredParts:
    """Objects whose answers one function reads.

    Attributes:
        names: without their extension.
        rows: how many each has.
        before: how many rows come before these.
    """

    names: list[str]
    rows: list[int]
    before: int


def part_rows_key(layout: RunLayout) -> str:
    """Not below the prefix whose objects are transformed."""
    return f"{layout.prefix}data/{CHANNEL}.json"


def numbered(number: int, stem: str = "part") -> str:
    """The name that :class:`sageline.storage.part_sink.S3PartSink` gives a part, without its extension."""
    return f"{stem}-{number:05d}"
