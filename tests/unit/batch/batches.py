"""A model that serves, rows for it in the bucket, and what a transform job would answer for them."""

from __future__ import annotations

import json

from sageline.batch.batch import EncodedBatch
from sageline.batch.encode import encode_batch
from sageline.configuration.configure import configure
from sageline.preparation.prepare import prepare_data
from sageline.runs.deployment_record import routed_variant
from sageline.runs.payloads import Configured
from sageline.runs.routing import Routing
from tests.unit.golden import golden_event
from tests.unit.world.world import BUCKET, EXECUTION, RUN_ID, World, with_one_algorithm

MODEL = "flowers-20261119100000-9f8e7d"
"""The run whose model scores; the batch is run RUN_ID."""
ROWS = "batch/flowers/rows.csv"
OUTPUT = f"runs/{RUN_ID}/predictions"

FLOWERS = b"id,size,colour,kind\n" + b"".join(
    b"row %d,%d,red,rose\nrow %d,%d.5,blue,iris\n" % (i, i, i + 40, i) for i in range(40)
)
"""``id`` is left out of training: every value is another one."""
SIX_ROWS = b"size,colour\n" + b"".join(b"%d.25,%s\n" % (i, b"red" if i % 2 else b"blue") for i in range(6))


def trained(world: World, /, data: bytes = FLOWERS, **spec: object) -> None:
    """Endpoint ``flowers`` serves the model of run MODEL, trained on the data."""
    world.put("datasets/flowers/data.csv", data)
    trigger = {
        "run_id": MODEL,
        "spec": with_one_algorithm({"dataset": {"uri": f"s3://{BUCKET}/datasets/flowers/data.csv"}, **spec}),
    }
    configure(EXECUTION, trigger, run=world.run)
    prepare_data(MODEL, run=world.run)
    world.make_models(MODEL)
    layout = world.run.files.layout(MODEL)
    variant = routed_variant(MODEL, layout.uri(layout.encoder_prefix), "text/csv")
    world.run.routings.write(Routing("flowers", (variant,), "2026-11-19T11:00:00.000Z"), None)


def begun(world: World, /, rows: bytes = SIX_ROWS, key: str = ROWS, **asked: object) -> Configured:
    """The batch, configured."""
    world.put(key, rows)
    event = golden_event("configure_run/batch")
    event["trigger"]["batch"] |= {"input": f"s3://{BUCKET}/{key}", **asked}
    return configure(EXECUTION, event["trigger"], run=world.run)


def encoded(world: World, /, rows: bytes = SIX_ROWS, key: str = ROWS, **asked: object) -> EncodedBatch:
    """The batch, configured and encoded."""
    begun(world, rows, key, **asked)
    return encode_batch(RUN_ID, run=world.run)


def transformed(world: World) -> None:
    """XGBoost's probability of the second class for each row: a hundredth of its first number."""
    for key in world.keys(f"runs/{RUN_ID}/data/batch/"):
        sizes = [float(line.split(b",")[0]) for line in world.get(key).splitlines()]
        answer = "".join(f"{size / 100}\n" for size in sizes)
        world.put(f"runs/{RUN_ID}/transform/{key.rsplit('/', 1)[1]}.out", answer.encode())


def lines(world: World, extension: str) -> list[str]:
    """The predictions that were written."""
    return world.get(f"{OUTPUT}.{extension}").decode().splitlines()


def documents(world: World) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines(world, "jsonl")]
