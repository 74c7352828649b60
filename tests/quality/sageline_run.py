"""A run of Sageline on a table, by the code of the functions and with AWS in memory."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sageline.configuration.configure import configure
from sageline.encoder.fitted import FittedEncoder
from sageline.evaluation.answer_arrays import read_classes, read_values
from sageline.evaluation.candidates.choose import choose_candidate
from sageline.evaluation.candidates.validate import validate_candidate
from sageline.evaluation.evaluate import evaluate_model
from sageline.json_objects import Json
from sageline.preparation.prepare import prepare_data
from sageline.runs.price_list import Use
from sageline.runs.prices import LIST_PRICES
from sageline.serving.stored import EncoderCache
from sageline.spec.model import Spec
from tests.quality import containers
from tests.quality.answers import Answers, Judged
from tests.quality.arms import Arm
from tests.quality.tuning import tune
from tests.unit.world.world import BUCKET, EXECUTION, RUN_ID, World, new_world

SHARES = {"train": 0.7, "validation": 0.1, "test": 0.2}
"""Sageline's own validation share; more test rows than its default has, or small tables would tell nothing."""

_URI = f"s3://{BUCKET}/datasets/table/data.csv"


@dataclass(frozen=True)
class Candidate:
    """A line of the leaderboard.

    Attributes:
        value: Sageline's metric of the validation rows; None for a candidate that has failed, and for a named algorithm.
        problem: why it has failed.
    """

    algorithm: str
    chosen: bool
    value: float | None
    problem: str | None


@dataclass(frozen=True, eq=False)
class Run:
    """What came of a run.

    Attributes:
        judged, answers: of the test rows, in the order of the table.
        raw: of each test row what the run has kept: ``features``, ``others``, ``label``.
        seconds: of preparing, training and answering, of all candidates together.
        rounds: of the last XGBoost that was trained; None without one.
        dollars: list price of the instances for as long as training and answering took here: without the starts of instances.
    """

    judged: Judged
    answers: Answers
    raw: list[Json]
    spec: Spec
    candidates: list[Candidate]
    seconds: dict[str, float]
    dollars: float
    rounds: int | None


def run(data: bytes, label: str, exclude: Sequence[str], arm: Arm, *, seed: int, shares: Mapping[str, float] = SHARES) -> Run:
    """Train an arm on a table.

    Args:
        data: CSV.
        seed, shares: of the split.

    Raises:
        SagelineError: the spec or the data are refused.
    """
    with new_world() as world:
        world.put("datasets/table/data.csv", data)
        spec = {
            "dataset": {"uri": _URI, "label": label, "exclude": list(exclude)},
            "split": {**shares, "seed": seed},
            "evaluation": {"better_than_baseline": False},
        } | arm.spec
        timed = _Timed()
        configured = configure(EXECUTION, {"run_id": RUN_ID, "spec": spec}, run=world.run)
        candidates = configured.get("candidates", [])
        for candidate in candidates:
            configure(EXECUTION, {"run_id": candidate, "candidate_of": RUN_ID}, run=world.run)
            _train_and_answer(world, candidate, timed)
            validate_candidate(candidate, run=world.run)
        if candidates:
            choose_candidate(RUN_ID, run=world.run)
        else:
            _train_and_answer(world, RUN_ID, timed)
        evaluate_model(RUN_ID, run=world.run)
        return _told(world, timed)


class _Timed:
    """Seconds and list prices of what was done."""

    def __init__(self) -> None:
        self.seconds = {"prepare": 0.0, "train": 0.0, "answer": 0.0}
        self.dollars = 0.0
        self.rounds: int | None = None
        self._began = time.perf_counter()

    def begin(self) -> None:
        self._began = time.perf_counter()

    def end(self, what: str, instance_type: str | None = None, use: Use = "training") -> None:
        seconds = time.perf_counter() - self._began
        self.seconds[what] += seconds
        if instance_type is not None:
            self.dollars += seconds / 3600 * (LIST_PRICES.per_hour(instance_type, use) or 0.0)
        self.begin()


def _train_and_answer(world: World, run_id: str, timed: _Timed) -> None:
    layout = world.run.files.layout(run_id)
    timed.begin()
    prepared = prepare_data(run_id, run=world.run)
    timed.end("prepare")
    spec, encoder = world.run.files.read_spec(run_id), _encoder(world, run_id)
    algorithm = spec.algorithm.name
    names = {"train": "train", "validation": "test" if algorithm == "knn" else "validation"}
    channels = {
        names[name]: {key.rsplit("/", 1)[1]: world.get(key) for key in world.keys(layout.channel_prefix(name))}
        for name in prepared["channels"]
    }
    strings = {name: str(value) for name, value in spec.algorithm.hyperparameters.items()}
    with tempfile.TemporaryDirectory() as name:
        root, content_type = Path(name) / "job", prepared["content_type"] or ""
        if spec.tuning is None:
            containers.train(algorithm, root, channels, content_type, strings)
        else:
            best = tune(
                spec.tuning,
                spec.algorithm,
                strings,
                lambda number, tried: containers.train(algorithm, Path(name) / str(number), channels, content_type, tried),
            )
            root = Path(name) / str(best)
        timed.end("train", spec.algorithm.instance_type)
        headers = {"Content-Type": encoder.exchange.batch_content_type, "Accept": encoder.exchange.batch_accept}
        if algorithm == "xgboost":
            timed.rounds = containers.rounds_of(root)
        model = containers.serve(algorithm, root)
        for key in world.keys(layout.channel_prefix("evaluation")):
            answer = containers.ask(model, world.get(key), headers)
            world.put(f"{layout.transform_prefix}evaluation/{key.rsplit('/', 1)[1]}.out", answer)
        timed.end("answer", spec.evaluation.instance_type, "transform")
    artifact = {"model_artifact_uri": world.put_artifact(f"training/{run_id}/output/model.tar.gz", run_id)}
    world.run.store.enter(run_id, "CheckTraining", training=artifact)


def _encoder(world: World, run_id: str) -> FittedEncoder:
    layout = world.run.files.layout(run_id)
    return EncoderCache(world.run.files.s3).get(layout.uri(layout.encoder_prefix))


def _told(world: World, timed: _Timed) -> Run:
    encoder, spec = _encoder(world, RUN_ID), world.run.files.read_spec(RUN_ID)
    layout, details = world.run.files.layout(RUN_ID), world.record().details
    raw = [json.loads(line) for line in _lines(world, layout.test_raw_prefix)]
    listed = [
        Candidate(found["algorithm"], found["chosen"], found["value"], found["problem"])
        for found in details.get("candidates", [])
    ]
    return Run(
        _judged(spec, encoder, [row["label"] for row in raw]),
        _answers(world, encoder),
        raw,
        spec,
        listed or [Candidate(spec.algorithm.name, True, None, None)],
        timed.seconds,
        timed.dollars,
        timed.rounds,
    )


def _lines(world: World, prefix: str) -> Iterator[bytes]:
    for key in world.keys(prefix):
        yield from world.get(key).splitlines()


def _judged(spec: Spec, encoder: FittedEncoder, labels: list[str] | list[float]) -> Judged:
    metric = spec.evaluation.metric or ""
    if encoder.classes is None:
        return Judged(metric, None, None, np.array(labels, dtype=np.float64))
    number_of = {name: number for number, name in enumerate(encoder.classes)}
    numbers = np.array([number_of[str(label)] for label in labels], dtype=np.int64)
    return Judged(metric, encoder.classes, spec.evaluation.positive, numbers)


def _answers(world: World, encoder: FittedEncoder) -> Answers:
    """Of the chosen model for the test rows, with its decision."""
    layout = world.run.files.layout(RUN_ID)
    rows = json.loads(world.get(f"{layout.prefix}data/evaluation.json"))["rows"]
    chosen, scores = [], []
    for number, count in enumerate(rows):
        name = f"part-{number:05d}.{encoder.exchange.batch_extension}.out"
        body = world.get(f"{layout.transform_prefix}evaluation/{name}")
        if encoder.classes is None:
            chosen.append(read_values(encoder, body, count).astype(np.float64))
            continue
        read = read_classes(encoder, body, count).after
        chosen.append(read.chosen.astype(np.float64))
        if read.scores is not None:
            scores.append(read.scores)
    whole = np.concatenate(chosen)
    if encoder.classes is None:
        return Answers(whole)
    return Answers(whole.astype(np.int64), np.concatenate(scores) if scores else None)
