"""The XGBoost image trains on what Sageline writes, and the emulator beside it trains the same model."""

from __future__ import annotations

import importlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sageline.arrays.matrix import FloatArray
from sageline.encoder.fitted import FittedEncoder
from sagemaker_emulator.engines.xgboost.failures import AlgorithmError, UserError
from sagemaker_emulator.engines.xgboost.library import xgboost
from sagemaker_emulator.engines.xgboost.train import Termination, train
from tests.unit.encoder.encoders import table_encoder, text_encoder

WORDS = ("hello", "wörld", "hello hello", "hello wörld", "neither")
TEXTS: list[object] = [f"{word} {'and' * (number % 3)}" for number, word in enumerate(WORDS * 30)]
ROWS: list[object] = [[number % 7, ("red", "3.0", "?")[number % 3], (number * 5) % 11 or None] for number in range(150)]


@dataclass
class Job:
    """A directory laid out as ``/opt/ml``."""

    root: Path

    def channel(self, name: str, encoder: FittedEncoder, rows: list[object], labels: FloatArray) -> None:
        written = encoder.write(encoder.encode_instances(rows), labels)
        assert isinstance(written, bytes)
        path = self.root / "input" / "data" / name / "part-00000"
        path.parent.mkdir(parents=True)
        path.write_bytes(written)

    def prepare(self, hyperparameters: dict[str, str], content_type: str, checkpoints: bool) -> None:
        config = self.root / "input" / "config"
        config.mkdir(parents=True)
        (self.root / "model").mkdir()
        (self.root / "output" / "data").mkdir(parents=True)
        names = sorted(path.name for path in (self.root / "input" / "data").iterdir())
        channel = {"ContentType": content_type, "TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}
        hosts = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "lo"}
        documents: dict[str, object] = {
            "hyperparameters": hyperparameters,
            "inputdataconfig": dict.fromkeys(names, channel),
            "resourceconfig": hosts,
        }
        if checkpoints:
            documents["checkpointconfig"] = {"LocalPath": "/opt/ml/checkpoints"}
            (self.root / "checkpoints").mkdir()
        for name, document in documents.items():
            (config / f"{name}.json").write_text(json.dumps(document))

    def train_by_image(self, patch: pytest.MonkeyPatch) -> None:
        config = self.root / "input" / "config"
        channels = json.loads((config / "inputdataconfig.json").read_text())
        data = self.root / "input" / "data"
        patch.setenv("SM_OUTPUT_DATA_DIR", str(self.root / "output" / "data"))
        with_checkpoints = (self.root / "checkpoints").exists()
        importlib.import_module("sagemaker_xgboost_container.algorithm_mode.train").sagemaker_train(
            train_config=json.loads((config / "hyperparameters.json").read_text()),
            data_config=channels,
            train_path=str(data / "train"),
            val_path=str(data / "validation") if "validation" in channels else None,
            model_dir=str(self.root / "model"),
            sm_hosts=["algo-1"],
            sm_current_host="algo-1",
            checkpoint_config={"LocalPath": str(self.root / "checkpoints")} if with_checkpoints else {},
        )

    def models(self) -> dict[str, xgboost.Booster]:
        paths = sorted((self.root / "model").iterdir())
        return {path.name: xgboost.Booster(model_file=bytearray(path.read_bytes())) for path in paths}


def laid_out(root: Path, encoder: FittedEncoder, rows: list[object], hyperparameters: dict[str, str], **more: bool) -> Job:
    job = Job(root)
    labels = np.arange(len(rows)) % (len(encoder.classes) if encoder.classes else 9)
    for name, part in (("train", slice(0, 100)), ("validation", slice(100, 150))):
        job.channel(name, encoder, rows[part], labels[part].astype(np.float32))
    job.prepare(hyperparameters, encoder.exchange.channel_content_type or "", more.get("checkpoints", False))
    return job


BINARY = {"num_round": "12", "objective": "binary:logistic", "eval_metric": "error,logloss", "early_stopping_rounds": "3"}
SEVERAL = {"num_round": "6", "objective": "multi:softprob", "num_class": "3", "eval_metric": "merror,accuracy", "nthread": "1"}
BINARY_METRICS = "accuracy,balanced_accuracy,f1,f1_binary,precision,recall,f1_macro,precision_micro"
REGRESSION = {"num_round": "9", "objective": "reg:squarederror", "eval_metric": "mae,rmse"}


@pytest.mark.parametrize(
    ("encoder", "rows", "hyperparameters"),
    [
        (text_encoder(), TEXTS, BINARY),
        (table_encoder(["a", "b", "c"]), ROWS, SEVERAL),
        (table_encoder(), ROWS, REGRESSION),
        (table_encoder(), ROWS, {"num_round": "5", "objective": "reg:squarederror", "eval_metric": "mae,r2"}),
        (table_encoder(), ROWS, {"num_round": "5", "objective": "reg:squarederror", "eval_metric": "r2"}),
        (table_encoder(), ROWS, {"num_round": "5"}),
        (table_encoder(["a", "b"]), ROWS, {"num_round": "5", "objective": "binary:logistic", "eval_metric": BINARY_METRICS}),
        (table_encoder(["a", "b", "c"]), ROWS, {**SEVERAL, "eval_metric": "mlogloss,f1,recall_macro,precision_macro"}),
    ],
)
def test_the_image_trains_on_what_is_written(
    *,
    encoder: FittedEncoder,
    rows: list[object],
    hyperparameters: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    jobs = [laid_out(tmp_path / name, encoder, rows, hyperparameters) for name in ("image", "emulator")]

    jobs[0].train_by_image(monkeypatch)
    said_by_image = rounds(capfd)
    train(jobs[1].root, Termination())
    said_by_emulator = rounds(capfd)

    image, emulator = (job.models()["xgboost-model"] for job in jobs)
    matrix = xgboost.DMatrix(np.random.default_rng(0).random((20, encoder.feature_dim)) * 5)
    assert image.num_boosted_rounds() == emulator.num_boosted_rounds()
    np.testing.assert_allclose(image.predict(matrix), emulator.predict(matrix), rtol=1e-6)
    assert said_by_emulator == [pytest.approx(said, abs=2e-5) for said in said_by_image]


def rounds(capfd: pytest.CaptureFixture[str]) -> list[dict[str, float]]:
    """The number of each round that is told, and its metrics."""
    output = capfd.readouterr()
    lines = [line for line in (output.out + output.err).splitlines() if line.startswith("[") and "\ttrain-" in line]
    parts = [line.replace("[", "round:").replace("]", "").split("\t") for line in lines]
    return [{name: float(value) for name, _, value in (part.partition(":") for part in line)} for line in parts]


def test_a_fresh_job_leaves_the_same_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [
        laid_out(tmp_path / name, table_encoder(), ROWS, {"num_round": "7"}, checkpoints=True) for name in ("image", "emulator")
    ]

    jobs[0].train_by_image(monkeypatch)
    train(jobs[1].root, Termination())

    names = [sorted(path.name for path in (job.root / "checkpoints").iterdir()) for job in jobs]
    assert names[0] == names[1] == ["xgboost-checkpoint_0.ubj"]


def test_a_job_that_finds_a_checkpoint_of_its_name_goes_on_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    jobs = [
        laid_out(tmp_path / name, table_encoder(), ROWS, {"num_round": "9"}, checkpoints=True) for name in ("image", "emulator")
    ]
    begun = laid_out(tmp_path / "begun", table_encoder(), ROWS, {"num_round": "5"})
    train(begun.root, Termination())
    for job in jobs:
        shutil.copy(begun.root / "model" / "xgboost-model", job.root / "checkpoints" / "xgboost-checkpoint.4")
    rounds(capfd)

    jobs[0].train_by_image(monkeypatch)
    said_by_image = rounds(capfd)
    train(jobs[1].root, Termination())

    assert rounds(capfd) == said_by_image
    assert [job.models()["xgboost-model"].num_boosted_rounds() for job in jobs] == [9, 9]
    names = [sorted(path.name for path in (job.root / "checkpoints").iterdir()) for job in jobs]
    assert names[0] == names[1]


def test_a_metric_of_two_classes_fails_with_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {**SEVERAL, "eval_metric": "f1_binary"}
    jobs = [laid_out(tmp_path / name, table_encoder(["a", "b", "c"]), ROWS, given) for name in ("image", "emulator")]

    with pytest.raises(Exception, match="Target is multiclass but average='binary'") as image:
        jobs[0].train_by_image(monkeypatch)
    with pytest.raises(UserError, match="Target is multiclass but average='binary'"):
        train(jobs[1].root, Termination())
    assert type(image.value).__name__ == "UserError"


def test_cross_validation_with_checkpoints_fails_in_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"num_round": "3", "_kfold": "2", "objective": "reg:squarederror"}
    jobs = [laid_out(tmp_path / name, table_encoder(), ROWS, given, checkpoints=True) for name in ("image", "emulator")]

    with pytest.raises(Exception, match="XGB train call failed with exception"):
        jobs[0].train_by_image(monkeypatch)
    with pytest.raises(AlgorithmError, match="XGB train call failed with exception"):
        train(jobs[1].root, Termination())
