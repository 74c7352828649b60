"""The XGBoost image's check of hyperparameters and channels: Sageline and the emulator say the same before a job starts."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from sageline.algorithms.xgboost_hyperparameters import ALIASES, HYPERPARAMETERS, MAXIMIZE_METRICS, METRICS, validate
from sagemaker_emulator.engines.xgboost.channels import check_channels
from sagemaker_emulator.engines.xgboost.failures import UserError
from sagemaker_emulator.engines.xgboost.hyperparameters import read


@pytest.fixture(scope="module")
def hyperparameters() -> Any:  # theirs
    metrics = importlib.import_module("sagemaker_xgboost_container.algorithm_mode.metrics").initialize()
    return importlib.import_module("sagemaker_xgboost_container.algorithm_mode.hyperparameter_validation").initialize(metrics)


@pytest.fixture(scope="module")
def channels() -> Any:  # theirs
    return importlib.import_module("sagemaker_xgboost_container.algorithm_mode.channel_validation").initialize()


VALUES = (
    *("", "0", "1", "-1", "0.5", "1.5", "2", "-0.1", "1e9", "abc", "true", "True", "1.0", " 1", "inf", "(1)", "[1]", "(1,-1)"),
    *(
        "[[0,1]]",
        "[[1,2],[3]]",
        "[1,2]",
        "(2,)",
        "'a'",
        "auto",
        "hist",
        "exact",
        "gblinear",
        "gbtree",
        "dart",
        "update",
        "default",
    ),
)
NAMES = (
    *("binary:logistic", "multi:softprob", "multi:softmax", "reg:squarederror", "rank:ndcg", "survival:aft"),
    *("auc", "auc,error", "error@0.7", "error@x", "ndcg@5", "mae@1", "aft-nloglik", "rmse,mae", "rmse, mae", "validation:auc"),
    *("train:auc", "grow_colmaker", "grow_quantile_histmaker", "grow_local_histmaker", "grow_skmaker", "grow_colmaker,prune"),
    *("grow_colmaker,grow_histmaker", "shotgun", "coord_descent", "shotgun,coord_descent", "refresh,prune", "row", "depthwise"),
    *("uniform", "tree", "normal", "gradient_based", "cpu_predictor", "approx", "gpu_hist"),
)


def is_taken(hyperparameters: Any, given: dict[str, str]) -> bool:
    try:
        hyperparameters.validate(dict(given))
    except Exception:
        return False
    return True


def test_the_same_hyperparameters_are_known(hyperparameters: Any) -> None:
    assert set(HYPERPARAMETERS) == set(hyperparameters.hyperparameters)
    assert hyperparameters.aliases == ALIASES


def test_the_same_metrics_are_known() -> None:
    constants = importlib.import_module("sagemaker_xgboost_container.constants.xgb_constants")
    assert tuple(constants.XGB_MAXIMIZE_METRICS) == tuple(MAXIMIZE_METRICS)
    assert set(constants.XGB_MINIMIZE_METRICS) | set(MAXIMIZE_METRICS) == set(METRICS)


def differences(hyperparameters: Any, documents: Iterable[dict[str, str]]) -> list[object]:
    """What one of the two takes and the other refuses, with whether the image takes it and what Sageline says."""
    return [
        (given, taken, validate(given))
        for given in documents
        if (taken := is_taken(hyperparameters, given)) != (not validate(given))
    ]


@pytest.mark.parametrize("name", [*HYPERPARAMETERS, *ALIASES, "nonsense"])
def test_every_hyperparameter_takes_and_refuses_the_same_values(hyperparameters: Any, name: str) -> None:
    beside: list[dict[str, str]] = [{}, {"objective": "binary:logistic"}, {"tree_method": "hist", "num_class": "3"}]
    documents = ({"num_round": "10", **more, name: value} for value in (*VALUES, *NAMES, *METRICS) for more in beside)

    assert differences(hyperparameters, documents) == []


def test_combinations_are_taken_and_refused_alike(hyperparameters: Any) -> None:
    chance = random.Random(0)
    names = ("objective", "eval_metric", "num_class", "booster", "updater", "process_type", "tree_method", "monotone_constraints")
    documents = (
        {"num_round": "10"} | {name: chance.choice((*VALUES, *NAMES)) for name in chance.sample(names, 3)} for _ in range(3000)
    )

    assert differences(hyperparameters, documents) == []


@pytest.mark.parametrize("given", [{"eta": "nan"}, {"objective": "aft_loss_distribution"}])
def test_what_the_image_lets_pass_by_mistake_is_refused_here(hyperparameters: Any, given: dict[str, str]) -> None:
    assert is_taken(hyperparameters, {"num_round": "1", **given})
    assert validate({"num_round": "1", **given})


def verdict(read: Callable[[dict[str, str]], object], given: dict[str, str]) -> tuple[str, str]:
    """What is read or, of what is refused, the error's kind and text. How Python names what can not be parsed is left out."""
    try:
        return "", repr(sorted(dict(read(dict(given))).items()))  # type: ignore[call-overload]  # theirs
    except Exception as error:
        return type(error).__name__, str(error).partition(" (caused by")[0]


@pytest.mark.parametrize("name", [*HYPERPARAMETERS, *ALIASES, "nonsense"])
def test_the_emulator_reads_the_same_values_and_refuses_in_the_same_words(hyperparameters: Any, name: str) -> None:
    if name == "monotone_constraints":
        pytest.skip("the image runs what it says as a program")
    beside: list[dict[str, str]] = [{}, {"objective": "binary:logistic"}, {"tree_method": "hist", "num_class": "3"}]
    differing = []
    for given in ({"num_round": "10", **more, name: value} for value in (*VALUES, *NAMES, *METRICS) for more in beside):
        theirs, ours = verdict(hyperparameters.validate, given), verdict(read, given)
        # Its failures on what it does not expect are told as the customer's.
        unexpected = theirs[0] in ("KeyError", "SyntaxError") and ours[0] == "UserError"
        if theirs != ours and not unexpected:
            differing.append((given, theirs, ours))

    assert differing == []


CONFIGS = [
    {"TrainingInputMode": mode, "S3DistributionType": distribution, **({"ContentType": kind} if kind else {})}
    for mode in ("File", "FastFile", "Pipe")
    for distribution in ("FullyReplicated", "ShardedByS3Key")
    for kind in (
        *(
            "text/csv",
            "csv",
            "text/libsvm",
            "text/x-libsvm",
            "application/x-recordio-protobuf",
            "text/python",
            "text/plain",
            None,
        ),
        *("text/csv;label_size=1", "application/x-parquet"),
    )
]


@pytest.mark.parametrize("name", ["train", "validation", "code", "test"])
def test_channels_are_taken_and_refused_alike(channels: Any, name: str) -> None:
    differing = []
    for config in CONFIGS:
        given = {"train": {**CONFIGS[0]}, name: {**config}}
        image = emulator = True
        try:
            channels.validate({key: dict(value) for key, value in given.items()})
        except Exception:
            image = False
        try:
            check_channels(given)
        except UserError:
            emulator = False
        # The image refuses Pipe a moment later, when it reads.
        if emulator != (image and config["TrainingInputMode"] != "Pipe"):
            differing.append((config, image, emulator))
    assert differing == []
