"""What a version writes for a run, kept so that later ones are tried with it.

``python -m tests.unit.upgrade.documents VERSION``, in a checkout of that version, writes it beside this file.
"""

from __future__ import annotations

import base64
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from sageline.configuration.configure import configure
from sageline.encoder.fitted import FittedEncoder
from sageline.json_objects import Json
from sageline.preparation.prepare import prepare_data
from tests.unit.world.world import BUCKET, EXECUTION, RUN_ID, World, new_world, with_one_algorithm

FOLDER = Path(__file__).parent
DATASET = "datasets/flowers/data.csv"
STAGES = ("configured", "prepared")


@dataclass(frozen=True)
class Case:
    """A dataset, the spec that it is submitted with, and rows to predict."""

    data: str
    spec: Json
    rows: list[object]


CASES = {
    "texts": Case(
        "post,kind\n" + "".join(f"red petals number {n},rose\nblue sword leaf {n},iris\n" for n in range(30)),
        {},
        [{"post": "red Petals and a sword"}, {"post": ""}, "blue blue leaf"],
    ),
    "texts-weighed": Case(
        "title,post,kind\n"
        + "".join(f"petals {n} up,red number {n},rose\nleaf {n} down,blue sword {n},iris\n" for n in range(30)),
        {"encoder": {"kind": "bag-of-words", "mode": "tf-idf", "max_words": 20}},
        [{"title": "leaf", "post": "blue and red"}, {"title": "", "post": "12"}],
    ),
    "table": Case(
        "size,colour,kind\n" + "".join(f"{n},red,rose\n{n if n % 7 else ''},blue,iris\n" for n in range(30)),
        {},
        [{"size": 3, "colour": "red"}, {"size": None, "colour": "never seen"}, {"size": "4.5", "colour": "blue"}],
    ),
    "table-of-options": Case(
        "size,colour,price\n" + "".join(f"{n if n % 7 else ''},{'red' if n % 2 else 'blue'},{3 * n}.25\n" for n in range(60)),
        {"encoder": {"kind": "table", "categories": "ordinal", "missing": "mean", "scale": "standard"}},
        [{"size": 3, "colour": "red"}, {"size": None, "colour": "never seen"}],
    ),
    "tokens": Case(
        "post,kind\n" + "".join(f"red petals number {n},rose\nblue sword leaf {n},iris\n" for n in range(30)),
        {"algorithm": {"name": "blazingtext"}},
        [{"post": "red Petals and a sword"}, "blue blue leaf"],
    ),
    "image": Case(
        "pixel0,pixel1,pixel2,pixel3,kind\n" + "".join(f"{n},0,{255 - n},9,rose\n0,{n},9,{255 - n},iris\n" for n in range(30)),
        {"encoder": {"kind": "image", "shape": [2, 2]}},
        [{"pixel0": 1, "pixel1": 2, "pixel2": 3, "pixel3": 4}, [[250, 1], [2, 3]]],
    ),
}


def file(version: str, case: str, stage: str) -> Path:
    return FOLDER / version / case / f"{stage}.json"


def put_back(world: World, document: Json) -> None:
    """The bucket and the table as they were."""
    for key, body in document["objects"].items():
        world.put(key, body.encode() if isinstance(body, str) else base64.b64decode(body["base64"]))
    for item in document["items"]:
        world.aws.dynamodb.put_item({"Item": item})


def _kept(world: World) -> Json:
    # The dataset first: the record has its version, which is the first that the bucket gives.
    keys = sorted(world.keys(), key=lambda key: (key != DATASET, key))
    items = [item for _, item in sorted(world.aws.dynamodb.items.items())]
    return {"objects": {key: _body(world.get(key)) for key in keys}, "items": items}


def _body(content: bytes) -> str | Json:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def _write(version: str, name: str, stage: str, document: Json) -> None:
    path = file(version, name, stage)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def main(version: str) -> None:
    """Run each case up to the training, and keep what is there after each stage and what requests become."""
    for name, case in CASES.items():
        with new_world() as world:
            world.put(DATASET, case.data.encode())
            spec = with_one_algorithm({"dataset": {"uri": f"s3://{BUCKET}/{DATASET}"}, **case.spec})
            configure(EXECUTION, {"run_id": RUN_ID, "spec": spec}, run=world.run)
            _write(version, name, "configured", _kept(world))
            answer = prepare_data(RUN_ID, run=world.run)
            _write(version, name, "prepared", _kept(world))
            encoder = world.run.files.layout(RUN_ID).encoder_prefix
            files = {file: world.get(encoder + file) for file in ("encoder.json", "encoder.npz")}
            fitted = FittedEncoder.load(files)
            body = fitted.request_body(fitted.encode_instances(case.rows, []))
            _write(version, name, "answers", {"prepared": dict(answer), "request_body": _body(body)})


if __name__ == "__main__":
    main(sys.argv[1])
