"""What a shard of a dataset costs, step by step, beside one function that prepares the dataset alone, on one core.

    python -m tests.benchmarks.shard_speed mixed 256

makes a CSV file of so many megabytes (``mixed`` or ``text``, as tests.benchmarks.prepare_memory has them), prepares it with one
process and no disk, then in shards one after the other in another process, and prints a JSON document: processor seconds of each
step, the size of a state, the ratio of both ways, and the peak memory of the shards. ``measure`` is what tests.benchmarks.scale
calls.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from sageline.arrays.blocks import Block
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.profiles.findings import Findings
from sageline.dataset.ranges.plan import DatasetPart, plan_shards
from sageline.dataset.ranges.read import Said, read_shard
from sageline.dataset.ranges.scan import scan_shard
from sageline.dataset.ranges.settle import settle
from sageline.dataset.readers.source import FIND_OUT, open_blocks
from sageline.dataset.splits.plan import initial_plan
from sageline.dataset.splits.standing import row_keys
from sageline.formats.npy import ArrayPair
from sageline.preparation.first_read import FirstRead
from sageline.preparation.fit_and_encode import prepare, read_and_fit, write_pieces
from sageline.preparation.hashed_blocks import hashed_blocks
from sageline.preparation.shards.merge import Merged, next_round
from sageline.preparation.shards.shard_fit import Round, ShardFit, fit_rows
from sageline.storage.state_codec import decode_state, encode_state
from tests.benchmarks.prepare_memory import peak_megabytes, resolution_of, write_csv

_ROOT = Path(__file__).parents[2]
_SHARDS = 4


@dataclass(frozen=True)
class ShardSpeed:
    """Processor seconds on one core, but for those of memory.

    Attributes:
        megabytes: of the file.
        alone: what one process takes for the whole file.
        plan: PlanShards, for the whole file.
        scan, fit, encode: of all shards together.
        merge: of one state, read and merged.
        state_bytes: of one state.
        peak_megabytes: of the process, at the end of the shards.
    """

    kind: str
    megabytes: float
    alone: float
    plan: float
    scan: float
    fit: float
    merge: float
    encode: float
    state_bytes: int
    peak_megabytes: float

    @property
    def ratio(self) -> float:
        """Of what the shards cost to what their bytes cost in one process."""
        return (self.scan + self.fit + self.encode) / self.alone


class Nowhere:
    """A sink of a channel that keeps nothing."""

    def write(self, channel: str, part: bytes | ArrayPair) -> None: ...


def measure(kind: str, megabytes: int) -> ShardSpeed:
    """In processes of their own, one for each way."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        write_csv(kind, path, megabytes)
        found: dict[str, Any] = {"kind": kind, "megabytes": path.stat().st_size / 1e6}  # Any: JSON
        for way in ("alone", "shards"):
            command = [sys.executable, "-m", "tests.benchmarks.shard_speed", "--way", way, kind, str(path)]
            found |= json.loads(subprocess.run(command, check=True, capture_output=True, cwd=_ROOT).stdout)
    return ShardSpeed(**found)


def _alone(kind: str, path: Path) -> dict[str, float]:
    findings = _findings(kind, path)
    start = time.process_time()

    def blocks() -> Iterator[Block]:
        with path.open("rb") as stream:
            yield from open_blocks(stream, str(path), "csv")

    first = read_and_fit(blocks, resolution_of(kind), findings=findings)
    prepare(blocks, first, Nowhere(), lambda _: None)
    return {"alone": time.process_time() - start}


class _Steps:
    """Processor seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.process_time()

    def done(self, step: str) -> None:
        now = time.process_time()
        self.seconds[step] = self.seconds.get(step, 0.0) + now - self._since
        self._since = now


class Shards:
    """A file in shards of about the same size.

    Attributes:
        plan: settled.
        reading: the round that reads them all.
    """

    def __init__(self, kind: str, path: Path, shards: int, steps: _Steps | None = None) -> None:
        steps = steps or _Steps()
        self._path = path
        size = path.stat().st_size
        parts = [DatasetPart(str(path), size)]
        plan = plan_shards(str(path), "csv", parts, -(-size // shards), open_range=self.open_range, options=FIND_OUT)
        steps.done("plan")
        self.plan = settle(plan, {number: scan_shard(plan, number, self.open_range) for number in plan.to_scan})
        steps.done("scan")
        self.resolution = resolution_of(kind)
        self._findings = _findings(kind, path)
        self.count = len(self.plan.shards)
        split = initial_plan(self.resolution.spec.split)
        self.reading = Round(0, "profile", self.resolution, split, None, (0, self.count))
        steps.done("sample")

    def open_range(self, part: DatasetPart, start: int, end: int) -> BinaryIO:
        stream = self._path.open("rb")
        stream.seek(start)
        return io.BufferedReader(_Until(stream, end - start)) if end < part.size else stream

    def empty_profile(self) -> DatasetProfile:
        return DatasetProfile(findings=self._findings)

    def blocks(self, number: int, said: list[Said]) -> Iterator[Block]:
        """The rows of a shard."""
        return read_shard(self.plan, number, self.open_range, FIND_OUT, said)

    def states(self) -> list[bytes]:
        """What FitShard stores of each."""
        said: list[list[Said]] = [[] for _ in range(self.count)]
        return [
            encode_state(fit_rows(self.blocks(number, said[number]), self.reading, self.empty_profile(), said[number]))
            for number in range(self.count)
        ]


def _in_shards(kind: str, path: Path) -> dict[str, float]:
    steps = _Steps()
    shards = Shards(kind, path, _SHARDS, steps)
    states = shards.states()
    steps.done("fit")
    merged = Merged.nothing(shards.reading, shards.empty_profile())
    merged.add(_decoded(state) for state in states)
    steps.done("merge")
    first = next_round(shards.reading, merged, shards.count, lambda _: shards.resolution)
    if not isinstance(first, FirstRead):
        raise TypeError("the file needs another round")
    steps.done("rest")
    encoding = first.encoding(asks_validation=False)
    split = shards.resolution.spec.split
    for number in range(shards.count):
        blocks = hashed_blocks(partial(shards.blocks, number, []), None, split)
        pieces = (piece for block, hashes, _ in blocks for piece in encoding.pieces(block, row_keys(block, hashes, split)))
        write_pieces(pieces, Nowhere(), lambda _: None, None)
    steps.done("encode")
    seconds = steps.seconds
    return {
        **{step: seconds[step] for step in ("plan", "scan", "fit", "encode")},
        "merge": seconds["merge"] / shards.count,
        "state_bytes": sum(map(len, states)) // shards.count,
        "peak_megabytes": peak_megabytes(),
    }


def _findings(kind: str, path: Path) -> Findings:
    """What ConfigureRun tells of the columns."""
    with path.open("rb") as stream:
        sample = DatasetProfile.of(islice(open_blocks(stream, str(path), "csv"), 2))
    return resolution_of(kind).findings(sample.findings())


def _decoded(state: bytes) -> ShardFit:
    fit: ShardFit = decode_state(state)
    return fit


class _Until(io.RawIOBase):
    """The next bytes of a file, so many at most."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # Buffer has no type before Python 3.12
        count = self._stream.readinto(buffer[: self._left])  # type: ignore[attr-defined]  # a file has it
        self._left -= count
        return int(count)

    def close(self) -> None:
        self._stream.close()
        super().close()


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--way"]:
        _, way, kind, path = arguments
        found = _alone(kind, Path(path)) if way == "alone" else _in_shards(kind, Path(path))
        print(json.dumps(found))  # noqa: T201 - to the process that measures
        return
    kind, megabytes = arguments
    speed = measure(kind, int(megabytes))
    print(json.dumps({**asdict(speed), "ratio": round(speed.ratio, 3)}, indent=1))  # noqa: T201 - a command


if __name__ == "__main__":
    main(sys.argv[1:])
