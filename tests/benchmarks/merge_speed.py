"""What merging the states of many shards costs, as MergeFit does it, without S3.

    python -m tests.benchmarks.merge_speed 100

makes the states of some shards of a mixed table, decodes and merges them in turn to a group, merges so many such groups, and
prints a JSON document: seconds of a group and of merging the groups, those of decoding among them, and the peak of the process's
memory. 100 groups are those of 10,000 shards.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from sageline.configuration.preparation_plan import SHARDS_OF_GROUP
from sageline.preparation.shards.merge import Merged
from sageline.preparation.shards.shard_fit import ShardFit
from sageline.storage.shards.state_codec import decode_state, encode_state
from tests.benchmarks.prepare_memory import peak_megabytes, write_csv
from tests.benchmarks.shard_speed import Shards

_MEGABYTES_OF_SHARD = 60  # as of a large table


def measure(groups: int, shards: int = 2) -> dict[str, float]:
    """Merge a group of states, of which ``shards`` are different, and so many groups."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        write_csv("mixed", path, shards * _MEGABYTES_OF_SHARD)
        source = Shards("mixed", path, shards)
        states = source.states()
    group, of_group = _merge(states, SHARDS_OF_GROUP, source)
    merged = encode_state(group.to_fit())
    _, of_all = _merge([merged], groups, source)
    return {
        "state_megabytes": round(sum(map(len, states)) / shards / 1e6, 2),
        "group_seconds": round(of_group, 1),
        "group_megabytes": round(len(merged) / 1e6, 2),
        "groups": groups,
        "seconds": round(of_all, 1),
        "peak_megabytes": round(peak_megabytes()),
    }


def _merge(states: list[bytes], count: int, source: Shards) -> tuple[Merged, float]:
    """So many of the states in turn, and the processor seconds that it takes."""
    start = time.process_time()
    merged = Merged.nothing(source.reading, source.empty_profile())
    merged.add(_decoded(states[number % len(states)]) for number in range(count))
    return merged, time.process_time() - start


def _decoded(state: bytes) -> ShardFit:
    fit: ShardFit = decode_state(state)
    return fit


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))  # noqa: T201 - a command
