"""Older images of XGBoost: their branches' own check of hyperparameters takes and refuses what the emulator's does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sagemaker_emulator.engines.xgboost import hyperparameters
from sagemaker_emulator.engines.xgboost.failures import AlgorithmError, UserError
from sagemaker_emulator.engines.xgboost.versions import LIBRARIES, Version

# 0.72 is not public, and the newest image is the checkout, which the other tests compare.
BRANCHES = [tag for tag in LIBRARIES if tag not in ("1", "3.0-5", "3.2-0")]
# Two branches cannot be imported into one process; a package's __init__ imports what only the image has.
THEIRS = """
import json, sys, types
source = sys.argv[1]
sys.path.insert(0, source)
import sagemaker_xgboost_container
package = types.ModuleType("sagemaker_xgboost_container.algorithm_mode")
package.__path__ = [source + "/sagemaker_xgboost_container/algorithm_mode"]
sys.modules[package.__name__] = package
from sagemaker_xgboost_container.algorithm_mode import hyperparameter_validation, metrics

checker = hyperparameter_validation.initialize(metrics.initialize())

def takes(given):
    try:
        checker.validate(given)
    except Exception:
        return False
    return True

json.dump([takes(given) for given in json.load(sys.stdin)], sys.stdout)
"""
VALUES = (
    *("0", "1", "2", "-1", "0.5", "1.5", "true", "auto", "hist", "exact", "approx", "gpu_hist", "cpu_predictor", "gpu_predictor"),
    *("gbtree", "gblinear", "row", "update", "uniform", "gradient_based", "tree", "lossguide", "normal", "(1,-1)", "[[1,2]]"),
    *("grow_colmaker", "grow_local_histmaker", "grow_quantile_histmaker", "grow_skmaker,prune", "shotgun", "error@0.5"),
    *("binary:hinge", "reg:squarederror", "reg:linear", "reg:squaredlogerror", "reg:pseudohubererror", "reg:absoluteerror"),
    *hyperparameters.METRICS,
    *(f"validation:{metric}" for metric in hyperparameters.METRICS),
)
ALIASES = ("learning_rate", "min_split_loss", "reg_lambda", "reg_alpha", "foo")
OTHERS: tuple[dict[str, str], ...] = (
    {},
    {"objective": "binary:logistic"},
    {"tree_method": "hist"},
    {"objective": "survival:aft"},
)


def is_taken(given: dict[str, str], version: Version) -> bool:
    try:
        hyperparameters.read(given, version)
    except (UserError, AlgorithmError):
        return False
    return True


@pytest.mark.parametrize("tag", BRANCHES)
def test_a_branch_takes_what_the_emulator_takes_for_its_image(tag: str, tmp_path: Path) -> None:
    names = (*hyperparameters.NAMES, *ALIASES)
    cases = [{"num_round": "1", **other, name: value} for name in names for value in VALUES for other in OTHERS]
    clone = Path(os.environ["CONTAINERS"]) / "sagemaker-xgboost-container"
    archive = subprocess.run(["git", "-C", str(clone), "archive", f"origin/{tag}", "src"], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(tmp_path)], input=archive.stdout, check=True)

    done = subprocess.run(
        [sys.executable, "-c", THEIRS, str(tmp_path / "src")], input=json.dumps(cases), capture_output=True, text=True, check=True
    )

    theirs = json.loads(done.stdout)
    version = Version(tag)
    assert [given for given, taken in zip(cases, theirs, strict=True) if is_taken(given, version) != taken] == []
