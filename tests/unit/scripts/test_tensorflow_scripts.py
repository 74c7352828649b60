"""Sageline's TensorFlow scripts train, say how well, and save what TensorFlow Serving serves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits

from sageline.algorithms.tensorflow import METRIC_DEFINITIONS, parse
from tests.ports import free_port
from tests.unit.scripts.test_job_data import SCRIPTS

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is not installed (make setup-tensorflow)"),
]

Array = np.ndarray[Any, Any]  # Any: numpy's shape parameter, and any kind of number


class Job:
    """A training job's folders, and what its script said."""

    def __init__(self, folder: Path, kind: str, rows: Array, labels: Array, held_out: int = 0) -> None:
        self.folder, self.kind, self.rows, self.labels = folder, kind, rows.astype(np.float32), labels
        self.held_out = held_out
        for name in ("code", "train", "validation", "model"):
            (folder / name).mkdir()
        for source in [*(SCRIPTS / "shared").glob("*.py"), *(SCRIPTS / kind).glob("*.py")]:
            (folder / "code" / source.name).write_bytes(source.read_bytes())
        self._put("train", slice(held_out, None))
        if held_out:
            self._put("validation", slice(None, held_out))

    def _put(self, channel: str, which: slice) -> None:
        np.save(self.folder / channel / "part-00000-x.npy", self.rows[which])
        np.save(self.folder / channel / "part-00000-y.npy", self.labels[which])

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """As the training toolkit runs it."""
        sm = {"SM_CHANNEL_TRAIN": str(self.folder / "train"), "SM_MODEL_DIR": str(self.folder / "model")}
        if self.held_out:
            sm["SM_CHANNEL_VALIDATION"] = str(self.folder / "validation")
        return subprocess.run(
            [sys.executable, "train.py", *arguments],
            cwd=self.folder / "code",
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **sm, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    def predict(self, rows: Array) -> Array:
        """What the saved model answers; like TensorFlow Serving, by its default signature."""
        import tensorflow  # noqa: PLC0415 - an optional package, and slow to import

        [output] = (
            tensorflow.saved_model.load(str(self.folder / "model" / "1"))
            .signatures["serving_default"](tensorflow.constant(rows.astype(np.float32)))
            .values()
        )
        return np.asarray(output)


def metrics(output: str) -> dict[str, float]:
    """The last value of each metric, found as SageMaker finds it."""
    found = {name: re.findall(expression, output) for name, expression in METRIC_DEFINITIONS.items()}
    return {name: float(values[-1]) for name, values in found.items() if values}


def arguments(**hyperparameters: object) -> list[str]:
    strings = {name: str(value) for name, value in hyperparameters.items()}
    assert parse(strings).problems == []
    return [part for name, value in strings.items() for part in (f"--{name}", value)]


def test_the_convolutional_network_learns_digits(tmp_path: Path) -> None:
    digits = load_digits()
    job = Job(tmp_path, "cnn", digits.images[:900] / 16, digits.target[:900].astype(np.int64), held_out=200)

    done = job.run(
        *arguments(
            task="classification", num_class=10, feature_dim=64, image_shape="8,8,1", epochs=25, filters="16,32", patience=5
        )
    )

    assert done.returncode == 0, done.stderr
    said = metrics(done.stdout)
    probabilities = job.predict(job.rows[:200])
    accuracy = (probabilities.argmax(axis=1) == job.labels[:200]).mean()
    assert accuracy > 0.9
    assert said["validation:accuracy"] == pytest.approx(accuracy, abs=0.006)
    assert probabilities.shape == (200, 10)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-4)


def test_the_dense_network_answers_a_regression_in_its_units_and_repeats_itself(tmp_path: Path) -> None:
    rows, values = load_diabetes(return_X_y=True)
    outputs = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        job = Job(tmp_path / name, "dense", rows, values.astype(np.float32), held_out=100)
        done = job.run(*arguments(task="regression", feature_dim=10, epochs=15, hidden_units="32,16", seed=3, patience=4))
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout.replace(name, ""))

    answered = job.predict(job.rows[:100])
    rmse = float(np.sqrt(((answered[:, 0] - values[:100]) ** 2).mean()))
    assert answered.shape == (100, 1)
    assert rmse < 0.85 * values[:100].std()
    assert metrics(outputs[0])["validation:rmse"] == pytest.approx(rmse, rel=1e-3)
    assert outputs[0] == outputs[1]


def test_an_interrupted_training_goes_on_from_its_last_epoch_and_keeps_the_best(tmp_path: Path) -> None:
    rows, values = load_diabetes(return_X_y=True)
    outputs: dict[str, str] = {}
    for epochs in (6, 6, 10):
        folder = tmp_path / f"{len(outputs)}-{epochs}"
        folder.mkdir()
        job = Job(folder, "dense", rows, values.astype(np.float32), held_out=100)
        done = job.run(
            *arguments(task="regression", feature_dim=10, epochs=epochs, learning_rate=0.05, dropout=0),
            SAGELINE_CHECKPOINTS=str(tmp_path / "checkpoints"),
        )
        assert done.returncode == 0, done.stderr
        outputs[folder.name] = done.stdout

    first, nothing_left, longer = outputs.values()
    epochs_of = [re.findall(r"epoch=(\d+)", output)[:-1] for output in (first, nothing_left, longer)]
    assert epochs_of == [[str(number) for number in range(1, 7)], [], [str(number) for number in range(7, 11)]]
    saved = [output.partition("The model that is saved:\n")[2].splitlines()[0] for output in outputs.values()]
    assert saved[0] == saved[1], "the best epoch of the first job, with its weights"
    losses = [float(loss) for loss in re.findall(r"validation_loss=(\S+)", first + longer)]
    assert float(re.findall(r"validation_loss=(\S+)", saved[2])[0]) == min(losses)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["checkpoint.npz"]
    answered = job.predict(job.rows[:100])
    rmse = float(np.sqrt(((answered[:, 0] - values[:100]) ** 2).mean()))
    assert metrics(longer)["validation:rmse"] == pytest.approx(rmse, rel=1e-3)


def test_hosts_that_do_not_know_of_each_other_leave_it_to_the_first(tmp_path: Path) -> None:
    job = Job(tmp_path, "dense", np.eye(4), np.array([0, 1, 0, 1]))

    done = job.run(
        *arguments(task="classification", num_class=2, feature_dim=4),
        SM_HOSTS=json.dumps(["algo-1", "algo-2"]),
        SM_CURRENT_HOST="algo-2",
    )

    assert (done.returncode, done.stdout) == (
        0,
        "The first host trains the model; there is nothing to do for this one.\n",
    )
    assert list((tmp_path / "model").iterdir()) == []


def test_two_hosts_train_one_model_together(tmp_path: Path) -> None:
    digits = load_digits()
    workers = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    jobs = []
    for index in range(2):
        (tmp_path / str(index)).mkdir()
        jobs.append(
            Job(tmp_path / str(index), "dense", digits.data[:900] / 16, digits.target[:900].astype(np.int64), held_out=200)
        )
    words = arguments(task="classification", num_class=10, feature_dim=64, epochs=25, hidden_units="128", patience=5)

    def run(index: int) -> subprocess.CompletedProcess[str]:
        config = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        return jobs[index].run(*words, TF_CONFIG=json.dumps(config))

    with ThreadPoolExecutor() as pool:
        first, second = pool.map(run, range(2))

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    validated = [re.findall(r"epoch=\d+|validation_\w+=\S+", done.stdout) for done in (first, second)]
    assert validated[0] == validated[1]
    assert metrics(first.stdout)["validation:accuracy"] > 0.85
    accuracy = (jobs[0].predict(jobs[0].rows[:200]).argmax(axis=1) == jobs[0].labels[:200]).mean()
    assert metrics(first.stdout)["validation:accuracy"] == pytest.approx(accuracy, abs=0.006)
    assert list((tmp_path / "1" / "model").iterdir()) == []


def test_a_loss_that_explodes_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    job = Job(tmp_path, "dense", np.eye(4) * 1e30, np.array([0, 1, 0, 1], dtype=np.float32))

    done = job.run(*arguments(task="regression", feature_dim=4, learning_rate=1e30, epochs=50, optimizer="sgd"))

    assert done.returncode == 1
    assert "ValueError: the loss is no finite number any more; lower learning_rate" in done.stderr
