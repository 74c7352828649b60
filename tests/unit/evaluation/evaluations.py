"""A run whose model is to be judged: its test rows, and what a transform job would answer for them."""

from __future__ import annotations

import json
from typing import Any

from sageline.configuration.configure import configure
from sageline.encoder.fitted import FittedEncoder
from sageline.evaluation.evaluate import ErrorOutput, Evaluated, compare_models, evaluate_model
from sageline.preparation.prepare import prepare_data
from sageline.runs.payloads import ShardedEvaluation
from sageline.serving.stored import EncoderCache
from tests.unit.batch.batches import trained
from tests.unit.world.world import BUCKET, EXECUTION, RUN_ID, World, with_one_algorithm

DOCUMENT = f"runs/{RUN_ID}/evaluation/evaluation.json"
FLOWERS = b"id,size,colour,kind\n" + b"".join(
    b"row %d,%d,red,rose\nrow %d,%d.5,blue,iris\n" % (i, i, i + 200, i) for i in range(200)
)
PRICES = b"size,colour,price\n" + b"".join(b"%d,%s,%d.25\n" % (i, b"red" if i % 2 else b"blue", 3 * i) for i in range(200))


def encoder_of(world: World, run_id: str) -> FittedEncoder:
    layout = world.run.files.layout(run_id)
    return EncoderCache(world.s3).get(layout.uri(layout.encoder_prefix))


def prepared(world: World, /, evaluation: dict[str, Any] | None = None, data: bytes = FLOWERS, **spec: Any) -> None:
    """A run whose data is prepared, its test rows encoded for its own model."""
    world.put("datasets/flowers/data.csv", data)
    dataset = {"uri": f"s3://{BUCKET}/datasets/flowers/data.csv"}
    document = {
        "dataset": dataset,
        "split": {"train": 0.5, "validation": 0.1, "test": 0.4},
        "evaluation": evaluation or {},
        **spec,
    }
    configure(EXECUTION, {"run_id": RUN_ID, "spec": with_one_algorithm(document)}, run=world.run)
    prepare_data(RUN_ID, run=world.run)


def held_out(world: World) -> list[dict[str, Any]]:
    keys = world.keys(f"runs/{RUN_ID}/data/test-raw/")
    return [json.loads(line) for key in keys for line in world.get(key).splitlines()]


def parts_of(world: World, of: str, validation: bool = False) -> list[tuple[str, int]]:
    rows = json.loads(world.get(f"runs/{RUN_ID}/data/{of}.json")).get("validation" if validation else "rows", [])
    keys = world.keys(f"runs/{RUN_ID}/data/{of}/{'validation' if validation else 'part'}-")
    return list(zip(keys, rows, strict=True))


def validation_labels(world: World) -> list[str]:
    keys = world.keys(f"runs/{RUN_ID}/data/validation-labels/")
    return [json.loads(line)["label"] for key in keys for line in world.get(key).splitlines()]


def answer(world: World, of: str, lines: list[str], validation: list[str] | None = None) -> None:
    """What the transform job leaves: a line for each row; for validation rows, if not said otherwise, what is right."""
    _answer(world, of, parts_of(world, of), lines)
    if of == "evaluation":
        answer_validation(world, validation)


def answer_validation(world: World, lines: list[str] | None = None) -> None:
    parts = parts_of(world, "evaluation", validation=True)
    if parts:
        right = ["0.9" if label == "rose" else "0.1" for label in validation_labels(world)]
        _answer(world, "evaluation", parts, right if lines is None else lines)


def _answer(world: World, of: str, parts: list[tuple[str, int]], lines: list[str]) -> None:
    for key, rows in parts:
        some, lines = lines[:rows], lines[rows:]
        world.put(f"runs/{RUN_ID}/transform/{of}/{key.rsplit('/', 1)[1]}.out", "".join(f"{line}\n" for line in some).encode())
    assert not lines


def right_but(world: World, wrong: int) -> list[str]:
    """Probabilities of the class rose: right but for the first so many rows."""
    labels = [row["label"] == "rose" for row in held_out(world)]
    return ["0.9" if is_rose != (number < wrong) else "0.1" for number, is_rose in enumerate(labels)]


def answered(world: World, of: str = "evaluation") -> None:
    """A run that must beat the model in service, and has been answered for."""
    if of == "evaluation":
        trained(world, FLOWERS)
        prepared(world, {"beat_champion": True})
    answer(world, of, right_but(world, 3))


def document(world: World) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(world.get(DOCUMENT))
    return found


def by_one_function(evaluated: Evaluated | ShardedEvaluation) -> Evaluated:
    assert evaluated["decision"] != "shards"
    return evaluated


def judge(world: World) -> Evaluated:
    return by_one_function(evaluate_model(RUN_ID, run=world.run))


def judge_both(world: World, failure: ErrorOutput | None = None) -> Evaluated:
    return by_one_function(compare_models(RUN_ID, run=world.run, champion_failure=failure))


def judged(world: World, wrong: int, evaluation: dict[str, Any] | None = None) -> Evaluated:
    prepared(world, evaluation)
    answer(world, "evaluation", right_but(world, wrong))
    return judge(world)


def compared(world: World, new: int, old: int, evaluation: dict[str, Any] | None = None) -> Evaluated:
    """The decision, where the new model and the one in service have so many rows wrong."""
    trained(world, FLOWERS)
    prepared(world, {"beat_champion": True, **(evaluation or {})})
    answer(world, "evaluation", right_but(world, new))
    assert judge(world)["decision"] == "compare"
    answer(world, "champion", right_but(world, old))
    return judge_both(world)
