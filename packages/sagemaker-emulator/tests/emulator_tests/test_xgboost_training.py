"""The XGBoost engine: channels, data, metrics, boosting."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from sagemaker_emulator.engines.xgboost.boosting import Metrics, boost
from sagemaker_emulator.engines.xgboost.checkpoints import last_checkpoint
from sagemaker_emulator.engines.xgboost.failures import AlgorithmError, UserError
from sagemaker_emulator.engines.xgboost.folds import cross_validate
from sagemaker_emulator.engines.xgboost.hyperparameters import Value
from sagemaker_emulator.engines.xgboost.library import xgboost
from sagemaker_emulator.engines.xgboost.metrics import custom_metric
from sagemaker_emulator.engines.xgboost.train import Termination, train

FILE_CSV = {"ContentType": "text/csv", "TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("accuracy", 0.6),
        ("balanced_accuracy", (0.5 + 2 / 3) / 2),
        ("precision", 2 / 3),
        ("recall", 2 / 3),
        ("f1_binary", 2 / 3),
        ("f1_macro", (0.5 + 2 / 3) / 2),
        ("precision_macro", (0.5 + 2 / 3) / 2),
        ("recall_macro", (0.5 + 2 / 3) / 2),
        ("precision_micro", 0.6),
        ("mse", (0.16 + 0.01 + 0.81 + 0.49 + 1.44) / 5),
        ("rmse", ((0.16 + 0.01 + 0.81 + 0.49 + 1.44) / 5) ** 0.5),
        ("mae", (0.4 + 0.1 + 0.9 + 0.7 + 1.2) / 5),
    ],
)
def test_the_containers_own_metrics(metric: str, value: float) -> None:
    matrix = xgboost.DMatrix(np.zeros((5, 1)), label=[0, 0, 1, 1, 1])
    predictions = np.array([-0.4, 0.1, 0.1, 0.3, -0.2], dtype=np.float32)

    ((name, score),) = custom_metric([metric])(predictions, matrix)

    assert name == metric
    assert score == pytest.approx(value, abs=1e-6)


def test_a_probability_counts_as_class_one_as_in_the_container() -> None:
    matrix = xgboost.DMatrix(np.zeros((4, 1)), label=[0, 0, 0, 1])

    scores = dict(custom_metric(["accuracy", "recall"])(np.array([0.1, 0.2, 0.1, 0.9], dtype=np.float32), matrix))

    assert scores == {"accuracy": 0.25, "recall": 1.0}


def test_a_metric_of_two_classes_is_refused_for_three() -> None:
    matrix = xgboost.DMatrix(np.zeros((3, 1)), label=[0, 1, 2])

    with pytest.raises(ValueError, match="Target is multiclass but average='binary'"):
        custom_metric(["precision"])(np.eye(3, dtype=np.float32), matrix)


def test_metrics_of_probabilities_per_class_and_of_a_perfect_fit() -> None:
    matrix = xgboost.DMatrix(np.zeros((3, 1)), label=[0, 1, 2])

    scores = dict(custom_metric(["accuracy", "f1"])(np.eye(3, dtype=np.float32)[[0, 1, 1]], matrix))
    fit = dict(custom_metric(["r2"])(np.array([0, 1, 2], dtype=np.float32), matrix))

    assert scores["accuracy"] == pytest.approx(2 / 3)
    assert scores["f1"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert fit == {"r2": 1.0}


def test_the_tuning_objective_is_evaluated_too_and_decides_about_early_stopping() -> None:
    metrics = Metrics.of({"eval_metric": ["error", "accuracy"], "_tuning_objective_metric": "validation:logloss"})

    assert metrics == Metrics(built_in=["error", "logloss"], custom=["accuracy"], watched="logloss")


@pytest.fixture
def easy() -> xgboost.DMatrix:
    rows = np.random.default_rng(0).normal(size=(60, 3))
    return xgboost.DMatrix(rows, label=(rows[:, 0] > 0).astype(int))


def test_a_round_is_printed_as_the_container_prints_it(easy: xgboost.DMatrix, capsys: pytest.CaptureFixture[str]) -> None:
    boost({"num_round": 2, "objective": "binary:logistic", "eval_metric": ["error", "accuracy"]}, easy, easy)

    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("[0]\ttrain-error:0.")
    assert second.startswith("[1]\ttrain-error:")
    assert [part.split(":")[0] for part in second.split("\t")[1:]] == [
        "train-error",
        "train-accuracy",
        "validation-error",
        "validation-accuracy",
    ]


def test_training_stops_early_on_the_last_metric_and_keeps_the_best(easy: xgboost.DMatrix) -> None:
    noise = xgboost.DMatrix(np.random.default_rng(1).normal(size=(60, 3)), label=np.random.default_rng(2).integers(0, 2, 60))
    hyperparameters: dict[str, Value] = {
        "num_round": 200,
        "nthread": 1,
        "objective": "binary:logistic",
        "eval_metric": ["error", "logloss"],
        "early_stopping_rounds": 3,
    }

    assert boost(hyperparameters, easy, noise).num_boosted_rounds() < 50
    assert boost({**hyperparameters, "num_round": 60}, easy, None).num_boosted_rounds() == 60


def test_training_ends_after_the_round_in_which_it_is_asked_to(easy: xgboost.DMatrix) -> None:
    assert boost({"num_round": 9, "objective": "binary:logistic"}, easy, None, stop=lambda: True).num_boosted_rounds() == 1


def test_a_training_saves_one_checkpoint_from_which_nothing_goes_on(easy: xgboost.DMatrix, tmp_path: Path) -> None:
    """As the container does it: it looks for other names than it saves."""
    hyperparameters: dict[str, Value] = {"num_round": 7, "objective": "binary:logistic"}

    boost(hyperparameters, easy, None, silent=True, checkpoints=tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {"xgboost-checkpoint_0.ubj"}
    assert last_checkpoint(tmp_path) is None


def test_a_training_goes_on_from_a_checkpoint_of_the_other_name_to_the_rounds_that_were_asked_for(
    easy: xgboost.DMatrix, tmp_path: Path
) -> None:
    hyperparameters: dict[str, Value] = {"num_round": 9, "objective": "binary:logistic", "nthread": 1}
    whole = boost(hyperparameters, easy, None, silent=True)
    for rounds in (3, 7):
        begun = boost({**hyperparameters, "num_round": rounds}, easy, None, silent=True)
        (tmp_path / f"xgboost-checkpoint.{rounds - 1}").write_bytes(begun.save_raw("ubj"))

    booster = boost(hyperparameters, easy, None, silent=True, begun=last_checkpoint(tmp_path), checkpoints=tmp_path)

    assert booster.get_dump() == whole.get_dump()


@pytest.mark.parametrize("patience", [{}, {"early_stopping_rounds": 2}])
def test_a_training_that_was_interrupted_after_its_last_round_has_its_model(
    easy: xgboost.DMatrix, tmp_path: Path, patience: dict[str, Value]
) -> None:
    hyperparameters: dict[str, Value] = {"num_round": 1, "objective": "binary:logistic", "eval_metric": ["logloss"], **patience}
    done = boost(hyperparameters, easy, easy, silent=True)
    (tmp_path / "xgboost-checkpoint.0").write_bytes(done.save_raw("ubj"))

    assert boost(hyperparameters, easy, easy, begun=last_checkpoint(tmp_path)).num_boosted_rounds() == 1


def test_a_termination_ends_the_process_unless_the_model_shall_be_saved() -> None:
    termination = Termination()
    termination.save_model = True
    termination(signal.SIGTERM, None)
    assert termination.requested

    with pytest.raises(SystemExit) as ended:
        Termination()(signal.SIGTERM, None)
    assert ended.value.code == 0


def test_beside_the_containers_own_metrics_xgboost_evaluates_its_default(
    easy: xgboost.DMatrix, capsys: pytest.CaptureFixture[str]
) -> None:
    boost({"num_round": 1, "objective": "binary:logistic", "eval_metric": ["accuracy"]}, easy, None)

    assert [part.partition(":")[0] for part in capsys.readouterr().out.rstrip().split("\t")] == [
        "[0]",
        "train-logloss",
        "train-accuracy",
    ]


def test_labels_out_of_range_are_the_users_error_and_other_refusals_the_algorithms() -> None:
    matrix = xgboost.DMatrix(np.zeros((3, 1)), label=[0, 1, 5])

    with pytest.raises(UserError, match=r"label must be .* \[0, num_class\)") as refused:
        boost({"num_round": 1, "objective": "multi:softprob", "num_class": 3}, matrix, None)
    with pytest.raises(AlgorithmError, match="XGB train call failed with exception:\n"):
        boost({"num_round": 1, "objective": "binary:logistic", "tree_method": "gpu_hist"}, matrix, None)
    assert "Stack trace" not in str(refused.value)


@pytest.mark.filterwarnings("ignore")  # XGBoost warns of every updater that is given
def test_updaters_are_handed_on_as_text(easy: xgboost.DMatrix) -> None:
    hyperparameters: dict[str, Value] = {
        "num_round": 1,
        "objective": "binary:logistic",
        "tree_method": "exact",
        "updater": ["grow_colmaker", "prune"],
    }

    assert boost(hyperparameters, easy, None, silent=True).num_boosted_rounds() == 1


@pytest.mark.parametrize(
    ("objective", "more", "columns"),
    [
        ("binary:logistic", {}, 3),
        ("multi:softprob", {"num_class": 2}, 4),
        ("multi:softmax", {"num_class": 2}, 3),
        ("reg:squarederror", {}, 2),
    ],
)
def test_cross_validation_leaves_a_model_for_each_fold_and_predictions(
    easy: xgboost.DMatrix, tmp_path: Path, objective: str, more: dict[str, int], columns: int
) -> None:
    hyperparameters: dict[str, Value] = {"num_round": 2, "objective": objective, "_kfold": 3, "_num_cv_round": 2, **more}

    models = cross_validate(hyperparameters, easy, easy, tmp_path)

    predictions = np.loadtxt(tmp_path / "predictions.csv", delimiter=",")
    assert len(models) == 6
    assert predictions.shape == (120, columns)
    if objective != "reg:squarederror":
        assert np.mean(predictions[:, 0] == predictions[:, -1]) > 0.9


def test_cross_validation_counts_the_rows_of_both_channels_by_their_weights(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(150, 1))
    labels = (values[:, 0] > 0).astype(float)
    train = xgboost.DMatrix(values, label=labels)
    wrong = xgboost.DMatrix(values, label=1 - labels, weight=np.zeros(150))

    cross_validate({"num_round": 3, "objective": "binary:logistic", "_kfold": 3}, train, wrong, tmp_path)

    predictions = np.loadtxt(tmp_path / "predictions.csv", delimiter=",")
    assert np.mean(predictions[:150, 0] == predictions[:150, -1]) > 0.9


def test_more_folds_than_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Cannot make 5 folds of 2 rows"):
        cross_validate({"num_round": 1, "_kfold": 5}, xgboost.DMatrix(np.zeros((2, 1)), label=[0, 1]), None, tmp_path)


def job_directory(root: Path, hyperparameters: dict[str, str], channels: dict[str, str]) -> Path:
    """An /opt/ml with CSV channels of these texts."""
    config = root / "input" / "config"
    for directory in (config, root / "model", root / "output"):
        directory.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    (config / "inputdataconfig.json").write_text(json.dumps(dict.fromkeys(channels, FILE_CSV)))
    (config / "resourceconfig.json").write_text(json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]}))
    for name, text in channels.items():
        (root / "input" / "data" / name).mkdir(parents=True)
        (root / "input" / "data" / name / "part-0").write_text(text)
    return root


def test_training_leaves_one_model_that_xgboost_loads(tmp_path: Path) -> None:
    root = job_directory(tmp_path, {"num_round": "2"}, {"train": "0,1\n1,2\n", "validation": "0,1\n"})

    train(root, Termination())

    assert [path.name for path in (root / "model").iterdir()] == ["xgboost-model"]
    booster = xgboost.Booster()
    booster.load_model(bytearray((root / "model" / "xgboost-model").read_bytes()))
    assert booster.num_boosted_rounds() == 2


def test_a_job_scores_what_xgboost_called_directly_scores(tmp_path: Path) -> None:
    rows, labels = load_breast_cancer(return_X_y=True)
    table = np.column_stack([labels, rows]).astype(np.float32)
    known, held_out = table[::2], table[1::2]
    chosen = {"objective": "binary:logistic", "max_depth": "3", "eta": "0.2", "subsample": "0.8", "seed": "0"}
    text = "".join(",".join(map(str, row)) + "\n" for row in known.tolist())
    root = job_directory(tmp_path, {**chosen, "num_round": "30"}, {"train": text})

    train(root, Termination())

    ours = xgboost.Booster()
    ours.load_model(bytearray((root / "model" / "xgboost-model").read_bytes()))
    direct = xgboost.train(chosen, xgboost.DMatrix(known[:, 1:], label=known[:, 0]), 30)
    score, expected = (
        np.mean((booster.predict(xgboost.DMatrix(held_out[:, 1:])) > 0.5) == held_out[:, 0]) for booster in (ours, direct)
    )
    assert expected > 0.9
    assert score == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("hyperparameters", "channels", "message"),
    [
        ({"num_round": "x"}, {"train": "0,1\n"}, "Hyperparameter num_round: could not parse value (caused by ValueError)"),
        ({"num_round": "1"}, {"train": ""}, "No data in training channel path "),
        ({"num_round": "1"}, {"train": "0,1\n", "validation": ""}, "No data in validation channel path "),
        ({"num_round": "1", "use_dask_gpu_training": "true"}, {"train": "0,1\n"}, "Dask GPU training needs a GPU instance"),
    ],
)
def test_what_the_container_refuses(
    tmp_path: Path, hyperparameters: dict[str, str], channels: dict[str, str], message: str
) -> None:
    with pytest.raises(UserError) as refused:
        train(job_directory(tmp_path, hyperparameters, channels), Termination())

    assert str(refused.value).startswith(message)


def test_channels_of_different_content_types_are_refused(tmp_path: Path) -> None:
    root = job_directory(tmp_path, {"num_round": "1"}, {"train": "0,1\n", "validation": "0,1\n"})
    channels = {"train": FILE_CSV, "validation": {**FILE_CSV, "ContentType": "text/libsvm"}}
    (root / "input" / "config" / "inputdataconfig.json").write_text(json.dumps(channels))

    with pytest.raises(UserError, match="must have the same content type"):
        train(root, Termination())
