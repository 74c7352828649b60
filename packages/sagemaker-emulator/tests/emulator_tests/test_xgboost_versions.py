"""The images of XGBoost before the newest: what they know, how they train, what they leave and answer."""

from __future__ import annotations

import json
import logging
import pickle
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pytest

from emulator_tests.recordio import write_dense
from emulator_tests.support import served
from sagemaker_emulator.engines import ENGINES
from sagemaker_emulator.engines.shell.serving import CannotLoad
from sagemaker_emulator.engines.xgboost.boosting import boost
from sagemaker_emulator.engines.xgboost.channels import check_channels
from sagemaker_emulator.engines.xgboost.checkpoints import last_checkpoint
from sagemaker_emulator.engines.xgboost.failures import UserError
from sagemaker_emulator.engines.xgboost.hyperparameters import read
from sagemaker_emulator.engines.xgboost.library import xgboost
from sagemaker_emulator.engines.xgboost.models import load_models
from sagemaker_emulator.engines.xgboost.serve import application
from sagemaker_emulator.engines.xgboost.train import Termination, train
from sagemaker_emulator.engines.xgboost.versions import LIBRARIES, NEWEST, VARIABLE, Version

FILE_CSV = {"ContentType": "csv", "TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}
BOSTON = {
    **{"objective": "reg:linear", "max_depth": "5", "eta": "0.2", "gamma": "4", "min_child_weight": "6", "subsample": "0.8"},
    "nthread": "1",
}
"""What the courses of the time say to XGBoost about house prices, and that it shall keep to one core."""


def table() -> tuple[np.ndarray, np.ndarray]:
    """300 rows of four columns, of which one has gaps, and a number to predict."""
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(300, 4)).astype("float32").round(3)
    rows[::7, 1] = np.nan
    return rows, (rows[:, 0] * 3 + np.nan_to_num(rows[:, 1]) + chance.normal(size=300)).astype("float32")


TARGETS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "reg:linear": lambda numbers: numbers,
    "reg:squarederror": lambda numbers: numbers,
    "binary:logistic": lambda numbers: (numbers > 0).astype("float32"),
    "multi:softprob": lambda numbers: np.digitize(numbers, [-1, 1]).astype("float32"),
    "count:poisson": lambda numbers: np.abs(numbers).round(),
}


def matrices(objective: str) -> tuple[xgboost.DMatrix, xgboost.DMatrix]:
    rows, numbers = table()
    labels = TARGETS[objective](numbers)
    return xgboost.DMatrix(rows[:200], label=labels[:200]), xgboost.DMatrix(rows[200:], label=labels[200:])


@pytest.mark.parametrize(
    ("tags", "objective", "metric", "predictions"),
    [
        # What the releases of XGBoost that the images have in AWS predict: each of them was run on this table.
        (("1", "0.90-1", "1.0-1", "1.2-2", "1.3-1", "1.5-1", "1.7-1"), "reg:linear", "rmse", [-1.34845, -0.746866, -1.34845]),
        (("3.2-0",), "reg:squarederror", "rmse", [-1.32313, -0.913876, -1.32313]),
        (("1", "1.2-2"), "binary:logistic", "error", [0.0367156, 0.454922, 0.0367156]),
        (("1.3-1", "1.7-1"), "binary:logistic", "logloss", [0.0367156, 0.454922, 0.0367156]),
        (("1", "1.2-2"), "multi:softprob", "merror", [0.407175, 0.537893, 0.0549328]),
        (("1.7-1", "3.0-5"), "multi:softprob", "mlogloss", [0.407175, 0.537893, 0.0549328]),
        (("1", "1.7-1"), "count:poisson", "poisson-nloglik", [1.57664, 1.42026, 1.57664]),
    ],
)
def test_an_image_trains_what_its_own_xgboost_would(
    tags: tuple[str, ...], objective: str, metric: str, predictions: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    known, held_out = matrices(objective)
    classes = {"num_class": "3"} if objective.startswith("multi:") else {}
    given = {"objective": objective, "max_depth": "3", "eta": "0.3", "nthread": "1", "num_round": "10", **classes}
    for version in map(Version, tags):
        booster = boost(read(given, version), known, held_out, version=version)

        assert booster.predict(held_out).ravel()[:3] == pytest.approx(predictions, abs=1e-5)
        assert f"validation-{metric}:" in capsys.readouterr().out


def test_the_objective_of_old_stops_early_and_keeps_its_best_rounds(caplog: pytest.LogCaptureFixture) -> None:
    known, held_out = matrices("reg:linear")
    tuned = {**BOSTON, "num_round": "200", "early_stopping_rounds": "10", "_tuning_objective_metric": "validation:rmse"}
    for version in map(Version, ("1", "1.2-2", "1.7-1", "3.2-0")):
        booster = boost(read(tuned, version), known, held_out, silent=True, version=version)

        assert booster.num_boosted_rounds() < 100, version
    assert "In AWS the image 3.2-0 fails with reg:linear and early stopping." in caplog.text
    assert "In AWS the image 1.7-1" not in caplog.text


@pytest.mark.parametrize(("tag", "stops"), [("1", True), ("1.2-2", True), ("1.3-1", False), ("3.2-0", False)])
def test_early_stopping_without_a_metric_of_ones_own(tag: str, stops: bool) -> None:
    known, held_out = matrices("reg:linear")
    version = Version(tag)

    booster = boost(
        read({**BOSTON, "num_round": "60", "early_stopping_rounds": "2"}, version), known, held_out, silent=True, version=version
    )

    assert (booster.num_boosted_rounds() < 60) == stops


@pytest.mark.parametrize(
    ("tag", "given", "message"),
    [
        ("1", {"verbosity": "1"}, "Extraneous hyperparameter found: verbosity"),
        ("1", {"objective": "reg:squarederror"}, "Hyperparameter objective: reg:squarederror is not in ['binary:logistic', "),
        (
            "1",
            {"eval_metric": "f1"},
            "Hyperparameter eval_metric: value ['f1'] not in range ['auc', 'map', 'ndcg', 'cox-nloglik', ",
        ),
        ("0.90-1", {"learning_rate": "0.1"}, "Extraneous hyperparameter found: learning_rate"),
        ("0.90-2", {"monotone_constraints": "(1,)"}, "Extraneous hyperparameter found: monotone_constraints"),
        ("1.2-1", {"silent": "1"}, "Extraneous hyperparameter found: silent"),
        ("1.2-1", {"_kfold": "2"}, "Extraneous hyperparameter found: _kfold"),
        (
            "1.2-2",
            {"_tuning_objective_metric": "validation:recall"},
            "Hyperparameter _tuning_objective_metric: validation:recall",
        ),
        ("1.3-1", {"use_dask_gpu_training": "true"}, "Extraneous hyperparameter found: use_dask_gpu_training"),
        ("1.5-1", {"objective": "reg:absoluteerror"}, "Hyperparameter objective: reg:absoluteerror is not in ["),
        ("1.7-1", {"single_precision_histogram": "true"}, "Extraneous hyperparameter found: single_precision_histogram"),
        ("3.2-0", {"updater": "grow_local_histmaker"}, "Hyperparameter updater: value ['grow_local_histmaker'] not in range"),
    ],
)
def test_an_image_refuses_what_it_does_not_know(tag: str, given: dict[str, str], message: str) -> None:
    with pytest.raises(UserError) as refused:
        read({"num_round": "1", **given}, Version(tag))

    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("tag", "given"),
    [
        ("1", {"silent": "0", "eval_metric": "rmse"}),
        ("0.90-2", {"reg_lambda": "1", "eval_metric": "f1,rmse"}),
        ("1.2-1", {"single_precision_histogram": "true", "_nfold": "2"}),
        ("1.5-1", {"updater": "grow_local_histmaker,prune"}),
    ],
)
def test_an_image_takes_what_later_ones_do_not(tag: str, given: dict[str, str]) -> None:
    read({"num_round": "1", **given}, Version(tag))

    with pytest.raises(UserError):
        read({"num_round": "1", **given}, NEWEST)


def test_channels_of_an_old_image() -> None:
    piped = {"train": {**FILE_CSV, "TrainingInputMode": "Pipe"}}
    records = {"train": {**FILE_CSV, "ContentType": "application/x-recordio-protobuf"}}

    check_channels(piped, Version("1.7-1"))
    check_channels(records, Version("0.90-1"))
    with pytest.raises(UserError, match="not supported"):
        check_channels(records, Version("1"))
    with pytest.raises(UserError, match="not supported"):
        check_channels({"train": {**piped["train"], "ContentType": "libsvm"}}, Version("1.7-1"))


def job(root: Path, tag: str) -> Path:
    """What a job of an image leaves in its model directory."""
    config = root / "input" / "config"
    for directory in (config, root / "input" / "data" / "train", root / "model", root / "output"):
        directory.mkdir(parents=True)
    rows, numbers = table()
    np.savetxt(root / "input" / "data" / "train" / "rows.csv", np.column_stack([numbers, np.nan_to_num(rows)]), delimiter=",")
    (config / "hyperparameters.json").write_text(json.dumps({**BOSTON, "num_round": "5"}))
    (config / "inputdataconfig.json").write_text(json.dumps({"train": FILE_CSV}))
    (config / "resourceconfig.json").write_text(json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]}))
    train(root, Termination(), Version(tag))
    return root / "model"


def test_a_job_of_an_old_image_says_which_xgboost_ran_and_leaves_a_pickle(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        models = job(tmp_path, "1")

    assert f"XGBoost {xgboost.__version__} of this machine runs here: the image xgboost:1 asks for 0.72" in caplog.text
    booster = pickle.loads((models / "xgboost-model").read_bytes())  # noqa: S301  # the job's own
    assert booster.num_boosted_rounds() == 5
    (loaded,) = load_models(models)
    assert loaded.get_dump() == booster.get_dump()


def test_a_job_of_the_newest_image_says_nothing_of_versions(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (booster,) = load_models(job(tmp_path, "3.2-0"))

    assert booster.num_boosted_rounds() == 5
    assert "of this machine" not in caplog.text


@pytest.mark.parametrize(
    ("body", "content_type", "status", "text"),
    [
        (b"1,2,3,4", "text/csv", 200, ""),
        (b"1,2,3", "text/csv", 200, ""),
        (b"1,2", "text/csv", 400, "Feature size of csv inference data 2 is not consistent with feature size of trained model 4."),
        (b"1,2,3,4,5", "text/csv", 400, "Feature size of csv inference data 5 is not consistent"),
        (b"1:2", "text/libsvm", 200, ""),
        (b"9:2", "text/libsvm", 400, "Feature size of libsvm inference data 10 is larger than feature size of trained model 4."),
    ],
)
def test_a_pickled_model_asks_for_its_columns(tmp_path: Path, body: bytes, content_type: str, status: int, text: str) -> None:
    models = load_models(job(tmp_path, "1"))
    with served(application(models, {VARIABLE: "1"})) as url, httpx.Client(base_url=url, trust_env=False) as client:
        answer = client.post("/invocations", content=body, headers={"content-type": content_type})

    assert answer.status_code == status
    assert text in answer.text


class Runs:
    """Unpickled as it says, it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return Path, (str(self.path),)


def test_a_pickle_of_anything_but_a_booster_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "xgboost-model").write_bytes(pickle.dumps(Runs(tmp_path)))

    with pytest.raises(CannotLoad, match="which is no part of a Booster"):
        load_models(tmp_path)


def test_a_model_of_an_xgboost_that_is_too_old_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "xgboost-model").write_bytes(b"binf\x00\x00\x00?" + bytes(200))

    with pytest.raises(CannotLoad, match=r"save it by save_model\('xgboost-model.json'\)"):
        load_models(tmp_path)


def test_checkpoints_of_an_old_image_are_gone_on_from(tmp_path: Path) -> None:
    known, _ = matrices("reg:linear")
    version = Version("1.2-2")
    given = read({"objective": "reg:linear", "nthread": "1", "num_round": "7"}, version)
    whole = boost(given, known, None, silent=True, checkpoints=tmp_path, version=version)
    kept = {path.name for path in tmp_path.iterdir()}
    for number in (5, 6):
        (tmp_path / f"xgboost-checkpoint.{number}").unlink()

    begun = last_checkpoint(tmp_path)
    booster = boost(given, known, None, silent=True, begun=begun, checkpoints=tmp_path, version=version)

    assert kept == {f"xgboost-checkpoint.{number}" for number in range(2, 7)}
    assert begun is not None
    assert begun.num_boosted_rounds() == 5
    assert booster.get_dump() == whole.get_dump()
    assert (tmp_path / "xgboost-checkpoint.6").exists()


def answers(tag: str, objective: str, body: bytes, more: dict[str, str] | None = None, **headers: str) -> httpx.Response:
    known, _ = matrices(objective)
    classes = {"num_class": 3} if objective.startswith("multi:") else {}
    booster = xgboost.train({"objective": objective, "nthread": 1, **classes}, known, 2)
    booster.set_param({"nthread": 1})
    with (
        served(application([booster], {VARIABLE: tag, **(more or {})})) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        return client.post("/invocations", content=body, headers={name.replace("_", "-"): kind for name, kind in headers.items()})


CSV_ROWS = b"1,2,3,4\n-1,-2,-3,-4\n1,,3,4"


@pytest.mark.parametrize("accept", ["text/csv", "application/json", "image/png"])
def test_an_old_image_answers_on_one_line_whatever_is_accepted(accept: str) -> None:
    answer = answers("1", "reg:squarederror", CSV_ROWS, content_type="text/csv", accept=accept)

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert len(np.array(answer.text.split(","), dtype=float)) == 3


def test_an_old_image_answers_a_row_of_probabilities_as_a_list() -> None:
    answer = answers("1.2-1", "multi:softprob", CSV_ROWS, content_type="text/csv")

    assert np.array(json.loads(f"[{answer.text}]")).shape == (3, 3)


def test_a_transform_job_of_an_old_image_is_answered_in_lines() -> None:
    answer = answers("1", "reg:squarederror", CSV_ROWS, {"SAGEMAKER_BATCH": "true"}, content_type="text/csv")

    assert len(answer.text.splitlines()) == 3


def test_a_line_for_each_row_since_the_second_of_1_2() -> None:
    assert len(answers("1.2-2", "reg:squarederror", CSV_ROWS, content_type="text/csv").text.splitlines()) == 3


def test_selected_content_is_answered_since_1_0() -> None:
    selected = {"SAGEMAKER_INFERENCE_OUTPUT": "predicted_score"}
    asked = {"content_type": "text/csv", "accept": "application/json"}

    assert "predictions" in answers("1.0-1", "reg:squarederror", CSV_ROWS, selected, **asked).json()
    assert answers("0.90-2", "reg:squarederror", CSV_ROWS, selected, **asked).text.count(",") == 2


def test_request_types_of_an_old_image() -> None:
    rows = np.array([[1, 2, 3, 4]], dtype=np.float32)

    assert answers("1", "reg:squarederror", b"1,2,3,4").status_code == 200
    assert answers("1", "reg:squarederror", write_dense(rows), content_type="application/x-recordio-protobuf").status_code == 415
    by_one = answers("3.0-5", "reg:squarederror", b"1:1 2:2 3:3", content_type="text/libsvm")
    by_zero = answers("3.2-0", "reg:squarederror", b"1:1 2:2 3:3 4:4", content_type="text/libsvm")
    assert float(by_one.text) != float(by_zero.text)


def test_every_image_has_its_engine() -> None:
    ours = {dict(engine.environment).get(VARIABLE): engine for engine in ENGINES if not engine.runs_scripts}

    assert set(LIBRARIES) <= set(ours)
    assert ours["1"].repository == "xgboost"
    assert ours["1.0-1"].runs("sagemaker-xgboost", "1.0-1-cpu-py3")
