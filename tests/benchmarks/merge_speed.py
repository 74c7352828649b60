"""What merging the states of many shards costs, as MergeFit does it, without S3.

    python -m tests.benchmarks.merge_speed 10000

makes the states of some shards of a mixed table, decodes and merges them in turn until so many are merged, and prints a JSON
document: seconds, those of decoding among them, and the peak of the process's memory.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sageline.preparation.shards.merge import Merged
from sageline.preparation.shards.shard_fit import ShardFit
from sageline.preparation.shards.state_codec import decode_state
from tests.benchmarks.prepare_memory import peak_megabytes, write_csv
from tests.benchmarks.shard_speed import Shards

GOAL_SECONDS, GOAL_MEGABYTES = 60, 1000  # for 10,000 shards
_MEGABYTES_OF_SHARD = 60  # as of a large table


def measure(count: int, shards: int = 2) -> dict[str, float]:
    """Merge so many states, of which ``shards`` are different."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        write_csv("mixed", path, shards * _MEGABYTES_OF_SHARD)
        source = Shards("mixed", path, shards)
        states = source.states()
    decoding = 0.0

    def fits() -> Iterator[ShardFit]:
        nonlocal decoding
        for number in range(count):
            start = time.process_time()
            fit = decode_state(states[number % shards])
            decoding += time.process_time() - start
            yield fit

    merged = Merged.nothing(source.reading, source.empty_profile())
    start = time.process_time()
    merged.add(fits())
    return {
        "shards": count,
        "state_megabytes": round(sum(map(len, states)) / shards / 1e6, 2),
        "seconds": round(time.process_time() - start, 1),
        "decoding_seconds": round(decoding, 1),
        "peak_megabytes": round(peak_megabytes()),
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))  # noqa: T201 - a command
