"""How much one core reads while it judges a model: rows and megabytes a second, and what a shard leaves to merge.

    python -m tests.benchmarks.evaluation_speed 200000

prepares tables of so many rows (ten numbers, or a text, and a label), answers their test rows, and prints a document for each:
processor seconds of scoring the answers and of encoding the raw rows for another model, with S3 in memory. What is read for
scoring are the raw rows and the answers; for encoding the raw rows.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

from sageline.evaluation.held_out_rows import encode_for_champion, score_answers
from sageline.storage.shards.state_codec import decode_state, encode_state
from tests.unit.evaluation.evaluations import answer, encoder_of, prepared
from tests.unit.world.world import RUN_ID, World, new_world

_SPLIT = {"train": 0.2, "validation": 0.1, "test": 0.7}


def measure(kind: str, rows: int) -> dict[str, Any]:  # Any: JSON
    """``two classes``, ``fifty classes``, ``values`` or ``texts``."""
    with new_world() as world:
        prepared(world, None, _table(kind, rows), split=_SPLIT)
        encoder = encoder_of(world, RUN_ID)
        tests = world.run.store.get(RUN_ID).details["rows"]["test"]
        answer(world, "evaluation", _answers(tests, len(encoder.classes or [])))
        raw, answers = (_bytes(world, folder) for folder in ("data/test-raw/", "transform/evaluation/part-"))
        start = time.process_time()
        scored = score_answers(RUN_ID, encoder, files=world.run.files, of="evaluation", classes=encoder.classes)
        score_seconds = time.process_time() - start
        start = time.process_time()
        encode_for_champion(RUN_ID, encoder, files=world.run.files)
        encode_seconds = time.process_time() - start
        state = encode_state(scored)
        start = time.process_time()
        scored.merge(decode_state(state))
        return {
            "kind": kind,
            "test_rows": tests,
            "raw_megabytes": raw / 1e6,
            "answers_megabytes": answers / 1e6,
            "score_seconds": score_seconds,
            "score_megabytes_a_second": (raw + answers) / 1e6 / score_seconds,
            "score_rows_a_second": tests / score_seconds,
            "encode_seconds": encode_seconds,
            "encode_megabytes_a_second": raw / 1e6 / encode_seconds,
            "state_megabytes": len(state) / 1e6,
            "merge_seconds": time.process_time() - start,
        }


def _table(kind: str, rows: int) -> bytes:
    random = np.random.default_rng(0)
    classes = {"two classes": 2, "fifty classes": 50, "texts": 2}
    if kind == "values":
        labels = [f"{value:.3f}" for value in random.normal(size=rows)]
    else:
        labels = [f"label {number}" for number in random.integers(0, classes[kind], rows)]
    if kind == "texts":
        texts = random.choice([f"word{number}" for number in range(5000)], (rows, 40))
        lines = (f"{' '.join(text)} {number},{label}" for number, (text, label) in enumerate(zip(texts, labels, strict=True)))
        return "\n".join(["text,label", *lines, ""]).encode()
    numbers = random.normal(size=(rows, 10)).round(4).astype(str)
    lines = (f"{','.join(row)},{label}" for row, label in zip(numbers, labels, strict=True))
    return "\n".join([",".join(f"n{column}" for column in range(10)) + ",label", *lines, ""]).encode()


def _answers(rows: int, classes: int) -> list[str]:
    random = np.random.default_rng(1)
    if classes <= 2:
        return [f"{value:.9f}" for value in random.random(rows)]
    return [str(list(row)) for row in random.dirichlet(np.ones(classes), rows).round(6).tolist()]


def _bytes(world: World, folder: str) -> int:
    return sum(len(world.get(key)) for key in world.keys(f"runs/{RUN_ID}/{folder}"))


def main() -> None:
    rows = int(sys.argv[1])
    for kind in ("two classes", "fifty classes", "values", "texts"):
        print(json.dumps(measure(kind, rows if kind != "fifty classes" else rows // 5)))  # noqa: T201 - a command


if __name__ == "__main__":
    main()
