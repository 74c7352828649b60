"""A run of `auto` whose candidates have been trained and asked: what each has answered, in the format of its algorithm."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from sageline.configuration.configure import configure
from sageline.costs.actual import BilledJob, with_billed_job
from sageline.encoder.fitted import FittedEncoder
from sageline.evaluation.candidates.choose import ChosenCandidate, choose_candidate
from sageline.evaluation.candidates.validate import validate_candidate
from sageline.evaluation.evaluate import Evaluated
from sageline.models.create import create_model
from sageline.preparation.prepare import prepare_data
from tests.unit.evaluation.evaluations import FLOWERS, by_one_function, encoder_of
from tests.unit.world.world import BUCKET, EXECUTION, ROLES, RUN_ID, World

URI = f"s3://{BUCKET}/datasets/flowers/data.csv"
SHARES = {"train": 0.5, "validation": 0.2, "test": 0.3}


def begun(world: World, data: bytes = FLOWERS, extension: str = "csv", **spec: Any) -> dict[str, str]:
    """The run RUN_ID, whose candidates are prepared; their ids by algorithm."""
    key = f"datasets/flowers/data.{extension}"
    world.put(key, data)
    document = {"dataset": {"uri": f"s3://{BUCKET}/{key}"}, "split": SHARES, **spec}
    configure(EXECUTION, {"run_id": RUN_ID, "spec": document}, run=world.run)
    planned = {candidate["algorithm"]: candidate["run_id"] for candidate in world.record().details["candidates"]}
    for run_id in planned.values():
        configure(f"{EXECUTION}-{run_id}", {"run_id": run_id, "candidate_of": RUN_ID}, run=world.run)
        prepare_data(run_id, run=world.run)
    return planned


def answered(world: World, run_id: str, wrong: int = 0, *, wrong_tests: int = 0, seconds: int = 60, sure: float = 0.9) -> None:
    """The candidate is trained, has a model, and has answered: right, but for the first so many validation and test rows."""
    trained(world, run_id, seconds)
    create_model(run_id, world.record(run_id).details["training"]["model_artifact_uri"], roles=ROLES, run=world.run)
    for kind, stem, all_wrong in (("validation", "validation", wrong), ("rows", "part", wrong_tests)):
        labels, asked, mistakes = known_labels(world, run_id, kind), asked_rows(world, run_id)[kind], all_wrong
        keys = world.keys(f"runs/{run_id}/data/evaluation/{stem}-")
        for key, rows in zip(keys, asked, strict=True):
            body = answers(encoder_of(world, run_id), labels[:rows], mistakes, sure)
            labels, mistakes = labels[rows:], max(0, mistakes - rows)
            world.put(f"runs/{run_id}/transform/evaluation/{key.rsplit('/', 1)[1]}.out", body)
        assert not labels
    world.run.store.note(run_id, evaluation_transform={"status": "Completed", "transform_seconds": 30})


def trained(world: World, run_id: str, seconds: int = 60) -> None:
    uri = world.put_artifact(f"runs/{run_id}/training/{run_id}/output/model.tar.gz", run_id)
    job = BilledJob(job=run_id, use="training", instance_type="ml.m5.xlarge", instances=1, seconds=seconds)
    world.run.store.note(
        run_id,
        training_job={"name": run_id, "arn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{run_id}"},
        training={"status": "Completed", "model_artifact_uri": uri, "metrics": {}},
        cost=with_billed_job(world.record(run_id).details["cost"], job),
    )


def validated(world: World, run_id: str, wrong: int = 0, **told: Any) -> Evaluated:
    answered(world, run_id, wrong, **told)
    return by_one_function(validate_candidate(run_id, run=world.run))


def failed(world: World, run_id: str, message: str, error: str = "TrainingJobFailed", state: str = "CheckTraining") -> None:
    """As RecordFailure leaves it."""
    document = {"state": state, "error": error, "message": message}
    world.run.store.finish(run_id, "Failed", state=state, error=document)


def both(world: World, trees: int, linear: int, **spec: Any) -> dict[str, str]:
    """XGBoost and linear-learner have so many validation rows wrong."""
    planned = begun(world, **spec)
    validated(world, planned["xgboost"], trees)
    validated(world, planned["linear-learner"], linear)
    return planned


def choose(world: World) -> ChosenCandidate:
    return choose_candidate(RUN_ID, run=world.run)


def asked_rows(world: World, run_id: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = json.loads(world.get(f"runs/{run_id}/data/evaluation.json"))
    return found


def known_labels(world: World, run_id: str, kind: str) -> list[Any]:
    prefix = f"runs/{run_id}/data/{'test-raw' if kind == 'rows' else 'validation-labels'}/"
    return [json.loads(line)["label"] for key in world.keys(prefix) for line in world.get(key).splitlines()]


def answers(encoder: FittedEncoder, labels: list[Any], wrong: int, sure: float) -> bytes:
    """What the container answers in a transform job: right but for the first ``wrong`` rows."""
    if encoder.classes is None:
        values = [float(label) + (10 if number < wrong else 0.5) for number, label in enumerate(labels)]
        return _values(encoder, values)
    numbers = [encoder.classes.index(label) for label in labels]
    chosen = [(number + 1) % len(encoder.classes) if row < wrong else number for row, number in enumerate(numbers)]
    return _CLASSES[encoder.answers](encoder.classes, chosen, sure)


def _values(encoder: FittedEncoder, values: list[float]) -> bytes:
    if encoder.target_transform == "log":
        values = [math.log1p(value) for value in values]
    spelled = {
        "xgboost": lambda value: f"{value}\n",
        "linear-learner": lambda value: json.dumps({"score": value}) + "\n",
        "knn": lambda value: json.dumps({"predicted_label": value}) + "\n",
    }[encoder.answers]
    return "".join(map(spelled, values)).encode()


def _shares(classes: list[str], chosen: int, sure: float) -> list[float]:
    return [sure if number == chosen else (1 - sure) / (len(classes) - 1) for number in range(len(classes))]


def _xgboost(classes: list[str], chosen: list[int], sure: float) -> bytes:
    rows = [_shares(classes, number, sure) for number in chosen]
    return "".join(f"{row[1] if len(classes) == 2 else row}\n" for row in rows).encode()


def _linear(classes: list[str], chosen: list[int], sure: float) -> bytes:
    scores = [_shares(classes, number, sure) for number in chosen]
    shown = [row[1] if len(classes) == 2 else row for row in scores]
    return "".join(
        json.dumps({"score": score, "predicted_label": number}) + "\n" for score, number in zip(shown, chosen, strict=True)
    ).encode()


def _knn(classes: list[str], chosen: list[int], _: float) -> bytes:
    return "".join(json.dumps({"predicted_label": float(number)}) + "\n" for number in chosen).encode()


def _tensorflow(classes: list[str], chosen: list[int], sure: float) -> bytes:
    return json.dumps({"predictions": [_shares(classes, number, sure) for number in chosen]}).encode()


def _blazingtext(classes: list[str], chosen: list[int], sure: float) -> bytes:
    lines = []
    for number in chosen:
        ranked = sorted(zip(_shares(classes, number, sure), range(len(classes)), strict=True), reverse=True)
        lines.append({"label": [f"__label__{classes[place]}" for _, place in ranked], "prob": [share for share, _ in ranked]})
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


_CLASSES: dict[str, Callable[[list[str], list[int], float], bytes]] = {
    "xgboost": _xgboost,
    "linear-learner": _linear,
    "knn": _knn,
    "tensorflow": _tensorflow,
    "blazingtext": _blazingtext,
}
